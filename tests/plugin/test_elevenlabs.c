/* SPDX-License-Identifier: ISC */
/* Voices of ElevenLabs over the socket with several contexts. */
#include "elevenlabs_setup.h"

static const struct fake_setting plain[] = {{"api_key", ELEVEN_KEY}, {NULL, NULL}};

static struct aic_ws *open_socket(struct voice *voice, const struct fake_setting *settings)
{
    voice_open(voice, settings);
    struct aic_ws *ws = fake_ws_current(voice->fake);
    fake_ws_open(ws);
    return ws;
}

static void test_the_socket_is_opened_with_the_session(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    assert_string_equal(ws->url,
                        "wss://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/"
                        "multi-stream-input?model_id=eleven_flash_v2_5&output_format=ulaw_8000"
                        "&auto_mode=true&sync_alignment=true&inactivity_timeout=180"
                        "&language_code=en");
    assert_string_equal(ws->headers, "xi-api-key: " ELEVEN_KEY "\n");
    voice_expect(&voice, "");
    voice_finish(&voice);
}

static void test_an_answer_is_a_context_and_each_sentence_is_spoken_at_once(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hello there.", 12);
    sent_is(ws, "{\"text\":\" \",\"context_id\":\"1\"}\n"
                "{\"text\":\"Hello there. \",\"flush\":true,\"context_id\":\"1\"}\n");
    vendor_speaks(ws, 1, "Hello the", true);
    voice_say(&voice, 1, "Bye.", 17);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    sent_is(ws, "{\"text\":\"Bye. \",\"flush\":true,\"context_id\":\"1\"}\n"
                "{\"close_context\":true,\"context_id\":\"1\"}\n");
    vendor_speaks(ws, 1, "re. ", true);
    vendor_speaks(ws, 1, "Bye. ", true);
    vendor_ends(ws, 1);
    voice_expect(&voice, "1 audio 720\n1 words Hello@0+50\n"
                         "1 audio 320\n1 words there.@60+60\n1 flushed 12\n"
                         "1 audio 400\n1 words Bye.@130+40\n1 flushed 17\n"
                         "1 usage 18\n1 done\n");
    assert_int_equal(voice.usage.flags, AIC_USAGE_ESTIMATED);
    assert_int_equal(voice.usage.audio_out_us, 180000);
    for (size_t i = 0; i < voice.sound.len; i++) {
        assert_int_equal((uint8_t)voice.sound.data[i], 0x55);
    }
    voice_finish(&voice);
}

static void test_text_that_comes_before_the_socket_is_open_waits_for_it(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    struct aic_ws *ws = fake_ws_current(voice.fake);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    fake_ws_open(ws);
    sent_is(ws, "{\"text\":\" \",\"context_id\":\"1\"}\n"
                "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"1\"}\n"
                "{\"close_context\":true,\"context_id\":\"1\"}\n");
    voice_finish(&voice);
}

static void test_settings_go_into_the_address_and_the_first_message(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {
        {"api_key", ELEVEN_KEY},
        {"url", "http://127.0.0.1:8080"},
        {"language", "hi"},
        {"stability", "0.4"},
        {"similarity", "0.7"},
        {"logging", "false"},
        {"normalization", "on"},
        {"extra", "{\"seed\":7,\"pronunciation_dictionary_locators\":["
                  "{\"pronunciation_dictionary_id\":\"d\"}]}"},
        {NULL, NULL}};
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, settings);
    assert_string_equal(ws->url, "ws://127.0.0.1:8080/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/"
                                 "multi-stream-input?model_id=eleven_flash_v2_5"
                                 "&output_format=ulaw_8000&enable_logging=false&auto_mode=true"
                                 "&sync_alignment=true&inactivity_timeout=180&language_code=hi"
                                 "&apply_text_normalization=on&seed=7");
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    sent_is(ws, "{\"text\":\" \",\"voice_settings\":{\"stability\":0.4,\"similarity_boost\":0.7},"
                "\"pronunciation_dictionary_locators\":[{\"pronunciation_dictionary_id\":\"d\"}],"
                "\"context_id\":\"1\"}\n"
                "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"1\"}\n");
    voice_finish(&voice);
}

static void test_cancel_ends_one_context_and_drops_its_late_sound(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "A long story.", 13);
    vendor_speaks(ws, 1, "A lo", true);
    free(fake_ws_take_text(ws));
    assert_int_equal(voice.tts->cancel(voice.session, 1, 10000), AIC_OK);
    sent_is(ws, "{\"close_context\":true,\"context_id\":\"1\"}\n");
    vendor_speaks(ws, 1, "ng st", true);
    voice_start(&voice, 2);
    voice_say(&voice, 2, "Yes?", 4);
    vsched_run(voice.v, 1000);
    voice_expect(&voice, "1 audio 320\n1 words A@0+10\n1 usage 14\n1 cancelled\n");
    vendor_speaks(ws, 1, "ory. ", true);
    vendor_speaks(ws, 2, "Yes? ", true);
    vendor_ends(ws, 1);
    vendor_speaks(ws, 1, "late", true);
    voice_expect(&voice, "2 audio 400\n2 words Yes?@0+40\n2 flushed 4\n");
    voice_finish(&voice);
}

static void test_no_more_contexts_than_the_vendor_allows(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    for (uint64_t id = 1; id <= 6; id++) {
        voice_start(&voice, id);
        voice_say(&voice, id, "Hi.", 3);
    }
    char *sent = fake_ws_take_text(ws);
    assert_has(sent, "\"context_id\":\"5\"");
    assert_null(strstr(sent, "\"context_id\":\"6\""));
    free(sent);
    assert_int_equal(voice.tts->cancel(voice.session, 1, 0), AIC_OK);
    vsched_run(voice.v, 1000);
    sent_is(ws, "{\"close_context\":true,\"context_id\":\"1\"}\n");
    vendor_ends(ws, 1);
    sent_is(ws, "{\"text\":\" \",\"context_id\":\"6\"}\n"
                "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"6\"}\n");
    /* A vendor that never says that a context is over is not waited for. */
    assert_int_equal(voice.tts->cancel(voice.session, 2, 0), AIC_OK);
    voice_start(&voice, 7);
    voice_say(&voice, 7, "Hi.", 3);
    sent_is(ws, "{\"close_context\":true,\"context_id\":\"2\"}\n");
    vsched_run(voice.v, 6000000);
    sent_is(ws, "{\"text\":\" \",\"context_id\":\"7\"}\n"
                "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"7\"}\n");
    voice_finish(&voice);
}

static void test_contexts_that_wait_for_text_are_kept_alive(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    vsched_run(voice.v, 25000000);
    sent_is(ws, "");
    voice_start(&voice, 1);
    vsched_run(voice.v, 10000000);
    sent_is(ws, "");
    voice_say(&voice, 1, "Hi.", 3);
    free(fake_ws_take_text(ws));
    vsched_run(voice.v, 10000000);
    sent_is(ws, "{\"text\":\"\",\"context_id\":\"1\"}\n");
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    free(fake_ws_take_text(ws));
    vsched_run(voice.v, 10000000);
    sent_is(ws, "");
    voice_finish(&voice);
}

static void test_a_socket_that_was_idle_for_long_is_opened_again(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    vsched_run(voice.v, 180000000);
    fake_ws_closed(ws, 1008, "Have not received a new text input within the timeout", 0);
    voice_expect(&voice, "");
    struct aic_ws *again = fake_ws_current(voice.fake);
    assert_ptr_not_equal(again, ws);
    fake_ws_open(again);
    /* Sooner than that it waits for the next text. */
    fake_ws_closed(again, 1006, "", 0);
    assert_null(fake_ws_current(voice.fake));
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    again = fake_ws_current(voice.fake);
    fake_ws_open(again);
    sent_is(again, "{\"text\":\" \",\"context_id\":\"1\"}\n"
                   "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"1\"}\n");
    voice_expect(&voice, "");
    voice_finish(&voice);
}

static void test_both_spellings_of_everything_are_read(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    fake_ws_text(ws, "{\"audio\":\"VVVVVVVVVVVV\",\"is_final\":false,\"context_id\":\"1\","
                     "\"alignment\":{\"chars\":[\"H\",\"i\",\".\"],\"charsStartTimesMs\":[0,1,2],"
                     "\"charsDurationsMs\":[1,1,5]},\"normalizedAlignment\":null}");
    fake_ws_text(ws, "{\"is_final\":true,\"context_id\":\"1\"}");
    voice_expect(&voice, "1 audio 9\n1 flushed 3\n1 words Hi.@0+7\n1 usage 4\n1 done\n");
    voice_start(&voice, 2);
    voice_say(&voice, 2, "Hi.", 3);
    fake_ws_text(ws, "{\"audio\":\"VVVV\",\"contextId\":\"2\",\"alignment\":null}");
    fake_ws_text(ws, "{\"type\":\"flush_done\",\"context_id\":\"2\"}");
    voice_expect(&voice, "2 audio 3\n2 flushed 3\n");
    voice_finish(&voice);
}

static void test_without_alignment_and_end_silence_tells_that_all_is_spoken(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hello there.", 12);
    vendor_speaks(ws, 1, "Hello there.", false);
    voice_expect(&voice, "1 audio 960\n");
    vsched_run(voice.v, 1900000);
    voice_expect(&voice, "");
    vsched_run(voice.v, 200000);
    voice_expect(&voice, "1 flushed 12\n");
    /* A second sentence after a long pause is waited for like the first. */
    vsched_run(voice.v, 3000000);
    voice_say(&voice, 1, "Bye.", 17);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    vsched_run(voice.v, 3000000);
    voice_expect(&voice, "");
    vendor_speaks(ws, 1, "Bye.", false);
    vsched_run(voice.v, 2100000);
    voice_expect(&voice, "1 audio 320\n1 flushed 17\n");
    vsched_run(voice.v, 2000000);
    voice_expect(&voice, "1 usage 18\n1 done\n");
    voice_finish(&voice);
}

static void test_it_can_be_cancelled_and_closed_from_inside_its_events(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_TTS_EVENT_AUDIO, AIC_TTS_EVENT_ALIGNMENT,
                                     AIC_TTS_EVENT_FLUSHED, AIC_TTS_EVENT_DONE};
    for (size_t i = 0; i < 7; i++) {
        struct voice voice;
        struct aic_ws *ws = open_socket(&voice, plain);
        voice.cancel_at = i < 3 ? kinds[i] : 0;
        voice.close_at = i < 3 ? 0 : kinds[i - 3];
        voice_start(&voice, 1);
        voice_say(&voice, 1, "A story.", 8);
        if (i == 6) {
            assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
        }
        vendor_speaks(ws, 1, "A story. ", true);
        if (i == 6) {
            vendor_ends(ws, 1);
        }
        vsched_run(voice.v, 1000);
        assert_true(voice.is_closed || strstr(voice.events.data, "1 cancelled\n"));
        voice_finish(&voice);
    }
}

static void test_a_full_socket_is_tried_again_when_it_has_room(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = open_socket(&voice, plain);
    ws->refuse_sends = true;
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    sent_is(ws, "");
    ws->refuse_sends = false;
    const struct aic_ws_event event = {
        .size = sizeof(event), .kind = AIC_WS_EVENT_WRITABLE, .ws = ws};
    ws->event(ws->data, &event);
    sent_is(ws, "{\"text\":\" \",\"context_id\":\"1\"}\n"
                "{\"text\":\"Hi. \",\"flush\":true,\"context_id\":\"1\"}\n"
                "{\"close_context\":true,\"context_id\":\"1\"}\n");
    voice_finish(&voice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_socket_is_opened_with_the_session),
        cmocka_unit_test(test_an_answer_is_a_context_and_each_sentence_is_spoken_at_once),
        cmocka_unit_test(test_text_that_comes_before_the_socket_is_open_waits_for_it),
        cmocka_unit_test(test_settings_go_into_the_address_and_the_first_message),
        cmocka_unit_test(test_cancel_ends_one_context_and_drops_its_late_sound),
        cmocka_unit_test(test_no_more_contexts_than_the_vendor_allows),
        cmocka_unit_test(test_contexts_that_wait_for_text_are_kept_alive),
        cmocka_unit_test(test_a_socket_that_was_idle_for_long_is_opened_again),
        cmocka_unit_test(test_both_spellings_of_everything_are_read),
        cmocka_unit_test(test_without_alignment_and_end_silence_tells_that_all_is_spoken),
        cmocka_unit_test(test_it_can_be_cancelled_and_closed_from_inside_its_events),
        cmocka_unit_test(test_a_full_socket_is_tried_again_when_it_has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
