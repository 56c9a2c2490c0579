/* SPDX-License-Identifier: ISC */
#include "call_rig.h"

#include "base/counters.h"
#include "base/timefmt.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static const struct rig_settings quiet_line = {.stt_flags = AIC_STT_NEEDS_VAD,
                                               .line_flags = AIC_TEL_NO_ECHO};
static const struct rig_settings carrier = {.stt_flags = AIC_STT_NEEDS_VAD,
                                            .line_flags = AIC_TEL_NO_ECHO | AIC_TEL_REMOTE_BUFFER |
                                                          AIC_TEL_MARKS | AIC_TEL_CLEAR};

/* The greeting has 22 letters and a space: it is heard for about 1.2 s. */

static void test_a_turn_is_answered_half_a_second_after_its_last_word(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "I need an appointment");
    rig_says(rig, "Sure. Which day?");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 8000);
    assert_string_equal(rig->vendor->spoken, "Hello, how can I help?\nSure.\nWhich day?\n");
    /* 500 ms of silence, 50 for the words, 100 to the first token, 20 to the next, 60 to the
     * sound; frames are 20 ms long. */
    int64_t begins_us = fake_line_agent_starts(rig->line, 4000 * MS);
    assert_in_range(begins_us, 4700 * MS, 4780 * MS);
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "I need an appointment");
    assert_string_equal(rig_text(rig, "messages", 2, "content"), "Sure. Which day?");
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Sure. Which day?");
    assert_in_range(rig_int(rig, "turns", 0, "endpointing_ms"), 540, 580);
    assert_in_range(rig_int(rig, "turns", 0, "llm_ms"), 99, 101);
    assert_in_range(rig_int(rig, "turns", 0, "response_ms"), 700, 760);
    rig_destroy(rig);
}

/* A time in a message's detail, in ms of the wall clock. */
static int64_t sound_ms(const struct rig *rig, size_t message, const char *key)
{
    struct aic_json *root = aic_json_parse(aic_str(rig_fact(rig, "messages", message)), 0);
    int64_t wall_us = -1;
    bool is_good = time_parse(aic_json_get_text(aic_json_get(root, "detail"), key), &wall_us);
    aic_json_free(root);
    return is_good ? wall_us / 1000 : -1;
}

static void test_the_record_tells_when_each_was_heard(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "I need an appointment");
    rig_says(rig, "Sure. Which day?");
    rig_begin(rig, &speech, 1);
    int64_t start_ms = sched_wall(vsched_sched(rig->v)) / 1000;
    rig_run(rig, 8000);
    assert_in_range(sound_ms(rig, 0, "began_at") - start_ms, 0, 400);
    assert_in_range(sound_ms(rig, 0, "ended_at") - sound_ms(rig, 0, "began_at"), 1000, 1400);
    assert_in_range(sound_ms(rig, 1, "began_at") - start_ms, 2960, 3060);
    assert_in_range(sound_ms(rig, 1, "ended_at") - start_ms, 3980, 4040);
    assert_in_range(sound_ms(rig, 2, "began_at") - start_ms, 4700, 4780);
    assert_true(sound_ms(rig, 2, "ended_at") > sound_ms(rig, 2, "began_at"));
    rig_destroy(rig);
}

static void test_the_model_is_sent_what_was_said(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "good morning");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 6000);
    assert_string_equal(rig->vendor->messages,
                        "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                        "{\"role\":\"assistant\",\"content\":\"Hello, how can I help?\"},"
                        "{\"role\":\"user\",\"content\":\"good morning\"}]");
    rig_destroy(rig);
}

static void interrupt(const struct rig_settings *settings, int64_t voice_ms, const char *words,
                      struct rig **made)
{
    static struct fake_speech speeches[2];
    speeches[0] = (struct fake_speech){3000 * MS, 4000 * MS};
    speeches[1] = (struct fake_speech){6000 * MS, (6000 + voice_ms) * MS};
    struct rig *rig = rig_create(settings);
    rig_hears(rig, "tell me everything");
    rig_hears(rig, words);
    rig_says(rig, "There are very many things that one could say about it, and I shall say them.");
    rig_says(rig, "All right.");
    rig_begin(rig, speeches, 2);
    rig_run(rig, 12000);
    *made = rig;
}

static void test_an_interruption_stops_the_agent_and_the_record_holds_what_was_heard(void **state)
{
    (void)state;
    const struct rig_settings *lines[] = {&quiet_line, &carrier};
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = NULL;
        interrupt(lines[i], 1000, "stop please", &rig);
        /* The first sign of voice takes 80 to 120 ms; from then on the agent is silent. */
        int64_t stops_us = fake_line_agent_stops(rig->line, 4500 * MS);
        assert_in_range(stops_us, 6060 * MS, 6160 * MS);
        const char *heard = rig_text(rig, "messages", 2, "heard");
        assert_true(strlen(heard) > 10 && strlen(heard) < 40);
        assert_memory_equal("There are very many things that one could say about it,", heard,
                            strlen(heard));
        assert_string_equal(rig_text(rig, "messages", 3, "content"), "stop please");
        assert_string_equal(rig_text(rig, "messages", 4, "heard"), "All right.");
        assert_non_null(strstr(rig->vendor->messages, "\"content\":\"There are very many"));
        assert_null(strstr(rig->vendor->messages, "I shall say them"));
        rig_destroy(rig);
    }
}

static void test_words_that_interrupt_do_not_count_for_the_turn_they_end(void **state)
{
    (void)state;
    const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {6000 * MS, 7000 * MS}};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "tell me everything");
    rig_hears(rig, "stop please");
    rig_says(rig, "There are very many things that one could say about it, and I shall say them.");
    rig_says(rig, "All right.");
    rig_begin(rig, speeches, 2);
    rig_run(rig, 6300);
    fake_hear(rig->vendor, AIC_STT_EVENT_TRANSCRIPT, AIC_STT_PARTIAL, "stop");
    rig_run(rig, 5700);
    assert_non_null(strstr(rig_fact(rig, "turns", 0), "\"interrupted\":true"));
    assert_in_range(rig_int(rig, "turns", 0, "stt_ms"), 540, 580);
    assert_true(rig_int(rig, "turns", 0, "response_ms") > rig_int(rig, "turns", 0, "stt_ms"));
    rig_destroy(rig);
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void test_the_last_word_on_a_turn_is_told_once(void **state)
{
    (void)state;
    const struct rig_settings page = {.stt_flags = AIC_STT_NEEDS_VAD,
                                      .line_flags = AIC_TEL_NO_ECHO | AIC_TEL_NOTIFY};
    struct rig *rig = NULL;
    interrupt(&page, 1000, "stop please", &rig);
    const char *notes = rig->line->notes;
    assert_int_equal(count_of(notes, "\"final\":true"), 2);
    assert_non_null(strstr(notes, "{\"type\":\"transcript\",\"turn\":1,\"text\":"
                                  "\"tell me everything\",\"role\":\"user\",\"final\":true}"));
    assert_non_null(strstr(notes, "{\"type\":\"transcript\",\"turn\":2,\"text\":"
                                  "\"stop please\",\"role\":\"user\",\"final\":true}"));
    rig_destroy(rig);
}

static void test_marks_that_never_come_back_are_an_event_of_the_call(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&carrier);
    static _Atomic uint64_t cells[METRICS_CELLS];
    static struct metrics_name names[METRICS_PROVIDERS];
    metrics_use(cells, names);
    rig_begin(rig, NULL, 0);
    for (int i = 0; i < 300; i++) {
        rig_run(rig, 20);
        rig->line->mark_count = 0;
    }
    call_end(rig->call, "hung_up", false);
    rig_run(rig, 6000);
    assert_true(rig_has_event(rig, "sound_lost"));
    assert_true(cells[METRICS_LOSSES + COUNTER_LOST_MARKS] > 0);
    metrics_use(NULL, NULL);
    rig_destroy(rig);
}

static void test_a_call_without_losses_has_no_such_event(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&carrier);
    rig_begin(rig, NULL, 0);
    rig_run(rig, 6000);
    call_end(rig->call, "hung_up", false);
    rig_run(rig, 6000);
    assert_true(rig->has_ended);
    assert_false(rig_has_event(rig, "sound_lost"));
    rig_destroy(rig);
}

static void test_a_sign_of_listening_only_pauses_the_agent(void **state)
{
    (void)state;
    const struct rig_settings *lines[] = {&quiet_line, &carrier};
    for (size_t i = 0; i < 2; i++) {
        struct rig *rig = NULL;
        interrupt(lines[i], 300, "mhm", &rig);
        const char *heard = rig_text(rig, "messages", 2, "heard");
        assert_string_equal(heard, "There are very many things that one could say about it, and I "
                                   "shall say them.");
        assert_int_equal(rig_count(rig, "messages"), 3);
        /* It goes on from the same sample: nothing is lost, nothing said twice. */
        size_t letters = strlen("Hello, how can I help? ") +
                         strlen("There are very many things that one could say about it, ") +
                         strlen("and I shall say them. ");
        size_t frames = 0;
        for (size_t f = 0; f < sizeof(rig->line->heard); f++) {
            frames += rig->line->heard[f];
        }
        assert_in_range(frames * 20, letters * 50 - 60, letters * 50 + 160);
        rig_destroy(rig);
    }
}

static void test_words_spoken_before_the_answer_is_heard_belong_to_the_question(void **state)
{
    (void)state;
    const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {4600 * MS, 5600 * MS}};
    struct rig *rig = rig_create(&quiet_line);
    rig->vendor->llm_delay_us = 1000 * MS;
    rig_hears(rig, "I would like");
    rig_hears(rig, "a new appointment");
    rig_says(rig, "What would you like?");
    rig_says(rig, "Certainly.");
    rig_begin(rig, speeches, 2);
    rig_run(rig, 10000);
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "I would like a new appointment");
    assert_int_equal(rig->vendor->cancels, 1);
    assert_null(strstr(rig->vendor->spoken, "What would you like?"));
    assert_non_null(strstr(rig->vendor->spoken, "Certainly."));
    rig_destroy(rig);
}

static void test_silence_is_asked_about_and_then_ends_the_call(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&quiet_line);
    rig_begin(rig, NULL, 0);
    rig_run(rig, 40000);
    assert_string_equal(rig->vendor->spoken,
                        "Hello, how can I help?\nAre you there?\nHello?\nGoodbye.\n");
    assert_true(rig->line->hung_up);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "silence");
    assert_string_equal(rig_text(rig, "calls", 0, "status"), "completed");
    rig_destroy(rig);
}

static void test_a_goodbye_is_answered_before_the_line_is_closed(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&carrier);
    rig_hears(rig, "thank you, bye bye");
    rig_says(rig, "You are welcome, goodbye!");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 10000);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "You are welcome, goodbye!");
    int64_t stops_us = fake_line_agent_stops(rig->line, 4500 * MS);
    int64_t starts_us = fake_line_agent_starts(rig->line, 4500 * MS);
    assert_in_range(stops_us - starts_us, 1250 * MS, 1400 * MS);
    rig_destroy(rig);
}

static void test_the_model_may_end_the_call_itself(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "nothing else");
    rig->vendor->replies[0] = (struct fake_text){
        .text = "Have a nice day.", .tool = "end_call", .arguments = "{\"reason\":\"done\"}"};
    rig->vendor->reply_count = 1;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 10000);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "messages", 2, "role"), "tool");
    assert_string_equal(rig_text(rig, "messages", 3, "heard"), "Have a nice day.");
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "done");
    assert_int_equal(rig->vendor->requests, 1);
    rig_destroy(rig);
}

static void test_an_unknown_tool_is_told_to_the_model(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "what is the weather");
    rig->vendor->replies[0] =
        (struct fake_text){.text = "Let me look.", .tool = "weather", .arguments = "{}"};
    rig->vendor->replies[1] = (struct fake_text){.text = "I do not know."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 10000);
    assert_int_equal(rig->vendor->requests, 2);
    assert_non_null(strstr(rig->vendor->messages, "there is no such tool"));
    assert_non_null(strstr(rig->vendor->messages, "\"tool_call_id\":\"call_1\""));
    assert_non_null(strstr(rig->vendor->spoken, "Let me look.\nI do not know.\n"));
    rig_destroy(rig);
}

static void test_words_of_low_confidence_are_asked_for_again(void **state)
{
    (void)state;
    const struct fake_speech speech = {3000 * MS, 4000 * MS};
    const struct rig_settings settings = {.stt_flags = AIC_STT_NEEDS_VAD | AIC_STT_CONFIDENCE,
                                          .line_flags = AIC_TEL_NO_ECHO};
    struct rig *rig = rig_create(&settings);
    rig->vendor->confidence = 0.2f;
    rig_hears(rig, "mumble");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 7000);
    assert_int_equal(rig->vendor->requests, 0);
    assert_non_null(strstr(rig->vendor->spoken, "Pardon?"));
    assert_true(rig_has_event(rig, "low_confidence"));
    rig_destroy(rig);
}

static void test_the_caller_hangs_up(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&quiet_line);
    rig_begin(rig, NULL, 0);
    rig_run(rig, 700);
    fake_line_hang_up(rig->line, AIC_LEG_END_CALLER);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "caller_hung_up");
    const char *heard = rig_text(rig, "messages", 0, "heard");
    assert_true(strlen(heard) > 0 && strlen(heard) < strlen("Hello, how can I help?"));
    rig_destroy(rig);
}

static void test_a_call_has_an_end(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&quiet_line);
    rig->agent.max_duration_us = 5000 * MS;
    rig_begin(rig, NULL, 0);
    rig_run(rig, 8000);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "max_duration");
    assert_non_null(strstr(rig->vendor->spoken, "Goodbye."));
    rig_destroy(rig);
}

static void test_a_line_without_sound_is_dead(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&quiet_line);
    rig_begin(rig, NULL, 0);
    rig_run(rig, 2000);
    rig->line->is_mute = true;
    rig_run(rig, 30000);
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "media_lost");
    rig_destroy(rig);
}

static void test_keys_silence_the_agent_and_are_the_callers_turn(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&carrier);
    rig_says(rig, "Thank you.");
    rig_begin(rig, NULL, 0);
    rig_run(rig, 500);
    fake_line_press(rig->line, "1");
    /* In the middle of the greeting, which ends here. */
    assert_int_equal(rig->line->clears, 1);
    rig_run(rig, 1900);
    fake_line_press(rig->line, "2x");
    rig_run(rig, 1900);
    assert_int_equal(rig_count(rig, "messages"), 1);
    rig_run(rig, 200);
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "DTMF: 12");
    rig_run(rig, 3000);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Thank you.");
    /* A hash ends an entry at once, and is one by itself. */
    fake_line_press(rig->line, "987#");
    assert_string_equal(rig_text(rig, "messages", 3, "content"), "DTMF: 987");
    rig_run(rig, 3000);
    fake_line_press(rig->line, "#");
    assert_string_equal(rig_text(rig, "messages", 5, "content"), "DTMF: #");
    /* The digits are in the transcript and nowhere else. */
    assert_true(rig_has_event(rig, "dtmf"));
    for (size_t i = 0; i < rig_count(rig, "events"); i++) {
        assert_null(strstr(rig_fact(rig, "events", i), "987"));
    }
    rig_destroy(rig);
}

static void test_keys_before_the_answer_is_heard_belong_to_the_question(void **state)
{
    (void)state;
    static const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&quiet_line);
    rig_hears(rig, "my balance please");
    rig_says(rig, "Which account?");
    rig_says(rig, "Ten pounds.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 4600);
    fake_line_press(rig->line, "5#");
    rig_run(rig, 6000);
    assert_string_equal(rig_text(rig, "messages", 1, "content"), "my balance please DTMF: 5");
    assert_int_equal(rig_count(rig, "messages"), 3);
    assert_string_equal(rig_text(rig, "messages", 2, "heard"), "Ten pounds.");
    rig_destroy(rig);
}

static void test_keys_without_end_are_bounded(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&carrier);
    rig_begin(rig, NULL, 0);
    rig_run(rig, 500);
    for (int i = 0; i < 40; i++) {
        fake_line_press(rig->line, "5");
    }
    assert_int_equal(strlen(rig_text(rig, "messages", 1, "content")), strlen("DTMF: ") + 32);
    rig_destroy(rig);
}

static void test_a_recording_is_told_of_when_it_begins_and_when_it_ends(void **state)
{
    (void)state;
    char folder[] = "/tmp/aicaller-call-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct rig_settings settings = quiet_line;
    settings.recordings_dir = folder;
    struct rig *rig = rig_create(&settings);
    rig->agent.record = true;
    rig_begin(rig, NULL, 0);
    rig_run(rig, 1000);
    assert_string_equal(rig_text(rig, "recordings", 0, "format"), "wav");
    assert_int_equal(rig_int(rig, "recordings", 0, "bytes"), -1);
    fake_line_hang_up(rig->line, AIC_LEG_END_CALLER);
    rig_run(rig, 1000);
    int64_t bytes = rig_int(rig, "recordings", 0, "bytes");
    assert_true(bytes > 0);
    const char *path = rig_text(rig, "recordings", 0, "path");
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_true(file.st_size > bytes);
    (void)unlink(path);
    (void)rmdir(folder);
    rig_destroy(rig);
}

static void test_typed_words_are_answered_in_text(void **state)
{
    (void)state;
    const struct rig_settings settings = {.is_text = true};
    struct rig *rig = rig_create(&settings);
    rig_says(rig, "Good morning. How can I help?");
    call_start_text(rig->call, false);
    assert_int_equal(call_type(rig->call, AIC_STR("hello")), AIC_OK);
    assert_int_equal(call_type(rig->call, AIC_STR("again")), AIC_ERROR_BUSY);
    rig_run(rig, 3000);
    assert_string_equal(rig->last_reply, "Good morning. How can I help?");
    assert_string_equal(rig->vendor->spoken, "");
    call_end(rig->call, "test", false);
    rig_run(rig, 10);
    assert_true(rig->has_ended);
    rig_destroy(rig);
}

static void test_a_call_may_be_destroyed_at_any_moment(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 9000; ms += 37) {
        struct rig *rig = rig_create(&carrier);
        const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {6000 * MS, 7000 * MS}};
        rig_hears(rig, "tell me");
        rig_hears(rig, "stop");
        rig_says(rig, "There is a lot to tell about that, and I begin with the first thing.");
        rig_begin(rig, speeches, 2);
        rig_run(rig, ms);
        rig_destroy(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_turn_is_answered_half_a_second_after_its_last_word),
        cmocka_unit_test(test_the_record_tells_when_each_was_heard),
        cmocka_unit_test(test_the_model_is_sent_what_was_said),
        cmocka_unit_test(test_an_interruption_stops_the_agent_and_the_record_holds_what_was_heard),
        cmocka_unit_test(test_words_that_interrupt_do_not_count_for_the_turn_they_end),
        cmocka_unit_test(test_the_last_word_on_a_turn_is_told_once),
        cmocka_unit_test(test_marks_that_never_come_back_are_an_event_of_the_call),
        cmocka_unit_test(test_a_call_without_losses_has_no_such_event),
        cmocka_unit_test(test_a_sign_of_listening_only_pauses_the_agent),
        cmocka_unit_test(test_words_spoken_before_the_answer_is_heard_belong_to_the_question),
        cmocka_unit_test(test_silence_is_asked_about_and_then_ends_the_call),
        cmocka_unit_test(test_a_goodbye_is_answered_before_the_line_is_closed),
        cmocka_unit_test(test_the_model_may_end_the_call_itself),
        cmocka_unit_test(test_an_unknown_tool_is_told_to_the_model),
        cmocka_unit_test(test_words_of_low_confidence_are_asked_for_again),
        cmocka_unit_test(test_the_caller_hangs_up),
        cmocka_unit_test(test_a_call_has_an_end),
        cmocka_unit_test(test_a_line_without_sound_is_dead),
        cmocka_unit_test(test_keys_silence_the_agent_and_are_the_callers_turn),
        cmocka_unit_test(test_keys_before_the_answer_is_heard_belong_to_the_question),
        cmocka_unit_test(test_keys_without_end_are_bounded),
        cmocka_unit_test(test_a_recording_is_told_of_when_it_begins_and_when_it_ends),
        cmocka_unit_test(test_typed_words_are_answered_in_text),
        cmocka_unit_test(test_a_call_may_be_destroyed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
