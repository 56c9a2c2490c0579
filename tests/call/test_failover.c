/* SPDX-License-Identifier: ISC */
#include "call_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static const struct rig_settings with_spare = {
    .stt_flags = AIC_STT_NEEDS_VAD, .line_flags = AIC_TEL_NO_ECHO, .with_spare = true};
static const struct rig_settings alone = {.stt_flags = AIC_STT_NEEDS_VAD,
                                          .line_flags = AIC_TEL_NO_ECHO};
static const struct fake_speech speech = {3000 * MS, 4000 * MS};

/* From the end of the caller's speech to the agent's first sound, in ms; -1 if it stays silent. */
static int64_t gap_ms(const struct rig *rig)
{
    int64_t begins_us = fake_line_agent_starts(rig->line, 4000 * MS);
    return begins_us < 0 ? -1 : begins_us / 1000 - 4000;
}

static void test_a_model_that_fails_at_once_is_replaced_within_the_turn(void **state)
{
    (void)state;
    static const uint32_t failures[] = {AIC_CATEGORY_AUTH,     AIC_CATEGORY_RATE_LIMIT,
                                        AIC_CATEGORY_SERVER,   AIC_CATEGORY_NETWORK,
                                        AIC_CATEGORY_PROTOCOL, AIC_CATEGORY_QUOTA};
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        struct rig *rig = rig_create(&with_spare);
        rig_hears(rig, "hello");
        rig->vendor->replies[0] = (struct fake_text){.failure = failures[i]};
        rig->vendor->reply_count = 1;
        rig->reserve->replies[0] = (struct fake_text){.text = "Good day."};
        rig->reserve->reply_count = 1;
        rig_begin(rig, &speech, 1);
        rig_run(rig, 8000);
        assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Good day.");
        assert_in_range(gap_ms(rig), 700, 1000);
        assert_true(rig_has_event(rig, "failover"));
        assert_false(rig->has_ended);
        rig_destroy(rig);
    }
}

static void test_a_model_that_says_nothing_is_replaced_within_the_turn(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig_hears(rig, "hello");
    rig->vendor->replies[0] = (struct fake_text){.text = ""};
    rig->vendor->reply_count = 1;
    rig->reserve->replies[0] = (struct fake_text){.text = "Good day."};
    rig->reserve->reply_count = 1;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 8000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Good day.");
    assert_true(rig_has_event(rig, "failover"));
    rig_destroy(rig);
}

static void test_a_model_that_hangs_is_replaced_after_two_and_a_half_seconds(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig_hears(rig, "hello");
    rig->vendor->replies[0] = (struct fake_text){.text = "never", .hangs = true};
    rig->vendor->reply_count = 1;
    rig->reserve->replies[0] = (struct fake_text){.text = "Good day."};
    rig->reserve->reply_count = 1;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 10000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Good day.");
    assert_in_range(gap_ms(rig), 3000, 3400);
    assert_int_equal(rig->vendor->cancels, 1);
    rig_destroy(rig);
}

static void test_a_model_that_breaks_off_is_continued_by_the_next(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig_hears(rig, "hello");
    rig->vendor->replies[0] = (struct fake_text){.text = "We are open from Monday. And also",
                                                 .failure = AIC_CATEGORY_NETWORK};
    rig->vendor->reply_count = 1;
    rig->reserve->replies[0] = (struct fake_text){.text = " on Saturday mornings."};
    rig->reserve->reply_count = 1;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"),
                        "We are open from Monday. And also on Saturday mornings.");
    assert_non_null(strstr(rig->reserve->messages, "We are open from Monday. And also"));
    assert_non_null(strstr(rig->reserve->messages, "Do not repeat it"));
    assert_non_null(
        strstr(rig->vendor->spoken, "We are open from Monday.\nAnd also on Saturday mornings.\n"));
    rig_destroy(rig);
}

static void test_a_voice_that_breaks_off_is_continued_by_the_next(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig_hears(rig, "hello");
    rig_says(rig, "The first sentence is fine. The second one breaks in its middle, sadly.");
    rig->vendor->voice_trouble[2].failure = AIC_CATEGORY_NETWORK;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"),
                        "The first sentence is fine. The second one breaks in its middle, sadly.");
    /* The first sentence was still being heard, so the second one is said anew as a whole. */
    assert_string_equal(rig->reserve->spoken, "The second one breaks in its middle, sadly.\n");
    assert_true(rig_has_event(rig, "failover"));
    rig_destroy(rig);
}

static void test_a_voice_that_takes_little_text_gets_a_sentence_in_pieces(void **state)
{
    (void)state;
    for (int streams = 0; streams < 2; streams++) {
        struct rig *rig = rig_create(&alone);
        rig->vendor->streams_in = streams;
        rig->main->tts_caps.flags |= streams ? AIC_TTS_STREAM_IN : 0;
        rig->main->tts_caps.max_text_bytes = 30;
        rig_hears(rig, "hello");
        rig_says(rig, "We are open on all days of the week but Sunday and on holidays too.");
        rig_begin(rig, &speech, 1);
        rig_run(rig, 12000);
        assert_non_null(strstr(rig->vendor->spoken, "We are open on all days of the\nweek but "
                                                    "Sunday and on\nholidays too.\n"));
        assert_string_equal(rig_text(rig, "messages", 2, "heard"),
                            "We are open on all days of the week but Sunday and on holidays too.");
        assert_int_equal(rig->vendor->tts_sessions, 1);
        assert_false(rig_has_event(rig, "failover"));
        rig_destroy(rig);
    }
}

static void test_a_voice_that_hangs_is_replaced_after_one_and_a_half_seconds(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig_hears(rig, "hello");
    rig_says(rig, "Good day.");
    rig->vendor->voice_trouble[1].hangs = true;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 10000);
    assert_string_equal(rig->reserve->spoken, "Good day.\n");
    assert_in_range(gap_ms(rig), 2200, 2500);
    rig_destroy(rig);
}

static void test_a_recogniser_that_fails_is_replaced_and_hears_it_all_again(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig->vendor->heard[0].failure = AIC_CATEGORY_SERVER;
    rig->vendor->heard_count = 1;
    rig->reserve->heard[0].text = "what I said";
    rig->reserve->heard_count = 1;
    rig_says(rig, "I see.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 3700);
    fake_hear(rig->vendor, AIC_STT_EVENT_TRANSCRIPT, AIC_STT_PARTIAL, "what");
    rig_run(rig, 6400);
    assert_int_equal(rig->vendor->stt_sessions, 0);
    assert_int_equal(rig->reserve->stt_sessions, 1);
    /* At least the utterance and what came before it: more than a second of sound at once. */
    assert_true(rig->reserve->stt_bytes > 8000);
    assert_true(rig_has_event(rig, "failover"));
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "what I said");
    rig_destroy(rig);
}

static void test_the_only_recogniser_is_tried_again_and_again_for_some_seconds(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    for (size_t i = 0; i < 5; i++) {
        rig->vendor->heard[i].failure = AIC_CATEGORY_SERVER;
    }
    rig->vendor->heard[5].text = "what I said";
    rig->vendor->heard_count = 6;
    rig_says(rig, "I see.");
    rig_begin(rig, &speech, 1);
    /* Two at once, then after half a second, one, two. */
    rig_run(rig, 7500);
    assert_int_equal(rig->vendor->stt_opened, 5);
    rig_run(rig, 10000);
    assert_int_equal(rig->vendor->stt_opened, 6);
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "what I said");
    assert_false(rig->has_ended);
    rig_destroy(rig);
}

static void test_a_recogniser_that_stays_silent_is_replaced(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    rig->vendor->heard[0] = (struct fake_text){.text = "", .hangs = true};
    rig->vendor->heard_count = 1;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 9000);
    assert_int_equal(rig->reserve->stt_sessions, 1);
    rig_destroy(rig);
}

static void test_noise_that_is_no_speech_costs_no_recogniser(void **state)
{
    (void)state;
    struct rig_settings settings = with_spare;
    settings.stt_flags = AIC_STT_STREAMING | AIC_STT_INTERIM;
    struct rig *rig = rig_create(&settings);
    rig_begin(rig, &speech, 1);
    for (int ms = 0; ms < 9000; ms += 500) {
        rig_run(rig, 500);
        fake_hear(rig->vendor, AIC_STT_EVENT_TRANSCRIPT, AIC_STT_PARTIAL, "");
    }
    assert_false(rig_has_event(rig, "failover"));
    assert_int_equal(rig_count(rig, "messages"), 1);
    rig_destroy(rig);
}

static void test_with_no_model_left_the_caller_is_told(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    rig_hears(rig, "hello");
    for (size_t i = 0; i < 3; i++) {
        rig->vendor->replies[i] = (struct fake_text){.failure = AIC_CATEGORY_AUTH};
    }
    rig->vendor->reply_count = 3;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    assert_non_null(strstr(rig->vendor->spoken, "Sorry, something is broken."));
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "llm_failed");
    rig_destroy(rig);
}

static void test_a_hiccup_of_the_only_model_is_tried_again(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    rig_hears(rig, "hello");
    rig->vendor->replies[0] = (struct fake_text){.failure = AIC_CATEGORY_SERVER};
    rig->vendor->replies[1] = (struct fake_text){.text = "Good day."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 8000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Good day.");
    rig_destroy(rig);
}

static void test_the_first_choice_is_asked_again_once_it_works(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {45000 * MS, 46000 * MS}};
    rig->agent.reprompt_after_us = 100000 * MS;
    rig_hears(rig, "hello");
    rig_hears(rig, "hello again");
    rig->vendor->replies[0] = (struct fake_text){.failure = AIC_CATEGORY_AUTH};
    rig->vendor->replies[1] = (struct fake_text){.text = "I am back."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, speeches, 2);
    rig_run(rig, 30000);
    assert_int_equal(breaker_state(&rig->main->breakers[PROVIDER_LLM]), BREAKER_OPEN);
    rig_run(rig, 40000);
    /* A wrong key is believed for a minute. */
    assert_int_equal(rig->reserve->requests, 2);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_model_that_fails_at_once_is_replaced_within_the_turn),
        cmocka_unit_test(test_a_model_that_says_nothing_is_replaced_within_the_turn),
        cmocka_unit_test(test_a_model_that_hangs_is_replaced_after_two_and_a_half_seconds),
        cmocka_unit_test(test_a_model_that_breaks_off_is_continued_by_the_next),
        cmocka_unit_test(test_a_voice_that_breaks_off_is_continued_by_the_next),
        cmocka_unit_test(test_a_voice_that_takes_little_text_gets_a_sentence_in_pieces),
        cmocka_unit_test(test_a_voice_that_hangs_is_replaced_after_one_and_a_half_seconds),
        cmocka_unit_test(test_a_recogniser_that_fails_is_replaced_and_hears_it_all_again),
        cmocka_unit_test(test_the_only_recogniser_is_tried_again_and_again_for_some_seconds),
        cmocka_unit_test(test_a_recogniser_that_stays_silent_is_replaced),
        cmocka_unit_test(test_noise_that_is_no_speech_costs_no_recogniser),
        cmocka_unit_test(test_with_no_model_left_the_caller_is_told),
        cmocka_unit_test(test_a_hiccup_of_the_only_model_is_tried_again),
        cmocka_unit_test(test_the_first_choice_is_asked_again_once_it_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
