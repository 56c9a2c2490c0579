/* SPDX-License-Identifier: ISC */
#include "io/server.h"

#include "buf.h"
#include "io/loop.h"
#include "net_peer.h"
#include "net_rig.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The server under test; all but `rig` and `port` belongs to its loop. */
struct scene {
    struct net_rig *rig;
    int port;
    int fd;
    struct server *server;
    struct server_options options;
    struct server_balance balance;
    bool has_balance;
    int64_t own;
    struct aic_exchange *held; /* by the route /later */
    int32_t late_status;
    struct aic_exchange *stream;
    int stream_closed;
    int stream_writable;
    int32_t stream_status;
    uint64_t stream_sent;
    int64_t stream_length;
    int accepted_sockets;
    int connections;
};

static struct scene scene;

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
    scene.held = exchange;
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
    scene.late_status = server_respond(exchange, &response);
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
    scene.stream = NULL;
    scene.stream_closed++;
}

static void stream_more(void *data)
{
    (void)data;
    static char piece[10000];
    scene.stream_writable++;
    do {
        memset(piece, (int)('a' + scene.stream_sent / sizeof(piece) % 23), sizeof(piece));
        scene.stream_status =
            server_stream_write(scene.stream, (struct aic_str){piece, sizeof(piece)});
        if (scene.stream_status == AIC_OK) {
            scene.stream_sent += sizeof(piece);
        }
    } while (scene.stream_status == AIC_OK && scene.stream_sent < 8000000);
    if (scene.stream_sent == 8000000) {
        server_stream_end(scene.stream);
    }
}

static int32_t handle_stream(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request)
{
    (void)data;
    (void)request;
    static const struct server_stream_handler handler = {.writable = stream_more,
                                                         .closed = stream_closed};
    const struct aic_response head = {
        .size = sizeof(head), .status = 200, .content_type = "text/event-stream"};
    scene.stream = exchange;
    return server_stream_begin(exchange, &head, scene.stream_length, &handler);
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
    scene.accepted_sockets += request->is_websocket == 1;
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
        if (server_add_http(scene.server, &scene, &route) != AIC_OK) {
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
        if (server_add_websocket(scene.server, &scene, &route) != AIC_OK) {
            abort();
        }
    }
}

static void create_server(void *data)
{
    (void)data;
    scene.server = server_create(net_rig_loop(scene.rig), &scene.options,
                                 scene.has_balance ? &scene.balance : NULL);
    if (!scene.server) {
        abort();
    }
    add_routes();
    if (server_listen(scene.server, scene.fd) != AIC_OK) {
        abort();
    }
}

static void destroy_server(void *data)
{
    (void)data;
    server_destroy(scene.server);
    scene.server = NULL;
}

static void begin(void)
{
    scene.fd = net_listen(&scene.port);
    net_rig_call(scene.rig, create_server, NULL);
}

static void end(void)
{
    net_rig_call(scene.rig, destroy_server, NULL);
    close(scene.fd);
}

static int set_up(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    scene.stream_length = -1;
    scene.rig = net_rig_start();
    begin();
    return 0;
}

static void answer_nobody(void *data)
{
    (void)data;
    if (scene.held) {
        (void)say(scene.held, 200, "");
    }
}

static int tear_down(void **state)
{
    (void)state;
    end();
    net_rig_call(scene.rig, answer_nobody, NULL);
    net_rig_stop(scene.rig);
    return 0;
}

static void count_connections(void *data)
{
    (void)data;
    scene.connections = (int)server_connections(scene.server);
}

static int has_connections(void *data)
{
    count_connections(data);
    return scene.connections > 0;
}

/* What handlers have noted may be read afterwards. */
static void sync_with_loop(void)
{
    net_rig_call(scene.rig, count_connections, NULL);
}

static int has_no_connections(void *data)
{
    count_connections(data);
    return scene.connections == 0;
}

/* Sends bytes and reads until the server closes; the answer, to be freed. */
static char *ask_bytes(const void *bytes, size_t count)
{
    int fd = net_connect(scene.port);
    assert_true(net_write(fd, bytes, count));
    char *answer = net_read_all(fd, NULL);
    assert_non_null(answer);
    close(fd);
    return answer;
}

static char *ask(const char *request)
{
    return ask_bytes(request, strlen(request));
}

static void check_in(const char *request, const char *want)
{
    char *answer = ask(request);
    if (!strstr(answer, want)) {
        fail_msg("%s\n-> %s\nwithout %s", request, answer, want);
    }
    free(answer);
}

static void check_status(const char *request, int status)
{
    char want[32];
    char *answer = ask(request);
    (void)snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
    if (strncmp(answer, want, strlen(want)) != 0 || !strstr(answer, "\r\nConnection: close\r\n")) {
        fail_msg("%s\n-> %s\ninstead of %d", request, answer, status);
    }
    free(answer);
}

#define HOST      "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void test_a_request_gets_its_answer_and_the_connection_closes(void **state)
{
    (void)state;
    char *answer = ask("GET /echo?a=b HTTP/1.1\r\n" HOST "X-TEST:  v w \r\n\r\n");
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer, "\r\nX-Answer: yes\r\n"));
    assert_non_null(strstr(answer, "\r\nDate: "));
    static const char body[] =
        "method=1 path=/echo query=a=b peer=127.0.0.1 loopback=1 x=v w body=";
    char length[64];
    (void)snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", sizeof(body) - 1);
    assert_non_null(strstr(answer, length));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, body);
    free(answer);
}

static void test_path_and_query_come_as_they_were_sent(void **state)
{
    (void)state;
    check_in(GET("/tree/a%2Fb//../c;d?x=%20+%zz&y=/../&z;=?"),
             "path=/tree/a%2Fb//../c;d query=x=%20+%zz&y=/../&z;=? ");
}

static void test_paths_match_with_and_without_closing_slash(void **state)
{
    (void)state;
    check_status(GET("/echo"), 200);
    check_status(GET("/echo/"), 200);
    check_status(GET("/echo//"), 404);
    check_status(GET("/ech"), 404);
    check_status(GET("/echo/x"), 404);
    check_status(GET("/Echo"), 404);
    check_status(GET("/"), 200);
    check_status(GET("/tree/"), 200);
    check_status(GET("/tree/a/b"), 200);
    check_status(GET("/tree"), 404);
    check_status("POST /big-body/ HTTP/1.1\r\n" HOST "\r\n", 200);
}

static void test_absolute_targets_are_read_as_their_path(void **state)
{
    (void)state;
    check_in(GET("http://example.com/echo?q"), "path=/echo query=q ");
    check_status(GET("http://example.com"), 400);
}

static void test_several_routes_on_a_path_are_asked_in_order(void **state)
{
    (void)state;
    check_in(GET("/many"), "path=/many");
    check_status(GET("/nobody"), 404);
    check_status(GET("/broken"), 500);
    check_status("POST /many HTTP/1.1\r\n" HOST "\r\n", 500);
}

static void test_problems_are_problem_documents(void **state)
{
    (void)state;
    char *answer = ask(GET("/nothing"));
    assert_non_null(strstr(answer, "\r\nContent-Type: application/problem+json\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}");
    free(answer);
}

static void test_a_wrong_method_hears_which_are_right(void **state)
{
    (void)state;
    check_in("DELETE /echo HTTP/1.1\r\n" HOST "\r\n", "\r\nAllow: GET, HEAD, POST\r\n");
    check_status("DELETE /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    check_status("OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    check_status("BREW /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    check_status("BREW /nothing HTTP/1.1\r\n" HOST "\r\n", 404);
    check_in("GET /big-body HTTP/1.1\r\n" HOST "\r\n", "\r\nAllow: POST, PUT\r\n");
}

static void test_head_is_get_without_the_body(void **state)
{
    (void)state;
    char *get = ask(GET("/echo"));
    char *head = ask("HEAD /echo HTTP/1.1\r\n" HOST "\r\n");
    const char *length = strstr(get, "\r\nContent-Length: ");
    assert_non_null(length);
    assert_non_null(strstr(head, "HTTP/1.1 200 OK\r\n"));
    assert_memory_equal(strstr(head, "\r\nContent-Length: "), length, 22);
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    free(get);
    free(head);
    head = ask("HEAD /nothing HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(head, "HTTP/1.1 404 "));
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    free(head);
}

static void test_http_1_0_is_answered(void **state)
{
    (void)state;
    check_status("GET /echo HTTP/1.0\r\n\r\n", 200);
    check_status("GET /echo HTTP/1.0\r\n" HOST "\r\n", 200);
}

/* Bodies */

static void test_bodies_arrive_whole_however_they_are_cut(void **state)
{
    (void)state;
    static const char request[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\nhello, world";
    for (size_t cut = 1; cut < sizeof(request) - 1; cut++) {
        int fd = net_connect(scene.port);
        assert_true(net_write(fd, request, cut));
        if (cut % 7 == 0) {
            usleep(2000); /* now and then in two packets for certain */
        }
        assert_true(net_write(fd, request + cut, sizeof(request) - 1 - cut));
        char *answer = net_read_all(fd, NULL);
        assert_non_null(strstr(answer, "body=hello, world"));
        free(answer);
        close(fd);
    }
}

static void test_a_body_of_10_megabytes_arrives(void **state)
{
    (void)state;
    size_t bytes = 10u << 20;
    char *body = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        body[i] = (char)('a' + i % 19);
    }
    int fd = net_connect(scene.port);
    char head[128];
    (void)snprintf(head, sizeof(head),
                   "PUT /big-body HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", bytes);
    assert_true(net_text(fd, head));
    assert_true(net_write(fd, body, bytes));
    size_t count = 0;
    char *answer = net_read_all(fd, &count);
    assert_true(count > bytes);
    assert_memory_equal(answer + count - bytes, body, bytes);
    free(answer);
    free(body);
    close(fd);
}

static void test_an_answer_of_10_megabytes_arrives(void **state)
{
    (void)state;
    size_t count = 0;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/big")));
    char *answer = net_read_all(fd, &count);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(count - (size_t)(body - answer), 10u << 20);
    for (size_t i = 0; i < (10u << 20); i++) {
        if (body[i] != (char)('a' + i % 23)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
    free(answer);
    close(fd);
}

static void test_lengths_that_are_unclear_are_refused(void **state)
{
    (void)state;
    static const char *const lengths[] = {
        "Content-Length: -1\r\n",
        "Content-Length: x3\r\n",
        "Content-Length: 3x\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: 3,3\r\n",
        "Content-Length:\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nCONTENT-LENGTH: 4\r\n",
    };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n" HOST "%s\r\nabc",
                       lengths[i]);
        check_status(request, 400);
    }
}

static void test_bodies_over_the_cap_are_refused_before_they_come(void **state)
{
    (void)state;
    check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413);
    check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5000000000\r\n\r\n", 413);
    check_status("POST /echo HTTP/1.1\r\n" HOST
                 "Content-Length: 99999999999999999999999999999\r\n\r\n",
                 413);
    /* The refusal reaches a client that is still sending. */
    size_t bytes = 900000;
    char *request = malloc(bytes);
    memset(request, 'x', bytes);
    static const char head[] = "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 899900\r\n\r\n";
    memcpy(request, head, sizeof(head) - 1);
    char *answer = ask_bytes(request, bytes);
    assert_int_equal(strncmp(answer, "HTTP/1.1 413 ", 13), 0);
    free(answer);
    free(request);
}

static void test_chunked_bodies_are_refused_and_smuggle_nothing(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: CHUNKED\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding:\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char request[512];
        (void)snprintf(request, sizeof(request),
                       "POST /echo HTTP/1.1\r\n" HOST "%s\r\n0\r\n\r\n" GET("/echo?smuggled"),
                       heads[i]);
        char *answer = ask(request);
        assert_int_equal(strncmp(answer, "HTTP/1.1 411 ", 13), 0);
        assert_null(strstr(answer, "smuggled"));
        free(answer);
    }
}

static void test_who_expects_100_continue_gets_it(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, "POST /echo HTTP/1.1\r\n" HOST
                             "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n"));
    char *interim = net_read_until(fd, "\r\n\r\n");
    assert_string_equal(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(net_text(fd, "hello"));
    char *answer = net_read_all(fd, NULL);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
    assert_non_null(strstr(answer, "body=hello"));
    free(interim);
    free(answer);
    close(fd);
    /* Not for a body that will not be taken. */
    check_status("POST /echo HTTP/1.1\r\n" HOST
                 "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n",
                 413);
    check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: miracles\r\n\r\n",
                 417);
}

/* Pipelining: a body behind another request stopped old servers for good. */

static void test_what_comes_behind_a_request_is_dropped(void **state)
{
    (void)state;
    static const char *const seconds[] = {
        "POST /echo?second HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789",
        GET("/echo?second"),
        "garbage garbage garbage",
    };
    static const char *const firsts[] = {
        GET("/echo?first"),
        "POST /echo?first HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
    };
    for (size_t i = 0; i < 6; i++) {
        char request[512];
        (void)snprintf(request, sizeof(request), "%s%s", firsts[i % 2], seconds[i / 2]);
        char *answer = ask(request);
        assert_non_null(strstr(answer, "query=first"));
        assert_null(strstr(answer, "second"));
        assert_null(strstr(strstr(answer, "HTTP/1.1 200") + 1, "HTTP/1.1"));
        free(answer);
    }
    check_status(GET("/echo"), 200);
}

static void test_endless_input_behind_a_request_ends_the_connection(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    static char junk[65536];
    bool still_open = true;
    for (int i = 0; i < 1000 && still_open; i++) {
        still_open = net_write(fd, junk, sizeof(junk));
    }
    assert_false(still_open);
    close(fd);
}

/* Heads */

static void test_heads_that_can_be_read_in_two_ways_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET /echo\r\n" HOST "\r\n",
        "GET  /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo  HTTP/1.1\r\n" HOST "\r\n",
        " GET /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /ec ho HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo#x HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n",
        "GET echo HTTP/1.1\r\n" HOST "\r\n",
        "GET * HTTP/1.1\r\n" HOST "\r\n",
        "G@T /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X : y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST " X: y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\r\n folded\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST ": y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\rZ: w\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\nZ: w\r\n\r\n",
        "GET /echo HTTP/1.1\n" HOST "X: y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *answer = ask(bad[i]);
        if (strncmp(answer, "HTTP/1.1 400 ", 13) != 0) {
            fail_msg("%s\n-> %s", bad[i], answer);
        }
        free(answer);
    }
    char *answer = ask_bytes("GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 39);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    free(answer);
    /* A TLS hello is told at its first byte, not when it lacks an empty line. */
    answer = ask_bytes("\x16\x03\x01\x02\x00\x01", 6);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    free(answer);
    check_status("GET /echo HTTP/2.0\r\n" HOST "\r\n", 505);
    check_status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    check_status("GET /echo HTTP/1.2\r\n" HOST "\r\n", 505);
    check_status("\r\n\r\n" GET("/echo"), 400);
    check_status("\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n", 200);
}

static void check_head_of(size_t bytes, int status)
{
    char *request = malloc(bytes + 1);
    memset(request, 'x', bytes);
    static const char head[] = "GET /echo HTTP/1.1\r\n" HOST "Cookie: ";
    memcpy(request, head, sizeof(head) - 1);
    memcpy(request + bytes - 4, "\r\n\r\n", 5);
    check_status(request, status);
    free(request);
}

static void test_heads_up_to_16_kib_are_taken(void **state)
{
    (void)state;
    check_head_of(12000, 200);
    check_head_of(16383, 200);
    check_head_of(16384, 200);
    check_head_of(16385, 431);
    check_head_of(60000, 431);
}

static void test_too_many_headers_are_refused(void **state)
{
    (void)state;
    struct aic_buf request;
    aic_buf_init(&request, 16384);
    aic_buf_text(&request, "GET /echo HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 100; i++) {
        aic_buf_printf(&request, "X-%d: y\r\n", i);
    }
    aic_buf_text(&request, "\r\n");
    check_status(request.data, 431);
    aic_buf_finish(&request);
}

static void test_the_host_header_moves_nothing(void **state)
{
    (void)state;
    static const char *const hosts[] = {"tls", "client", "default", "127.0.0.1:1", "example.com"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: %s\r\n\r\n",
                       hosts[i]);
        check_in(request, "path=/echo");
    }
}

/* Who asks */

static void test_only_an_own_and_direct_request_is_loopback(void **state)
{
    (void)state;

    static const struct {
        const char *headers;
        int loopback;
    } rows[] = {
        {"Host: localhost", 1},
        {"Host: LOCALHOST:8000", 1},
        {"Host: 127.0.0.1", 1},
        {"Host: 127.0.0.1:8000", 1},
        {"Host: 127.9.8.7", 1},
        {"Host: [::1]", 1},
        {"Host: [::1]:8000", 1},
        {"Host: localhost:8000\r\nOrigin: http://localhost:8000", 1},
        {"Host: 127.0.0.1:8000\r\nOrigin: http://127.0.0.1:8000", 1},
        {"Host: example.com", 0},
        {"Host: localhost.example.com", 0},
        {"Host: 127.0.0.1.example.com", 0},
        {"Host: 10.0.0.1", 0},
        {"Host: 0x7f.1", 0},
        {"Host: 2130706433", 0},
        {"Host: localhost:x", 0},
        {"Host: localhost@example.com", 0},
        {"Host: ::1", 0},
        {"Host: [::1", 0},
        {"Host: []", 0},
        {"Host:", 0},
        {"Host: :8000", 0},
        {"Host: localhost\r\nForwarded: for=192.0.2.1", 0},
        {"Host: localhost\r\nX-Forwarded-For: 127.0.0.1", 0},
        {"Host: localhost\r\nX-Forwarded-Proto: https", 0},
        {"Host: localhost\r\nx-forwarded-anything:", 0},
        {"Host: localhost\r\nVia: 1.1 proxy", 0},
        {"Host: localhost\r\nX-Real-IP: 127.0.0.1", 0},
        {"Host: localhost\r\nOrigin: null", 0},
        {"Host: localhost\r\nOrigin: http://example.com", 0},
        {"Host: localhost:8000\r\nOrigin: http://localhost:8001", 0},
        {"Host: localhost:8000\r\nOrigin: https://localhost:8000", 0},
        {"Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://example.com", 0},
        {"Host: localhost\r\nOrigin:", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\n%s\r\n\r\n",
                       rows[i].headers);
        check_in(request, rows[i].loopback ? "loopback=1" : "loopback=0");
    }
}

static void check_peer(const char *headers, const char *peer)
{
    char request[512];
    char want[80];
    (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\n" HOST "%s\r\n\r\n", headers);
    (void)snprintf(want, sizeof(want), "peer=%s ", peer);
    check_in(request, want);
}

static void test_x_forwarded_for_counts_only_from_trusted_proxies(void **state)
{
    (void)state;
    check_peer("X-Forwarded-For: 192.0.2.1", "127.0.0.1");
    end();
    const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
    scene.options.trusted_proxies = trusted;
    begin();
    check_peer("X-Forwarded-For: 192.0.2.1", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9, 192.0.2.1", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.0.0.7", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1 , 10.0.0.7",
               "192.0.2.1");
    check_peer("X-Forwarded-For: 2001:db8::1", "2001:db8::1");
    check_peer("X-Forwarded-For: [2001:db8::1]:443", "2001:db8::1");
    check_peer("X-Forwarded-For: 192.0.2.1:5678", "192.0.2.1");
    check_peer("X-Forwarded-For: 10.0.0.8, 10.0.0.7", "10.0.0.8");
    check_peer("X-Forwarded-For: 192.0.2.1, unknown", "127.0.0.1");
    check_peer("X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.7", "10.0.0.7");
    check_peer("X-Forwarded-For:", "127.0.0.1");
    check_peer("X-Forwarded-For: ,,,", "127.0.0.1");
    check_peer("X-Other: 192.0.2.1", "127.0.0.1");
}

/* Answers that come later, or never */

static int is_held(void *data)
{
    (void)data;
    return scene.held != NULL;
}

static void answer_held(void *data)
{
    scene.late_status = say(scene.held, 200, data);
    scene.held = NULL;
}

static void test_an_answer_may_come_later(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(scene.rig, is_held, NULL));
    static char text[] = "at last";
    net_rig_call(scene.rig, answer_held, text);
    char *answer = net_read_all(fd, NULL);
    assert_non_null(strstr(answer, "\r\n\r\nat last"));
    assert_int_equal(scene.late_status, AIC_OK);
    free(answer);
    close(fd);
}

static void test_who_closed_his_sending_side_is_still_answered(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(net_rig_wait(scene.rig, is_held, NULL));
    static char text[] = "at last";
    net_rig_call(scene.rig, answer_held, text);
    char *answer = net_read_all(fd, NULL);
    assert_non_null(strstr(answer, "\r\n\r\nat last"));
    free(answer);
    close(fd);
}

static void reset_on_close(int fd)
{
    const struct linger linger = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(fd);
}

static void test_an_exchange_stays_valid_when_the_peer_is_gone(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(scene.rig, is_held, NULL));
    reset_on_close(fd);
    assert_true(net_rig_wait(scene.rig, has_no_connections, NULL));
    static char text[] = "nobody";
    net_rig_call(scene.rig, answer_held, text);
    assert_int_equal(scene.late_status, AIC_ERROR_CLOSED);
}

static void test_an_unanswered_exchange_becomes_504(void **state)
{
    (void)state;
    end();
    scene.options.answer_ms = 30;
    begin();
    check_status(GET("/later"), 504);
    static char text[] = "too late";
    net_rig_call(scene.rig, answer_held, text);
    assert_int_equal(scene.late_status, AIC_ERROR_CLOSED);
}

static void test_an_exchange_outlives_its_server(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(scene.rig, is_held, NULL));
    end();
    assert_true(net_read_end(fd));
    static char text[] = "nobody";
    net_rig_call(scene.rig, answer_held, text);
    assert_int_equal(scene.late_status, AIC_ERROR_CLOSED);
    close(fd);
    begin();
}

static void test_headers_can_not_split_an_answer(void **state)
{
    (void)state;
    static const char *const requests[] = {GET("/split0"), GET("/split1"), GET("/split2")};
    for (size_t i = 0; i < 3; i++) {
        char *answer = ask(requests[i]);
        assert_int_equal(strncmp(answer, "HTTP/1.1 500 ", 13), 0);
        assert_null(strstr(answer, "Set-Cookie"));
        sync_with_loop();
        assert_int_equal(scene.late_status, AIC_ERROR_INVALID);
        free(answer);
    }
}

/* Streams */

static int has_stream(void *data)
{
    (void)data;
    return scene.stream != NULL;
}

static int stream_is_closed(void *data)
{
    (void)data;
    return scene.stream_closed > 0;
}

static int stream_is_full(void *data)
{
    (void)data;
    return scene.stream_status == AIC_ERROR_BUSY;
}

static void write_stream(void *data)
{
    scene.stream_status = server_stream_write(scene.stream, aic_str(data));
}

static void end_stream(void *data)
{
    (void)data;
    server_stream_end(scene.stream);
    scene.stream_status = server_stream_write(scene.stream, AIC_STR("more"));
}

static void test_a_stream_is_sent_piece_by_piece(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/stream")));
    char *head = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(head, "\r\nContent-Type: text/event-stream\r\n"));
    assert_null(strstr(head, "Content-Length"));
    static char one[] = "data: one\n\n";
    static char two[] = "data: two\n\n";
    net_rig_call(scene.rig, write_stream, one);
    char *piece = net_read_until(fd, one);
    assert_string_equal(piece, one);
    free(piece);
    net_rig_call(scene.rig, write_stream, two);
    piece = net_read_until(fd, two);
    assert_string_equal(piece, two);
    free(piece);
    net_rig_call(scene.rig, end_stream, NULL);
    assert_int_equal(scene.stream_status, AIC_ERROR_CLOSED);
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(scene.rig, stream_is_closed, NULL));
    assert_int_equal(scene.stream_closed, 1);
    free(head);
}

static void test_a_stream_learns_that_its_reader_is_gone(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/stream")));
    assert_true(net_rig_wait(scene.rig, has_stream, NULL));
    close(fd);
    assert_true(net_rig_wait(scene.rig, stream_is_closed, NULL));
    assert_true(net_rig_wait(scene.rig, has_no_connections, NULL));
    assert_int_equal(scene.stream_closed, 1);
}

static void test_a_stream_waits_for_a_slow_reader(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/stream")));
    assert_true(net_rig_wait(scene.rig, has_stream, NULL));
    net_rig_call(scene.rig, stream_more, NULL);
    assert_true(net_rig_wait(scene.rig, stream_is_full, NULL));
    size_t count = 0;
    char *answer = net_read_all(fd, &count);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(count - (size_t)(body - answer), 8000000);
    for (size_t i = 0; i < 8000000; i++) {
        if (body[i] != (char)('a' + i / 10000 % 23)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
    assert_true(scene.stream_writable > 1);
    free(answer);
    close(fd);
    assert_true(net_rig_wait(scene.rig, stream_is_closed, NULL));
}

static void test_a_stream_of_known_length_keeps_to_it(void **state)
{
    (void)state;
    scene.stream_length = 6;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/stream")));
    char *head = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(head, "\r\nContent-Length: 6\r\n"));
    static char long_text[] = "0123456";
    static char text[] = "012345";
    net_rig_call(scene.rig, write_stream, long_text);
    assert_int_equal(scene.stream_status, AIC_ERROR_TOO_LARGE);
    net_rig_call(scene.rig, write_stream, text);
    assert_int_equal(scene.stream_status, AIC_OK);
    net_rig_call(scene.rig, end_stream, NULL);
    char *body = net_read_all(fd, NULL);
    assert_string_equal(body, "012345");
    free(head);
    free(body);
    close(fd);
    assert_true(net_rig_wait(scene.rig, stream_is_closed, NULL));
}

static void test_head_of_a_stream_has_no_body(void **state)
{
    (void)state;
    char *answer = ask("HEAD /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
    assert_true(net_rig_wait(scene.rig, stream_is_closed, NULL));
}

/* Deadlines and caps */

static void test_slow_heads_and_bodies_end(void **state)
{
    (void)state;
    end();
    scene.options.header_ms = 40;
    scene.options.body_ms = 40;
    begin();
    int fd = net_connect(scene.port);
    char *answer = net_read_all(fd, NULL);
    assert_string_equal(answer, ""); /* who says nothing hears nothing */
    free(answer);
    close(fd);
    check_status("GET /echo HTTP/1.1\r\nHost: loc", 408);
    check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel", 408);
}

static void test_a_thousand_slow_heads_leave_room_for_others(void **state)
{
    (void)state;

    enum { MANY = 1000 };

    static int fds[MANY];
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    if (limit.rlim_cur < 2 * MANY + 100 || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        skip();
    }
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = net_connect(scene.port);
        assert_true(net_text(fds[i], "GET /echo HTTP/1.1\r\nX-Slow: "));
    }
    check_status(GET("/echo"), 200);
    for (size_t i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    assert_true(net_rig_wait(scene.rig, has_no_connections, NULL));
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_connections_over_the_cap_wait_until_others_end(void **state)
{
    (void)state;
    end();
    scene.options.max_connections = 2;
    begin();
    int first = net_connect(scene.port);
    int second = net_connect(scene.port);
    int third = net_connect(scene.port);
    assert_true(net_text(third, GET("/echo")));
    assert_true(net_text(first, GET("/echo")));
    assert_true(net_read_end(first));
    close(first);
    char *answer = net_read_all(third, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(second);
    close(third);
}

static void test_without_descriptors_accepting_pauses_and_goes_on(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/echo")));
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(scene.rig, has_no_connections, NULL));
    fd = net_connect(scene.port);
    assert_true(net_rig_wait(scene.rig, has_connections, NULL));
    int waiting = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)scene.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)waiting + 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(net_text(waiting, GET("/echo")));
    /* The loop still serves the other connection. */
    assert_true(net_text(fd, GET("/echo")));
    char *answer = net_read_all(fd, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    answer = net_read_all(waiting, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(waiting);
}

static int64_t own_calls(void *data)
{
    (void)data;
    return scene.own;
}

static int64_t smallest_calls(void *data)
{
    (void)data;
    return 0;
}

static void test_who_is_ahead_steps_back_and_loses_nothing(void **state)
{
    (void)state;
    end();
    scene.has_balance = true;
    scene.balance = (struct server_balance){own_calls, smallest_calls, NULL};
    scene.own = 1000; /* stale numbers cost time, never a connection */
    begin();
    for (int i = 0; i < 20; i++) {
        check_status(GET("/echo"), 200);
    }
}

static void stop_listening(void *data)
{
    (void)data;
    server_stop_listening(scene.server);
}

static void listen_again(void *data)
{
    (void)data;
    if (server_listen(scene.server, scene.fd) != AIC_OK) {
        abort();
    }
}

static void test_stopping_to_listen_keeps_what_is_open(void **state)
{
    (void)state;
    int open = net_connect(scene.port);
    assert_true(net_text(open, "GET /echo HTTP/1.1\r\n"));
    assert_true(net_rig_wait(scene.rig, has_connections, NULL));
    net_rig_call(scene.rig, stop_listening, NULL);
    int late = net_connect(scene.port);
    assert_true(net_text(late, GET("/echo")));
    assert_true(net_text(open, HOST "\r\n"));
    char *answer = net_read_all(open, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    /* It waits in the accept queue, which belongs to all workers. */
    net_rig_call(scene.rig, listen_again, NULL);
    answer = net_read_all(late, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(open);
    close(late);
}

static void remove_routes(void *data)
{
    (void)data;
    server_remove_owner(scene.server, &scene);
}

static void test_routes_go_with_their_owner(void **state)
{
    (void)state;
    check_status(GET("/echo"), 200);
    net_rig_call(scene.rig, remove_routes, NULL);
    check_status(GET("/echo"), 404);
}

/* Handshakes */

#define UPGRADE HOST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void check_handshake(const char *request, const char *want)
{
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, request));
    char *answer = net_read_until(fd, "\r\n\r\n");
    assert_non_null(answer);
    if (!strstr(answer, want)) {
        fail_msg("%s\n-> %s\nwithout %s", request, answer, want);
    }
    free(answer);
    close(fd);
}

static void test_handshakes_are_accepted(void **state)
{
    (void)state;
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n",
                    "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    check_handshake("GET /ws/ HTTP/1.1\r\n" HOST
                    "Upgrade: WebSocket\r\nConnection: keep-alive, UPGRADE\r\n"
                    "Sec-WebSocket-Version: 13\r\n" KEY "\r\n",
                    "HTTP/1.1 101 ");
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY
                    "Sec-WebSocket-Protocol: chat, audio.twilio.com\r\n\r\n",
                    "\r\nSec-WebSocket-Protocol: audio.twilio.com\r\n");
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: chat\r\n"
                    "Sec-WebSocket-Protocol: audio.drachtio.org\r\n\r\n",
                    "\r\nSec-WebSocket-Protocol: audio.drachtio.org\r\n");
    int fd = net_connect(scene.port);
    assert_true(net_text(fd,
                         "GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: unknown\r\n"
                         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
    char *answer = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 101 "));
    assert_null(strstr(answer, "Sec-WebSocket-Protocol"));
    assert_null(strstr(answer, "Sec-WebSocket-Extensions"));
    free(answer);
    close(fd);
}

static void test_handshakes_that_are_wrong_are_refused(void **state)
{
    (void)state;

    static const struct {
        const char *request;
        const char *want;
    } rows[] = {
        {"GET /ws HTTP/1.1\r\n" UPGRADE "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: short\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j****\r\n\r\n",
         "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 400 "},
        {"POST /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.0\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" HOST
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" KEY "\r\n",
         "\r\nSec-WebSocket-Version: 13\r\n"},
        {"GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "\r\n",
         "HTTP/1.1 426 "},
        {"GET /ws-no HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 403 "},
        {"GET /ws-nobody HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 404 "},
        {"GET /nothing HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 404 "},
        {"GET /ws HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 426 "},
        {"GET /ws HTTP/1.1\r\n" HOST "\r\n", "\r\nUpgrade: websocket\r\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_handshake(rows[i].request, rows[i].want);
    }
    sync_with_loop();
    assert_int_equal(scene.accepted_sockets, 2); /* those that a route itself refused */
}

static void test_an_upgrade_to_http_2_is_ignored(void **state)
{
    (void)state;
    check_handshake("GET /echo HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n"
                    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
                    "HTTP/1.1 200 ");
    check_handshake("GET /echo HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n"
                    "Upgrade: TLS/1.0\r\n\r\n",
                    "HTTP/1.1 200 ");
}

static void test_adopted_sockets_do_not_wait_for_full_packets(void **state)
{
    (void)state;
    int before[64];
    size_t count = 0;
    /* The server's end is one of this process's sockets: the one whose peer is ours. */
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(scene.rig, is_held, NULL));
    struct sockaddr_in own;
    socklen_t size = sizeof(own);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    for (int candidate = 3; candidate < 200; candidate++) {
        struct sockaddr_in peer;
        size = sizeof(peer);
        if (getpeername(candidate, (struct sockaddr *)&peer, &size) == 0 &&
            peer.sin_port == own.sin_port) {
            before[count++] = candidate;
        }
    }
    assert_int_equal(count, 1);
    static const int options[][2] = {{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}};
    for (size_t i = 0; i < 2; i++) {
        int value = 0;
        socklen_t length = sizeof(value);
        assert_int_equal(getsockopt(before[0], options[i][0], options[i][1], &value, &length), 0);
        assert_int_equal(value, 1);
    }
    static char text[] = "done";
    net_rig_call(scene.rig, answer_held, text);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_gets_its_answer_and_the_connection_closes),
        TEST(test_path_and_query_come_as_they_were_sent),
        TEST(test_paths_match_with_and_without_closing_slash),
        TEST(test_absolute_targets_are_read_as_their_path),
        TEST(test_several_routes_on_a_path_are_asked_in_order),
        TEST(test_problems_are_problem_documents),
        TEST(test_a_wrong_method_hears_which_are_right),
        TEST(test_head_is_get_without_the_body),
        TEST(test_http_1_0_is_answered),
        TEST(test_bodies_arrive_whole_however_they_are_cut),
        TEST(test_a_body_of_10_megabytes_arrives),
        TEST(test_an_answer_of_10_megabytes_arrives),
        TEST(test_lengths_that_are_unclear_are_refused),
        TEST(test_bodies_over_the_cap_are_refused_before_they_come),
        TEST(test_chunked_bodies_are_refused_and_smuggle_nothing),
        TEST(test_who_expects_100_continue_gets_it),
        TEST(test_what_comes_behind_a_request_is_dropped),
        TEST(test_endless_input_behind_a_request_ends_the_connection),
        TEST(test_heads_that_can_be_read_in_two_ways_are_refused),
        TEST(test_heads_up_to_16_kib_are_taken),
        TEST(test_too_many_headers_are_refused),
        TEST(test_the_host_header_moves_nothing),
        TEST(test_only_an_own_and_direct_request_is_loopback),
        TEST(test_x_forwarded_for_counts_only_from_trusted_proxies),
        TEST(test_an_answer_may_come_later),
        TEST(test_who_closed_his_sending_side_is_still_answered),
        TEST(test_an_exchange_stays_valid_when_the_peer_is_gone),
        TEST(test_an_unanswered_exchange_becomes_504),
        TEST(test_an_exchange_outlives_its_server),
        TEST(test_headers_can_not_split_an_answer),
        TEST(test_a_stream_is_sent_piece_by_piece),
        TEST(test_a_stream_learns_that_its_reader_is_gone),
        TEST(test_a_stream_waits_for_a_slow_reader),
        TEST(test_a_stream_of_known_length_keeps_to_it),
        TEST(test_head_of_a_stream_has_no_body),
        TEST(test_slow_heads_and_bodies_end),
        TEST(test_a_thousand_slow_heads_leave_room_for_others),
        TEST(test_connections_over_the_cap_wait_until_others_end),
        TEST(test_without_descriptors_accepting_pauses_and_goes_on),
        TEST(test_who_is_ahead_steps_back_and_loses_nothing),
        TEST(test_stopping_to_listen_keeps_what_is_open),
        TEST(test_routes_go_with_their_owner),
        TEST(test_handshakes_are_accepted),
        TEST(test_handshakes_that_are_wrong_are_refused),
        TEST(test_an_upgrade_to_http_2_is_ignored),
        TEST(test_adopted_sockets_do_not_wait_for_full_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
