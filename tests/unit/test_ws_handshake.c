/* SPDX-License-Identifier: ISC */
/* Handshakes of outgoing sockets: what the peer answers, and how it comes. */
#include "io/ws_handshake.h"

#include "io/ws_target.h"
#include "net_frames.h"
#include "net_peer.h"
#include "net_rig.h"
#include "net_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int connect_to_us(void)
{
    net_socket_set(&net_socket.closed, 0);
    net_rig_call(net_socket.rig, net_socket_connect, NULL);
    return net_socket_accept();
}

static void expect_refusal(int fd, int32_t status, const char *body)
{
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket_get(&net_socket.opened), 0);
    assert_int_equal(net_socket.http_status, status);
    assert_string_equal(net_socket.error_code, "refused");
    assert_string_equal(net_socket.body.data ? net_socket.body.data : "", body);
    close(fd);
}

static void refuse(const char *answer, int32_t status, const char *body)
{
    int fd = connect_to_us();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, answer));
    expect_refusal(fd, status, body);
}

static void test_headers_of_the_answer_are_delivered(void **state)
{
    (void)state;
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    assert_true(net_frame_answer_handshake(fd, request, "X-Test: 4711\r\n"));
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_open, NULL));
    assert_string_equal(net_socket.x_test, "4711");
    free(request);
    close(fd);
}

static void test_a_target_of_6000_bytes_is_asked_for(void **state)
{
    (void)state;
    char url[6100];
    char line[6100];
    int begin = snprintf(url, sizeof(url), "ws://127.0.0.1:%d/listen?keyterm=", net_socket.port);
    memset(url + begin, 'k', 6000);
    url[begin + 6000] = '\0';
    net_socket.params.url = url;
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    (void)snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n", strchr(url + 6, '/'));
    assert_int_equal(strncmp(request, line, strlen(line)), 0);
    assert_true(net_frame_answer_handshake(fd, request, ""));
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_open, NULL));
    free(request);
    close(fd);
}

/* The good answer to a request, with what follows it. */
static void make_answer(struct aic_buf *to, const char *request, const char *more)
{
    int line[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
    assert_true(net_frame_answer_handshake(line[0], request, more));
    close(line[0]);
    size_t count = 0;
    char *text = net_read_all(line[1], &count);
    aic_buf_add(to, text, count);
    free(text);
    close(line[1]);
}

static void test_an_answer_may_come_byte_by_byte(void **state)
{
    (void)state;
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    struct aic_buf answer;
    aic_buf_init(&answer, 4096);
    aic_buf_text(&answer, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    make_answer(&answer, request, "X-Test: slow\r\n");
    net_frame_add(&answer, 0x81, "hello", 5, false);
    for (size_t i = 0; i < answer.len; i++) {
        assert_true(net_write(fd, answer.data + i, 1));
        usleep(200);
    }
    static char want[] = "T(hello)";
    net_socket_wait_for_trace(want);
    assert_string_equal(net_socket.x_test, "slow");
    aic_buf_finish(&answer);
    free(request);
    close(fd);
}

static void test_messages_may_come_with_the_answer(void **state)
{
    (void)state;
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    struct aic_buf answer;
    aic_buf_init(&answer, 1u << 20);
    make_answer(&answer, request, "");
    char payload[60000];
    memset(payload, 'x', sizeof(payload));
    net_frame_add(&answer, 0x81, "first", 5, false);
    net_frame_add(&answer, 0x82, payload, sizeof(payload), false);
    net_frame_add(&answer, 0x81, "last", 4, false);
    net_frame_add(&answer, 0x88, "\x03\xe8", 2, false);
    assert_true(net_write(fd, answer.data, answer.len));
    assert_int_equal(net_frame_close_code(fd, true), 1000);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_non_null(strstr(net_socket.trace.data, "T(first)[60000 "));
    assert_non_null(strstr(net_socket.trace.data, "]T(last)C()"));
    aic_buf_finish(&answer);
    free(request);
    close(fd);
}

static void test_a_refusal_tells_its_words_and_when_to_come_back(void **state)
{
    (void)state;
    refuse("HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 20\r\n"
           "X-Request-Id: r-17\r\nX-Test: no\r\n\r\n{\"err\":\"wrong key\"}\n",
           401, "{\"err\":\"wrong key\"}\n");
    assert_int_equal(net_socket.category, AIC_CATEGORY_AUTH);
    assert_int_equal(net_socket.retry_after_ms, 0);
    assert_string_equal(net_socket.request_id, "r-17");
    assert_string_equal(net_socket.x_test, "no");
    refuse("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
           "4\r\nslow\r\n5;x=y\r\n down\r\n0\r\n\r\n",
           429, "slow down");
    assert_int_equal(net_socket.category, AIC_CATEGORY_RATE_LIMIT);
    assert_int_equal(net_socket.retry_after_ms, 7000);
    refuse("HTTP/1.1 429 Too Many Requests\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"
           "Content-Length: 0\r\n\r\n",
           429, "");
    assert_int_equal(net_socket.retry_after_ms, 0);
    refuse("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
}

static void test_the_words_of_a_refusal_may_break_off(void **state)
{
    (void)state;
    int fd = connect_to_us();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nall lines"));
    (void)shutdown(fd, SHUT_WR);
    expect_refusal(fd, 503, "all lines");
    assert_int_equal(net_socket.category, AIC_CATEGORY_OVERLOADED);
    net_socket.params.connect_ms = 100; /* or never end */
    fd = connect_to_us();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, "HTTP/1.1 500 Oops\r\n\r\nwait"));
    expect_refusal(fd, 500, "wait");
}

static void test_long_words_of_a_refusal_are_cut(void **state)
{
    (void)state;
    char answer[9000];
    char body[WS_ANSWER_BODY_BYTES + 1];
    int begin =
        snprintf(answer, sizeof(answer), "HTTP/1.1 400 No\r\nContent-Length: 90000\r\n\r\n");
    memset(answer + begin, 'n', sizeof(answer) - (size_t)begin);
    answer[sizeof(answer) - 1] = '\0';
    memset(body, 'n', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    refuse(answer, 400, body);
}

static void test_a_redirect_is_a_refusal(void **state)
{
    (void)state;
    char answer[200];
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 307 Go\r\nLocation: ws://127.0.0.1:%d/other\r\n"
                   "Content-Length: 0\r\n\r\n",
                   net_socket.port);
    refuse(answer, 307, "");
    assert_int_equal(net_socket.category, AIC_CATEGORY_BAD_REQUEST);
    /* Nobody has followed it: the next who comes asks for the first path. */
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    assert_int_equal(strncmp(request, "GET /v1/listen?", 15), 0);
    free(request);
    close(fd);
}

static void test_an_answer_that_drips_ends_at_the_deadline(void **state)
{
    (void)state;
    net_socket.params.connect_ms = 100;
    int fd = connect_to_us();
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_text(fd, "HTTP/1.1 101 Switching Protocols\r\n"));
    while (net_text(fd, "X: y\r\n") && !net_socket_get(&net_socket.closed)) {
        usleep(2000);
    }
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_string_equal(net_socket.error_code, "connect_timeout");
    assert_int_equal(net_socket.category, AIC_CATEGORY_TIMEOUT);
    assert_int_equal(net_socket.http_status, 0);
    close(fd);
}

static void check_wrong(const char *answer, const char *why)
{
    int fd = connect_to_us();
    free(net_read_until(fd, "\r\n\r\n"));
    (void)net_text(fd, answer);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket_get(&net_socket.opened), 0);
    assert_int_equal(net_socket.category, AIC_CATEGORY_PROTOCOL);
    if (!strstr(net_socket.error_message, why)) {
        fail_msg("\"%s\" instead of \"%s\"", net_socket.error_message, why);
    }
    close(fd);
}

static void test_what_is_no_answer_is_told(void **state)
{
    (void)state;
    char *endless = malloc(40000);
    int begin = snprintf(endless, 40000, "HTTP/1.1 101 Fine\r\nX: ");
    memset(endless + begin, 'x', 39999 - (size_t)begin);
    endless[39999] = '\0';
    check_wrong("SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"); /* at once, not at the deadline */
    check_wrong("HTTP/1.1 1O1 Fine\r\n\r\n", "no HTTP");
    check_wrong("HTTP/1.1 101 Fine\r\nNo colon\r\n\r\n", "no HTTP");
    check_wrong(endless, "too long");
    free(endless);
}

static void check_upgrade(const char *more, const char *why)
{
    int fd = connect_to_us();
    char *request = net_read_until(fd, "\r\n\r\n");
    assert_true(net_frame_answer_handshake(fd, request, more));
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket.category, AIC_CATEGORY_PROTOCOL);
    assert_non_null(strstr(net_socket.error_message, why));
    free(request);
    close(fd);
}

static void test_what_was_not_offered_may_not_be_chosen(void **state)
{
    (void)state;
    check_upgrade("Sec-WebSocket-Extensions: permessage-deflate\r\n", "extension");
    check_upgrade("Sec-WebSocket-Protocol: chat\r\n", "subprotocol");
    net_socket.params.subprotocol = "talk";
    check_upgrade("Sec-WebSocket-Protocol: chat\r\n", "subprotocol");
    check_upgrade("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "key");
}

static void test_each_handshake_has_its_own_key(void **state)
{
    (void)state;
    char keys[2][64];
    for (int i = 0; i < 2; i++) {
        int fd = connect_to_us();
        char *request = net_read_until(fd, "\r\n\r\n");
        const char *key = strstr(request, "Sec-WebSocket-Key: ");
        assert_non_null(key);
        (void)snprintf(keys[i], sizeof(keys[i]), "%.43s", key);
        free(request);
        net_rig_call(net_socket.rig, net_socket_drop, NULL);
        close(fd);
    }
    assert_string_not_equal(keys[0], keys[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_socket_set_up, net_socket_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_headers_of_the_answer_are_delivered),
        TEST(test_a_target_of_6000_bytes_is_asked_for),
        TEST(test_an_answer_may_come_byte_by_byte),
        TEST(test_messages_may_come_with_the_answer),
        TEST(test_a_refusal_tells_its_words_and_when_to_come_back),
        TEST(test_the_words_of_a_refusal_may_break_off),
        TEST(test_long_words_of_a_refusal_are_cut),
        TEST(test_a_redirect_is_a_refusal),
        TEST(test_an_answer_that_drips_ends_at_the_deadline),
        TEST(test_what_is_no_answer_is_told),
        TEST(test_what_was_not_offered_may_not_be_chosen),
        TEST(test_each_handshake_has_its_own_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
