/* SPDX-License-Identifier: ISC */
#include "net_socket.h"

#include "net_frames.h"
#include "net_peer.h"
#include "net_rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct net_socket net_socket;

static void note_headers(const struct aic_ws_event *event)
{
    net_socket.x_test[0] = '\0';
    for (uint32_t i = 0; i < event->header_count; i++) {
        if (aic_str_equal_nocase(event->headers[i].name, "x-test")) {
            aic_str_copy(event->headers[i].value, net_socket.x_test, sizeof(net_socket.x_test));
        }
    }
}

static void note_end(const struct aic_ws_event *event)
{
    net_socket.close_code = event->close_code;
    net_socket.http_status = event->http_status;
    net_socket.has_error = event->error != NULL;
    aic_buf_clear(&net_socket.body);
    aic_buf_str(&net_socket.body, event->data);
    if (event->error) {
        const struct aic_error *error = event->error;
        net_socket.category = error->category;
        net_socket.retry_after_ms = error->retry_after_ms;
        aic_str_copy(error->code, net_socket.error_code, sizeof(net_socket.error_code));
        aic_str_copy(error->message, net_socket.error_message, sizeof(net_socket.error_message));
        aic_str_copy(error->request_id, net_socket.request_id, sizeof(net_socket.request_id));
    }
}

static void on_event(void *data, const struct aic_ws_event *event)
{
    (void)data;
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        net_socket.opened++;
        note_headers(event);
        break;
    case AIC_WS_EVENT_TEXT:
    case AIC_WS_EVENT_BINARY:
        if (event->data.len < 100) {
            aic_buf_printf(&net_socket.trace, "%c(%.*s)",
                           event->kind == AIC_WS_EVENT_TEXT ? 'T' : 'B', (int)event->data.len,
                           event->data.ptr);
        } else {
            uint32_t sum = 0;
            for (size_t i = 0; i < event->data.len; i++) {
                sum = sum * 31 + (unsigned char)event->data.ptr[i];
            }
            aic_buf_printf(&net_socket.trace, "[%zu %08x]", event->data.len, sum);
        }
        break;
    case AIC_WS_EVENT_WRITABLE:
        net_socket.writable++;
        break;
    case AIC_WS_EVENT_CLOSED:
        net_socket.closed++;
        net_socket.ws = NULL;
        if (event->header_count > 0) {
            note_headers(event);
        }
        note_end(event);
        aic_buf_printf(&net_socket.trace, "C(%.*s)", (int)event->close_reason.len,
                       event->close_reason.ptr);
        if (net_socket.again_when_closed) {
            net_socket.again_when_closed = false;
            net_socket_connect(NULL);
        }
        return;
    default:
        break;
    }
    if (net_socket.drop_in_event) {
        ws_drop(net_socket.ws);
        net_socket.ws = NULL;
    } else if (net_socket.close_in_event) {
        net_socket.close_in_event = false;
        ws_close(net_socket.ws, 1000, AIC_STR("enough"));
    }
}

void net_socket_connect(void *data)
{
    (void)data;
    struct aic_ws_connect params = net_socket.params;
    params.size = sizeof(params);
    params.header_size = sizeof(struct aic_header);
    params.url = params.url ? params.url : net_socket.url;
    int opened = net_socket.opened;
    int closed = net_socket.closed;
    net_socket.status =
        ws_connect(net_socket.engine, &params, &net_socket.rules, on_event, NULL, &net_socket.ws);
    if (net_socket.opened != opened || net_socket.closed != closed) {
        abort(); /* an event came before ws_connect returned */
    }
}

void net_socket_drop(void *data)
{
    (void)data;
    ws_drop(net_socket.ws);
    net_socket.ws = NULL;
}

void net_socket_close(void *data)
{
    (void)data;
    ws_close(net_socket.ws, 4001, AIC_STR("done"));
}

void net_socket_send_text(void *data)
{
    net_socket.status = ws_send_text(net_socket.ws, aic_str(data));
}

void net_socket_create_engine(void *data)
{
    (void)data;
    const struct ws_engine_options options = {.user_agent = "aicaller/test"};
    net_socket.engine = ws_engine_create(net_rig_loop(net_socket.rig), &options);
    if (!net_socket.engine) {
        abort();
    }
}

void net_socket_destroy_engine(void *data)
{
    (void)data;
    ws_engine_destroy(net_socket.engine);
    net_socket.engine = NULL;
}

int net_socket_set_up(void **state)
{
    (void)state;
    net_socket = (struct net_socket){.fd = -1};
    aic_buf_init(&net_socket.trace, 1u << 20);
    aic_buf_init(&net_socket.body, 1u << 16);
    net_socket.fd = net_listen(&net_socket.port);
    (void)snprintf(net_socket.url, sizeof(net_socket.url), "ws://127.0.0.1:%d/v1/listen?a=b%%20c",
                   net_socket.port);
    net_socket.rig = net_rig_start();
    net_rig_call(net_socket.rig, net_socket_create_engine, NULL);
    return 0;
}

int net_socket_tear_down(void **state)
{
    (void)state;
    net_rig_call_outside(net_socket.rig, net_socket_destroy_engine, NULL);
    net_rig_stop(net_socket.rig); /* ends the process if a handle was left on the loop */
    close(net_socket.fd);
    aic_buf_finish(&net_socket.trace);
    aic_buf_finish(&net_socket.body);
    return 0;
}

/* The loop's thread alone touches the struct while a socket lives; these go through it. */
struct access {
    int *number;
    bool *flag;
    int value;
};

static void read_number(void *data)
{
    struct access *access = data;
    access->value = *access->number;
}

int net_socket_get(int *number)
{
    struct access access = {.number = number};
    net_rig_call(net_socket.rig, read_number, &access);
    return access.value;
}

static void write_value(void *data)
{
    struct access *access = data;
    if (access->number) {
        *access->number = access->value;
    }
    if (access->flag) {
        *access->flag = access->value != 0;
    }
}

void net_socket_set(int *number, int value)
{
    struct access access = {.number = number, .value = value};
    net_rig_call(net_socket.rig, write_value, &access);
}

void net_socket_set_flag(bool *flag)
{
    struct access access = {.flag = flag, .value = 1};
    net_rig_call(net_socket.rig, write_value, &access);
}

void net_socket_clear_flag(bool *flag)
{
    struct access access = {.flag = flag};
    net_rig_call(net_socket.rig, write_value, &access);
}

int net_socket_is_open(void *data)
{
    (void)data;
    return net_socket.opened > 0;
}

int net_socket_is_closed(void *data)
{
    (void)data;
    return net_socket.closed > 0;
}

int net_socket_was_writable(void *data)
{
    (void)data;
    return net_socket.writable > 0;
}

static int trace_is(void *data)
{
    return net_socket.trace.data && strcmp(net_socket.trace.data, data) == 0;
}

void net_socket_wait_for_trace(char *want)
{
    if (!net_rig_wait(net_socket.rig, trace_is, want)) {
        (void)fprintf(stderr, "%s instead of %s\n", net_socket.trace.data, want);
        abort();
    }
}

int net_socket_accept(void)
{
    struct pollfd wait = {.fd = net_socket.fd, .events = POLLIN};
    int fd = poll(&wait, 1, 20000) == 1 ? accept4(net_socket.fd, NULL, NULL, SOCK_CLOEXEC) : -1;
    if (fd < 0) {
        (void)fprintf(stderr, "nobody has connected\n");
        abort();
    }
    return fd;
}

int net_socket_open(void)
{
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    int fd = net_socket_accept();
    char *request = net_read_until(fd, "\r\n\r\n");
    if (net_socket.status != AIC_OK || !net_frame_answer_handshake(fd, request, "") ||
        !net_rig_wait(net_socket.rig, net_socket_is_open, NULL)) {
        (void)fprintf(stderr, "the socket did not open\n");
        abort();
    }
    free(request);
    return fd;
}
