/* SPDX-License-Identifier: ISC */
#include "io/ws.h"

#include "buf.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/ws_frame.h"
#include "net_peer.h"
#include "net_rig.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The socket under test lives on the rig's loop; the test itself is the server. */
struct scene {
    struct net_rig *rig;
    struct ws_engine *engine;
    int fd; /* listens */
    int port;
    char url[128];
    struct aic_ws_connect params;
    struct http_rules rules;
    struct aic_ws *ws;
    int32_t status;
    struct aic_buf trace;
    int32_t close_code;
    int32_t http_status;
    uint32_t category;
    bool has_error;
    char error_code[32];
    char error_message[128];
    int opened;
    int closed;
    int writable;
    bool drop_in_event;
    bool close_in_event;
    bool again_when_closed;
    uint64_t sent;
    size_t message_bytes;
    uint64_t queued;
};

static struct scene scene;

static void connect_now(void *data);

static void on_event(void *data, const struct aic_ws_event *event)
{
    (void)data;
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        scene.opened++;
        break;
    case AIC_WS_EVENT_TEXT:
    case AIC_WS_EVENT_BINARY:
        if (event->data.len < 100) {
            aic_buf_printf(&scene.trace, "%c(%.*s)", event->kind == AIC_WS_EVENT_TEXT ? 'T' : 'B',
                           (int)event->data.len, event->data.ptr);
        } else {
            uint32_t sum = 0;
            for (size_t i = 0; i < event->data.len; i++) {
                sum = sum * 31 + (unsigned char)event->data.ptr[i];
            }
            aic_buf_printf(&scene.trace, "[%zu %08x]", event->data.len, sum);
        }
        break;
    case AIC_WS_EVENT_WRITABLE:
        scene.writable++;
        break;
    case AIC_WS_EVENT_CLOSED:
        scene.closed++;
        scene.ws = NULL;
        scene.close_code = event->close_code;
        scene.http_status = event->http_status;
        scene.has_error = event->error != NULL;
        if (event->error) {
            scene.category = event->error->category;
            aic_str_copy(event->error->code, scene.error_code, sizeof(scene.error_code));
            aic_str_copy(event->error->message, scene.error_message, sizeof(scene.error_message));
        }
        aic_buf_printf(&scene.trace, "C(%.*s)", (int)event->close_reason.len,
                       event->close_reason.ptr);
        if (scene.again_when_closed) {
            scene.again_when_closed = false;
            connect_now(NULL);
        }
        return;
    default:
        break;
    }
    if (scene.drop_in_event) {
        ws_drop(scene.ws);
        scene.ws = NULL;
    } else if (scene.close_in_event) {
        scene.close_in_event = false;
        ws_close(scene.ws, 1000, AIC_STR("enough"));
    }
}

static void connect_now(void *data)
{
    (void)data;
    struct aic_ws_connect params = scene.params;
    params.size = sizeof(params);
    params.header_size = sizeof(struct aic_header);
    params.url = params.url ? params.url : scene.url;
    int opened = scene.opened;
    int closed = scene.closed;
    scene.status = ws_connect(scene.engine, &params, &scene.rules, on_event, NULL, &scene.ws);
    if (scene.opened != opened || scene.closed != closed) {
        abort(); /* an event came before ws_connect returned */
    }
}

static void drop_now(void *data)
{
    (void)data;
    ws_drop(scene.ws);
    scene.ws = NULL;
}

static void close_now(void *data)
{
    (void)data;
    ws_close(scene.ws, 4001, AIC_STR("done"));
}

static void send_text_now(void *data)
{
    scene.status = ws_send_text(scene.ws, aic_str(data));
}

static void send_empty_binary(void *data)
{
    (void)data;
    scene.status = ws_send_binary(scene.ws, (struct aic_str){"", 0});
}

static void create_engine(void *data)
{
    (void)data;
    const struct ws_engine_options options = {.user_agent = "aicaller/test"};
    scene.engine = ws_engine_create(net_rig_loop(scene.rig), &options);
    if (!scene.engine) {
        abort();
    }
}

static void destroy_engine(void *data)
{
    (void)data;
    ws_engine_destroy(scene.engine);
    scene.engine = NULL;
}

static int set_up(void **state)
{
    (void)state;
    scene = (struct scene){.fd = -1};
    aic_buf_init(&scene.trace, 1u << 20);
    scene.fd = net_listen(&scene.port);
    (void)snprintf(scene.url, sizeof(scene.url), "ws://127.0.0.1:%d/v1/listen?a=b%%20c",
                   scene.port);
    scene.rig = net_rig_start();
    net_rig_call(scene.rig, create_engine, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_rig_call(scene.rig, destroy_engine, NULL);
    net_rig_stop(scene.rig); /* ends the process if libwebsockets left a handle on the loop */
    close(scene.fd);
    aic_buf_finish(&scene.trace);
    return 0;
}

/* The loop's thread alone touches the scene while a socket lives; these go through it. */
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

static int get(int *number)
{
    struct access access = {.number = number};
    net_rig_call(scene.rig, read_number, &access);
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

static void set(int *number, int value)
{
    struct access access = {.number = number, .value = value};
    net_rig_call(scene.rig, write_value, &access);
}

static void set_flag(bool *flag)
{
    struct access access = {.flag = flag, .value = 1};
    net_rig_call(scene.rig, write_value, &access);
}

static void clear_flag(bool *flag)
{
    struct access access = {.flag = flag};
    net_rig_call(scene.rig, write_value, &access);
}

static int is_open(void *data)
{
    (void)data;
    return scene.opened > 0;
}

static int is_closed(void *data)
{
    (void)data;
    return scene.closed > 0;
}

static int was_writable(void *data)
{
    (void)data;
    return scene.writable > 0;
}

static int trace_is(void *data)
{
    return scene.trace.data && strcmp(scene.trace.data, data) == 0;
}

static void wait_for_trace(char *want)
{
    if (!net_rig_wait(scene.rig, trace_is, want)) {
        fail_msg("%s instead of %s", scene.trace.data, want);
    }
}

/* The server's part */

static int accept_peer(void)
{
    struct pollfd wait = {.fd = scene.fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 20000), 1);
    int fd = accept4(scene.fd, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void answer_handshake(int fd, const char *request, const char *more)
{
    char accept[WS_ACCEPT_BYTES];
    const char *key = strstr(request, "\r\nSec-WebSocket-Key: ");
    assert_non_null(key);
    assert_true(ws_accept_key((struct aic_str){key + 21, 24}, accept));
    char answer[512];
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                   accept, more);
    assert_true(net_text(fd, answer));
}

/* Connects the socket under test and shakes hands with it. */
static int open_socket(void)
{
    net_rig_call(scene.rig, connect_now, NULL);
    assert_int_equal(scene.status, AIC_OK);
    int fd = accept_peer();
    char *request = net_read_until(fd, "\r\n\r\n");
    assert_non_null(request);
    answer_handshake(fd, request, "");
    free(request);
    assert_true(net_rig_wait(scene.rig, is_open, NULL));
    return fd;
}

static void send_frame(int fd, int first_byte, const void *payload, size_t count)
{
    char head[WS_HEAD_BYTES];
    size_t length = ws_frame_head(head, WS_TEXT, count);
    head[0] = (char)first_byte;
    (void)net_write(fd, head, length);
    (void)net_write(fd, payload, count);
}

/* Reads a frame of the client; its payload, terminated, to be freed. NULL at the end. */
static char *read_frame(int fd, int *first_byte, size_t *count)
{
    unsigned char head[14];
    if (!net_read(fd, head, 2)) {
        return NULL;
    }
    assert_true(head[1] & 0x80);
    size_t extra = (head[1] & 0x7f) == 127 ? 8 : (head[1] & 0x7f) == 126 ? 2 : 0;
    assert_true(net_read(fd, head + 2, extra + 4));
    uint64_t bytes = head[1] & 0x7f;
    if (extra > 0) {
        bytes = 0;
        for (size_t i = 0; i < extra; i++) {
            bytes = bytes << 8 | head[2 + i];
        }
    }
    assert_true(bytes <= 1u << 24);
    char *payload = malloc(bytes + 1);
    assert_true(net_read(fd, payload, bytes));
    ws_frame_mask(payload, bytes, head + 2 + extra, 0);
    payload[bytes] = '\0';
    *first_byte = head[0];
    *count = bytes;
    return payload;
}

static void check_frame(int fd, int first_byte, const char *want)
{
    int got_byte = 0;
    size_t count = 0;
    char *payload = read_frame(fd, &got_byte, &count);
    assert_non_null(payload);
    assert_int_equal(got_byte, first_byte);
    assert_string_equal(payload, want);
    free(payload);
}

/* Reads on until a close frame came; returns its code, 1005 for none, -1 when there was no frame.
 */
static int read_close(int fd)
{
    int first_byte = 0;
    size_t count = 0;
    char *payload = NULL;
    int code = -1;
    while (code < 0 && (payload = read_frame(fd, &first_byte, &count)) != NULL) {
        if (first_byte == 0x88) {
            code = count >= 2 ? (unsigned char)payload[0] << 8 | (unsigned char)payload[1] : 1005;
        }
        free(payload);
    }
    return code;
}

static void test_the_handshake_asks_for_what_was_wanted(void **state)
{
    (void)state;
    const struct aic_header headers[] = {{AIC_STR("Authorization"), AIC_STR("Token secret")},
                                         {AIC_STR("X-Second"), AIC_STR("2")}};
    scene.params.headers = headers;
    scene.params.header_count = 2;
    scene.params.subprotocol = "chat";
    net_rig_call(scene.rig, connect_now, NULL);
    int fd = accept_peer();
    char *request = net_read_until(fd, "\r\n\r\n");
    char host[64];
    (void)snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", scene.port);
    assert_int_equal(strncmp(request, "GET /v1/listen?a=b%20c HTTP/1.1\r\n", 33), 0);
    assert_non_null(strstr(request, host));
    assert_non_null(strstr(request, "\r\nAuthorization: Token secret\r\n"));
    assert_non_null(strstr(request, "\r\nX-Second: 2\r\n"));
    assert_non_null(strstr(request, "\r\nUser-Agent: aicaller/test\r\n"));
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Protocol: chat\r\n"));
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Version: 13\r\n"));
    assert_null(strstr(request, "Sec-WebSocket-Extensions"));
    answer_handshake(fd, request, "Sec-WebSocket-Protocol: chat\r\n");
    assert_true(net_rig_wait(scene.rig, is_open, NULL));
    free(request);
    close(fd);
}

static void test_messages_go_both_ways(void **state)
{
    (void)state;
    int fd = open_socket();
    static char hello[] = "hello";
    net_rig_call(scene.rig, send_text_now, hello);
    assert_int_equal(scene.status, AIC_OK);
    check_frame(fd, 0x81, "hello");
    net_rig_call(scene.rig, send_empty_binary, NULL);
    assert_int_equal(scene.status, AIC_ERROR_INVALID);
    send_frame(fd, 0x81, "world", 5);
    send_frame(fd, 0x82, "binary", 6);
    send_frame(fd, 0x81, "", 0);
    static char want[] = "T(world)B(binary)T()";
    wait_for_trace(want);
    close(fd);
}

static void test_fragments_make_one_message(void **state)
{
    (void)state;
    int fd = open_socket();
    send_frame(fd, 0x01, "one \xc3", 5);
    send_frame(fd, 0x89, "ping", 4);
    send_frame(fd, 0x00, "\xa4", 1);
    send_frame(fd, 0x80, " two", 4);
    static char want[] = "T(one \xc3\xa4 two)";
    wait_for_trace(want);
    check_frame(fd, 0x8a, "ping");
    close(fd);
}

static void test_large_messages_arrive(void **state)
{
    (void)state;
    scene.params.ping_ms = -1;
    int fd = open_socket();
    size_t bytes = 10u << 20;
    char *payload = malloc(bytes);
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (char)('a' + i % 17);
        sum = sum * 31 + (unsigned char)payload[i];
    }
    send_frame(fd, 0x82, payload, bytes);
    char want[64];
    (void)snprintf(want, sizeof(want), "[%zu %08x]", bytes, sum);
    wait_for_trace(want);
    free(payload);
    close(fd);
}

/* Refusals */

static void check_refused(const char *answer, int32_t status, uint32_t category, const char *code,
                          const char *message)
{
    set(&scene.closed, 0);
    net_rig_call(scene.rig, connect_now, NULL);
    int fd = accept_peer();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, answer));
    (void)shutdown(fd, SHUT_WR);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(get(&scene.opened), 0);
    assert_int_equal(scene.http_status, status);
    assert_int_equal(scene.category, category);
    assert_string_equal(scene.error_code, code);
    if (message) {
        assert_string_equal(scene.error_message, message);
    }
    close(fd);
}

static void test_a_refused_handshake_tells_its_status(void **state)
{
    (void)state;
    check_refused("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
                  "dg-error: Invalid credentials.\r\n\r\n",
                  401, AIC_CATEGORY_AUTH, "refused", "Invalid credentials.");
    check_refused("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno", 429,
                  AIC_CATEGORY_RATE_LIMIT, "refused", "refused with HTTP status 429");
    check_refused("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 502, AIC_CATEGORY_SERVER,
                  "refused", NULL);
    check_refused("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                  302, AIC_CATEGORY_BAD_REQUEST, "refused", NULL);
    check_refused("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, AIC_CATEGORY_BAD_REQUEST,
                  "refused", NULL);
}

static void test_a_wrong_handshake_is_a_protocol_error(void **state)
{
    (void)state;
    check_refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                  0, AIC_CATEGORY_PROTOCOL, "protocol", NULL);
    check_refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\n\r\n",
                  0, AIC_CATEGORY_PROTOCOL, "protocol", NULL);
}

static void test_no_answer_ends_at_the_deadline(void **state)
{
    (void)state;
    scene.params.connect_ms = 60;
    net_rig_call(scene.rig, connect_now, NULL);
    int fd = accept_peer();
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_string_equal(scene.error_code, "connect_timeout");
    assert_int_equal(scene.category, AIC_CATEGORY_TIMEOUT);
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_read_end(fd)); /* killed, on a loop that has nothing else to do */
    close(fd);
}

static void check_unreachable(const char *url, uint32_t category, const char *code)
{
    set(&scene.closed, 0);
    scene.params.url = url;
    net_rig_call(scene.rig, connect_now, NULL);
    assert_int_equal(scene.status, AIC_OK);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(scene.category, category);
    assert_string_equal(scene.error_code, code);
    assert_int_equal(scene.close_code, 1006);
}

static void test_what_can_not_be_reached_is_told(void **state)
{
    (void)state;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    check_unreachable("ws://no-such-name.invalid/", AIC_CATEGORY_NETWORK, "resolve");
    /* connect() fails at once: libwebsockets would leave a handle on the loop. */
    check_unreachable("ws://255.255.255.255/", AIC_CATEGORY_NETWORK, "connect");
    for (int i = 0; i < 20; i++) {
        check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    }
}

static void test_the_rules_hold_for_sockets_too(void **state)
{
    (void)state;
    scene.rules.public_only = true;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("wss://localhost:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("ws://[::ffff:127.0.0.1]:1/", AIC_CATEGORY_PERMISSION, "address");
    const char *const allow[] = {"127.0.0.0/8", NULL};
    scene.rules.allow = allow;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    scene.rules = (struct http_rules){.plain_to_loopback_only = true};
    check_unreachable("ws://192.0.2.1:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
}

static void test_bad_parameters_are_refused_at_once(void **state)
{
    (void)state;
    char long_url[4096];
    (void)snprintf(long_url, sizeof(long_url), "ws://127.0.0.1/?%04000d", 1);

    const struct {
        const char *url;
        const char *name;
        const char *value;
        const char *subprotocol;
        int32_t status;
    } rows[] = {
        {"http://127.0.0.1/", NULL, NULL, NULL, AIC_ERROR_UNSUPPORTED},
        {"ftp://127.0.0.1/", NULL, NULL, NULL, AIC_ERROR_UNSUPPORTED},
        {"127.0.0.1", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://user:secret@127.0.0.1/", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1:0/", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1:65536/", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1/\r\nX: y", NULL, NULL, NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1/", "X-A", "b\r\nc: d", NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1/", "Host", "b", NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1/", "Sec-WebSocket-Key", "b", NULL, AIC_ERROR_INVALID},
        {"ws://127.0.0.1/", NULL, NULL, "a\r\nb", AIC_ERROR_INVALID},
        {long_url, NULL, NULL, NULL, AIC_ERROR_TOO_LARGE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct aic_header header = {aic_str(rows[i].name), aic_str(rows[i].value)};
        scene.params.url = rows[i].url;
        scene.params.headers = &header;
        scene.params.header_count = rows[i].name ? 1 : 0;
        scene.params.subprotocol = rows[i].subprotocol;
        net_rig_call(scene.rig, connect_now, NULL);
        if (scene.status != rows[i].status) {
            fail_msg("%s: %d instead of %d", rows[i].url, scene.status, rows[i].status);
        }
    }
    assert_int_equal(get(&scene.closed), 0);
}

/* Ends */

static void test_our_goodbye_is_answered(void **state)
{
    (void)state;
    int fd = open_socket();
    static char hello[] = "last words";
    net_rig_call(scene.rig, send_text_now, hello);
    net_rig_call(scene.rig, close_now, NULL);
    net_rig_call(scene.rig, send_text_now, hello);
    assert_int_equal(scene.status, AIC_ERROR_CLOSED);
    check_frame(fd, 0x81, "last words");
    check_frame(fd, 0x88,
                "\x0f\xa1"
                "done");
    send_frame(fd, 0x88, "\x0f\xa1", 2);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(scene.close_code, 4001);
    assert_false(scene.has_error);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_our_goodbye_ends_without_an_answer_too(void **state)
{
    (void)state;
    int fd = open_socket();
    net_rig_call(scene.rig, close_now, NULL);
    assert_int_equal(read_close(fd), 4001);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_false(scene.has_error);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_closing_before_it_is_open_is_silent_to_the_peer(void **state)
{
    (void)state;
    net_rig_call(scene.rig, connect_now, NULL);
    int fd = accept_peer();
    net_rig_call(scene.rig, close_now, NULL);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(get(&scene.opened), 0);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_the_peers_goodbye_is_told(void **state)
{
    (void)state;
    int fd = open_socket();
    send_frame(fd, 0x88, "\x03\xf3oops", 6);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(scene.close_code, 1011);
    assert_int_equal(scene.category, AIC_CATEGORY_SERVER);
    static char want[] = "C(oops)";
    wait_for_trace(want);
    assert_int_equal(read_close(fd), 1011);
    close(fd);
}

static void test_a_peer_that_vanishes_is_1006(void **state)
{
    (void)state;
    int fd = open_socket();
    close(fd);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_int_equal(scene.close_code, 1006);
    assert_int_equal(scene.category, AIC_CATEGORY_NETWORK);
}

static void test_two_unanswered_pings_end_it(void **state)
{
    (void)state;
    scene.params.ping_ms = 25;
    int fd = open_socket();
    check_frame(fd, 0x89, "ping");
    check_frame(fd, 0x89, "ping");
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_string_equal(scene.error_code, "ping_timeout");
    assert_int_equal(scene.category, AIC_CATEGORY_TIMEOUT);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_answered_pings_keep_it(void **state)
{
    (void)state;
    scene.params.ping_ms = 20;
    int fd = open_socket();
    for (int i = 0; i < 6; i++) {
        check_frame(fd, 0x89, "ping");
        send_frame(fd, 0x8a, "ping", 4);
    }
    assert_int_equal(get(&scene.closed), 0);
    close(fd);
}

static void test_dropping_on_an_idle_loop_ends_at_once(void **state)
{
    (void)state;
    scene.params.ping_ms = -1;
    for (int i = 0; i < 5; i++) {
        set(&scene.opened, 0);
        int fd = open_socket();
        net_rig_call(scene.rig, drop_now, NULL);
        assert_true(net_read_end(fd));
        close(fd);
    }
    assert_int_equal(get(&scene.closed), 0);
}

static void test_dropping_from_inside_of_an_event(void **state)
{
    (void)state;
    set_flag(&scene.drop_in_event);
    int fd = open_socket(); /* in OPEN */
    assert_true(net_read_end(fd));
    close(fd);
    clear_flag(&scene.drop_in_event);
    set(&scene.opened, 0);
    fd = open_socket();
    set_flag(&scene.drop_in_event);
    send_frame(fd, 0x81, "a", 1); /* in TEXT, with more behind it */
    send_frame(fd, 0x81, "b", 1);
    assert_true(net_read_end(fd));
    close(fd);
    static char want[] = "T(a)";
    wait_for_trace(want);
    assert_int_equal(get(&scene.closed), 0);
}

static void test_closing_from_inside_of_an_event(void **state)
{
    (void)state;
    int fd = open_socket();
    set_flag(&scene.close_in_event);
    send_frame(fd, 0x81, "a", 1);
    assert_int_equal(read_close(fd), 1000);
    send_frame(fd, 0x88, "\x03\xe8", 2);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    close(fd);
}

static void test_connecting_again_from_the_last_event(void **state)
{
    (void)state;
    int fd = open_socket();
    set_flag(&scene.again_when_closed);
    set(&scene.opened, 0);
    close(fd);
    fd = accept_peer();
    char *request = net_read_until(fd, "\r\n\r\n");
    answer_handshake(fd, request, "");
    free(request);
    assert_true(net_rig_wait(scene.rig, is_open, NULL));
    close(fd);
}

static void test_the_engine_goes_with_everything_in_flight(void **state)
{
    (void)state;
    int fd = open_socket();
    scene.params.url = "ws://slow-name.invalid/";
    net_rig_call(scene.rig, connect_now, NULL);
    scene.params.url = NULL;
    net_rig_call(scene.rig, connect_now, NULL);
    net_rig_call(scene.rig, destroy_engine, NULL);
    assert_true(net_read_end(fd));
    assert_int_equal(get(&scene.closed), 0);
    close(fd);
    net_rig_call(scene.rig, destroy_engine, NULL); /* NULL now */
    net_rig_call(scene.rig, create_engine, NULL);  /* and once more */
}

/* What the peer does wrong */

static void check_failed(const char *frames, size_t count, int code)
{
    set(&scene.opened, 0);
    set(&scene.closed, 0);
    int fd = open_socket();
    assert_true(net_write(fd, frames, count));
    int got = read_close(fd);
    if (got != code) {
        fail_msg("closed with %d instead of %d", got, code);
    }
    (void)shutdown(fd, SHUT_WR);
    assert_true(net_rig_wait(scene.rig, is_closed, NULL));
    assert_true(scene.has_error);
    close(fd);
}

static void test_bad_text_and_large_messages_are_refused(void **state)
{
    (void)state;
    scene.params.max_message_bytes = 8;
    check_failed("\x81\x02\xc3\x28", 4, 1007);
    assert_int_equal(scene.close_code, 1007);
    assert_int_equal(scene.category, AIC_CATEGORY_PROTOCOL);
    check_failed("\x81\x03\xed\xa0\x80", 5, 1007);
    check_failed("\x81\x01\xc3", 3, 1007);
    check_failed("\x82\x09"
                 "123456789",
                 11, 1009);
    assert_int_equal(scene.close_code, 1009);
    check_failed("\x02\x05"
                 "12345\x80\x05"
                 "12345",
                 14, 1009);
    assert_string_equal(scene.trace.data, "C()C()C()C()C()");
}

/* Slow readers: the peer reads nothing until the queue is full, then everything, and every frame
 * has to be whole and in order. Writing over a half-sent frame corrupts the stream and tells
 * nobody. */

static void fill(void *data)
{
    (void)data;
    char *payload = malloc(scene.message_bytes);
    do {
        memset(payload, (int)('a' + scene.sent % 26), scene.message_bytes);
        memcpy(payload, &scene.sent, sizeof(scene.sent));
        scene.status = ws_send_binary(scene.ws, (struct aic_str){payload, scene.message_bytes});
        scene.sent += scene.status == AIC_OK;
    } while (scene.status == AIC_OK && scene.sent < 1000000);
    scene.queued = ws_queued_bytes(scene.ws);
    free(payload);
}

/* Keeps the socket alive: its pings can not be answered while nothing is read. */
static void *send_pongs(void *data)
{
    const int *fd = data;
    while (net_write(*fd, "\x8a\x00", 2)) {
        usleep(1000);
    }
    return NULL;
}

/* Reads messages up to number `end`; pings may stand between them. */
static void read_messages(int fd, uint64_t *next, uint64_t end, size_t message_bytes)
{
    while (*next < end) {
        int first_byte = 0;
        size_t count = 0;
        char *payload = read_frame(fd, &first_byte, &count);
        assert_non_null(payload);
        if (first_byte == 0x82) {
            uint64_t number = 0;
            memcpy(&number, payload, sizeof(number));
            assert_int_equal(count, message_bytes);
            assert_int_equal(number, *next);
            for (size_t i = sizeof(number); i < count; i++) {
                if (payload[i] != (char)('a' + *next % 26)) {
                    fail_msg("message %llu is wrong", (unsigned long long)*next);
                }
            }
            (*next)++;
        } else {
            assert_int_equal(first_byte, 0x89);
            assert_string_equal(payload, "ping");
        }
        free(payload);
    }
}

static void check_slow_reader(size_t message_bytes)
{
    scene.message_bytes = message_bytes;
    scene.sent = 0;
    set(&scene.opened, 0);
    int fd = open_socket();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_pongs, &fd), 0);
    uint64_t next = 0;
    for (int round = 0; round < 3; round++) {
        set(&scene.writable, 0);
        net_rig_call(scene.rig, fill, NULL);
        assert_int_equal(scene.status, AIC_ERROR_BUSY);
        assert_in_range(scene.queued, 1, scene.params.max_queue_bytes + message_bytes);
        read_messages(fd, &next, scene.sent, message_bytes);
        assert_true(net_rig_wait(scene.rig, was_writable, NULL));
    }
    assert_int_equal(get(&scene.closed), 0);
    net_rig_call(scene.rig, drop_now, NULL);
    (void)shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
}

static void test_a_slow_reader_gets_every_frame_whole(void **state)
{
    (void)state;
    scene.params.max_queue_bytes = 1u << 20;
    scene.params.ping_ms = 20; /* pings must not be written over a frame either */
    static const size_t sizes[] = {320, 6000, 40000, 200000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_slow_reader(sizes[i]);
    }
}

static void test_a_goodbye_comes_behind_what_waits(void **state)
{
    (void)state;
    scene.params.ping_ms = -1;
    int fd = open_socket();
    scene.message_bytes = 6000;
    net_rig_call(scene.rig, fill, NULL);
    net_rig_call(scene.rig, close_now, NULL);
    uint64_t read = 0;
    int first_byte = 0;
    size_t count = 0;
    char *payload = NULL;
    while ((payload = read_frame(fd, &first_byte, &count)) != NULL && first_byte == 0x82) {
        read++;
        free(payload);
    }
    assert_non_null(payload);
    assert_int_equal(first_byte, 0x88);
    assert_int_equal(read, scene.sent);
    free(payload);
    close(fd);
}

static void test_a_message_larger_than_the_queue_is_refused(void **state)
{
    (void)state;
    scene.params.max_queue_bytes = 4;
    int fd = open_socket();
    static char hello[] = "hello";
    net_rig_call(scene.rig, send_text_now, hello);
    assert_int_equal(scene.status, AIC_ERROR_TOO_LARGE);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_handshake_asks_for_what_was_wanted),
        TEST(test_messages_go_both_ways),
        TEST(test_fragments_make_one_message),
        TEST(test_large_messages_arrive),
        TEST(test_a_refused_handshake_tells_its_status),
        TEST(test_a_wrong_handshake_is_a_protocol_error),
        TEST(test_no_answer_ends_at_the_deadline),
        TEST(test_what_can_not_be_reached_is_told),
        TEST(test_the_rules_hold_for_sockets_too),
        TEST(test_bad_parameters_are_refused_at_once),
        TEST(test_our_goodbye_is_answered),
        TEST(test_our_goodbye_ends_without_an_answer_too),
        TEST(test_closing_before_it_is_open_is_silent_to_the_peer),
        TEST(test_the_peers_goodbye_is_told),
        TEST(test_a_peer_that_vanishes_is_1006),
        TEST(test_two_unanswered_pings_end_it),
        TEST(test_answered_pings_keep_it),
        TEST(test_dropping_on_an_idle_loop_ends_at_once),
        TEST(test_dropping_from_inside_of_an_event),
        TEST(test_closing_from_inside_of_an_event),
        TEST(test_connecting_again_from_the_last_event),
        TEST(test_the_engine_goes_with_everything_in_flight),
        TEST(test_bad_text_and_large_messages_are_refused),
        TEST(test_a_slow_reader_gets_every_frame_whole),
        TEST(test_a_goodbye_comes_behind_what_waits),
        TEST(test_a_message_larger_than_the_queue_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
