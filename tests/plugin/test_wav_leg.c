/* SPDX-License-Identifier: ISC */
#include "wav_setup.h"

static void test_a_file_is_a_call_from_dialling_to_hanging_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 16000 * 3 + 100);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    assert_int_equal(s.dialed, 0);
    vsched_run(s.v, 60 * SECOND);
    remove_file(&s, "a.wav");
    assert_int_equal(s.dialed, 1);
    assert_int_equal(s.request_id, 77);
    assert_string_equal(s.token, "the.token");
    assert_string_equal(s.call_id, "0190-call");
    assert_int_equal(s.format.codec, AIC_CODEC_PCM_S16LE);
    assert_int_equal(s.format.rate_hz, 8000);
    assert_int_equal(s.media_starts, 1);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_CALLER);
    assert_completed_once(&s);
    /* 3.00625 s of sound, 10 s of silence, and up to the next whole block. */
    assert_int_equal(s.duration_s, 13);
    assert_int_equal(s.blocks, 651);
    assert_non_null(strstr(fake_log(s.fake), "sent_blocks=651 late_blocks=0 worst_late_ms=0"));
    end(&s);
}

static void test_every_sample_arrives_once_in_blocks_that_never_drift(void **state)
{
    (void)state;

    static const struct {
        struct aic_format format;
        size_t block_bytes;
        uint8_t silence;
    } cases[] = {{{AIC_CODEC_PCM_S16LE, 8000, 1, 0}, 320, 0},
                 {{AIC_CODEC_PCM_S16LE, 16000, 1, 0}, 640, 0},
                 {{AIC_CODEC_MULAW, 8000, 1, 0}, 160, 0xFF},
                 {{AIC_CODEC_ALAW, 8000, 1, 0}, 160, 0xD5}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct setup s;
        begin(&s, NULL);
        size_t bytes = cases[i].block_bytes * 1500 + 50;
        write_caller(&s, "a.wav", cases[i].format, bytes);
        assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
        vsched_run(s.v, 31 * SECOND);
        remove_file(&s, "a.wav");
        assert_int_equal(s.blocks, 1550);
        assert_int_equal(s.worst_offset_us, 0);
        assert_int_equal(s.audio.len, cases[i].block_bytes * 1550);
        for (size_t at = 0; at < s.audio.len; at++) {
            uint8_t wanted = at < bytes ? (uint8_t)(at * 7 + at / 256) : cases[i].silence;
            if ((uint8_t)s.audio.data[at] != wanted) {
                fail_msg("byte %zu of format %zu", at, i);
            }
        }
        end(&s);
    }
}

static struct aic_audio sound(const uint8_t *bytes, size_t count)
{
    return (struct aic_audio){.size = sizeof(struct aic_audio),
                              .format = narrow,
                              .data = bytes,
                              .bytes = count,
                              .time_us = -1};
}

static void test_the_caller_listens_until_the_agent_has_been_quiet(void **state)
{
    (void)state;
    static const uint8_t loud[3200] = {1, 2, 3};
    static const uint8_t quiet[3200];
    struct setup s;
    begin(&s, (const struct fake_setting[]){{"after_end", "2s"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 16000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 2500000);
    struct aic_audio audio = sound(loud, sizeof(loud));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    }
    /* The agent's words last a second, to 3.5 s; digital silence after them is no word. */
    vsched_run(s.v, 2 * SECOND);
    audio = sound(quiet, sizeof(quiet));
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, 990000);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, 20000);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_CALLER);
    assert_non_null(strstr(fake_log(s.fake), "heard_ms=1200 ended_by=caller"));
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_the_caller_may_hang_up_whatever_the_agent_says(void **state)
{
    (void)state;
    static const uint8_t loud[3200] = {1, 2, 3};
    struct setup s;
    begin(&s, (const struct fake_setting[]){
                  {"after_end", "2s"}, {"wait_for_agent", "false"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 16000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 2900000);
    struct aic_audio audio = sound(loud, sizeof(loud));
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    vsched_run(s.v, 150000);
    assert_int_equal(s.media_stops, 1);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_the_host_hangs_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    s.hangs_up_after = 50;
    dial_long(&s);
    vsched_run(s.v, 5 * SECOND);
    assert_int_equal(s.blocks, 50);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_HOST);
    assert_completed_once(&s);
    assert_int_equal(s.duration_s, 1);
    struct aic_audio audio = sound((const uint8_t *)"xx", 2);
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.status_count, 3);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_leg_closed_inside_an_event_says_no_more_but_the_call_completes(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    s.hangs_up_after = 10;
    s.closes_then = true;
    dial_long(&s);
    vsched_run(s.v, 5 * SECOND);
    assert_int_equal(s.blocks, 10);
    assert_int_equal(s.media_stops, 0);
    assert_completed_once(&s);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_leg_may_be_handed_to_another_sink(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_telephony_sink second = s.leg_sink;
    memset(&s.leg_sink, 0, sizeof(s.leg_sink));
    assert_int_equal(s.tel->leg_attach(s.leg, &second), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.blocks, 100);
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.tel->leg_attach(s.leg, &second), AIC_ERROR_CLOSED);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_leg_that_nobody_takes_ends_the_call(void **state)
{
    (void)state;
    for (int ignores = 0; ignores < 2; ignores++) {
        struct setup s;
        begin(&s, NULL);
        s.refuses = !ignores;
        s.ignores = ignores;
        dial_long(&s);
        vsched_run(s.v, SECOND);
        assert_int_equal(s.blocks, 0);
        assert_int_equal(s.media_stops, 0);
        assert_completed_once(&s);
        assert_int_equal(s.duration_s, 0);
        remove_file(&s, "a.wav");
        end(&s);
    }
}

static void test_hangup_by_id_is_answered_also_when_the_call_is_over(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    assert_int_equal(s.tel->hangup(s.self, 5, aic_str(s.id)), AIC_OK);
    assert_int_equal(s.results, 0);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.results, 1);
    assert_int_equal(s.request_id, 5);
    assert_int_equal(s.media_stops, 1);
    assert_completed_once(&s);
    assert_int_equal(s.tel->hangup(s.self, 6, aic_str(s.id)), AIC_OK);
    assert_int_equal(s.tel->hangup(s.self, 7, AIC_STR("wav-unknown")), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.results, 3);
    assert_int_equal(s.status_count, 3);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_limit_of_the_whole_call_is_kept(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 160000);
    char to[200];
    (void)snprintf(to, sizeof(to), "wav:%s/a.wav", s.folder);
    struct aic_telephony_dial params = {.size = sizeof(params),
                                        .call_id = "c",
                                        .token = "t",
                                        .to = to,
                                        .from = "",
                                        .limit_ms = 1500};
    assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    assert_int_equal(s.tel->dial(s.self, &params), AIC_ERROR_CONFLICT);
    vsched_run(s.v, 3 * SECOND);
    assert_int_equal(s.dialed, 1);
    assert_int_equal(s.blocks, 75);
    assert_int_equal(s.media_stops, 1);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_after_a_stall_nothing_is_lost_and_the_schedule_is_kept(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    assert_int_equal(s.blocks, 50);
    /* The loop does nothing for a second: the next thing it runs is late. */
    vsched_stall(s.v, SECOND);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.blocks, 150);
    for (size_t at = 0; at < s.audio.len; at++) {
        assert_int_equal((uint8_t)s.audio.data[at], (uint8_t)(at * 7 + at / 256));
    }
    s.worst_offset_us = 0;
    vsched_run(s.v, SECOND);
    assert_int_equal(s.worst_offset_us, 0);
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    assert_non_null(strstr(fake_log(s.fake), "late_blocks=48 worst_late_ms=980"));
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_audio_of_another_format_is_refused(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_audio audio = sound((const uint8_t *)"abc", 3);
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    audio.bytes = 2;
    audio.format.rate_hz = 16000;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    audio.format = narrow;
    audio.format.codec = AIC_CODEC_MULAW;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    remove_file(&s, "a.wav");
    end(&s);
}

static void assert_refused(struct setup *s, const char *to, uint32_t category, const char *words)
{
    s->error[0] = '\0';
    assert_int_equal(dial(s, to), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->request_id, 77);
    assert_int_equal(s->dialed, 0);
    assert_int_equal(s->status_count, 0);
    if (!strstr(s->error, words)) {
        fail_msg("\"%s\" says: %s", to, s->error);
    }
    assert_int_equal(s->error_category, category);
}

static void test_a_file_that_is_no_caller_ends_in_a_clear_error(void **state)
{
    (void)state;
    struct setup s;
    char to[200];
    begin(&s, (const struct fake_setting[]){{"folder", "/usr"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 3200);
    (void)snprintf(to, sizeof(to), "wav:%s/a.wav", s.folder);
    assert_refused(&s, to, AIC_CATEGORY_PERMISSION, "is outside the folder");
    assert_refused(&s, "+14155550100", AIC_CATEGORY_BAD_REQUEST, "dialled as wav:PATH");
    assert_refused(&s, "wav:", AIC_CATEGORY_NOT_FOUND, "does not exist");
    assert_refused(&s, "wav:bin/env", AIC_CATEGORY_BAD_REQUEST, "is not a WAV file");
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_stopping_while_a_file_waits_or_loads_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int is_loading = 0; is_loading < 2; is_loading++) {
        struct setup s;
        begin(&s, NULL);
        vsched_set_pool_cost(s.v, 100000);
        write_caller(&s, "a.wav", narrow, 3200);
        assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
        assert_int_equal(s.tel->hangup(s.self, 9, AIC_STR("unknown")), AIC_OK);
        if (is_loading) {
            vsched_run(s.v, 50000);
        }
        s.tel->stop(s.self);
        assert_int_equal(dial(&s, "wav:x"), AIC_ERROR_CLOSED);
        assert_int_equal(s.tel->hangup(s.self, 1, AIC_STR("x")), AIC_ERROR_CLOSED);
        vsched_run(s.v, SECOND);
        assert_int_equal(s.dialed, 0);
        assert_int_equal(s.results, is_loading);
        assert_string_equal(s.error, "");
        remove_file(&s, "a.wav");
        end(&s);
    }
}

static void test_capabilities_say_that_the_host_paces_and_hears_no_echo(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    struct aic_telephony_caps caps = {.size = sizeof(caps)};
    assert_int_equal(s.tel->capabilities(s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_TEL_DIAL | AIC_TEL_NO_ECHO);
    assert_int_equal(caps.format_count, 6);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_a_call_from_dialling_to_hanging_up),
        cmocka_unit_test(test_every_sample_arrives_once_in_blocks_that_never_drift),
        cmocka_unit_test(test_the_caller_listens_until_the_agent_has_been_quiet),
        cmocka_unit_test(test_the_caller_may_hang_up_whatever_the_agent_says),
        cmocka_unit_test(test_the_host_hangs_up),
        cmocka_unit_test(test_a_leg_closed_inside_an_event_says_no_more_but_the_call_completes),
        cmocka_unit_test(test_a_leg_may_be_handed_to_another_sink),
        cmocka_unit_test(test_a_leg_that_nobody_takes_ends_the_call),
        cmocka_unit_test(test_hangup_by_id_is_answered_also_when_the_call_is_over),
        cmocka_unit_test(test_a_limit_of_the_whole_call_is_kept),
        cmocka_unit_test(test_after_a_stall_nothing_is_lost_and_the_schedule_is_kept),
        cmocka_unit_test(test_audio_of_another_format_is_refused),
        cmocka_unit_test(test_a_file_that_is_no_caller_ends_in_a_clear_error),
        cmocka_unit_test(test_stopping_while_a_file_waits_or_loads_leaves_nothing_behind),
        cmocka_unit_test(test_capabilities_say_that_the_host_paces_and_hears_no_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
