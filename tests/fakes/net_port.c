/* SPDX-License-Identifier: ISC */
#include "net_port.h"

#include "buf.h"
#include "io/loop.h"
#include "net_peer.h"
#include "net_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct net_port net_port;

static int32_t say(struct aic_exchange *exchange, int32_t status, const char *text)
{
    const struct aic_response response = {.size = sizeof(response),
                                          .status = status,
                                          .content_type = "text/plain",
                                          .body = aic_str(text)};
    return server_respond(exchange, &response);
}

/* Says what it was asked, so that the test sees how it was understood. */
static int32_t handle_echo(void *data, struct aic_exchange *exchange,
                           const struct aic_request *request)
{
    (void)data;
    struct aic_buf text;
    aic_buf_init(&text, 1u << 24);
    aic_buf_printf(
        &text, "method=%u path=%.*s query=%.*s peer=%.*s loopback=%u x=%.*s body=", request->method,
        (int)request->path.len, request->path.ptr, (int)request->query.len, request->query.ptr,
        (int)request->peer.len, request->peer.ptr, request->is_loopback,
        (int)server_header(exchange, "x-test").len, server_header(exchange, "x-test").ptr);
    aic_buf_str(&text, request->body);
    const struct aic_header header = {AIC_STR("X-Answer"), AIC_STR("yes")};
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 200,
                                          .content_type = "text/plain",
                                          .body = aic_buf_view(&text),
                                          .headers = &header,
                                          .header_count = 1,
                                          .header_size = sizeof(header)};
    int32_t status = server_respond(exchange, &response);
    aic_buf_finish(&text);
    return status;
}

static int32_t handle_not_mine(void *data, struct aic_exchange *exchange,
                               const struct aic_request *request)
{
    (void)data;
    (void)exchange;
    (void)request;
    return AIC_ERROR_NOT_FOUND;
}

static int32_t handle_broken(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request)
{
    (void)data;
    (void)exchange;
    (void)request;
    return AIC_ERROR_INTERNAL;
}

static int32_t handle_later(void *data, struct aic_exchange *exchange,
                            const struct aic_request *request)
{
    (void)data;
    (void)request;
    net_port.held = exchange;
    return AIC_OK;
}

static const char *const split_headers[][2] = {
    {"X-A", "b\r\nSet-Cookie: c=d"},
    {"X-A\r\nSet-Cookie", "c=d"},
    {"Content-Length", "1"},
};

static int32_t handle_split(void *data, struct aic_exchange *exchange,
                            const struct aic_request *request)
{
    (void)data;
    size_t which = (size_t)(request->path.ptr[request->path.len - 1] - '0');
    const struct aic_header header = {aic_str(split_headers[which][0]),
                                      aic_str(split_headers[which][1])};
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 200,
                                          .headers = &header,
                                          .header_count = 1,
                                          .header_size = sizeof(header)};
    net_port.late_status = server_respond(exchange, &response);
    return AIC_OK;
}

static int32_t handle_big(void *data, struct aic_exchange *exchange,
                          const struct aic_request *request)
{
    (void)data;
    (void)request;
    size_t bytes = 10u << 20;
    char *text = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)('a' + i % 23);
    }
    const struct aic_response response = {
        .size = sizeof(response), .status = 200, .body = {text, bytes}};
    int32_t status = server_respond(exchange, &response);
    free(text);
    return status;
}

static void stream_closed(void *data)
{
    (void)data;
    net_port.stream = NULL;
    net_port.stream_closed++;
}

void net_port_stream_more(void *data)
{
    (void)data;
    static char piece[10000];
    net_port.stream_writable++;
    do {
        memset(piece, (int)('a' + net_port.stream_sent / sizeof(piece) % 23), sizeof(piece));
        net_port.stream_status =
            server_stream_write(net_port.stream, (struct aic_str){piece, sizeof(piece)});
        if (net_port.stream_status == AIC_OK) {
            net_port.stream_sent += sizeof(piece);
        }
    } while (net_port.stream_status == AIC_OK && net_port.stream_sent < 8000000);
    if (net_port.stream_sent == 8000000) {
        server_stream_end(net_port.stream);
    }
}

static int32_t handle_stream(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request)
{
    (void)data;
    (void)request;
    static const struct server_stream_handler handler = {.writable = net_port_stream_more,
                                                         .closed = stream_closed};
    const struct aic_response head = {
        .size = sizeof(head), .status = 200, .content_type = "text/event-stream"};
    net_port.stream = exchange;
    return server_stream_begin(exchange, &head, net_port.stream_length, &handler);
}

static void on_ws(void *data, const struct aic_ws_event *event)
{
    (void)data;
    (void)event;
}

static int32_t accept_ws(void *data, struct aic_exchange *exchange,
                         const struct aic_request *request, aic_ws_handler *event,
                         void **event_data)
{
    (void)exchange;
    int32_t *answer = data;
    *event = on_ws;
    *event_data = NULL;
    net_port.accepted_sockets += request->is_websocket == 1;
    return *answer;
}

static int32_t ws_yes = AIC_OK;
static int32_t ws_no = AIC_ERROR_DENIED;
static int32_t ws_other = AIC_ERROR_NOT_FOUND;

static void add_routes(void)
{
    static const struct {
        const char *path;
        uint32_t methods;
        int32_t (*handle)(void *, struct aic_exchange *, const struct aic_request *);
        uint64_t max_body_bytes;
    } http[] = {
        {"/echo/", AIC_METHOD_GET | AIC_METHOD_POST, handle_echo, 0},
        {"/", AIC_METHOD_GET, handle_echo, 0},
        {"/tree/*", AIC_METHOD_GET, handle_echo, 0},
        {"/big-body", AIC_METHOD_POST | AIC_METHOD_PUT, handle_echo, 11u << 20},
        {"/many", AIC_METHOD_GET, handle_not_mine, 0},
        {"/many", AIC_METHOD_POST, handle_broken, 0},
        {"/many", AIC_METHOD_GET, handle_echo, 0},
        {"/nobody", AIC_METHOD_GET, handle_not_mine, 0},
        {"/broken", AIC_METHOD_GET, handle_broken, 0},
        {"/later", AIC_METHOD_GET, handle_later, 0},
        {"/big", AIC_METHOD_GET, handle_big, 0},
        {"/stream", AIC_METHOD_GET, handle_stream, 0},
        {"/split0", AIC_METHOD_GET, handle_split, 0},
        {"/split1", AIC_METHOD_GET, handle_split, 0},
        {"/split2", AIC_METHOD_GET, handle_split, 0},
    };

    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++) {
        const struct aic_http_route route = {.size = sizeof(route),
                                             .path = http[i].path,
                                             .methods = http[i].methods,
                                             .handle = http[i].handle,
                                             .max_body_bytes = http[i].max_body_bytes};
        if (server_add_http(net_port.server, &net_port, &route) != AIC_OK) {
            abort();
        }
    }

    static const struct {
        const char *path;
        int32_t *answer;
    } sockets[] = {
        {"/ws/", &ws_other}, {"/ws/", &ws_yes}, {"/ws-no", &ws_no}, {"/ws-nobody", &ws_other}};

    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
        const struct aic_ws_route route = {.size = sizeof(route),
                                           .path = sockets[i].path,
                                           .data = sockets[i].answer,
                                           .accept = accept_ws};
        if (server_add_websocket(net_port.server, &net_port, &route) != AIC_OK) {
            abort();
        }
    }
}

static void create_server(void *data)
{
    (void)data;
    net_port.server = server_create(net_rig_loop(net_port.rig), &net_port.options,
                                    net_port.has_balance ? &net_port.balance : NULL);
    if (!net_port.server) {
        abort();
    }
    add_routes();
    if (server_listen(net_port.server, net_port.fd) != AIC_OK) {
        abort();
    }
}

static void destroy_server(void *data)
{
    (void)data;
    server_destroy(net_port.server);
    net_port.server = NULL;
}

void net_port_begin(void)
{
    net_port.fd = net_listen(&net_port.port);
    net_rig_call(net_port.rig, create_server, NULL);
}

void net_port_end(void)
{
    net_rig_call(net_port.rig, destroy_server, NULL);
    close(net_port.fd);
}

int net_port_set_up(void **state)
{
    (void)state;
    memset(&net_port, 0, sizeof(net_port));
    net_port.stream_length = -1;
    net_port.rig = net_rig_start();
    net_port_begin();
    return 0;
}

static void answer_nobody(void *data)
{
    (void)data;
    if (net_port.held) {
        (void)say(net_port.held, 200, "");
    }
}

int net_port_tear_down(void **state)
{
    (void)state;
    net_port_end();
    net_rig_call(net_port.rig, answer_nobody, NULL);
    net_rig_stop(net_port.rig);
    return 0;
}

static void count_connections(void *data)
{
    (void)data;
    net_port.connections = (int)server_connections(net_port.server);
}

int net_port_is_busy(void *data)
{
    count_connections(data);
    return net_port.connections > 0;
}

/* What handlers have noted may be read afterwards. */
void net_port_sync(void)
{
    net_rig_call(net_port.rig, count_connections, NULL);
}

int net_port_is_idle(void *data)
{
    count_connections(data);
    return net_port.connections == 0;
}

int net_port_holds(void *data)
{
    (void)data;
    return net_port.held != NULL;
}

void net_port_answer(void *data)
{
    net_port.late_status = say(net_port.held, 200, data);
    net_port.held = NULL;
}

static void need(bool is_so, const char *request, const char *answer, const char *want)
{
    if (!is_so) {
        (void)fprintf(stderr, "%s\n-> %s\ninstead of %s\n", request, answer ? answer : "nothing",
                      want);
        abort();
    }
}

char *net_port_ask_bytes(const void *bytes, size_t count)
{
    int fd = net_connect(net_port.port);
    bool is_sent = net_write(fd, bytes, count);
    char *answer = net_read_all(fd, NULL);
    need(is_sent && answer, bytes, answer, "an answer");
    close(fd);
    return answer;
}

char *net_port_ask(const char *request)
{
    return net_port_ask_bytes(request, strlen(request));
}

void net_port_check_in(const char *request, const char *want)
{
    char *answer = net_port_ask(request);
    need(strstr(answer, want) != NULL, request, answer, want);
    free(answer);
}

void net_port_check_status(const char *request, int status)
{
    char want[32];
    char *answer = net_port_ask(request);
    (void)snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
    need(strncmp(answer, want, strlen(want)) == 0, request, answer, want);
    need(strstr(answer, "\r\nConnection: close\r\n") != NULL, request, answer, "close");
    free(answer);
}
