/* SPDX-License-Identifier: ISC */
/* Outgoing sockets that are open: messages, pings, ends, slow readers. */
#include "io/ws.h"

#include "net_frames.h"
#include "net_peer.h"
#include "net_rig.h"
#include "net_socket.h"

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

static void send_empty_binary(void *data)
{
    (void)data;
    net_socket.status = ws_send_binary(net_socket.ws, (struct aic_str){"", 0});
}

static void test_messages_go_both_ways(void **state)
{
    (void)state;
    int fd = net_socket_open();
    static char hello[] = "hello";
    net_rig_call(net_socket.rig, net_socket_send_text, hello);
    assert_int_equal(net_socket.status, AIC_OK);
    assert_true(net_frame_is(fd, true, 0x81, "hello", sizeof("hello") - 1));
    net_rig_call(net_socket.rig, send_empty_binary, NULL);
    assert_int_equal(net_socket.status, AIC_ERROR_INVALID);
    net_frame_send(fd, 0x81, "world", 5, false);
    net_frame_send(fd, 0x82, "binary", 6, false);
    net_frame_send(fd, 0x81, "", 0, false);
    static char want[] = "T(world)B(binary)T()";
    net_socket_wait_for_trace(want);
    close(fd);
}

static void test_fragments_make_one_message(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_frame_send(fd, 0x01, "one \xc3", 5, false);
    net_frame_send(fd, 0x89, "ping", 4, false);
    net_frame_send(fd, 0x00, "\xa4", 1, false);
    net_frame_send(fd, 0x80, " two", 4, false);
    static char want[] = "T(one \xc3\xa4 two)";
    net_socket_wait_for_trace(want);
    assert_true(net_frame_is(fd, true, 0x8a, "ping", sizeof("ping") - 1));
    close(fd);
}

static void test_large_messages_arrive(void **state)
{
    (void)state;
    net_socket.params.ping_ms = -1;
    int fd = net_socket_open();
    size_t bytes = 10u << 20;
    char *payload = malloc(bytes);
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (char)('a' + i % 17);
        sum = sum * 31 + (unsigned char)payload[i];
    }
    net_frame_send(fd, 0x82, payload, bytes, false);
    char want[64];
    (void)snprintf(want, sizeof(want), "[%zu %08x]", bytes, sum);
    net_socket_wait_for_trace(want);
    free(payload);
    close(fd);
}

static void test_our_goodbye_is_answered(void **state)
{
    (void)state;
    int fd = net_socket_open();
    static char hello[] = "last words";
    net_rig_call(net_socket.rig, net_socket_send_text, hello);
    net_rig_call(net_socket.rig, net_socket_close, NULL);
    net_rig_call(net_socket.rig, net_socket_send_text, hello);
    assert_int_equal(net_socket.status, AIC_ERROR_CLOSED);
    assert_true(net_frame_is(fd, true, 0x81, "last words", sizeof("last words") - 1));
    assert_true(net_frame_is(fd, true, 0x88,
                             "\x0f\xa1"
                             "done",
                             6));
    net_frame_send(fd, 0x88, "\x0f\xa1", 2, false);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket.close_code, 4001);
    assert_false(net_socket.has_error);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_our_goodbye_ends_without_an_answer_too(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_rig_call(net_socket.rig, net_socket_close, NULL);
    assert_int_equal(net_frame_close_code(fd, true), 4001);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_false(net_socket.has_error);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_the_peers_goodbye_is_told(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_frame_send(fd, 0x88, "\x03\xf3oops", 6, false);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket.close_code, 1011);
    assert_int_equal(net_socket.category, AIC_CATEGORY_SERVER);
    static char want[] = "C(oops)";
    net_socket_wait_for_trace(want);
    assert_int_equal(net_frame_close_code(fd, true), 1011);
    close(fd);
}

static void test_a_peer_that_vanishes_is_1006(void **state)
{
    (void)state;
    int fd = net_socket_open();
    close(fd);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_int_equal(net_socket.close_code, 1006);
    assert_int_equal(net_socket.category, AIC_CATEGORY_NETWORK);
}

static void test_two_unanswered_pings_end_it(void **state)
{
    (void)state;
    net_socket.params.ping_ms = 25;
    int fd = net_socket_open();
    assert_true(net_frame_is(fd, true, 0x89, "ping", sizeof("ping") - 1));
    assert_true(net_frame_is(fd, true, 0x89, "ping", sizeof("ping") - 1));
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_string_equal(net_socket.error_code, "ping_timeout");
    assert_int_equal(net_socket.category, AIC_CATEGORY_TIMEOUT);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_answered_pings_keep_it(void **state)
{
    (void)state;
    net_socket.params.ping_ms = 20;
    int fd = net_socket_open();
    for (int i = 0; i < 6; i++) {
        assert_true(net_frame_is(fd, true, 0x89, "ping", sizeof("ping") - 1));
        net_frame_send(fd, 0x8a, "ping", 4, false);
    }
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
    close(fd);
}

static void test_dropping_on_an_idle_loop_ends_at_once(void **state)
{
    (void)state;
    net_socket.params.ping_ms = -1;
    for (int i = 0; i < 5; i++) {
        net_socket_set(&net_socket.opened, 0);
        int fd = net_socket_open();
        net_rig_call(net_socket.rig, net_socket_drop, NULL);
        assert_true(net_read_end(fd));
        close(fd);
    }
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
}

static void test_dropping_from_inside_of_an_event(void **state)
{
    (void)state;
    net_socket_set_flag(&net_socket.drop_in_event);
    int fd = net_socket_open(); /* in OPEN */
    assert_true(net_read_end(fd));
    close(fd);
    net_socket_clear_flag(&net_socket.drop_in_event);
    net_socket_set(&net_socket.opened, 0);
    fd = net_socket_open();
    net_socket_set_flag(&net_socket.drop_in_event);
    net_frame_send(fd, 0x81, "a", 1, false); /* in TEXT, with more behind it */
    net_frame_send(fd, 0x81, "b", 1, false);
    assert_true(net_read_end(fd));
    close(fd);
    static char want[] = "T(a)";
    net_socket_wait_for_trace(want);
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
}

static void test_closing_from_inside_of_an_event(void **state)
{
    (void)state;
    int fd = net_socket_open();
    net_socket_set_flag(&net_socket.close_in_event);
    net_frame_send(fd, 0x81, "a", 1, false);
    assert_int_equal(net_frame_close_code(fd, true), 1000);
    net_frame_send(fd, 0x88, "\x03\xe8", 2, false);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    close(fd);
}

static void check_failed(const char *frames, size_t count, int code)
{
    net_socket_set(&net_socket.opened, 0);
    net_socket_set(&net_socket.closed, 0);
    int fd = net_socket_open();
    assert_true(net_write(fd, frames, count));
    int got = net_frame_close_code(fd, true);
    if (got != code) {
        fail_msg("closed with %d instead of %d", got, code);
    }
    (void)shutdown(fd, SHUT_WR);
    assert_true(net_rig_wait(net_socket.rig, net_socket_is_closed, NULL));
    assert_true(net_socket.has_error);
    close(fd);
}

static void test_bad_text_and_large_messages_are_refused(void **state)
{
    (void)state;
    net_socket.params.max_message_bytes = 8;
    check_failed("\x81\x02\xc3\x28", 4, 1007);
    assert_int_equal(net_socket.close_code, 1007);
    assert_int_equal(net_socket.category, AIC_CATEGORY_PROTOCOL);
    check_failed("\x81\x03\xed\xa0\x80", 5, 1007);
    check_failed("\x81\x01\xc3", 3, 1007);
    check_failed("\x82\x09"
                 "123456789",
                 11, 1009);
    assert_int_equal(net_socket.close_code, 1009);
    check_failed("\x02\x05"
                 "12345\x80\x05"
                 "12345",
                 14, 1009);
    assert_string_equal(net_socket.trace.data, "C()C()C()C()C()");
}

static void fill(void *data)
{
    (void)data;
    char *payload = malloc(net_socket.message_bytes);
    do {
        memset(payload, (int)('a' + net_socket.sent % 26), net_socket.message_bytes);
        memcpy(payload, &net_socket.sent, sizeof(net_socket.sent));
        net_socket.status =
            ws_send_binary(net_socket.ws, (struct aic_str){payload, net_socket.message_bytes});
        net_socket.sent += net_socket.status == AIC_OK;
    } while (net_socket.status == AIC_OK && net_socket.sent < 1000000);
    net_socket.queued = ws_queued_bytes(net_socket.ws);
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

/* Reads messages up to number `end`; returns how many pings stood between them. */
static int read_messages(int fd, uint64_t *next, uint64_t end, size_t message_bytes)
{
    int pings = 0;
    while (*next < end) {
        int first_byte = 0;
        size_t count = 0;
        char *payload = net_frame_read(fd, true, &first_byte, &count);
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
            pings++;
        }
        free(payload);
    }
    return pings;
}

static void check_slow_reader(size_t message_bytes, int least_pings)
{
    net_socket.message_bytes = message_bytes;
    net_socket.sent = 0;
    net_socket_set(&net_socket.opened, 0);
    int fd = net_socket_open();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_pongs, &fd), 0);
    uint64_t next = 0;
    int pings = 0;
    for (int round = 0; round < 3 || pings < least_pings; round++) {
        net_socket_set(&net_socket.writable, 0);
        net_rig_call(net_socket.rig, fill, NULL);
        assert_int_equal(net_socket.status, AIC_ERROR_BUSY);
        assert_in_range(net_socket.queued, 1, net_socket.params.max_queue_bytes + message_bytes);
        pings += read_messages(fd, &next, net_socket.sent, message_bytes);
        assert_true(net_rig_wait(net_socket.rig, net_socket_was_writable, NULL));
    }
    assert_int_equal(net_socket_get(&net_socket.closed), 0);
    net_rig_call(net_socket.rig, net_socket_drop, NULL);
    (void)shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
}

static void test_a_slow_reader_gets_every_frame_whole(void **state)
{
    (void)state;
    net_socket.params.max_queue_bytes = 1u << 20;
    net_socket.params.ping_ms = 1000;
    static const size_t sizes[] = {320, 6000, 40000, 200000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        check_slow_reader(sizes[i], 0);
    }
    check_slow_reader(7000, 2); /* pings must not be written over a frame either */
}

static void test_a_goodbye_comes_behind_what_waits(void **state)
{
    (void)state;
    net_socket.params.ping_ms = -1;
    int fd = net_socket_open();
    net_socket.message_bytes = 6000;
    net_rig_call(net_socket.rig, fill, NULL);
    net_rig_call(net_socket.rig, net_socket_close, NULL);
    uint64_t read = 0;
    int first_byte = 0;
    size_t count = 0;
    char *payload = NULL;
    while ((payload = net_frame_read(fd, true, &first_byte, &count)) != NULL &&
           first_byte == 0x82) {
        read++;
        free(payload);
    }
    assert_non_null(payload);
    assert_int_equal(first_byte, 0x88);
    assert_int_equal(read, net_socket.sent);
    free(payload);
    close(fd);
}

static void test_a_message_larger_than_the_queue_is_refused(void **state)
{
    (void)state;
    net_socket.params.max_queue_bytes = 4;
    int fd = net_socket_open();
    static char hello[] = "hello";
    net_rig_call(net_socket.rig, net_socket_send_text, hello);
    assert_int_equal(net_socket.status, AIC_ERROR_TOO_LARGE);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_socket_set_up, net_socket_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_go_both_ways),
        TEST(test_fragments_make_one_message),
        TEST(test_large_messages_arrive),
        TEST(test_our_goodbye_is_answered),
        TEST(test_our_goodbye_ends_without_an_answer_too),
        TEST(test_the_peers_goodbye_is_told),
        TEST(test_a_peer_that_vanishes_is_1006),
        TEST(test_two_unanswered_pings_end_it),
        TEST(test_answered_pings_keep_it),
        TEST(test_dropping_on_an_idle_loop_ends_at_once),
        TEST(test_dropping_from_inside_of_an_event),
        TEST(test_closing_from_inside_of_an_event),
        TEST(test_bad_text_and_large_messages_are_refused),
        TEST(test_a_slow_reader_gets_every_frame_whole),
        TEST(test_a_goodbye_comes_behind_what_waits),
        TEST(test_a_message_larger_than_the_queue_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
