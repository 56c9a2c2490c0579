/* SPDX-License-Identifier: ISC */
#include "flite_setup.h"

#include <math.h>

static const char greeting[] =
    "Hello, this is the automated assistant of Example Clinic. How can I help you?";

static double level_dbfs(const struct voice_setup *s, int64_t from_us, int64_t to_us)
{
    const int16_t *samples = (const int16_t *)(const void *)s->sound.data;
    size_t from = (size_t)(from_us * s->rate_hz / SECOND);
    size_t to = (size_t)(to_us * s->rate_hz / SECOND);
    double energy = 0;
    assert_true(to > from && to * 2 <= s->sound.len);
    for (size_t i = from; i < to; i++) {
        energy += (double)samples[i] * samples[i];
    }
    return 10 * log10(energy / (double)(to - from) / (32768.0 * 32768.0) + 1e-12);
}

static void test_a_sentence_is_spoken_and_then_done(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    say(s, 1, greeting);
    assert_int_equal(s->done[1], 1);
    assert_int_equal(s->rate_hz, 16000);
    assert_in_range(s->sound_us[1], 3500000, 6500000);
    assert_true(level_dbfs(s, 0, s->sound_us[1]) > -40);
}

static void test_sound_comes_in_blocks_of_20_to_100_ms(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    say(s, 1, greeting);
    assert_true(s->largest_block <= 16000 / 10 * 2);
    assert_true((int64_t)s->blocks >= s->sound_us[1] / 100000);
}

static void test_every_voice_speaks_at_its_own_rate(void **state)
{
    static const char *const voices[] = {"slt", "rms", "awb", "kal16", "kal"};
    struct voice_setup *s = setup_of(state);
    for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++) {
        struct fake_setting settings[] = {{"voice", voices[i]}, {NULL, NULL}};
        create_voice(s, settings);
        struct aic_tts_caps caps = {.size = sizeof(caps)};
        assert_int_equal(s->tts->capabilities(s->self, &caps), AIC_OK);
        assert_int_equal(caps.format_count, 1);
        assert_int_equal(caps.formats[0].rate_hz, i == 4 ? 8000 : 16000);
        assert_int_equal(open_voice(s, caps.formats[0].rate_hz, ""), AIC_OK);
        say(s, i, "Good morning.");
        assert_int_equal(s->done[i], 1);
        assert_in_range(s->sound_us[i], 500000, 2000000);
        close_voice(s);
        aicaller_plugin_flite()->destroy(s->self);
        vsched_run(s->v, SECOND);
    }
    s->tts = NULL;
}

static void test_words_are_told_with_their_times(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    say(s, 1, "Hello, it is 10:30. Good-bye!");
    static const char *const words[] = {"Hello,", "it", "is", "10:30.", "Good-bye!"};
    assert_int_equal(s->word_count, 5);
    int64_t before_us = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(s->words[i].text, words[i]);
        assert_true(s->words[i].start_us >= before_us);
        assert_true(s->words[i].end_us > s->words[i].start_us);
        before_us = s->words[i].end_us;
    }
    assert_true(before_us <= s->sound_us[1]);
    assert_true(s->sound_us[1] - before_us < 500000);
}

/* What the caller has heard is reckoned from these times, so they must fit the sound. */
static void test_word_times_fit_the_sound_of_every_voice(void **state)
{
    static const char *const voices[] = {"slt", "rms", "awb", "kal16", "kal"};
    struct voice_setup *s = setup_of(state);
    for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++) {
        struct fake_setting settings[] = {{"voice", voices[i]}, {NULL, NULL}};
        create_voice(s, settings);
        assert_int_equal(open_voice(s, i == 4 ? 8000 : 16000, ""), AIC_OK);
        s->word_count = 0;
        aic_buf_clear(&s->sound);
        say(s, i, "Monday. Thank you very much. Saturday.");
        assert_int_equal(s->word_count, 6);
        for (size_t k = 0; k < s->word_count; k++) {
            const struct heard_word *word = &s->words[k];
            assert_true(level_dbfs(s, word->start_us, word->end_us) > -40);
        }
        /* Between the sentences it is quiet. */
        for (size_t k = 0; k < 5; k += 4) {
            int64_t gap_us = s->words[k + 1].start_us - s->words[k].end_us;
            assert_true(gap_us > 100000);
            double gap_dbfs = level_dbfs(s, s->words[k].end_us + gap_us / 4,
                                         s->words[k + 1].start_us - gap_us / 4);
            assert_true(gap_dbfs < level_dbfs(s, s->words[k].start_us, s->words[k].end_us) - 15);
        }
        close_voice(s);
        aicaller_plugin_flite()->destroy(s->self);
        vsched_run(s->v, SECOND);
    }
    s->tts = NULL;
}

static void test_texts_of_one_utterance_follow_each_other(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    begin(s, 1);
    push(s, 1, "One moment please.");
    vsched_run(s->v, SECOND);
    int64_t first_us = s->sound_us[1];
    assert_true(first_us > 0);
    assert_int_equal(s->done[1], 0);
    push(s, 1, "Tuesday is free.");
    end(s, 1);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->done[1], 1);
    assert_int_equal(s->word_count, 6);
    assert_string_equal(s->words[3].text, "Tuesday");
    assert_true(s->words[3].start_us >= first_us);
}

static void test_nothing_to_say_is_done_without_sound(void **state)
{
    static const char *const texts[] = {
        "", " ", "...", " - , . !", "\xe4\xbd\xa0\xe5\xa5\xbd", "\xff\xfe\x01", "\n\n"};
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        say(s, i, texts[i]);
        assert_int_equal(s->done[i], 1);
    }
    begin(s, 20);
    end(s, 20);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->done[20], 1);
    assert_int_equal(s->blocks, 0);
}

static void test_odd_text_is_spoken_as_far_as_it_can_be(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    say(s, 1,
        "Caf\xc3\xa9 \xe2\x80\x9cM\xc3\xbcller\xe2\x80\x9d \xe2\x80\x94 costs \xe2\x82\xac"
        "5.");
    assert_int_equal(s->done[1], 1);
    assert_true(s->word_count >= 4);
    assert_string_equal(s->words[0].text, "Caf\xc3\xa9");
    char digits[3000];
    memset(digits, '7', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = 0;
    begin(s, 2);
    push(s, 2, digits);
    cancel(s, 2);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->cancelled[2], 1);
}

static void test_markup_is_not_spoken_and_words_are_told_as_written(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    say(s, 1, "Yes, Tuesday is free.");
    say(s, 2, "**Yes**, <b>Tuesday</b> is _free_.");
    assert_in_range(s->sound_us[2], s->sound_us[1] * 9 / 10, s->sound_us[1] * 11 / 10);
    assert_int_equal(s->word_count, 8);
    static const char *const words[] = {"Yes", "Tuesday", "is", "free"};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(strstr(s->words[4 + i].text, words[i]));
    }
}

/* Far more text than one sentence may have. */
static void test_a_long_text_is_spoken_to_its_end(void **state)
{
    struct voice_setup *s = setup_of(state);
    struct fake_setting settings[] = {{"voice", "kal16"}, {NULL, NULL}};
    char text[3600] = "";
    create_voice(s, settings);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    for (size_t i = 0; i < 590; i++) {
        memcpy(text + i * 6, "seven ", 6);
    }
    memcpy(text + 590 * 6, "done.", 6);
    say(s, 1, text);
    assert_int_equal(s->done[1], 1);
    assert_in_range(s->sound_us[1], 100 * (int64_t)SECOND, 400 * (int64_t)SECOND);
    assert_int_equal(s->word_count, MAX_WORDS);
}

static void test_cancel_ends_an_utterance_exactly_once(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    begin(s, 1);
    push(s, 1, greeting);
    end(s, 1);
    cancel(s, 1);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->cancelled[1], 1);
    assert_int_equal(s->done[1], 0);
    assert_int_equal(s->tts->cancel(s->session, 1, 0), AIC_ERROR_NOT_FOUND);
    assert_int_equal(s->tts->cancel(s->session, 7, 0), AIC_ERROR_NOT_FOUND);
    say(s, 2, "Yes.");
    assert_int_equal(s->done[2], 1);
    assert_int_equal(s->tts->cancel(s->session, 2, 0), AIC_ERROR_NOT_FOUND);
}

static void test_cancel_from_within_an_event_stops_the_sound(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    s->cancels_at_audio = true;
    say(s, 1, greeting);
    assert_int_equal(s->cancelled[1], 1);
    assert_int_equal(s->blocks, 1);
}

static void test_a_new_utterance_need_not_wait_for_the_cancelled_one(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    for (uint64_t id = 1; id < 50; id++) {
        begin(s, id);
        push(s, id, "This will never be heard.");
        cancel(s, id);
    }
    say(s, 50, "Yes.");
    for (uint64_t id = 1; id < 50; id++) {
        assert_int_equal(s->cancelled[id], 1);
        assert_int_equal(s->sound_us[id], 0);
    }
    assert_int_equal(s->done[50], 1);
    assert_true(s->sound_us[50] > 0);
}

static void test_a_flush_answers_behind_the_sound_before_it(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    begin(s, 1);
    push(s, 1, "One.");
    assert_int_equal(s->tts->flush(s->session, 1, 77), AIC_OK);
    push(s, 1, "Two.");
    end(s, 1);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->flushed_mark, 77);
    assert_in_range(s->flushed_at_us, 200000, s->sound_us[1] - 200000);
}

static void test_calls_out_of_order_are_refused(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    assert_int_equal(s->tts->push_text(s->session, 1, AIC_STR("x")), AIC_ERROR_NOT_FOUND);
    begin(s, 1);
    struct aic_tts_utterance next = {.size = sizeof(next), .id = 2};
    assert_int_equal(s->tts->begin(s->session, &next), AIC_ERROR_BUSY);
    end(s, 1);
    assert_int_equal(s->tts->push_text(s->session, 1, AIC_STR("x")), AIC_ERROR_CLOSED);
    assert_int_equal(s->tts->end(s->session, 1), AIC_ERROR_CLOSED);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->done[1], 1);
    char *large = calloc(1, 5001);
    memset(large, 'a', 5000);
    begin(s, 3);
    assert_int_equal(s->tts->push_text(s->session, 3, aic_str(large)), AIC_ERROR_TOO_LARGE);
    free(large);
}

static void test_a_flood_of_text_is_refused_and_can_be_cancelled(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    begin(s, 1);
    int32_t status = AIC_OK;
    int taken = 0;
    while (taken < 2000 && status == AIC_OK) {
        status = s->tts->push_text(s->session, 1, AIC_STR("Hello."));
        taken += status == AIC_OK;
    }
    assert_int_equal(status, AIC_ERROR_BUSY);
    assert_in_range(taken, 100, 1000);
    cancel(s, 1);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->cancelled[1], 1);
}

static void test_close_at_any_moment_ends_all_events(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    vsched_set_pool_cost(s->v, 10000);
    for (int64_t after_us = 0; after_us <= 30000; after_us += 5000) {
        assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
        begin(s, 1);
        push(s, 1, "Good morning.");
        push(s, 1, "Good evening.");
        end(s, 1);
        vsched_run(s->v, after_us);
        close_voice(s);
        vsched_run(s->v, SECOND);
        s->done[1] = 0;
        s->sound_us[1] = 0;
    }
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    s->closes_at_audio = true;
    say(s, 2, greeting);
    assert_int_equal(s->done[2], 0);
}

static void test_the_provider_may_go_while_a_job_still_ends(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    vsched_set_pool_cost(s->v, 10000);
    assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
    begin(s, 1);
    push(s, 1, "Good morning.");
    vsched_run(s->v, 0);
    close_voice(s);
    aicaller_plugin_flite()->destroy(s->self);
    s->tts = NULL;
    vsched_run(s->v, SECOND);
}

static void test_speed_and_pitch_change_the_voice(void **state)
{
    struct voice_setup *s = setup_of(state);
    static const char *const speeds[] = {"1.0", "2.0", "0.5"};
    for (uint64_t i = 0; i < 3; i++) {
        struct fake_setting settings[] = {
            {"speed", speeds[i]}, {"pitch", i == 1 ? "1.3" : "1.0"}, {NULL, NULL}};
        create_voice(s, settings);
        assert_int_equal(open_voice(s, 16000, ""), AIC_OK);
        say(s, i, greeting);
        close_voice(s);
        aicaller_plugin_flite()->destroy(s->self);
        vsched_run(s->v, SECOND);
    }
    s->tts = NULL;
    assert_in_range(s->sound_us[1], s->sound_us[0] * 4 / 10, s->sound_us[0] * 6 / 10);
    assert_in_range(s->sound_us[2], s->sound_us[0] * 18 / 10, s->sound_us[0] * 22 / 10);
}

static void test_a_wrong_voice_or_rate_is_refused_with_a_reason(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(open_voice(s, 16000, "nobody"), AIC_ERROR_NOT_FOUND);
    assert_non_null(strstr(fake_log(s->fake), "\"nobody\" is none of slt"));
    assert_int_equal(open_voice(s, 8000, ""), AIC_ERROR_UNSUPPORTED);
    assert_int_equal(open_voice(s, 16000, "rms"), AIC_OK);
    say(s, 1, "Hello.");
    assert_int_equal(s->done[1], 1);
}

static void test_a_probe_is_done_at_once(void **state)
{
    struct voice_setup *s = setup_of(state);
    create_voice(s, NULL);
    assert_int_equal(s->tts->probe(s->self, &s->sink, &s->session), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->done[0], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, voice_setup, voice_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_sentence_is_spoken_and_then_done),
        TEST(test_sound_comes_in_blocks_of_20_to_100_ms),
        TEST(test_every_voice_speaks_at_its_own_rate),
        TEST(test_words_are_told_with_their_times),
        TEST(test_word_times_fit_the_sound_of_every_voice),
        TEST(test_texts_of_one_utterance_follow_each_other),
        TEST(test_nothing_to_say_is_done_without_sound),
        TEST(test_odd_text_is_spoken_as_far_as_it_can_be),
        TEST(test_markup_is_not_spoken_and_words_are_told_as_written),
        TEST(test_a_long_text_is_spoken_to_its_end),
        TEST(test_cancel_ends_an_utterance_exactly_once),
        TEST(test_cancel_from_within_an_event_stops_the_sound),
        TEST(test_a_new_utterance_need_not_wait_for_the_cancelled_one),
        TEST(test_a_flush_answers_behind_the_sound_before_it),
        TEST(test_calls_out_of_order_are_refused),
        TEST(test_a_flood_of_text_is_refused_and_can_be_cancelled),
        TEST(test_close_at_any_moment_ends_all_events),
        TEST(test_the_provider_may_go_while_a_job_still_ends),
        TEST(test_speed_and_pitch_change_the_voice),
        TEST(test_a_wrong_voice_or_rate_is_refused_with_a_reason),
        TEST(test_a_probe_is_done_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
