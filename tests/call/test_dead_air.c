/* SPDX-License-Identifier: ISC */
/* Whatever is slow or broken, a caller hears something. */
#include "call/clips.h"
#include "call_rig.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static const struct rig_settings alone = {.stt_flags = AIC_STT_NEEDS_VAD,
                                          .line_flags = AIC_TEL_NO_ECHO | AIC_TEL_NOTIFY};
static const struct rig_settings with_spare = {.stt_flags = AIC_STT_NEEDS_VAD,
                                               .line_flags = AIC_TEL_NO_ECHO | AIC_TEL_NOTIFY,
                                               .with_spare = true};
static const struct fake_speech speech = {3000 * MS, 4000 * MS};

static void test_a_slow_model_is_covered_by_a_filler(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    rig->agent.filler_after_us = 1500 * MS;
    rig->vendor->llm_delay_us = 3500 * MS;
    rig_hears(rig, "what is my balance");
    rig_says(rig, "It is ten pounds.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 14000);
    assert_string_equal(rig->vendor->spoken,
                        "Hello, how can I help?\nOne moment, please.\nIt is ten pounds.\n");
    /* 550 ms until the turn has ended, then the patience, then the voice. */
    assert_in_range(fake_line_agent_starts(rig->line, 4000 * MS), 6050 * MS, 6200 * MS);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"),
                        "One moment, please. It is ten pounds.");
    assert_non_null(strstr(rig_fact(rig, "turns", 0), "\"fillers\":1"));
    rig_destroy(rig);
}

static void test_a_model_that_takes_very_long_gets_two_fillers_and_no_more(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    rig->agent.filler_after_us = 1500 * MS;
    rig->vendor->llm_delay_us = 60000 * MS;
    rig_hears(rig, "hello");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 16000);
    assert_string_equal(rig->vendor->spoken,
                        "Hello, how can I help?\nOne moment, please.\nJust a second.\n");
    rig_destroy(rig);
}

static void test_a_quick_answer_has_no_filler(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    rig->agent.filler_after_us = 1500 * MS;
    rig->vendor->tts_delay_us = 2000 * MS; /* the words are there, the voice is slow */
    rig_hears(rig, "hello");
    rig_says(rig, "Good day.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    assert_string_equal(rig->vendor->spoken, "Hello, how can I help?\nGood day.\n");
    rig_destroy(rig);
}

static void test_a_filler_can_be_interrupted(void **state)
{
    (void)state;
    const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {6300 * MS, 7300 * MS}};
    struct rig *rig = rig_create(&alone);
    rig->agent.filler_after_us = 1500 * MS;
    rig->vendor->llm_delay_us = 3500 * MS;
    rig_hears(rig, "what is my balance");
    rig_hears(rig, "never mind");
    rig_says(rig, "It is ten pounds.");
    rig_says(rig, "All right.");
    rig_begin(rig, speeches, 2);
    rig_run(rig, 16000);
    assert_string_equal(rig_text(rig, "messages", 3, "content"), "never mind");
    assert_null(strstr(rig->vendor->spoken, "ten pounds"));
    assert_non_null(strstr(rig->vendor->spoken, "All right."));
    rig_destroy(rig);
}

/* Clips. */

static struct clips *prepare(struct rig *rig, const char *folder, bool renders)
{
    static struct agent *list[1];
    list[0] = &rig->agent;
    const struct agents agents = {list, 1};
    const struct clips_settings settings = {
        .sched = vsched_sched(rig->v), .folder = folder, .renders = renders};
    struct clips *clips = clips_create(&settings);
    clips_prepare(clips, &agents);
    clips_begin(clips);
    return clips;
}

static void remove_all(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

static size_t ready(const struct clips *clips)
{
    size_t all = 0;
    size_t count = 0;
    clips_count(clips, &all, &count);
    return count;
}

/* A call of the rig's agent that has clips; its line is made here, too. */
static struct call *begin_with(struct rig *rig, struct clips *clips, struct fake_line **line)
{
    struct call_env env = rig->call_env;
    env.clips = clips;
    const struct call_params params = {
        .agent = &rig->agent, .direction = AIC_DIRECTION_INBOUND, .provider = "main"};
    struct call *call = call_create(&env, &params, &(struct call_hooks){.data = NULL});
    *line = fake_line_open(rig->vendor, call, NULL, 0);
    return call;
}

static void test_with_every_voice_down_the_greeting_and_the_apology_are_heard(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&with_spare);
    struct clips *clips = prepare(rig, "", true);
    rig_run(rig, 60000);
    size_t all = 0;
    size_t count = 0;
    clips_count(clips, &all, &count);
    assert_true(all > 6);
    assert_int_equal(count, all);
    for (size_t i = 0; i < FAKE_TEXTS; i++) {
        rig->vendor->voice_trouble[i].failure = AIC_CATEGORY_QUOTA;
        rig->reserve->voice_trouble[i].failure = AIC_CATEGORY_QUOTA;
    }
    rig->vendor->replies[0] = (struct fake_text){.text = "This can not be said."};
    rig->vendor->reply_count = 1;
    struct fake_line *line = NULL;
    struct call *call = begin_with(rig, clips, &line);
    rig_run(rig, 100);
    /* At once: no voice was asked. */
    assert_in_range(fake_line_agent_starts(line, 0), 0, 40 * MS);
    rig_run(rig, 2900);
    assert_int_equal(call_type(call, AIC_STR("hello")), AIC_OK);
    rig_run(rig, 1000);
    assert_in_range(fake_line_agent_starts(line, 3000 * MS), 3000 * MS, 3600 * MS);
    rig_run(rig, 4000);
    assert_true(line->hung_up);
    assert_true(call_has_ended(call));
    assert_non_null(strstr(line->notes, "Sorry, something is broken. Goodbye."));
    call_destroy(call);
    free(line);
    clips_destroy(clips);
    rig_destroy(rig);
}

static void test_what_was_said_from_a_clip_is_known_to_the_word(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&alone);
    struct clips *clips = prepare(rig, "", true);
    rig_run(rig, 60000);
    struct fake_line *line = NULL;
    struct call *call = begin_with(rig, clips, &line);
    rig_run(rig, 700);
    fake_line_press(line, "1#");
    assert_non_null(strstr(line->notes, "\"text\":\"Hello, how\""));
    call_destroy(call);
    free(line);
    clips_destroy(clips);
    rig_destroy(rig);
}

static void test_clips_are_spoken_once_and_kept_in_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/aicaller-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct rig *rig = rig_create(&alone);
    struct clips *clips = prepare(rig, folder, true);
    rig_run(rig, 60000);
    size_t count = ready(clips);
    assert_true(count > 6);
    clips_destroy(clips);
    rig_run(rig, 10);
    char *spoken = strdup(rig->vendor->spoken);
    /* The next process has them at once, also one that does not render. */
    clips = prepare(rig, folder, false);
    assert_int_equal(ready(clips), count);
    clips_destroy(clips);
    clips = prepare(rig, folder, true);
    rig_run(rig, 60000);
    assert_string_equal(rig->vendor->spoken, spoken);
    clips_destroy(clips);
    /* Another voice makes other files. */
    rig->agent.voice = "deep";
    clips = prepare(rig, folder, false);
    assert_int_equal(ready(clips), 0);
    clips_destroy(clips);
    free(spoken);
    rig_destroy(rig);
    remove_all(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slow_model_is_covered_by_a_filler),
        cmocka_unit_test(test_a_model_that_takes_very_long_gets_two_fillers_and_no_more),
        cmocka_unit_test(test_a_quick_answer_has_no_filler),
        cmocka_unit_test(test_a_filler_can_be_interrupted),
        cmocka_unit_test(test_with_every_voice_down_the_greeting_and_the_apology_are_heard),
        cmocka_unit_test(test_what_was_said_from_a_clip_is_known_to_the_word),
        cmocka_unit_test(test_clips_are_spoken_once_and_kept_in_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
