/* SPDX-License-Identifier: ISC */
/* Answers that come later, never, or in pieces. */
#include "io/server.h"

#include "buf.h"
#include "net_peer.h"
#include "net_port.h"
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

static void test_an_answer_may_come_later(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(net_port.rig, net_port_holds, NULL));
    static char text[] = "at last";
    net_rig_call(net_port.rig, net_port_answer, text);
    char *answer = net_read_all(fd, NULL);
    assert_non_null(strstr(answer, "\r\n\r\nat last"));
    assert_int_equal(net_port.late_status, AIC_OK);
    free(answer);
    close(fd);
}

static void test_who_closed_his_sending_side_is_still_answered(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(net_rig_wait(net_port.rig, net_port_holds, NULL));
    static char text[] = "at last";
    net_rig_call(net_port.rig, net_port_answer, text);
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
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(net_port.rig, net_port_holds, NULL));
    reset_on_close(fd);
    assert_true(net_rig_wait(net_port.rig, net_port_is_idle, NULL));
    static char text[] = "nobody";
    net_rig_call(net_port.rig, net_port_answer, text);
    assert_int_equal(net_port.late_status, AIC_ERROR_CLOSED);
}

static void test_an_unanswered_exchange_becomes_504(void **state)
{
    (void)state;
    net_port_end();
    net_port.options.answer_ms = 30;
    net_port_begin();
    net_port_check_status(GET("/later"), 504);
    static char text[] = "too late";
    net_rig_call(net_port.rig, net_port_answer, text);
    assert_int_equal(net_port.late_status, AIC_ERROR_CLOSED);
}

static void test_an_exchange_outlives_its_server(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(net_port.rig, net_port_holds, NULL));
    net_port_end();
    assert_true(net_read_end(fd));
    static char text[] = "nobody";
    net_rig_call(net_port.rig, net_port_answer, text);
    assert_int_equal(net_port.late_status, AIC_ERROR_CLOSED);
    close(fd);
    net_port_begin();
}

static void test_headers_can_not_split_an_answer(void **state)
{
    (void)state;
    static const char *const requests[] = {GET("/split0"), GET("/split1"), GET("/split2")};
    for (size_t i = 0; i < 3; i++) {
        char *answer = net_port_ask(requests[i]);
        assert_int_equal(strncmp(answer, "HTTP/1.1 500 ", 13), 0);
        assert_null(strstr(answer, "Set-Cookie"));
        net_port_sync();
        assert_int_equal(net_port.late_status, AIC_ERROR_INVALID);
        free(answer);
    }
}

static int has_stream(void *data)
{
    (void)data;
    return net_port.stream != NULL;
}

static int stream_is_closed(void *data)
{
    (void)data;
    return net_port.stream_closed > 0;
}

static int stream_is_full(void *data)
{
    (void)data;
    return net_port.stream_status == AIC_ERROR_BUSY;
}

static void write_stream(void *data)
{
    net_port.stream_status = server_stream_write(net_port.stream, aic_str(data));
}

static void end_stream(void *data)
{
    (void)data;
    server_stream_end(net_port.stream);
    net_port.stream_status = server_stream_write(net_port.stream, AIC_STR("more"));
}

static void test_a_stream_is_sent_piece_by_piece(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/stream")));
    char *head = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(head, "\r\nContent-Type: text/event-stream\r\n"));
    assert_null(strstr(head, "Content-Length"));
    static char one[] = "data: one\n\n";
    static char two[] = "data: two\n\n";
    net_rig_call(net_port.rig, write_stream, one);
    char *piece = net_read_until(fd, one);
    assert_string_equal(piece, one);
    free(piece);
    net_rig_call(net_port.rig, write_stream, two);
    piece = net_read_until(fd, two);
    assert_string_equal(piece, two);
    free(piece);
    net_rig_call(net_port.rig, end_stream, NULL);
    assert_int_equal(net_port.stream_status, AIC_ERROR_CLOSED);
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(net_port.rig, stream_is_closed, NULL));
    assert_int_equal(net_port.stream_closed, 1);
    free(head);
}

static void test_a_stream_learns_that_its_reader_is_gone(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/stream")));
    assert_true(net_rig_wait(net_port.rig, has_stream, NULL));
    close(fd);
    assert_true(net_rig_wait(net_port.rig, stream_is_closed, NULL));
    assert_true(net_rig_wait(net_port.rig, net_port_is_idle, NULL));
    assert_int_equal(net_port.stream_closed, 1);
}

static void test_a_stream_waits_for_a_slow_reader(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/stream")));
    assert_true(net_rig_wait(net_port.rig, has_stream, NULL));
    net_rig_call(net_port.rig, net_port_stream_more, NULL);
    assert_true(net_rig_wait(net_port.rig, stream_is_full, NULL));
    size_t count = 0;
    char *answer = net_read_all(fd, &count);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(count - (size_t)(body - answer), 8000000);
    for (size_t i = 0; i < 8000000; i++) {
        if (body[i] != (char)('a' + i / 10000 % 23)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
    assert_true(net_port.stream_writable > 1);
    free(answer);
    close(fd);
    assert_true(net_rig_wait(net_port.rig, stream_is_closed, NULL));
}

static void test_a_stream_of_known_length_keeps_to_it(void **state)
{
    (void)state;
    net_port.stream_length = 6;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/stream")));
    char *head = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(head, "\r\nContent-Length: 6\r\n"));
    static char long_text[] = "0123456";
    static char text[] = "012345";
    net_rig_call(net_port.rig, write_stream, long_text);
    assert_int_equal(net_port.stream_status, AIC_ERROR_TOO_LARGE);
    net_rig_call(net_port.rig, write_stream, text);
    assert_int_equal(net_port.stream_status, AIC_OK);
    net_rig_call(net_port.rig, end_stream, NULL);
    char *body = net_read_all(fd, NULL);
    assert_string_equal(body, "012345");
    free(head);
    free(body);
    close(fd);
    assert_true(net_rig_wait(net_port.rig, stream_is_closed, NULL));
}

static void test_head_of_a_stream_has_no_body(void **state)
{
    (void)state;
    char *answer = net_port_ask("HEAD /stream HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    free(answer);
    assert_true(net_rig_wait(net_port.rig, stream_is_closed, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_port_set_up, net_port_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
