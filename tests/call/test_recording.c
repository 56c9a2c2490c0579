/* SPDX-License-Identifier: ISC */
/* Which calls are recorded, from when on, and what the records say of it. */
#include "call_rig.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static char folder[] = "/tmp/aicaller-recording-XXXXXX";
static const struct fake_speech speech = {3000 * MS, 4000 * MS};

static struct rig *talk(enum consent consent, const char *hears, int64_t ms)
{
    const struct rig_settings settings = {.stt_flags = AIC_STT_NEEDS_VAD,
                                          .line_flags = AIC_TEL_NO_ECHO,
                                          .is_outbound = true,
                                          .recordings_dir = folder};
    struct rig *rig = rig_create(&settings);
    rig->agent.record = true;
    rig->agent.recording.consent = consent;
    rig_hears(rig, hears);
    rig_says(rig, "All right.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, ms);
    return rig;
}

static void test_without_a_question_the_whole_call_is_recorded(void **state)
{
    (void)state;
    struct rig *rig = talk(CONSENT_NONE, "hello", 1000);
    assert_int_equal(rig_count(rig, "recordings"), 1);
    assert_null(strstr(rig_fact(rig, "recordings", 0), "consent"));
    rig_destroy(rig);
    rig = talk(CONSENT_ANNOUNCE, "hello", 1000);
    assert_non_null(strstr(rig_fact(rig, "recordings", 0), "\"consent\":true"));
    rig_destroy(rig);
}

static void check_yes(const char *words)
{
    struct rig *rig = talk(CONSENT_ASK, words, 2500);
    assert_int_equal(rig_count(rig, "recordings"), 0);
    rig_run(rig, 4000);
    assert_int_equal(rig_count(rig, "recordings"), 1);
    assert_true(rig_has_event(rig, "recording_agreed"));
    assert_int_equal(rig_count(rig, "consents"), 1);
    assert_string_equal(rig_text(rig, "consents", 0, "scope"), "recording");
    assert_non_null(strstr(rig_fact(rig, "recordings", 0), "\"consent\":true"));
    rig_destroy(rig);
}

static void test_who_says_yes_is_recorded_from_then_on(void **state)
{
    (void)state;
    check_yes("Yes, please.");
    check_yes("okay");
    check_yes("हाँ जी");
}

static void check_no(const char *words)
{
    struct rig *rig = talk(CONSENT_ASK, words, 6500);
    assert_int_equal(rig_count(rig, "recordings"), 0);
    assert_int_equal(rig_count(rig, "consents"), 0);
    assert_true(rig_has_event(rig, "recording_declined"));
    assert_int_equal(rig_count(rig, "messages"), 3);
    rig_destroy(rig);
}

static void test_who_says_anything_else_is_not_recorded(void **state)
{
    (void)state;
    check_no("No, thank you.");
    check_no("yes I do not want that");
    check_no("I would like an appointment");
}

static void test_the_model_may_pause_what_is_recorded(void **state)
{
    (void)state;
    const struct rig_settings settings = {
        .stt_flags = AIC_STT_NEEDS_VAD, .line_flags = AIC_TEL_NO_ECHO, .recordings_dir = folder};
    struct rig *rig = rig_create(&settings);
    rig->agent.record = true;
    rig_hears(rig, "I want to pay");
    rig->vendor->replies[0] = (struct fake_text){.tool = "pause_recording", .arguments = "{}"};
    rig->vendor->replies[1] = (struct fake_text){.text = "Your card number, please."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 8000);
    assert_true(rig_has_event(rig, "recording_paused"));
    assert_false(rig_has_event(rig, "recording_resumed"));
    assert_int_equal(call_pause_recording(rig->call, true, "test"), AIC_OK);
    assert_int_equal(call_pause_recording(rig->call, false, "test"), AIC_OK);
    rig_run(rig, 100);
    assert_true(rig_has_event(rig, "recording_resumed"));
    rig_destroy(rig);
}

static void test_what_is_not_recorded_can_not_be_paused(void **state)
{
    (void)state;
    struct rig *rig = talk(CONSENT_ASK, "no", 1000);
    assert_int_equal(call_pause_recording(rig->call, true, "test"), AIC_ERROR_CONFLICT);
    rig_destroy(rig);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_question_the_whole_call_is_recorded),
        cmocka_unit_test(test_who_says_yes_is_recorded_from_then_on),
        cmocka_unit_test(test_who_says_anything_else_is_not_recorded),
        cmocka_unit_test(test_the_model_may_pause_what_is_recorded),
        cmocka_unit_test(test_what_is_not_recorded_can_not_be_paused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
