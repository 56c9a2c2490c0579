/* SPDX-License-Identifier: ISC */
#include "call/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000, FRAME = VAD_FRAME_US };

/* A caller whose voice the test switches on and off; the detector itself has its own test. */
struct scene {
    struct turn turn;
    struct vad vad;
    int64_t now_us;
};

static void begin(struct scene *s, uint32_t stt_flags)
{
    const struct turn_settings settings = {.endpointing_min_us = 500 * MS,
                                           .endpointing_max_us = 3000 * MS,
                                           .interrupt_min_us = 500 * MS,
                                           .resume_after_us = 1500 * MS,
                                           .early_answer = true,
                                           .stt_flags = stt_flags};
    *s = (struct scene){.now_us = 10000 * MS};
    turn_init(&s->turn, &settings);
    s->vad.last_voiced_us = s->now_us;
}

static void end(struct scene *s)
{
    turn_finish(&s->turn);
}

/* Frames of voice or silence for so long; all actions asked for meanwhile. */
static uint32_t pass(struct scene *s, bool is_voice, int64_t us)
{
    uint32_t actions = 0;
    for (int64_t done_us = 0; done_us < us; done_us += FRAME) {
        enum vad_event event = VAD_NOTHING;
        s->now_us += FRAME;
        if (is_voice) {
            s->vad.last_voiced_us = s->now_us;
        }
        if (is_voice && !s->vad.is_speech) {
            event = VAD_STARTED;
            s->vad.is_speech = true;
            s->vad.started_us = s->now_us - FRAME;
        } else if (!is_voice && s->vad.is_speech && s->now_us - s->vad.last_voiced_us > 200 * MS) {
            event = VAD_STOPPED;
            s->vad.is_speech = false;
        }
        actions |= turn_voice(&s->turn, event, &s->vad, s->now_us);
    }
    return actions;
}

static uint32_t hear(struct scene *s, uint32_t stability, const char *text)
{
    const struct aic_stt_event event = {.size = sizeof(event),
                                        .kind = AIC_STT_EVENT_TRANSCRIPT,
                                        .scope = AIC_STT_SCOPE_SEGMENT,
                                        .text_mode = AIC_STT_TEXT_APPEND,
                                        .stability = stability,
                                        .text = aic_str(text),
                                        .confidence = -1};
    return turn_hear(&s->turn, &event, s->now_us);
}

static uint32_t hear_turn(struct scene *s, uint64_t id, uint32_t stability, const char *text)
{
    const struct aic_stt_event event = {.size = sizeof(event),
                                        .kind = AIC_STT_EVENT_TRANSCRIPT,
                                        .id = id,
                                        .scope = AIC_STT_SCOPE_TURN,
                                        .text_mode = AIC_STT_TEXT_REPLACE,
                                        .stability = stability,
                                        .text = aic_str(text),
                                        .confidence = -1};
    return turn_hear(&s->turn, &event, s->now_us);
}

static uint32_t signal_of(struct scene *s, uint32_t kind)
{
    const struct aic_stt_event event = {.size = sizeof(event), .kind = kind, .confidence = -1};
    return turn_hear(&s->turn, &event, s->now_us);
}

static void assert_text(struct scene *s, const char *expected)
{
    struct aic_str text = turn_text(&s->turn);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static void test_an_utterance_is_cut_out_and_answered_when_its_words_are_there(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_NEEDS_VAD);
    assert_int_equal(pass(&s, true, 800 * MS), TURN_UTTERANCE_BEGIN);
    assert_int_equal(pass(&s, false, 480 * MS), 0);
    assert_int_equal(pass(&s, false, 40 * MS), TURN_UTTERANCE_END);
    assert_int_equal(pass(&s, false, 200 * MS), 0);
    assert_int_equal(hear(&s, AIC_STT_FINAL, "on monday"), TURN_ANSWER);
    assert_text(&s, "on monday");
    end(&s);
}

static void test_a_short_breath_does_not_end_the_turn(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_NEEDS_VAD);
    pass(&s, true, 600 * MS);
    assert_int_equal(pass(&s, false, 400 * MS), 0);
    assert_int_equal(pass(&s, true, 600 * MS), 0);
    assert_int_equal(pass(&s, false, 520 * MS), TURN_UTTERANCE_END);
    assert_int_equal(s.turn.utterance_id, 1);
    end(&s);
}

static void test_a_streaming_recogniser_is_hastened_and_not_waited_for_without_end(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING | AIC_STT_FINALIZE);
    pass(&s, true, 600 * MS);
    assert_int_equal(hear(&s, AIC_STT_PARTIAL, "at ten"), 0);
    assert_int_equal(pass(&s, false, 520 * MS), TURN_FINALIZE);
    uint32_t actions = pass(&s, false, 520 * MS);
    assert_true(actions & TURN_ANSWER);
    assert_text(&s, "at ten");
    end(&s);
}

static void test_a_recogniser_that_knows_turns_decides_before_silence_does(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING | AIC_STT_NATIVE_TURNS);
    pass(&s, true, 600 * MS);
    hear_turn(&s, 1, AIC_STT_PARTIAL, "my number is four");
    assert_int_equal(pass(&s, false, 1500 * MS), 0);
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_END), TURN_ANSWER);
    assert_text(&s, "my number is four");
    end(&s);
}

static void test_text_of_the_turn_replaces_and_keeps_what_was_taken_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING | AIC_STT_NATIVE_TURNS | AIC_STT_EAGER_TURNS);
    pass(&s, true, 400 * MS);
    hear_turn(&s, 1, AIC_STT_FINAL, "hello");
    hear_turn(&s, 1, AIC_STT_FINAL, "hello there");
    assert_text(&s, "hello there");
    turn_prepend(&s.turn, AIC_STR("good morning"));
    hear_turn(&s, 1, AIC_STT_PARTIAL, "hello there doctor");
    assert_text(&s, "good morning hello there doctor");
    turn_begin_next(&s.turn);
    assert_text(&s, "");
    end(&s);
}

static void test_words_of_a_second_utterance_come_after_those_of_the_first(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_NEEDS_VAD);
    pass(&s, true, 800 * MS);
    pass(&s, false, 520 * MS);
    pass(&s, true, 400 * MS);
    assert_int_equal(hear_turn(&s, 1, AIC_STT_FINAL, "on monday"), 0);
    assert_int_equal(pass(&s, false, 520 * MS), TURN_UTTERANCE_END);
    hear_turn(&s, 2, AIC_STT_PARTIAL, "or");
    assert_text(&s, "on monday or");
    assert_int_equal(hear_turn(&s, 2, AIC_STT_FINAL, "or tuesday"), TURN_ANSWER);
    assert_text(&s, "on monday or tuesday");
    end(&s);
}

static void test_an_eager_end_thinks_ahead_and_going_on_throws_it_away(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING | AIC_STT_NATIVE_TURNS | AIC_STT_EAGER_TURNS);
    pass(&s, true, 400 * MS);
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_EAGER_END), 0);
    hear_turn(&s, 1, AIC_STT_PARTIAL, "yes");
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_EAGER_END), TURN_EAGER);
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_EAGER_END), 0);
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_RESUMED), TURN_EAGER_CANCEL);
    assert_int_equal(signal_of(&s, AIC_STT_EVENT_TURN_RESUMED), 0);
    end(&s);
}

static void test_a_cough_pauses_the_agent_and_lets_it_go_on(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_NEEDS_VAD);
    turn_agent_begins(&s.turn, false);
    assert_int_equal(pass(&s, true, 300 * MS), TURN_PAUSE | TURN_UTTERANCE_BEGIN);
    uint32_t actions = pass(&s, false, 1600 * MS);
    assert_true(actions & TURN_RESUME);
    assert_false(actions & TURN_INTERRUPT);
    end(&s);
}

static void test_enough_voice_interrupts(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_NEEDS_VAD);
    turn_agent_begins(&s.turn, false);
    assert_false(pass(&s, true, 480 * MS) & TURN_INTERRUPT);
    assert_int_equal(pass(&s, true, 60 * MS), TURN_INTERRUPT);
    assert_false(s.turn.agent_is_active);
    end(&s);
}

static void test_a_sign_of_listening_is_no_interruption(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING);
    turn_agent_begins(&s.turn, false);
    assert_int_equal(pass(&s, true, 300 * MS), TURN_PAUSE);
    pass(&s, false, 300 * MS);
    assert_int_equal(hear(&s, AIC_STT_FINAL, "uh huh"), TURN_RESUME);
    assert_text(&s, "");
    end(&s);
}

static void test_what_must_be_heard_is_not_interrupted_and_the_words_are_kept(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING);
    turn_agent_begins(&s.turn, true);
    assert_int_equal(pass(&s, true, 2000 * MS), 0);
    assert_int_equal(hear(&s, AIC_STT_FINAL, "who is this"), 0);
    assert_int_equal(pass(&s, false, 1000 * MS), 0);
    assert_int_equal(turn_agent_done(&s.turn, s.now_us), TURN_ANSWER);
    assert_text(&s, "who is this");
    end(&s);
}

static void test_a_recogniser_that_cuts_nothing_itself_gets_what_the_last_one_left(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING);
    assert_int_equal(turn_hears_with(&s.turn, AIC_STT_NEEDS_VAD, s.now_us), 0);
    s.turn.settings.stt_flags = AIC_STT_STREAMING;
    pass(&s, true, 800 * MS);
    hear(&s, AIC_STT_PARTIAL, "on mon");
    pass(&s, false, 600 * MS);
    assert_int_equal(turn_hears_with(&s.turn, AIC_STT_NEEDS_VAD, s.now_us),
                     TURN_UTTERANCE_BEGIN | TURN_UTTERANCE_END);
    assert_int_equal(pass(&s, false, 600 * MS), 0);
    assert_int_equal(hear(&s, AIC_STT_FINAL, "on monday"), TURN_ANSWER);
    assert_text(&s, "on monday");
    turn_begin_next(&s.turn);

    s.turn.settings.stt_flags = AIC_STT_STREAMING;
    pass(&s, true, 300 * MS);
    assert_int_equal(turn_hears_with(&s.turn, AIC_STT_NEEDS_VAD, s.now_us), TURN_UTTERANCE_BEGIN);
    assert_int_equal(pass(&s, false, 520 * MS), TURN_UTTERANCE_END);
    end(&s);
}

static void test_nothing_heard_is_nothing_answered(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, AIC_STT_STREAMING);
    assert_int_equal(pass(&s, false, 10000 * MS), 0);
    assert_true(turn_is_quiet(&s.turn));
    pass(&s, true, 200 * MS);
    assert_false(turn_is_quiet(&s.turn));
    assert_int_equal(pass(&s, false, 10000 * MS), 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_utterance_is_cut_out_and_answered_when_its_words_are_there),
        cmocka_unit_test(test_a_short_breath_does_not_end_the_turn),
        cmocka_unit_test(test_a_streaming_recogniser_is_hastened_and_not_waited_for_without_end),
        cmocka_unit_test(test_a_recogniser_that_knows_turns_decides_before_silence_does),
        cmocka_unit_test(test_text_of_the_turn_replaces_and_keeps_what_was_taken_back),
        cmocka_unit_test(test_words_of_a_second_utterance_come_after_those_of_the_first),
        cmocka_unit_test(test_an_eager_end_thinks_ahead_and_going_on_throws_it_away),
        cmocka_unit_test(test_a_cough_pauses_the_agent_and_lets_it_go_on),
        cmocka_unit_test(test_enough_voice_interrupts),
        cmocka_unit_test(test_a_sign_of_listening_is_no_interruption),
        cmocka_unit_test(test_what_must_be_heard_is_not_interrupted_and_the_words_are_kept),
        cmocka_unit_test(test_a_recogniser_that_cuts_nothing_itself_gets_what_the_last_one_left),
        cmocka_unit_test(test_nothing_heard_is_nothing_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
