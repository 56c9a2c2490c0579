/* SPDX-License-Identifier: ISC */
#include "browser_setup.h"

static void test_sound_goes_both_ways(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    static const uint8_t second[32000];
    fake_ws_binary(s.ws, second, 2);
    fake_ws_binary(s.ws, second, sizeof(second));
    fake_ws_binary(s.ws, second, 0);
    assert_int_equal(s.audio_bytes, 32002);
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = format,
                              .data = (const uint8_t *)"abcdef",
                              .bytes = 6,
                              .time_us = -1};
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    assert_int_equal(s.ws->binary.len, 6);
    assert_memory_equal(s.ws->binary.data, "abcdef", 6);
    audio.bytes = 0;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    audio.bytes = 3;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    audio.bytes = 4;
    audio.format.rate_hz = 8000;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    assert_int_equal(s.ws->binary_count, 1);
    end(&s);
}

static void test_sound_that_nobody_reads_is_not_queued_for_ever(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_audio audio = {
        .size = sizeof(audio), .format = format, .data = (const uint8_t *)"ab", .bytes = 2};
    s.ws->queued = (192 << 10) - 2;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    s.ws->queued = 192 << 10;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_BUSY);
    assert_int_equal(s.tel->leg_mark(s.leg, 1), AIC_OK);
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_OK);
    /* A full queue loses what is only shown; without marks the leg ends. */
    s.ws->refuse_sends = true;
    assert_int_equal(s.tel->leg_notify(s.leg, AIC_STR("{}")), AIC_ERROR_BUSY);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.media_stops, 0);
    assert_int_equal(s.tel->leg_mark(s.leg, 2), AIC_ERROR_CLOSED);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, 0);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_LOST);
    assert_non_null(strstr(fake_log(s.fake), "dropped_notes=1"));
    end(&s);
}

static void test_bytes_that_are_no_sound_end_the_call(void **state)
{
    (void)state;
    static const uint8_t bytes[32002];
    static const size_t sizes[] = {1, 641, 32002};
    for (size_t i = 0; i < 3; i++) {
        struct setup s;
        begin_call(&s);
        fake_ws_binary(s.ws, bytes, sizes[i]);
        vsched_run(s.v, 0);
        assert_int_equal(s.media_stops, 1);
        assert_int_equal(s.cause, AIC_LEG_END_PROTOCOL);
        assert_int_equal(s.ws->close_code, 1008);
        assert_int_equal(s.audio_bytes, 0);
        end(&s);
    }
}

static void test_sound_faster_than_anybody_speaks_is_dropped_and_counted(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    /* Two seconds at once are a stall of the network; the third is too much. */
    speak(&s, 150);
    assert_int_equal(s.audio_bytes, 100 * FRAME_BYTES);
    /* For a minute at 1.4 times real time nothing is lost once the burst is worked off. */
    vsched_run(s.v, 2 * SECOND);
    for (int i = 0; i < 600; i++) {
        vsched_run(s.v, 100000);
        speak(&s, 7);
    }
    assert_int_equal(s.audio_bytes, 4300 * FRAME_BYTES);
    /* Twice as fast as real time, only three quarters pass. */
    for (int i = 0; i < 600; i++) {
        vsched_run(s.v, 100000);
        speak(&s, 10);
    }
    size_t passed = s.audio_bytes / FRAME_BYTES - 4300;
    assert_in_range(passed, 4500, 4600);
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    char wanted[60];
    (void)snprintf(wanted, sizeof(wanted), "dropped_ms=%zu", 20 * (50 + 6000 - passed));
    assert_non_null(strstr(fake_log(s.fake), wanted));
    end(&s);
}

static void test_marks_come_back_played_or_cleared(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    assert_int_equal(s.tel->leg_mark(s.leg, 3), AIC_OK);
    assert_int_equal(s.tel->leg_mark(s.leg, 5), AIC_OK);
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_OK);
    assert_int_equal(s.tel->leg_mark(s.leg, 5), AIC_ERROR_INVALID);
    assert_said(s.ws, "{\"type\":\"mark\",\"id\":3}\n{\"type\":\"mark\",\"id\":5}\n"
                      "{\"type\":\"clear\"}\n");
    fake_ws_text(s.ws, "{\"type\":\"mark\",\"id\":3}");
    assert_int_equal(s.mark_id, 3);
    assert_int_equal(s.mark_flags, AIC_MARK_PLAYED);
    fake_ws_text(s.ws, "{\"type\":\"mark\",\"id\":5,\"cleared\":true}");
    assert_int_equal(s.mark_id, 5);
    assert_int_equal(s.mark_flags, AIC_MARK_CLEARED);
    /* What was not asked for, or answered before, is not passed on. */
    fake_ws_text(s.ws, "{\"type\":\"mark\",\"id\":5}");
    fake_ws_text(s.ws, "{\"type\":\"mark\",\"id\":6}");
    fake_ws_text(s.ws, "{\"type\":\"mark\",\"id\":0}");
    assert_int_equal(s.marks, 2);
    end(&s);
}

static void test_what_the_host_shows_is_passed_on_as_it_is(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_str note = AIC_STR("{\"type\":\"state\",\"state\":\"listening\"}");
    assert_int_equal(s.tel->leg_notify(s.leg, note), AIC_OK);
    assert_said(s.ws, "{\"type\":\"state\",\"state\":\"listening\"}\n");
    char *huge = calloc(1, (64 << 10) + 1);
    assert_non_null(huge);
    assert_int_equal(s.tel->leg_notify(s.leg, (struct aic_str){huge, (64 << 10) + 1}),
                     AIC_ERROR_TOO_LARGE);
    free(huge);
    end(&s);
}

static void test_typed_words_and_digits_arrive_within_a_rate(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    fake_ws_text(s.ws, "{\"type\":\"text\",\"text\":\" Tuesday at ten \"}");
    assert_string_equal(s.text, "Tuesday at ten");
    fake_ws_text(s.ws, "{\"type\":\"dtmf\",\"digit\":\"1\"}");
    fake_ws_text(s.ws, "{\"type\":\"dtmf\",\"digit\":\"#\"}");
    assert_string_equal(s.digits, "1#");
    for (int i = 0; i < 30; i++) {
        fake_ws_text(s.ws, "{\"type\":\"text\",\"text\":\"x\"}");
    }
    assert_int_equal(s.texts, 18);
    vsched_run(s.v, SECOND);
    for (int i = 0; i < 30; i++) {
        fake_ws_text(s.ws, "{\"type\":\"text\",\"text\":\"x\"}");
    }
    assert_int_equal(s.texts, 20);
    fake_ws_text(s.ws, "{\"type\":\"of a later page\"}");
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    assert_non_null(strstr(fake_log(s.fake), "dropped_words=41"));
    assert_non_null(strstr(fake_log(s.fake), "ignored=1"));
    assert_null(strstr(fake_log(s.fake), "Tuesday"));
    end(&s);
}

static void test_capabilities_are_those_of_a_page_with_its_own_buffer(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    struct aic_telephony_caps caps = {.size = sizeof(caps)};
    assert_int_equal(s.tel->capabilities(s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_TEL_REMOTE_BUFFER | AIC_TEL_MARKS | AIC_TEL_MARKS_AFTER_CLEAR |
                                     AIC_TEL_CLEAR | AIC_TEL_DTMF_IN | AIC_TEL_NO_ECHO |
                                     AIC_TEL_NOTIFY);
    assert_int_equal(caps.formats_out[0].rate_hz, 16000);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_goes_both_ways),
        cmocka_unit_test(test_sound_that_nobody_reads_is_not_queued_for_ever),
        cmocka_unit_test(test_bytes_that_are_no_sound_end_the_call),
        cmocka_unit_test(test_sound_faster_than_anybody_speaks_is_dropped_and_counted),
        cmocka_unit_test(test_marks_come_back_played_or_cleared),
        cmocka_unit_test(test_what_the_host_shows_is_passed_on_as_it_is),
        cmocka_unit_test(test_typed_words_and_digits_arrive_within_a_rate),
        cmocka_unit_test(test_capabilities_are_those_of_a_page_with_its_own_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
