/* SPDX-License-Identifier: ISC */
#include "call/playout.h"

#include "vsched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000, BYTES_PER_MS = 8, MAX_MARKS = 256 };

/* The other end of the line: counts, and answers marks when the test lets it. */
struct line {
    struct vsched *vsched;
    struct playout playout;
    uint8_t bytes[1u << 16];
    size_t count;
    size_t largest;
    uint64_t marks[MAX_MARKS];
    size_t mark_count;
    int clears;
    int drained;
    bool is_full;
};

static int32_t take(void *data, const uint8_t *bytes, size_t count)
{
    struct line *line = data;
    if (line->is_full) {
        return AIC_ERROR_BUSY;
    }
    assert_true(line->count + count <= sizeof(line->bytes));
    memcpy(line->bytes + line->count, bytes, count);
    line->count += count;
    line->largest = count > line->largest ? count : line->largest;
    return AIC_OK;
}

static int32_t take_mark(void *data, uint64_t id)
{
    struct line *line = data;
    assert_true(line->mark_count < MAX_MARKS);
    line->marks[line->mark_count++] = id;
    return AIC_OK;
}

static int32_t take_clear(void *data)
{
    struct line *line = data;
    line->clears++;
    return AIC_OK;
}

static void drained(void *data)
{
    struct line *line = data;
    line->drained++;
}

static void sent(void *data, const uint8_t *bytes, size_t count)
{
    (void)data;
    (void)bytes;
    assert_true(count > 0);
}

static void cleared(void *data)
{
    (void)data;
}

static void begin(struct line *line, bool has_remote_buffer, bool has_marks)
{
    memset(line, 0, sizeof(*line));
    line->vsched = vsched_create(1);
    const struct playout_settings settings = {
        .format = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1, .frame_bytes = 160},
        .has_remote_buffer = has_remote_buffer,
        .lead_us = 400 * MS,
        .block_us = 100 * MS};
    const struct playout_leg leg = {.send = take,
                                    .mark = has_marks ? take_mark : NULL,
                                    .clear = has_remote_buffer ? take_clear : NULL,
                                    .data = line};
    const struct playout_events events = {
        .drained = drained, .sent = sent, .cleared = cleared, .data = line};
    playout_init(&line->playout, vsched_sched(line->vsched), &settings, &leg, &events);
}

static void end(struct line *line)
{
    playout_finish(&line->playout);
    vsched_destroy(line->vsched);
}

/* A ramp, so that each position has its own byte. */
static void push_ms(struct line *line, size_t from_ms, size_t count_ms)
{
    uint8_t bytes[4000 * BYTES_PER_MS];
    assert_true(count_ms <= 4000);
    for (size_t i = 0; i < count_ms * BYTES_PER_MS; i++) {
        bytes[i] = (uint8_t)((from_ms * BYTES_PER_MS + i) % 251);
    }
    playout_push(&line->playout, bytes, count_ms * BYTES_PER_MS);
}

static void assert_ramp(const struct line *line, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(line->bytes[i], i % 251);
    }
}

static void test_without_a_remote_buffer_it_is_one_frame_every_20_ms(void **state)
{
    (void)state;
    struct line line;
    begin(&line, false, false);
    push_ms(&line, 0, 400);
    playout_end(&line.playout);
    vsched_run(line.vsched, 200 * MS);
    assert_in_range(line.count, 200 * BYTES_PER_MS, 220 * BYTES_PER_MS);
    assert_int_equal(line.largest, 160);
    assert_int_equal(line.drained, 0);
    vsched_run(line.vsched, 220 * MS);
    assert_int_equal(line.count, 400 * BYTES_PER_MS);
    assert_int_equal(line.drained, 1);
    assert_ramp(&line, line.count);
    end(&line);
}

static void test_no_burst_follows_a_stall(void **state)
{
    (void)state;
    struct line line;
    begin(&line, false, false);
    push_ms(&line, 0, 2000);
    vsched_run(line.vsched, 100 * MS);
    size_t before = line.count;
    vsched_stall(line.vsched, 500 * MS);
    vsched_run(line.vsched, 40 * MS);
    assert_in_range(line.count - before, 160, 4 * 160);
    end(&line);
}

static void test_with_a_remote_buffer_the_lead_stays_small(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, false);
    push_ms(&line, 0, 3000);
    assert_in_range(line.count, 400 * BYTES_PER_MS, 500 * BYTES_PER_MS);
    vsched_run(line.vsched, 1000 * MS);
    assert_in_range(line.count, 1300 * BYTES_PER_MS, 1600 * BYTES_PER_MS);
    int64_t heard_us = playout_heard_us(&line.playout);
    assert_in_range(heard_us, 990 * MS, 1000 * MS);
    end(&line);
}

static void test_clear_takes_back_what_was_not_heard(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, false);
    push_ms(&line, 0, 3000);
    playout_end(&line.playout);
    vsched_run(line.vsched, 1000 * MS);
    int64_t position_us = playout_clear(&line.playout);
    assert_in_range(position_us, 990 * MS, 1000 * MS);
    assert_int_equal(line.clears, 1);
    assert_true(playout_is_idle(&line.playout));
    vsched_run(line.vsched, 1000 * MS);
    assert_int_equal(line.drained, 0);
    end(&line);
}

static void test_a_pause_goes_on_from_the_same_sample(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, false);
    push_ms(&line, 0, 2000);
    playout_end(&line.playout);
    vsched_run(line.vsched, 500 * MS);
    playout_pause(&line.playout);
    assert_int_equal(line.clears, 1);
    size_t heard = (size_t)playout_heard_us(&line.playout) * BYTES_PER_MS / MS;
    line.count = heard;
    vsched_run(line.vsched, 700 * MS);
    assert_int_equal(line.count, heard);
    playout_resume(&line.playout);
    vsched_run(line.vsched, 2000 * MS);
    assert_int_equal(line.count, 2000 * BYTES_PER_MS);
    assert_ramp(&line, line.count);
    assert_int_equal(line.drained, 1);
    end(&line);
}

static void test_marks_tell_what_was_heard_and_a_lost_one_is_given_up(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, true);
    push_ms(&line, 0, 300);
    playout_end(&line.playout);
    assert_true(line.mark_count >= 3);
    vsched_run(line.vsched, 250 * MS);
    assert_true(playout_heard_us(&line.playout) <= 100 * MS);
    playout_marked(&line.playout, line.marks[0]);
    assert_in_range(playout_heard_us(&line.playout), 100 * MS, 200 * MS);
    playout_marked(&line.playout, line.marks[0]);
    playout_marked(&line.playout, 99999);
    playout_marked(&line.playout, line.marks[line.mark_count - 1]);
    assert_int_equal(playout_heard_us(&line.playout), 300 * MS);
    assert_int_equal(line.drained, 1);

    push_ms(&line, 300, 100);
    playout_end(&line.playout);
    vsched_run(line.vsched, 5000 * MS);
    assert_int_equal(line.drained, 2);
    assert_int_equal(line.playout.lost_marks, 1);
    end(&line);
}

static void test_a_full_leg_is_tried_again(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, false);
    line.is_full = true;
    push_ms(&line, 0, 200);
    playout_end(&line.playout);
    vsched_run(line.vsched, 500 * MS);
    assert_int_equal(line.count, 0);
    line.is_full = false;
    vsched_run(line.vsched, 500 * MS);
    assert_int_equal(line.count, 200 * BYTES_PER_MS);
    assert_int_equal(line.drained, 1);
    end(&line);
}

static void test_the_last_frame_is_filled_with_silence(void **state)
{
    (void)state;
    struct line line;
    begin(&line, false, false);
    push_ms(&line, 0, 30);
    playout_end(&line.playout);
    vsched_run(line.vsched, 100 * MS);
    assert_int_equal(line.count, 2 * 160);
    assert_int_equal(line.bytes[2 * 160 - 1], 0xff);
    end(&line);
}

static void test_two_minutes_ahead_is_the_bound(void **state)
{
    (void)state;
    struct line line;
    begin(&line, false, false);
    line.is_full = true;
    for (size_t ms = 0; ms < 130000; ms += 1000) {
        push_ms(&line, ms, 1000);
    }
    assert_true(line.playout.dropped_bytes >= 9000 * BYTES_PER_MS);
    assert_true(playout_pushed_us(&line.playout) <= 121000 * (int64_t)MS);
    end(&line);
}

static void test_truncating_keeps_what_is_before_the_cut(void **state)
{
    (void)state;
    struct line line;
    begin(&line, true, false);
    push_ms(&line, 0, 3000);
    assert_int_equal(playout_truncate(&line.playout, 1000 * MS), 1000 * MS);
    playout_end(&line.playout);
    vsched_run(line.vsched, 2000 * MS);
    assert_int_equal(line.count, 1000 * BYTES_PER_MS);
    assert_int_equal(playout_truncate(&line.playout, 10 * MS), 1000 * MS);
    end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_remote_buffer_it_is_one_frame_every_20_ms),
        cmocka_unit_test(test_no_burst_follows_a_stall),
        cmocka_unit_test(test_with_a_remote_buffer_the_lead_stays_small),
        cmocka_unit_test(test_clear_takes_back_what_was_not_heard),
        cmocka_unit_test(test_a_pause_goes_on_from_the_same_sample),
        cmocka_unit_test(test_marks_tell_what_was_heard_and_a_lost_one_is_given_up),
        cmocka_unit_test(test_a_full_leg_is_tried_again),
        cmocka_unit_test(test_the_last_frame_is_filled_with_silence),
        cmocka_unit_test(test_two_minutes_ahead_is_the_bound),
        cmocka_unit_test(test_truncating_keeps_what_is_before_the_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
