/* SPDX-License-Identifier: ISC */
#include "io/ws.h"

#include "buf.h"
#include "net_echo.h"
#include "net_frames.h"
#include "net_peer.h"
#include "net_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILL_BYTES = 5000 };

static void test_messages_of_every_length_come_back(void **state)
{
    (void)state;
    int fd = net_echo_open();
    static const size_t lengths[] = {0,   1,   7,   8,     9,     124,   125,
                                     126, 127, 128, 65535, 65536, 65537, 200000};
    char *payload = malloc(200000);
    for (size_t i = 0; i < 200000; i++) {
        payload[i] = (char)('a' + i % 23);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        net_frame_send(fd, 0x81, payload, lengths[i], true);
        assert_true(net_frame_is(fd, false, 0x81, payload, lengths[i]));
    }
    free(payload);
    close(fd);
}

static void test_frames_arrive_however_they_are_cut(void **state)
{
    (void)state;
    struct aic_buf frames;
    aic_buf_init(&frames, 1u << 16);
    net_frame_add(&frames, 0x81, "first", 5, true);
    net_frame_add(&frames, 0x89, "ping", 4, true);
    net_frame_add(&frames, 0x01, "sec", 3, true);
    net_frame_add(&frames, 0x8a, "unasked pong", 12, true);
    net_frame_add(&frames, 0x80, "ond", 3, true);
    net_frame_add(&frames, 0x82, "\x00\x01\x02", 3, true);
    for (size_t step = 1; step < frames.len + 1; step++) {
        int fd = net_echo_open();
        for (size_t at = 0; at < frames.len; at += step) {
            size_t count = frames.len - at < step ? frames.len - at : step;
            assert_true(net_write(fd, frames.data + at, count));
        }
        assert_true(net_frame_is(fd, false, 0x81, "first", 5));
        assert_true(net_frame_is(fd, false, 0x8a, "ping", 4));
        assert_true(net_frame_is(fd, false, 0x81, "second", 6));
        assert_true(net_frame_is(fd, false, 0x82, "\x00\x01\x02", 3));
        close(fd);
    }
    aic_buf_finish(&frames);
}

static void test_frames_may_come_with_the_handshake(void **state)
{
    (void)state;
    struct aic_buf bytes;
    aic_buf_init(&bytes, 4096);
    aic_buf_text(&bytes, net_echo_handshake);
    net_frame_add(&bytes, 0x81, "early", 5, true);
    int fd = net_connect(net_echo.port);
    assert_true(net_write(fd, bytes.data, bytes.len));
    free(net_read_until(fd, "\r\n\r\n"));
    assert_true(net_frame_is(fd, false, 0x81, "early", 5));
    close(fd);
    aic_buf_finish(&bytes);
}

static void test_many_fragments_make_one_message(void **state)
{
    (void)state;
    int fd = net_echo_open();
    char want[3001];
    struct aic_buf frames;
    aic_buf_init(&frames, 1u << 20);
    for (int i = 0; i < 3000; i++) {
        want[i] = (char)('a' + i % 26);
        net_frame_add(&frames, i == 0 ? 0x01 : 0x00, &want[i], 1, true);
        net_frame_add(&frames, 0x00, "", 0, true);
    }
    net_frame_add(&frames, 0x80, "", 0, true);
    assert_true(net_write(fd, frames.data, frames.len));
    assert_true(net_frame_is(fd, false, 0x81, want, 3000));
    aic_buf_finish(&frames);
    close(fd);
}

static void test_text_is_checked_as_a_whole(void **state)
{
    (void)state;
    int fd = net_echo_open();
    struct aic_buf frames;
    aic_buf_init(&frames, 4096);
    net_frame_add(&frames, 0x01, "\xf0\x9f", 2, true);
    net_frame_add(&frames, 0x80, "\x8e\xa7", 2, true);
    assert_true(net_write(fd, frames.data, frames.len));
    assert_true(net_frame_is(fd, false, 0x81, "\xf0\x9f\x8e\xa7", 4));
    aic_buf_finish(&frames);
    close(fd);
}

static void check_failed(const char *bytes, size_t count, int code)
{
    net_rig_call(net_echo.rig, net_echo_forget, NULL);
    int fd = net_echo_open();
    assert_true(net_write(fd, bytes, count));
    int got = net_frame_close_code(fd, false);
    if (got != code) {
        fail_msg("closed with %d instead of %d after %02x %02x", got, code, (unsigned char)bytes[0],
                 (unsigned char)bytes[1]);
    }
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_closed, NULL));
    assert_int_equal(net_echo.closed, 1);
    assert_int_equal(net_echo.close_code, code);
    assert_int_equal(net_echo.has_error, 1);
    assert_int_equal(net_echo.category, AIC_CATEGORY_PROTOCOL);
}

/* What a client may not send, and what it is told. */
#define MASK "\x00\x00\x00\x00"

static const struct {
    const char *bytes;
    size_t count;
    int code;
} bad_frames[] = {
    {"\x81\x01"
     "a",
     3, 1002},                  /* not masked */
    {"\xc1\x80" MASK, 6, 1002}, /* reserved bits */
    {"\xa1\x80" MASK, 6, 1002},
    {"\x91\x80" MASK, 6, 1002},
    {"\x83\x80" MASK, 6, 1002}, /* reserved opcodes */
    {"\x87\x80" MASK, 6, 1002},
    {"\x8b\x80" MASK, 6, 1002},
    {"\x8f\x80" MASK, 6, 1002},
    {"\x09\x80" MASK, 6, 1002}, /* a control frame in fragments */
    {"\x08\x80" MASK, 6, 1002},
    {"\x89\xfe\x00\x7e" MASK, 8, 1002}, /* a long control frame */
    {"\x88\xff\x00\x00\x00\x00\x00\x00\x00\x7e" MASK, 14, 1002},
    {"\x80\x80" MASK, 6, 1002}, /* continues nothing */
    {"\x00\x80" MASK, 6, 1002},
    {"\x01\x80" MASK "\x81\x80" MASK, 12, 1002}, /* a message inside of a message */
    {"\x01\x80" MASK "\x82\x80" MASK, 12, 1002},
    {"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00" MASK, 14, 1002}, /* 2^63 bytes */
    {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff" MASK, 14, 1002},
    {"\x82\xfe\x00\x7d" MASK, 8, 1002}, /* lengths that are too long */
    {"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff" MASK, 14, 1002},
    {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK, 14, 1009}, /* too large */
    {"\x82\xff\x00\x00\x00\x00\x00\x10\x00\x01" MASK, 14, 1009},
    {"\x81\x82" MASK "\xc3\x28", 8, 1007}, /* no UTF-8 */
    {"\x81\x81" MASK "\xc3", 7, 1007},
    {"\x81\x83" MASK "\xed\xa0\x80", 9, 1007},
    {"\x81\x84" MASK "\xf4\x90\x80\x80", 10, 1007},
    {"\x81\x82" MASK "\xc0\xaf", 8, 1007},
    {"\x01\x81" MASK "\xc3\x80\x81" MASK "\x28", 14, 1007},
    {"\x88\x81" MASK "\x03", 7, 1002}, /* close frames */
    {"\x88\x82" MASK "\x00\x00", 8, 1002},
    {"\x88\x82" MASK "\x03\xe7", 8, 1002},
    {"\x88\x82" MASK "\x03\xec", 8, 1002},
    {"\x88\x82" MASK "\x03\xed", 8, 1002},
    {"\x88\x82" MASK "\x03\xee", 8, 1002},
    {"\x88\x82" MASK "\x03\xf7", 8, 1002},
    {"\x88\x82" MASK "\x0b\xb7", 8, 1002},
    {"\x88\x82" MASK "\x13\x88", 8, 1002},
    {"\x88\x84" MASK "\x03\xe8\xc3\x28", 10, 1007},
};

static void test_frames_that_break_the_protocol_end_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_frames) / sizeof(bad_frames[0]); i++) {
        check_failed(bad_frames[i].bytes, bad_frames[i].count, bad_frames[i].code);
    }
}

static void test_fragments_may_not_add_up_to_too_much(void **state)
{
    (void)state;
    int fd = net_echo_open();
    static char piece[NET_ECHO_MESSAGE_MAX / 2 + 1];
    net_frame_send(fd, 0x02, piece, sizeof(piece), true);
    net_frame_send(fd, 0x80, piece, sizeof(piece), true);
    assert_int_equal(net_frame_close_code(fd, false), 1009);
    close(fd);
}

static void test_garbage_never_harms(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 200; round++) {
        int fd = net_echo_open();
        char bytes[512];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = (char)(seed >> 24);
        }
        (void)net_write(fd, bytes, sizeof(bytes));
        (void)shutdown(fd, SHUT_WR);
        assert_true(net_read_end(fd));
        close(fd);
    }
    int fd = net_echo_open();
    net_frame_send(fd, 0x81, "alive", 5, true);
    assert_true(net_frame_is(fd, false, 0x81, "alive", 5));
    close(fd);
}

static void check_peer_close(const char *payload, size_t count, int code, const char *reason,
                             uint32_t category)
{
    net_rig_call(net_echo.rig, net_echo_forget, NULL);
    int fd = net_echo_open();
    net_frame_send(fd, 0x88, payload, count, true);
    assert_int_equal(net_frame_close_code(fd, false), code);
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_closed, NULL));
    assert_int_equal(net_echo.close_code, code);
    assert_string_equal(net_echo.close_reason, reason);
    assert_int_equal(net_echo.category, category);
}

static void test_the_peers_goodbye_is_answered_and_told(void **state)
{
    (void)state;
    check_peer_close("", 0, 1005, "", AIC_CATEGORY_NETWORK);
    check_peer_close("\x03\xe8", 2, 1000, "", AIC_CATEGORY_NETWORK);
    check_peer_close("\x03\xf3oops", 6, 1011, "oops", AIC_CATEGORY_SERVER);
    check_peer_close("\x0f\xa0\xc3\xa4", 4, 4000, "\xc3\xa4", AIC_CATEGORY_NETWORK);
}

static void test_our_goodbye_waits_for_the_peers(void **state)
{
    (void)state;
    int fd = net_echo_open();
    net_frame_send(fd, 0x81, "close!", 6, true);
    assert_true(net_frame_is(fd, false, 0x88,
                             "\x0f\xa0"
                             "as you wish",
                             13));
    net_frame_send(fd, 0x81, "not heard any more", 18, true);
    net_frame_send(fd, 0x88, "\x0f\xa0", 2, true);
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_closed, NULL));
    assert_int_equal(net_echo.messages, 1);
    assert_int_equal(net_echo.close_code, 4000);
    assert_int_equal(net_echo.has_error, 0);
}

static void test_our_goodbye_ends_without_the_peers_too(void **state)
{
    (void)state;
    int fd = net_echo_open();
    net_frame_send(fd, 0x81, "close!", 6, true);
    assert_int_equal(net_frame_close_code(fd, false), 4000);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_closed, NULL));
    assert_int_equal(net_echo.close_code, 1006);
    assert_int_equal(net_echo.has_error, 0);
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_a_peer_that_vanishes_is_1006(void **state)
{
    (void)state;
    int fd = net_echo_open();
    net_frame_send(fd, 0x01, "half a mess", 11, true);
    close(fd);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_closed, NULL));
    assert_int_equal(net_echo.close_code, 1006);
    assert_int_equal(net_echo.category, AIC_CATEGORY_NETWORK);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_idle, NULL));
}

static void test_dropping_tells_nobody(void **state)
{
    (void)state;
    int fd = net_echo_open();
    struct aic_buf frames;
    aic_buf_init(&frames, 4096);
    net_frame_add(&frames, 0x81, "drop!", 5, true);
    net_frame_add(&frames, 0x81, "more", 4, true);
    assert_true(net_write(fd, frames.data, frames.len));
    assert_true(net_read_end(fd));
    close(fd);
    aic_buf_finish(&frames);
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_idle, NULL));
    assert_int_equal(net_echo.messages, 1);
    assert_int_equal(net_echo.closed, 0);
}

static void fill(void *data)
{
    (void)data;
    char payload[FILL_BYTES];
    do {
        memset(payload, (int)('a' + net_echo.sent % 26), sizeof(payload));
        memcpy(payload, &net_echo.sent, sizeof(net_echo.sent));
        net_echo.status = ws_send_binary(net_echo.ws, (struct aic_str){payload, sizeof(payload)});
        net_echo.sent += net_echo.status == AIC_OK;
    } while (net_echo.status == AIC_OK && net_echo.sent < 1000000);
    net_echo.queued = ws_queued_bytes(net_echo.ws);
}

static void test_a_slow_reader_gets_every_frame_whole(void **state)
{
    (void)state;
    int fd = net_echo_open();
    uint64_t next = 0;
    for (int round = 0; round < 3; round++) {
        net_rig_call(net_echo.rig, net_echo_forget, NULL);
        net_rig_call(net_echo.rig, fill, NULL);
        assert_int_equal(net_echo.status, AIC_ERROR_BUSY);
        assert_in_range(net_echo.queued, NET_ECHO_QUEUE_MAX / 2, NET_ECHO_QUEUE_MAX);
        net_frame_send(fd, 0x89, "in between", 10, true);
        uint64_t end = net_echo.sent;
        while (next < end) {
            int first_byte = 0;
            size_t count = 0;
            char *payload = net_frame_read(fd, false, &first_byte, &count);
            assert_non_null(payload);
            if (first_byte == 0x82) {
                uint64_t number = 0;
                memcpy(&number, payload, sizeof(number));
                assert_int_equal(count, FILL_BYTES);
                assert_int_equal(number, next);
                assert_int_equal(payload[FILL_BYTES - 1], 'a' + next % 26);
                next++;
            } else {
                assert_int_equal(first_byte, 0x8a);
            }
            free(payload);
        }
        assert_true(net_rig_wait(net_echo.rig, net_echo_was_writable, NULL));
    }
    close(fd);
}

static void test_a_flood_of_pings_is_survived(void **state)
{
    (void)state;

    enum { PINGS = 100000 };

    int fd = net_echo_open();
    int small = 65536;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    struct aic_buf frames;
    aic_buf_init(&frames, 1u << 24);
    char payload[125] = {0};
    for (int i = 0; i < PINGS; i++) {
        net_frame_add(&frames, 0x89, payload, sizeof(payload), true);
    }
    /* Nothing is read meanwhile: the answers stop, so that the queue stays small. */
    assert_true(net_write(fd, frames.data, frames.len));
    net_frame_send(fd, 0x81, "alive", 5, true);
    int first_byte = 0;
    size_t count = 0;
    int pongs = 0;
    char *answer = NULL;
    while ((answer = net_frame_read(fd, false, &first_byte, &count)) != NULL &&
           first_byte == 0x8a) {
        pongs++;
        free(answer);
    }
    assert_non_null(answer);
    assert_string_equal(answer, "alive");
    assert_in_range(pongs, 1, PINGS - 1);
    free(answer);
    aic_buf_finish(&frames);
    close(fd);
}

static void send_too_large(void *data)
{
    (void)data;
    static char payload[NET_ECHO_QUEUE_MAX + 1];
    net_echo.status = ws_send_binary(net_echo.ws, (struct aic_str){payload, sizeof(payload)});
}

static void test_a_message_larger_than_the_queue_is_refused(void **state)
{
    (void)state;
    int fd = net_echo_open();
    net_frame_send(fd, 0x81, "a", 1, true);
    assert_true(net_frame_is(fd, false, 0x81, "a", 1));
    net_rig_call(net_echo.rig, send_too_large, NULL);
    assert_int_equal(net_echo.status, AIC_ERROR_TOO_LARGE);
    close(fd);
}

static void test_a_handshake_flood_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        int fd = net_connect(net_echo.port);
        assert_true(net_text(fd, net_echo_handshake));
        close(fd);
    }
    assert_true(net_rig_wait(net_echo.rig, net_echo_is_idle, NULL));
    int fd = net_echo_open();
    net_frame_send(fd, 0x81, "alive", 5, true);
    assert_true(net_frame_is(fd, false, 0x81, "alive", 5));
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_echo_set_up, net_echo_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_of_every_length_come_back),
        TEST(test_frames_arrive_however_they_are_cut),
        TEST(test_frames_may_come_with_the_handshake),
        TEST(test_many_fragments_make_one_message),
        TEST(test_text_is_checked_as_a_whole),
        TEST(test_frames_that_break_the_protocol_end_it),
        TEST(test_fragments_may_not_add_up_to_too_much),
        TEST(test_garbage_never_harms),
        TEST(test_the_peers_goodbye_is_answered_and_told),
        TEST(test_our_goodbye_waits_for_the_peers),
        TEST(test_our_goodbye_ends_without_the_peers_too),
        TEST(test_a_peer_that_vanishes_is_1006),
        TEST(test_dropping_tells_nobody),
        TEST(test_a_slow_reader_gets_every_frame_whole),
        TEST(test_a_flood_of_pings_is_survived),
        TEST(test_a_message_larger_than_the_queue_is_refused),
        TEST(test_a_handshake_flood_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
