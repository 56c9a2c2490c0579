/* SPDX-License-Identifier: ISC */
#include "call/vad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t now_us;

/* Feeds frames of one level; returns the last event that was not VAD_NOTHING. */
static enum vad_event feed(struct vad *vad, double level, double agent, int frames)
{
    enum vad_event last = VAD_NOTHING;
    for (int i = 0; i < frames; i++) {
        now_us += VAD_FRAME_US;
        /* A little life, as on a real line. */
        enum vad_event event = vad_push(vad, level + (i % 3 - 1) * 0.7, agent, now_us);
        last = event ? event : last;
    }
    return last;
}

static void begin(struct vad *vad, bool has_no_echo)
{
    struct vad_settings settings = vad_defaults();
    settings.has_no_echo = has_no_echo;
    now_us = 0;
    vad_init(vad, &settings);
}

static void test_speech_starts_within_a_tenth_of_a_second_and_stops(void **state)
{
    (void)state;
    struct vad vad;
    begin(&vad, false);
    assert_int_equal(feed(&vad, -62, -100, 100), VAD_NOTHING);
    int64_t from_us = now_us;
    int frames = 0;
    while (feed(&vad, -22, -100, 1) != VAD_STARTED) {
        frames++;
        assert_true(frames < 6);
    }
    assert_int_equal(vad.started_us, from_us);
    feed(&vad, -22, -100, 50);
    int64_t until_us = now_us;
    assert_int_equal(feed(&vad, -62, -100, 11), VAD_STOPPED);
    assert_int_equal(vad.last_voiced_us, until_us);
}

static void test_noise_of_any_level_becomes_the_floor(void **state)
{
    (void)state;
    for (int step = 0; step <= 5; step++) {
        double level = -90 + 10 * step;
        struct vad vad;
        begin(&vad, false);
        assert_int_equal(feed(&vad, level, -100, 200), VAD_NOTHING);
        assert_int_equal(feed(&vad, level + 14 > -48 ? level + 14 : -40, -100, 10), VAD_STARTED);
    }
}

static void test_a_click_is_no_speech(void **state)
{
    (void)state;
    struct vad vad;
    begin(&vad, false);
    feed(&vad, -60, -100, 100);
    assert_int_equal(feed(&vad, -10, -100, 3), VAD_NOTHING);
    assert_int_equal(feed(&vad, -60, -100, 20), VAD_NOTHING);
}

static void test_the_agents_echo_is_no_speech_but_a_louder_caller_is(void **state)
{
    (void)state;
    struct vad vad;
    begin(&vad, false);
    feed(&vad, -60, -100, 100);
    assert_int_equal(feed(&vad, -38, -17, 100), VAD_NOTHING);
    assert_int_equal(feed(&vad, -25, -17, 10), VAD_STARTED);
    begin(&vad, true);
    feed(&vad, -60, -100, 100);
    assert_int_equal(feed(&vad, -38, -17, 10), VAD_STARTED);
}

static void test_somebody_who_speaks_at_once_is_heard(void **state)
{
    (void)state;
    struct vad vad;
    begin(&vad, false);
    assert_int_equal(feed(&vad, -18, -100, 10), VAD_STARTED);
    assert_true(vad_floor(&vad) <= -35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_speech_starts_within_a_tenth_of_a_second_and_stops),
        cmocka_unit_test(test_noise_of_any_level_becomes_the_floor),
        cmocka_unit_test(test_a_click_is_no_speech),
        cmocka_unit_test(test_the_agents_echo_is_no_speech_but_a_louder_caller_is),
        cmocka_unit_test(test_somebody_who_speaks_at_once_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
