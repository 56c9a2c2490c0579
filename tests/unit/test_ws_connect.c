/* SPDX-License-Identifier: ISC */
/* How an outgoing socket comes to be, or not. */
#include "io/ws.h"

#include "net_frames.h"
#include "net_peer.h"
#include "net_rig.h"
#include "net_socket.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void test_the_handshake_asks_for_what_was_wanted(void **state)
{
    (void)state;
    const struct aic_header headers[] = {{AIC_STR("Authorization"), AIC_STR("Token secret")},
                                         {AIC_STR("X-Second"), AIC_STR("2")}};
    net_socket.params.headers = headers;
    net_socket.params.header_count = 2;
    net_socket.params.subprotocol = "chat";
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    int fd = net_socket_accept();
    char *request = net_read_until(fd, "\r\n\r\n");
    char host[64];
    (void)snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", net_socket.port);
    assert_int_equal(strncmp(request, "GET /v1/listen?a=b%20c HTTP/1.1\r\n", 33), 0);
    assert_non_null(strstr(request, host));
    assert_non_null(strstr(request, "\r\nAuthorization: Token secret\r\n"));
    assert_non_null(strstr(request, "\r\nX-Second: 2\r\n"));
    assert_non_null(strstr(request, "\r\nUser-Agent: aicaller/test\r\n"));
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Protocol: chat\r\n"));
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Version: 13\r\n"));
    assert_null(strstr(request, "Sec-WebSocket-Extensions"));
    assert_true(net_frame_answer_handshake(fd, request, "Sec-WebSocket-Protocol: chat\r\n"));
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_open, NULL));
    free(request);
    close(fd);
}

static void check_refused(const char *answer, int32_t status, uint32_t category, const char *code,
                          const char *message)
{
    net_socket_set(&net_socket.closed, 0);
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    int fd = net_socket_accept();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, answer));
    (void)shutdown(fd, SHUT_WR);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket_get(&net_socket.opened), 0);
    assert_int_equal(net_socket.http_status, status);
    assert_int_equal(net_socket.category, category);
    assert_string_equal(net_socket.error_code, code);
    if (message) {
        assert_string_equal(net_socket.error_message, message);
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
    net_socket.params.connect_ms = 60;
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    int fd = net_socket_accept();
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_string_equal(net_socket.error_code, "connect_timeout");
    assert_int_equal(net_socket.category, AIC_CATEGORY_TIMEOUT);
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_read_end(fd)); /* killed, on a loop that has nothing else to do */
    close(fd);
}

static void check_unreachable(const char *url, uint32_t category, const char *code)
{
    net_socket_set(&net_socket.closed, 0);
    net_socket.params.url = url;
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    assert_int_equal(net_socket.status, AIC_OK);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket.category, category);
    assert_string_equal(net_socket.error_code, code);
    assert_int_equal(net_socket.close_code, 1006);
}

static void test_what_can_not_be_reached_is_told(void **state)
{
    (void)state;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    check_unreachable("ws://no-such-name.invalid/", AIC_CATEGORY_NETWORK, "resolve");
    /* connect() fails at once. */
    check_unreachable("ws://255.255.255.255/", AIC_CATEGORY_NETWORK, "connect");
    for (int i = 0; i < 20; i++) {
        check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    }
}

static void test_the_rules_hold_for_sockets_too(void **state)
{
    (void)state;
    net_socket.rules.public_only = true;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("wss://localhost:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("ws://[::ffff:127.0.0.1]:1/", AIC_CATEGORY_PERMISSION, "address");
    const char *const allow[] = {"127.0.0.0/8", NULL};
    net_socket.rules.allow = allow;
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
    net_socket.rules = (struct http_rules){.plain_to_loopback_only = true};
    check_unreachable("ws://192.0.2.1:1/", AIC_CATEGORY_PERMISSION, "address");
    check_unreachable("ws://127.0.0.1:1/", AIC_CATEGORY_NETWORK, "connect");
}

static void test_bad_parameters_are_refused_at_once(void **state)
{
    (void)state;
    char long_url[10000];
    (void)snprintf(long_url, sizeof(long_url), "ws://127.0.0.1/?%09000d", 1);

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
        net_socket.params.url = rows[i].url;
        net_socket.params.headers = &header;
        net_socket.params.header_count = rows[i].name ? 1 : 0;
        net_socket.params.subprotocol = rows[i].subprotocol;
        net_rig_call(net_socket.rig, net_socket_connect, NULL);
        if (net_socket.status != rows[i].status) {
            fail_msg("%s: %d instead of %d", rows[i].url, net_socket.status, rows[i].status);
        }
    }
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
}

static void test_closing_before_it_is_open_is_silent_to_the_peer(void **state)
{
    (void)state;
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    int fd = net_socket_accept();
    net_rig_call(net_socket.rig, net_socket_close, NULL);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket_get(&net_socket.opened), 0);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_connecting_again_from_the_last_event(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_socket_set_flag(&net_socket.again_when_closed);
    net_socket_set(&net_socket.opened, 0);
    close(fd);
    fd = net_socket_accept();
    char *request = net_read_until(fd, "\r\n\r\n");
    assert_true(net_frame_answer_handshake(fd, request, ""));
    free(request);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_open, NULL));
    close(fd);
}

/* One socket is open, two are being looked up. */
static void connect_and_destroy(void *data)
{
    net_socket.params.url = "ws://no-such-name.invalid/";
    net_socket_connect(data);
    net_socket.params.url = NULL;
    net_socket_connect(data);
    net_socket_destroy_engine(data);
}

static void test_the_engine_goes_with_everything_in_flight(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_rig_call_outside(net_socket.rig, connect_and_destroy, NULL);
    assert_true(net_read_end(fd));
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
    close(fd);
    net_rig_call_outside(net_socket.rig, net_socket_destroy_engine, NULL); /* NULL now */
    net_rig_call(net_socket.rig, net_socket_create_engine, NULL);          /* and once more */
}

static void recreate_many(void *data)
{
    (void)data;
    for (int i = 0; i < 10; i++) {
        net_socket_destroy_engine(NULL);
        net_socket_create_engine(NULL);
    }
}

static void test_engines_leave_nothing_behind(void **state)
{
    (void)state;
    net_rig_call_outside(net_socket.rig, recreate_many, NULL);
    size_t before = mallinfo2().uordblks;
    net_rig_call_outside(net_socket.rig, recreate_many, NULL);
    size_t after = mallinfo2().uordblks;
    assert_in_range(after, 0, before + 1000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_socket_set_up, net_socket_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_handshake_asks_for_what_was_wanted),
        TEST(test_a_refused_handshake_tells_its_status),
        TEST(test_a_wrong_handshake_is_a_protocol_error),
        TEST(test_no_answer_ends_at_the_deadline),
        TEST(test_what_can_not_be_reached_is_told),
        TEST(test_the_rules_hold_for_sockets_too),
        TEST(test_bad_parameters_are_refused_at_once),
        TEST(test_closing_before_it_is_open_is_silent_to_the_peer),
        TEST(test_connecting_again_from_the_last_event),
        TEST(test_the_engine_goes_with_everything_in_flight),
        TEST(test_engines_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
