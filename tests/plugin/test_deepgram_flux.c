/* SPDX-License-Identifier: ISC */
/* Flux on the fake host: whole turns, eager ends, silence in place of keep-alives, close. */
#include "deepgram_setup.h"

static const struct fake_setting flux[] = {{"api_key", DEEPGRAM_KEY},
                                           {"model", "flux-general-en"},
                                           {"eager_eot_threshold", "0.5"},
                                           {NULL, NULL}};

static void turn(struct aic_ws *ws, const char *event, double begin, double end, const char *text)
{
    char message[1024];
    (void)snprintf(message, sizeof(message),
                   "{\"type\":\"TurnInfo\",\"request_id\":\"r\",\"sequence_id\":9,"
                   "\"event\":\"%s\",\"turn_index\":0,\"audio_window_start\":%g,"
                   "\"audio_window_end\":%g,\"transcript\":\"%s\",\"words\":["
                   "{\"word\":\"w\",\"confidence\":0.75}],\"end_of_turn_confidence\":0.5}",
                   event, begin, end, text);
    fake_ws_text(ws, message);
}

static void test_it_knows_turns_by_itself(void **state)
{
    (void)state;
    static const struct fake_setting calm[] = {
        {"api_key", DEEPGRAM_KEY}, {"model", "flux-general-en"}, {NULL, NULL}};
    struct aic_stt_caps caps = {.size = sizeof(caps)};
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    assert_string_equal(ws->url, "wss://api.deepgram.com/v2/listen?model=flux-general-en"
                                 "&encoding=mulaw&sample_rate=8000&eot_threshold=0.7"
                                 "&eot_timeout_ms=5000&eager_eot_threshold=0.5");
    assert_int_equal(ear.stt->capabilities(ear.self, &caps), AIC_OK);
    assert_true(caps.flags & AIC_STT_NATIVE_TURNS && caps.flags & AIC_STT_EAGER_TURNS);
    /* The host would use it after every pause, and so take the decision away from Flux. */
    assert_false(caps.flags & AIC_STT_FINALIZE);
    assert_int_equal(caps.preferred_block_us, 80000);
    ear_finish(&ear);
    ear_begin(&ear, calm);
    assert_int_equal(ear.stt->capabilities(ear.self, &caps), AIC_OK);
    assert_false(caps.flags & AIC_STT_EAGER_TURNS);
    ear_finish(&ear);
}

static void test_a_turn_is_told_whole_each_time_and_once_in_the_end(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    fake_ws_text(ws, "{\"type\":\"Connected\",\"request_id\":\"r\",\"sequence_id\":0}");
    ear_speak(&ear, 3200, 0x11);
    turn(ws, "Update", 0, 0.3, "");
    turn(ws, "StartOfTurn", 0, 0.5, "I");
    turn(ws, "Update", 0, 0.8, "I would");
    turn(ws, "Update", 0, 1.0, "I would");
    turn(ws, "EagerEndOfTurn", 0, 1.5, "I would like");
    turn(ws, "TurnResumed", 0, 1.7, "I would like");
    turn(ws, "Update", 0, 2.0, "I would like a table");
    turn(ws, "EagerEndOfTurn", 0, 2.4, "I would like a table");
    turn(ws, "EndOfTurn", 0, 2.6, "I would like a table");
    turn(ws, "StartOfTurn", 2.6, 3.0, "Yes");
    ear_expect(&ear, "ready\nspeech 1\ntext 1.0 partial I\ntext 1.0 partial I would\n"
                     "text 1.0 EAGER I would like\neager 1\nresumed 1\n"
                     "text 1.0 partial I would like a table\n"
                     "text 1.0 EAGER I would like a table\neager 1\n"
                     "text 1.0 FINAL I would like a table\nend 1\n"
                     "speech 2\ntext 2.0 partial Yes\n");
    assert_int_equal(ear.words.scope, AIC_STT_SCOPE_TURN);
    assert_int_equal(ear.words.text_mode, AIC_STT_TEXT_REPLACE);
    assert_int_equal(ear.words.start_us, 2600000);
    assert_true(ear.words.confidence == 0.75f);
    ear_finish(&ear);
}

static void test_sound_goes_out_in_blocks_of_80_ms(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    ear_speak(&ear, 60, 0x11);
    assert_int_equal(ws->binary_count, 0);
    ear_speak(&ear, 120, 0x11);
    assert_int_equal(ws->binary_count, 2);
    assert_int_equal(ws->binary.len, 2 * 640);
    ear_finish(&ear);
}

static void test_silence_keeps_the_line_and_leaves_times_alone(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    ear_speak(&ear, 800, 0x11);
    vsched_run(ear.v, 8000000);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "");
    free(sent);
    assert_int_equal(ws->binary.len, 6400 + 2 * 160);
    assert_int_equal((uint8_t)ws->binary.data[6400], 0xFF);
    ear_speak(&ear, 800, 0x22);
    turn(ws, "StartOfTurn", 0.84, 1.64, "Now");
    assert_int_equal(ear.words.start_us, 800000);
    assert_int_equal(ear.words.end_us, 1600000);
    ear_finish(&ear);
}

static void test_the_end_of_a_turn_can_be_forced(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    ear_speak(&ear, 1000, 0x11);
    turn(ws, "StartOfTurn", 0, 1, "So");
    assert_int_equal(ear.stt->finalize(ear.session, 5), AIC_OK);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "{\"type\":\"ForceEndTurn\"}\n");
    free(sent);
    /* The rest of a block goes before it. */
    assert_int_equal(ws->binary.len, 8000);
    turn(ws, "EndOfTurn", 0, 1, "So");
    ear_expect(&ear,
               "ready\nspeech 1\ntext 1.0 partial So\ntext 1.0 FINAL So\nend 1\nfinalized 5\n");
    ear_finish(&ear);
}

static void test_the_last_update_counts_when_it_closes(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    ear_speak(&ear, 1000, 0x11);
    turn(ws, "StartOfTurn", 0, 0.5, "Good");
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    turn(ws, "Update", 0, 1, "Good bye");
    fake_ws_closed(ws, 1005, "", 0);
    ear_expect(&ear, "ready\nspeech 1\ntext 1.0 partial Good\ntext 1.0 partial Good bye\n"
                     "text 1.0 FINAL Good bye\nend 1\nclosed\n");
    ear_finish(&ear);
}

static void test_a_break_loses_nothing_of_a_turn_and_old_silence_is_not_repeated(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    ear_speak(&ear, 8000, 0x11);
    turn(ws, "Update", 0, 8, "");
    ear_speak(&ear, 1600, 0x22);
    turn(ws, "StartOfTurn", 0, 9, "I");
    fake_ws_text(ws, "{\"type\":\"Error\",\"sequence_id\":3,\"code\":\"INTERNAL_SERVER_ERROR\","
                     "\"description\":\"An internal error occurred\"}");
    fake_ws_closed(ws, 1011, "INTERNAL_SERVER_ERROR", 0);
    struct aic_ws *again = fake_ws_current(ear.fake);
    assert_ptr_not_equal(again, ws);
    fake_ws_open(again);
    /* A second before speech was heard, and all of it. */
    assert_int_equal(again->binary.len, 2560 * 8);
    turn(again, "StartOfTurn", 0, 2, "I would");
    ear_expect(&ear, "ready\nspeech 1\ntext 1.0 partial I\n"
                     "warning 16 An internal error occurred\nreconnected 0\n"
                     "speech 1\ntext 1.0 partial I would\n");
    assert_int_equal(ear.words.start_us, 7000000);
    ear_finish(&ear);
}

static void test_unknown_events_are_passed_over(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, flux);
    turn(ws, "Sneezed", 0, 1, "Atishoo");
    turn(ws, "EndOfTurn", 0, 1, "");
    ear_expect(&ear, "ready\ntext 1.0 partial \nend 1\n");
    fake_ws_text(ws, "{\"type\":\"TurnInfo\"}");
    ear_expect(&ear, "error 11 what came is no message of Deepgram's\n");
    ear_finish(&ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_knows_turns_by_itself),
        cmocka_unit_test(test_a_turn_is_told_whole_each_time_and_once_in_the_end),
        cmocka_unit_test(test_sound_goes_out_in_blocks_of_80_ms),
        cmocka_unit_test(test_silence_keeps_the_line_and_leaves_times_alone),
        cmocka_unit_test(test_the_end_of_a_turn_can_be_forced),
        cmocka_unit_test(test_the_last_update_counts_when_it_closes),
        cmocka_unit_test(test_a_break_loses_nothing_of_a_turn_and_old_silence_is_not_repeated),
        cmocka_unit_test(test_unknown_events_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
