/* SPDX-License-Identifier: ISC */
#include "sphinx_setup.h"

static const struct aic_format mulaw = {AIC_CODEC_MULAW, 8000, 1, 0};
static const struct aic_format wide = {AIC_CODEC_PCM_S16LE, 16000, 1, 0};

/* A small appointment line. */
static const char *const appointment[] = {"I would like to change my appointment",
                                          "I would like to cancel my appointment",
                                          "Wednesday please",
                                          "Friday please",
                                          "at ten thirty in the morning",
                                          "my name is Mary Smith",
                                          "my name is Peter Miller",
                                          NULL};

/* Where the caller says what, in seconds; see callers.json. */
static const double CHANGE_S[] = {6.24, 9.06};
static const double DAY_S[] = {12.86, 14.15};
static const double NAME_S[] = {24.57, 26.43};

static void open_appointment(struct ear_setup *s)
{
    create_ear(s, NULL);
    assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
}

static void test_the_first_sentence_of_a_call_is_understood(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    hear_sentence(s, 1, CHANGE_S[0], CHANGE_S[1]);
    assert_int_equal(s->ready, 1);
    assert_string_equal(s->text[1], "i would like to change my appointment");
    assert_int_equal(s->finals[1], 1);
    assert_int_equal(s->turn_ends[1], 1);
    assert_int_equal(s->start_us[1], 300000);
    assert_int_equal(s->end_us[1], s->now_us);
}

static void test_partial_words_come_while_the_caller_speaks(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    begin(s, 1);
    hear(s, CHANGE_S[0] - 0.2, CHANGE_S[1]);
    assert_true(s->partials[1] >= 2);
    assert_non_null(strstr(s->partial[1], "would like"));
    assert_int_equal(s->finals[1], 0);
}

static void test_sentences_follow_each_other_with_their_ids(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    hear_sentence(s, 7, CHANGE_S[0], CHANGE_S[1]);
    hear_sentence(s, 8, DAY_S[0], DAY_S[1]);
    hear_sentence(s, 60, NAME_S[0], NAME_S[1]);
    assert_string_equal(s->text[8], "wednesday please");
    assert_string_equal(s->text[60], "my name is mary smith");
    for (uint64_t id = 0; id < UTTERANCES; id++) {
        bool was_said = id == 7 || id == 8 || id == 60;
        assert_int_equal(s->finals[id], was_said);
        assert_int_equal(s->turn_ends[id], was_said);
    }
}

/* A slow decoder: the second sentence begins before the first is done. */
static void test_a_slow_decoder_keeps_sentences_apart(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    vsched_run(s->v, SECOND);
    vsched_set_pool_cost(s->v, 120000);
    begin(s, 1);
    hear(s, CHANGE_S[0] - 0.2, CHANGE_S[1] + 0.5);
    end(s, 1);
    begin(s, 2);
    assert_int_equal(s->finals[1], 0);
    hear(s, DAY_S[0] - 0.2, DAY_S[1] + 0.5);
    end(s, 2);
    vsched_run(s->v, 10 * SECOND);
    assert_string_equal(s->text[1], "i would like to change my appointment");
    assert_string_equal(s->text[2], "wednesday please");
}

/* The host notices an utterance late; what was said before it did is kept. */
static void test_an_utterance_may_begin_in_the_past(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    hear(s, DAY_S[0] - 1, DAY_S[0] + 0.3);
    assert_int_equal(s->stt->utterance(s->session, AIC_STT_UTTERANCE_BEGIN, 1, s->now_us - 500000),
                     AIC_OK);
    hear(s, DAY_S[0] + 0.3, DAY_S[1] + 0.5);
    end(s, 1);
    vsched_run(s->v, SECOND);
    assert_string_equal(s->text[1], "wednesday please");
}

static void test_a_new_utterance_ends_the_one_before(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    begin(s, 1);
    hear(s, DAY_S[0] - 0.2, DAY_S[1] + 0.5);
    begin(s, 2);
    vsched_run(s->v, SECOND);
    assert_string_equal(s->text[1], "wednesday please");
    assert_int_equal(s->turn_ends[1], 1);
    assert_int_equal(tell(s, AIC_STT_UTTERANCE_END, 1), AIC_ERROR_INVALID);
    end(s, 2);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->turn_ends[2], 1);
}

static void test_silence_is_an_empty_text(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    begin(s, 1);
    hear_silence(s, 2);
    end(s, 1);
    begin(s, 2);
    end(s, 2);
    vsched_run(s->v, SECOND);
    for (uint64_t id = 1; id <= 2; id++) {
        assert_int_equal(s->finals[id], 1);
        assert_int_equal(s->turn_ends[id], 1);
        assert_string_equal(s->text[id], "");
    }
}

/* -40 dB of noise, then a sentence on the quiet line again. */
static void test_a_noisy_moment_does_not_spoil_the_next_sentence(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    assert_int_equal(
        open_ear(s, (struct aic_format){AIC_CODEC_PCM_S16LE, 8000, 1, 0}, "en", appointment),
        AIC_OK);
    begin(s, 1);
    uint32_t random = 1;
    for (int frame = 0; frame < 75; frame++) {
        int16_t noise[160];
        for (size_t i = 0; i < 160; i++) {
            random = random * 1664525u + 1013904223u;
            noise[i] = (int16_t)((int32_t)(random >> 16) % 1135 - 567);
        }
        hear_frame(s, (const uint8_t *)noise, sizeof(noise));
    }
    end(s, 1);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->finals[1], 1);
    assert_int_equal(s->errors, 0);
    close_ear(s);
    assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
    hear_sentence(s, 2, CHANGE_S[0], CHANGE_S[1]);
    assert_string_equal(s->text[2], "i would like to change my appointment");
}

static void test_only_hints_bring_a_name_into_the_vocabulary(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    assert_int_equal(open_ear(s, mulaw, "en", NULL), AIC_OK);
    hear_sentence(s, 1, NAME_S[0], NAME_S[1]);
    assert_null(strstr(s->text[1], "smith"));
    assert_int_equal(s->stt->update_hints(s->session, NULL, 0, sizeof(struct aic_str)), AIC_OK);
    struct aic_str hints[MAX_HINTS];
    uint32_t count = hints_of(appointment, hints);
    assert_int_equal(s->stt->update_hints(s->session, hints, count, sizeof(hints[0])), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->updated, 2);
    hear_sentence(s, 2, NAME_S[0], NAME_S[1]);
    assert_string_equal(s->text[2], "my name is mary smith");
}

static void test_new_hints_wait_for_the_end_of_a_sentence(void **state)
{
    struct ear_setup *s = setup_of(state);
    static const char *const others[] = {"my name is Mary Smith", NULL};
    open_appointment(s);
    begin(s, 1);
    hear(s, CHANGE_S[0] - 0.2, CHANGE_S[0] + 1);
    struct aic_str hints[MAX_HINTS];
    uint32_t count = hints_of(others, hints);
    assert_int_equal(s->stt->update_hints(s->session, hints, count, sizeof(hints[0])), AIC_OK);
    hear(s, CHANGE_S[0] + 1, CHANGE_S[1] + 0.5);
    end(s, 1);
    hear_sentence(s, 2, NAME_S[0], NAME_S[1]);
    assert_string_equal(s->text[1], "i would like to change my appointment");
    assert_string_equal(s->text[2], "my name is mary smith");
}

static void test_odd_hints_do_no_harm(void **state)
{
    struct ear_setup *s = setup_of(state);
    char *large = malloc(3 << 20);
    memset(large, 'x', (3 << 20) - 1);
    large[(3 << 20) - 1] = 0;
    const char *const odd[] = {"",
                               "\n\n",
                               "\xff\xfe\x80",
                               "...",
                               "<s> </s>",
                               "xyzzyq brwlk",
                               "Wednesday please",
                               "100000000",
                               large,
                               NULL};
    create_ear(s, NULL);
    assert_int_equal(open_ear(s, mulaw, "en", odd), AIC_OK);
    free(large);
    hear_sentence(s, 1, DAY_S[0], DAY_S[1]);
    assert_string_equal(s->text[1], "wednesday please");
    assert_non_null(strstr(fake_log(s->fake), "hints have more than 2 MB"));
}

static void test_calls_with_the_same_hints_share_a_model(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    vsched_run(s->v, SECOND);
    size_t logged = strlen(fake_log(s->fake));
    assert_non_null(strstr(fake_log(s->fake), "a language model of"));
    close_ear(s);
    assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_null(strstr(fake_log(s->fake) + logged, "a language model of"));
    assert_int_equal(s->ready, 2);
}

static void test_the_end_of_input_delivers_what_is_pending(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    begin(s, 1);
    hear(s, DAY_S[0] - 0.2, DAY_S[1] + 0.2);
    assert_int_equal(s->stt->finish(s->session), AIC_OK);
    assert_int_equal(s->stt->finish(s->session), AIC_ERROR_CLOSED);
    assert_int_equal(tell(s, AIC_STT_UTTERANCE_BEGIN, 2), AIC_ERROR_CLOSED);
    vsched_run(s->v, SECOND);
    assert_string_equal(s->text[1], "wednesday please");
    assert_int_equal(s->turn_ends[1], 1);
    assert_int_equal(s->closed, 1);
    hear_silence(s, 0.02);
    assert_int_equal(s->pushed, AIC_ERROR_CLOSED);
}

static void test_close_at_any_moment_ends_all_events(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    vsched_set_pool_cost(s->v, 30000);
    for (int steps = 0; steps < 6; steps++) {
        assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
        if (steps > 0) {
            begin(s, 1);
        }
        hear(s, DAY_S[0] - 0.2, DAY_S[0] + 0.2 * steps);
        if (steps > 3) {
            end(s, 1);
        }
        close_ear(s);
        vsched_run(s->v, SECOND);
        memset(s->finals, 0, sizeof(s->finals));
        memset(s->partials, 0, sizeof(s->partials));
    }
    assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
    vsched_run(s->v, SECOND);
    s->closes_at_words = true;
    begin(s, 1);
    hear(s, DAY_S[0] - 0.2, DAY_S[1]);
    assert_null(s->session);
    assert_int_equal(s->finals[1] + s->partials[1], 1);
}

static void test_the_provider_may_go_while_a_job_still_runs(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    vsched_set_pool_cost(s->v, 50000);
    begin(s, 1);
    hear(s, DAY_S[0] - 0.2, DAY_S[1]);
    close_ear(s);
    aicaller_plugin_sphinx()->destroy(s->self);
    s->stt = NULL;
    vsched_run(s->v, 10 * SECOND);
    assert_int_equal(s->finals[1], 0);
}

/* Sound that nobody decodes is bounded, and the call goes on. */
static void test_a_decoder_that_falls_behind_drops_sound_and_says_so(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    vsched_run(s->v, SECOND);
    vsched_set_pool_cost(s->v, 60 * SECOND);
    begin(s, 1);
    int refused = 0;
    for (int i = 0; i < 100; i++) {
        hear(s, 0.2, 0.4);
        refused += s->pushed == AIC_ERROR_BUSY;
    }
    assert_in_range(refused, 65, 75);
    end(s, 1);
    vsched_run(s->v, 600 * SECOND);
    vsched_set_pool_cost(s->v, 0);
    assert_int_equal(s->warnings, 1);
    assert_int_equal(s->finals[1], 1);
    assert_non_null(strstr(fake_log(s->fake), "sound of the caller is dropped"));
    hear_sentence(s, 2, DAY_S[0], DAY_S[1]);
    assert_string_equal(s->text[2], "wednesday please");
    assert_int_equal(s->warnings, 1);
}

static void test_a_monologue_is_decoded_in_pieces(void **state)
{
    struct ear_setup *s = setup_of(state);
    open_appointment(s);
    begin(s, 1);
    for (int i = 0; i < 8; i++) {
        hear(s, CHANGE_S[0] - 0.4, CHANGE_S[1] + 0.4);
    }
    end(s, 1);
    vsched_run(s->v, SECOND);
    int found = 0;
    for (const char *at = s->text[1]; (at = strstr(at, "change my appointment")); at++) {
        found++;
    }
    assert_in_range(found, 6, 8);
}

static void test_speech_at_16_khz_is_accepted(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    struct aic_stt_caps caps = {.size = sizeof(caps)};
    assert_int_equal(s->stt->capabilities(s->self, &caps), AIC_OK);
    assert_true(caps.flags & AIC_STT_NEEDS_VAD);
    assert_false(caps.flags & AIC_STT_CONFIDENCE);
    assert_int_equal(caps.formats[0].rate_hz, 16000);
    assert_int_equal(open_ear(s, wide, "en-IN", appointment), AIC_OK);
    begin(s, 1);
    hear_silence(s, 1);
    end(s, 1);
    vsched_run(s->v, SECOND);
    assert_string_equal(s->text[1], "");
}

static void test_what_can_not_be_heard_is_refused_with_a_reason(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    struct aic_format fast = {AIC_CODEC_PCM_S16LE, 44100, 1, 0};
    assert_int_equal(open_ear(s, fast, "en", NULL), AIC_ERROR_INVALID);
    assert_int_equal(open_ear(s, mulaw, "hi", NULL), AIC_ERROR_UNSUPPORTED);
    assert_non_null(strstr(fake_log(s->fake), "hears English only, not \"hi\""));
    assert_int_equal(open_ear(s, mulaw, "EN-gb", NULL), AIC_OK);
    s->format = wide;
    hear_silence(s, 0.02);
    assert_int_equal(s->pushed, AIC_ERROR_INVALID);
    assert_int_equal(tell(s, AIC_STT_UTTERANCE_END, 1), AIC_ERROR_INVALID);
    assert_int_equal(tell(s, 9, 1), AIC_ERROR_INVALID);
}

static void check_refusal(struct ear_setup *s, const char *name, const char *value,
                          const char *reason)
{
    struct fake_setting settings[] = {{name, value}, {NULL, NULL}};
    void *self = NULL;
    assert_int_equal(fake_provider_create(s->fake, aicaller_plugin_sphinx(), settings, &self),
                     AIC_ERROR_CONFIG);
    assert_null(self);
    if (!strstr(fake_log(s->fake), reason)) {
        fail_msg("no \"%s\" in:\n%s", reason, fake_log(s->fake));
    }
}

static void test_wrong_settings_are_refused_with_a_reason(void **state)
{
    struct ear_setup *s = setup_of(state);
    check_refusal(s, "model_dir", "/nonexistent", "\"/nonexistent\" is no acoustic model");
    check_refusal(s, "dictionary", "/nonexistent", "dictionary: can not read");
    check_refusal(s, "phrases_file", "/nonexistent", "phrases_file: can not open");
    check_refusal(s, "pronunciations", TEST_DATA "/callers.json",
                  "callers.json\" line 1 is no entry");
}

static void test_one_pass_is_enough_on_a_quiet_line(void **state)
{
    struct ear_setup *s = setup_of(state);
    struct fake_setting settings[] = {{"second_pass", "false"}, {NULL, NULL}};
    create_ear(s, settings);
    assert_int_equal(open_ear(s, mulaw, "en", appointment), AIC_OK);
    hear_sentence(s, 1, CHANGE_S[0], CHANGE_S[1]);
    assert_string_equal(s->text[1], "i would like to change my appointment");
}

static void test_a_probe_says_that_the_models_can_be_loaded(void **state)
{
    struct ear_setup *s = setup_of(state);
    create_ear(s, NULL);
    assert_int_equal(s->stt->probe(s->self, &s->sink, &s->session), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->ready, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ear_setup, ear_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_sentence_of_a_call_is_understood),
        TEST(test_partial_words_come_while_the_caller_speaks),
        TEST(test_sentences_follow_each_other_with_their_ids),
        TEST(test_a_slow_decoder_keeps_sentences_apart),
        TEST(test_an_utterance_may_begin_in_the_past),
        TEST(test_a_new_utterance_ends_the_one_before),
        TEST(test_silence_is_an_empty_text),
        TEST(test_a_noisy_moment_does_not_spoil_the_next_sentence),
        TEST(test_only_hints_bring_a_name_into_the_vocabulary),
        TEST(test_new_hints_wait_for_the_end_of_a_sentence),
        TEST(test_odd_hints_do_no_harm),
        TEST(test_calls_with_the_same_hints_share_a_model),
        TEST(test_the_end_of_input_delivers_what_is_pending),
        TEST(test_close_at_any_moment_ends_all_events),
        TEST(test_the_provider_may_go_while_a_job_still_runs),
        TEST(test_a_decoder_that_falls_behind_drops_sound_and_says_so),
        TEST(test_a_monologue_is_decoded_in_pieces),
        TEST(test_speech_at_16_khz_is_accepted),
        TEST(test_what_can_not_be_heard_is_refused_with_a_reason),
        TEST(test_wrong_settings_are_refused_with_a_reason),
        TEST(test_one_pass_is_enough_on_a_quiet_line),
        TEST(test_a_probe_says_that_the_models_can_be_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
