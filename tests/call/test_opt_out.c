/* SPDX-License-Identifier: ISC */
/* What is owed to people who are called: to hear first who calls, and to be left alone. */
#include "call_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000)

enum {
    LINE = AIC_TEL_NO_ECHO | AIC_TEL_REMOTE_BUFFER | AIC_TEL_MARKS | AIC_TEL_CLEAR | AIC_TEL_PUBLIC
};

static const struct rig_settings outbound = {
    .stt_flags = AIC_STT_NEEDS_VAD, .line_flags = LINE, .is_outbound = true, .has_gate = true};
static const struct rig_settings inbound = {
    .stt_flags = AIC_STT_NEEDS_VAD, .line_flags = LINE, .has_gate = true};

/* A letter is 50 ms of sound: the first sentence is heard for 1.5 s, the second for 2.4 s. */
static const char greeting[] = "This is the machine of a shop. I have a question about your "
                               "order of yesterday.";

static struct rig *talk(const struct rig_settings *settings, const struct fake_speech *speeches,
                        size_t count, const char *hears)
{
    struct rig *rig = rig_create(settings);
    rig->agent.greeting = greeting;
    if (hears) {
        rig_hears(rig, hears);
    }
    rig_says(rig, "All right.");
    rig_begin(rig, speeches, count);
    return rig;
}

static void test_who_is_called_hears_the_first_sentence_whatever_he_says(void **state)
{
    (void)state;
    const struct fake_speech speech = {300 * MS, 1500 * MS};
    struct rig *rig = talk(&outbound, &speech, 1, "what do you want from me");
    rig_run(rig, 1900);
    assert_int_equal(rig->line->clears, 0);
    assert_int_equal(rig->vendor->requests, 0);
    rig_run(rig, 200);
    assert_true(rig_has_event(rig, "disclosed"));
    rig_destroy(rig);
}

static void test_the_second_sentence_may_be_interrupted(void **state)
{
    (void)state;
    const struct fake_speech speech = {2500 * MS, 3800 * MS};
    struct rig *rig = talk(&outbound, &speech, 1, "I have no time");
    rig_run(rig, 6000);
    assert_true(rig->line->clears > 0);
    const char *heard = rig_text(rig, "messages", 0, "heard");
    assert_memory_equal(heard, greeting, strlen("This is the machine of a shop."));
    assert_true(strlen(heard) < strlen(greeting));
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "I have no time");
    rig_destroy(rig);
}

static void test_a_hello_at_the_beginning_needs_no_answer(void **state)
{
    (void)state;
    const struct fake_speech speech = {100 * MS, 800 * MS};
    struct rig *rig = talk(&outbound, &speech, 1, "Hello?");
    rig_run(rig, 6000);
    assert_int_equal(rig->line->clears, 0);
    assert_int_equal(rig->vendor->requests, 0);
    assert_string_equal(rig_text(rig, "messages", 0, "heard"), greeting);
    rig_destroy(rig);
}

static void test_who_calls_us_may_interrupt_at_once(void **state)
{
    (void)state;
    const struct fake_speech speech = {300 * MS, 1500 * MS};
    struct rig *rig = talk(&inbound, &speech, 1, "a person please");
    rig_run(rig, 1500);
    assert_true(rig->line->clears > 0);
    assert_false(rig_has_event(rig, "disclosed"));
    rig_destroy(rig);
}

static void assert_left_alone(struct rig *rig, const char *number)
{
    char wanted[64];
    rig_run(rig, 12000);
    assert_true(rig->line->hung_up);
    assert_true(rig->has_ended);
    assert_int_equal(rig->vendor->requests, 0);
    assert_true(rig_has_event(rig, "opt_out"));
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "opt_out");
    assert_non_null(strstr(rig->vendor->spoken, "You will not be called again."));
    assert_int_equal(rig_count(rig, "do_not_call"), 1);
    assert_string_equal(rig_text(rig, "do_not_call", 0, "number"), number);
    assert_string_equal(rig_text(rig, "do_not_call", 0, "source"), "caller");
    assert_int_equal(rig_count(rig, "audit"), 1);
    assert_string_equal(rig_text(rig, "audit", 0, "reason"), "opt_out");
    (void)snprintf(wanted, sizeof(wanted), "\"number\":\"%s\"", number);
    assert_non_null(strstr(rig->changes.data, "do_not_call.add "));
    assert_non_null(strstr(rig->changes.data, wanted));
}

static void test_who_wants_no_more_calls_is_written_down_and_left_alone(void **state)
{
    (void)state;
    static const char *const wishes[] = {"Please stop calling me.", "मुझे फ़ोन मत करना",
                                         "do not call this number again"};
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        const struct fake_speech speech = {5500 * MS, 7000 * MS};
        struct rig *rig = talk(&outbound, &speech, 1, wishes[i]);
        assert_left_alone(rig, "+15550122");
        assert_string_equal(rig_text(rig, "messages", 1, "content"), wishes[i]);
        rig_destroy(rig);
    }
}

static void test_a_wish_during_the_first_sentence_is_heard_as_well(void **state)
{
    (void)state;
    const struct fake_speech speech = {300 * MS, 1500 * MS};
    struct rig *rig = talk(&outbound, &speech, 1, "Stop calling me!");
    assert_left_alone(rig, "+15550122");
    rig_destroy(rig);
}

static void test_who_calls_us_is_known_by_the_number_he_calls_from(void **state)
{
    (void)state;
    const struct fake_speech speech = {5500 * MS, 7000 * MS};
    struct rig *rig = talk(&inbound, &speech, 1, "take me off your list");
    assert_left_alone(rig, "+15550111");
    rig_destroy(rig);
}

static void test_a_wish_is_obeyed_even_when_the_recogniser_is_not_sure(void **state)
{
    (void)state;
    const struct fake_speech speech = {5500 * MS, 7000 * MS};
    struct rig_settings settings = outbound;
    settings.stt_flags |= AIC_STT_CONFIDENCE;
    struct rig *rig = talk(&settings, &speech, 1, "stop calling me");
    rig->vendor->confidence = 0.1F;
    assert_left_alone(rig, "+15550122");
    rig_destroy(rig);
}

static void test_other_words_go_to_the_model(void **state)
{
    (void)state;
    const struct fake_speech speech = {5500 * MS, 7000 * MS};
    struct rig *rig = talk(&outbound, &speech, 1, "please do not call before nine");
    rig_run(rig, 12000);
    assert_false(rig->line->hung_up);
    assert_int_equal(rig->vendor->requests, 1);
    assert_int_equal(rig_count(rig, "do_not_call"), 0);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_called_hears_the_first_sentence_whatever_he_says),
        cmocka_unit_test(test_the_second_sentence_may_be_interrupted),
        cmocka_unit_test(test_a_hello_at_the_beginning_needs_no_answer),
        cmocka_unit_test(test_who_calls_us_may_interrupt_at_once),
        cmocka_unit_test(test_who_wants_no_more_calls_is_written_down_and_left_alone),
        cmocka_unit_test(test_a_wish_during_the_first_sentence_is_heard_as_well),
        cmocka_unit_test(test_who_calls_us_is_known_by_the_number_he_calls_from),
        cmocka_unit_test(test_a_wish_is_obeyed_even_when_the_recogniser_is_not_sure),
        cmocka_unit_test(test_other_words_go_to_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
