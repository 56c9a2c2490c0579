/* SPDX-License-Identifier: ISC */
/* Nova on the fake host: what is sent, what its messages become, and when turns end. */
#include "deepgram_setup.h"

static const struct fake_setting plain[] = {{"api_key", DEEPGRAM_KEY}, {NULL, NULL}};

static void test_the_address_says_all_that_is_to_be_done(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    assert_string_equal(ws->url, "wss://api.deepgram.com/v1/listen?model=nova-3&encoding=mulaw"
                                 "&sample_rate=8000&channels=1&language=en&interim_results=true"
                                 "&vad_events=true&smart_format=true&endpointing=500"
                                 "&utterance_end_ms=1000");
    assert_string_equal(ws->headers, "Authorization: Token " DEEPGRAM_KEY "\n");
    ear_expect(&ear, "ready\n");
    ear_finish(&ear);
}

static void test_settings_go_into_the_address(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {
        {"api_key", DEEPGRAM_KEY},
        {"url", "http://127.0.0.1:8080/deepgram/"},
        {"model", "nova-2-phonecall"},
        {"language", "en-IN"},
        {"endpointing", "300ms"},
        {"utterance_end", "1500ms"},
        {"mip_opt_out", "true"},
        {"keyterms", "Example Clinic"},
        {"extra", "{\"numerals\":true,\"redact\":[\"pci\",\"ssn\"],\"smart_format\":false}"},
        {NULL, NULL}};
    struct ear ear;
    ear_begin(&ear, settings);
    struct aic_str hint = AIC_STR("caf\xc3\xa9 & bar");
    struct aic_ws *ws = ear_open_with(&ear, &hint, 1);
    assert_string_equal(
        ws->url, "ws://127.0.0.1:8080/deepgram/v1/listen?model=nova-2-phonecall&encoding=mulaw"
                 "&sample_rate=8000&channels=1&language=en-IN&interim_results=true&vad_events=true"
                 "&endpointing=300&utterance_end_ms=1500&mip_opt_out=true&numerals=true"
                 "&redact=pci&redact=ssn&smart_format=false&keywords=Example%20Clinic"
                 "&keywords=caf%C3%A9%20%26%20bar");
    ear_finish(&ear);
}

static void test_hints_that_find_no_room_are_counted(void **state)
{
    (void)state;
    struct aic_str hints[100];
    struct ear ear;
    ear_begin(&ear, plain);
    for (size_t i = 0; i < 100; i++) {
        hints[i] = AIC_STR("a phrase of thirty-one letters!");
    }
    struct aic_ws *ws = ear_open_with(&ear, hints, 100);
    assert_in_range(strlen(ws->url), 1500, 1920);
    assert_has(ws->url, "&keyterm=a%20phrase%20of%20thirty-one%20letters%21");
    assert_has(fake_log(ear.fake), "of 100 hints are left out");
    assert_null(strstr(fake_log(ear.fake), "thirty-one"));
    ear_finish(&ear);
}

static void test_sound_passes_byte_for_byte_also_what_came_before_the_connection(void **state)
{
    (void)state;
    struct ear ear;
    ear_begin(&ear, plain);
    struct aic_ws *ws = ear_open_with(&ear, NULL, 0);
    ear_speak(&ear, 300, 0x11);
    fake_ws_open(ws);
    ear_speak(&ear, 40, 0x22);
    assert_int_equal(ws->binary.len, 340 * 8);
    for (size_t i = 0; i < ws->binary.len; i++) {
        assert_int_equal((uint8_t)ws->binary.data[i], i < 2400 ? 0x11 : 0x22);
    }
    /* 300 ms in messages of at most 250, then two of 20. */
    assert_int_equal(ws->binary_count, 4);
    const struct aic_audio nothing = {.size = sizeof(nothing), .format = ear.format};
    assert_int_equal(ear.stt->push_audio(ear.session, &nothing), AIC_OK);
    assert_int_equal(ws->binary_count, 4);
    ear_finish(&ear);
}

static void test_pieces_become_final_and_speech_final_ends_the_turn_once(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 3000, 0x11);
    fake_ws_text(ws, "{\"type\":\"SpeechStarted\",\"channel\":[0,1],\"timestamp\":0.5}");
    ear_results(ws, 0, 1, PARTIAL, "");
    ear_results(ws, 0, 1, PARTIAL, "I would");
    ear_results(ws, 0, 1.5, FINAL, "I would like");
    ear_results(ws, 1.5, 0.5, PARTIAL, "a ta");
    ear_results(ws, 1.5, 1, LAST, "a table.");
    fake_ws_text(ws, "{\"type\":\"UtteranceEnd\",\"channel\":[0,1],\"last_word_end\":2.5}");
    ear_expect(&ear, "ready\nspeech 1\ntext 1.0 partial \ntext 1.0 partial I would\ntext 1.0 FINAL "
                     "I would like\n"
                     "text 1.1 partial a ta\ntext 1.1 FINAL a table.\nend 1\n");
    assert_int_equal(ear.words.scope, AIC_STT_SCOPE_SEGMENT);
    assert_int_equal(ear.words.text_mode, AIC_STT_TEXT_APPEND);
    assert_int_equal(ear.words.flags, AIC_STT_FORMATTED);
    assert_int_equal(ear.words.start_us, 1500000);
    assert_int_equal(ear.words.end_us, 2500000);
    assert_int_equal(ear.words.word_count, 1);
    assert_int_equal(ear.word.start_us, 1500000);
    assert_true(ear.words.confidence > 0.89f && ear.words.confidence < 0.91f);
    ear_finish(&ear);
}

static void test_utterance_end_ends_a_turn_that_noise_kept_open(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 3000, 0x11);
    ear_results(ws, 0, 1, FINAL, "Hello");
    fake_ws_text(ws, "{\"type\":\"UtteranceEnd\",\"channel\":[0,1],\"last_word_end\":-1}");
    fake_ws_text(ws, "{\"type\":\"UtteranceEnd\",\"channel\":[0,1],\"last_word_end\":1}");
    ear_results(ws, 1.5, 0.5, FINAL, "and more");
    /* Late: it speaks of the words before. */
    fake_ws_text(ws, "{\"type\":\"UtteranceEnd\",\"channel\":[0,1],\"last_word_end\":1}");
    fake_ws_text(ws, "{\"type\":\"UtteranceEnd\",\"channel\":[0,1],\"last_word_end\":2}");
    ear_expect(&ear, "ready\ntext 1.0 FINAL Hello\nend 1\ntext 2.0 FINAL and more\nend 2\n");
    ear_finish(&ear);
}

static void test_repeated_results_say_nothing_and_empty_ones_that_it_listens(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 4000, 0x11);
    ear_results(ws, 0, 1, "", "Yes");
    ear_results(ws, 0, 1, LAST, "Yes please");
    ear_results(ws, 0, 1, LAST, "Yes please");
    ear_results(ws, 1, 1, LAST, "");
    ear_results(ws, 2, 1, PARTIAL, "noise");
    ear_results(ws, 2, 1, LAST, "");
    ear_expect(&ear, "ready\ntext 1.0 partial Yes\ntext 1.0 FINAL Yes please\nend 1\n"
                     "text 2.0 partial \ntext 2.0 partial noise\ntext 2.0 FINAL \n");
    ear_finish(&ear);
}

static void test_finalize_is_answered_with_its_id(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 2000, 0x11);
    assert_int_equal(ear.stt->finalize(ear.session, 77), AIC_OK);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "{\"type\":\"Finalize\"}\n");
    free(sent);
    ear_results(ws, 0, 2, "\"is_final\":true,\"from_finalize\":true,", "Done");
    ear_expect(&ear, "ready\ntext 1.0 FINAL Done\nfinalized 77\nend 1\n");
    /* Nothing was pending: an empty answer. */
    assert_int_equal(ear.stt->finalize(ear.session, 78), AIC_OK);
    ear_results(ws, 2, 0, "\"is_final\":true,\"from_finalize\":true,", "");
    ear_expect(&ear, "text 2.0 partial \nfinalized 78\n");
    /* Without the flag the next final words are the answer. */
    assert_int_equal(ear.stt->finalize(ear.session, 79), AIC_OK);
    ear_results(ws, 2, 1, LAST, "Later");
    ear_expect(&ear, "text 2.0 FINAL Later\nfinalized 79\nend 2\n");
    ear_finish(&ear);
}

static void test_a_quiet_line_is_kept_alive(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    /* Nova wants some sound first: a little silence that is not the caller's. */
    vsched_run(ear.v, 5000000);
    assert_int_equal(ws->binary.len, 160);
    assert_int_equal((uint8_t)ws->binary.data[0], 0xFF);
    vsched_run(ear.v, 20000000);
    char *sent = fake_ws_take_text(ws);
    assert_has(sent,
               "{\"type\":\"KeepAlive\"}\n{\"type\":\"KeepAlive\"}\n{\"type\":\"KeepAlive\"}");
    free(sent);
    assert_int_equal(ws->binary.len, 160);
    /* The silence does not move the clock of what follows. */
    ear_speak(&ear, 1000, 0x11);
    ear_results(ws, 0.02, 1, LAST, "Now");
    assert_int_equal(ear.words.start_us, 0);
    assert_int_equal(ear.words.end_us, 1000000);
    ear_finish(&ear);
}

static void test_hints_can_change_during_the_session(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    struct aic_str hints[] = {AIC_STR("Miller"), AIC_STR("say \"hi\"")};
    assert_int_equal(ear.stt->update_hints(ear.session, hints, 2, sizeof(hints[0])), AIC_OK);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent,
                        "{\"type\":\"Configure\",\"keyterms\":[\"Miller\",\"say \\\"hi\\\"\"]}\n");
    free(sent);
    fake_ws_text(ws, "{\"type\":\"ConfigureSuccess\",\"request_id\":\"r\",\"keyterms\":[]}");
    ear_expect(&ear, "ready\nupdated 0\n");
    fake_ws_text(ws, "{\"type\":\"ConfigureFailure\",\"request_id\":\"r\",\"code\":\"X\","
                     "\"description\":\"too many\"}");
    ear_expect(&ear, "warning 16 too many\n");
    assert_int_equal(ear.error.scope, AIC_SCOPE_REQUEST);
    ear_finish(&ear);
}

static void test_finish_delivers_what_is_pending_then_closed(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 1000, 0x11);
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "{\"type\":\"CloseStream\"}\n");
    free(sent);
    ear_results(ws, 0, 1, LAST, "Bye");
    fake_ws_text(ws,
                 "{\"type\":\"Metadata\",\"request_id\":\"r\",\"duration\":1.0,\"channels\":1}");
    ear_expect(&ear, "ready\ntext 1.0 FINAL Bye\nend 1\nclosed\n");
    assert_int_equal(ear.usage.audio_in_us, 1000000);
    assert_int_equal(ear.usage.connection_us, 1000000);
    assert_int_equal(ear.usage.requests, 1);
    assert_null(fake_ws_current(ear.fake));
    ear_finish(&ear);
    /* Where the vendor says nothing more, it takes two seconds. */
    (void)ear_open(&ear, plain);
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    vsched_run(ear.v, 1900000);
    ear_expect(&ear, "ready\n");
    vsched_run(ear.v, 200000);
    ear_expect(&ear, "closed\n");
    ear_finish(&ear);
}

static void test_a_closed_session_ends_the_stream_in_order(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 1000, 0x11);
    ear.stt->close(ear.session);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "{\"type\":\"CloseStream\"}\n");
    free(sent);
    assert_true(ws->closing);
    assert_int_equal(ws->close_code, 1000);
    /* What comes now concerns nobody. */
    ear_results(ws, 0, 1, LAST, "late");
    ear_expect(&ear, "ready\n");
    fake_ws_closed(ws, 1000, "", 0);
    /* A provider that ends does not wait for a goodbye. */
    ws = ear_open_with(&ear, NULL, 0);
    fake_ws_open(ws);
    ear.stt->close(ear.session);
    ear.session = NULL;
    assert_false(ws->ended);
    ear_finish(&ear);
}

static void test_usage_comes_while_the_call_goes_on(void **state)
{
    (void)state;
    struct ear ear;
    (void)ear_open(&ear, plain);
    ear_speak(&ear, 9000, 0x11);
    assert_int_equal(ear.usage.requests, 1);
    assert_int_equal(ear.usage.connection_us, 8000000);
    assert_in_range(ear.usage.audio_in_us, 7980000, 8020000);
    ear_finish(&ear);
}

static void test_the_probe_opens_a_session_without_sound(void **state)
{
    (void)state;
    struct ear ear;
    ear_begin(&ear, plain);
    assert_int_equal(ear.stt->probe(ear.self, &ear.sink, &ear.session), AIC_OK);
    struct aic_ws *ws = fake_ws_current(ear.fake);
    fake_ws_open(ws);
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, "{\"type\":\"CloseStream\"}\n");
    free(sent);
    fake_ws_text(ws, "{\"type\":\"Metadata\",\"duration\":0}");
    ear_expect(&ear, "closed\n");
    ear.stt->close(ear.session);
    assert_int_equal(ear.stt->probe(ear.self, &ear.sink, &ear.session), AIC_OK);
    fake_ws_closed(fake_ws_current(ear.fake), 1006, "Invalid credentials.", 401);
    ear_expect(&ear, "error 1 the vendor refuses the key: look at api_key\n");
    ear_finish(&ear);
}

static void test_it_can_be_closed_from_inside_any_event(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_STT_EVENT_READY, AIC_STT_EVENT_TRANSCRIPT,
                                     AIC_STT_EVENT_TURN_END, AIC_STT_EVENT_ERROR};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct ear ear;
        ear_begin(&ear, plain);
        ear.close_at = kinds[i];
        struct aic_ws *ws = ear_open_with(&ear, NULL, 0);
        fake_ws_open(ws);
        ear_results(ws, 0, 1, LAST, "Hello");
        fake_ws_closed(ws, 1008, "DATA-0000", 0);
        assert_true(ear.is_closed);
        ear_finish(&ear);
    }
}

static void refuses(const char *name, const char *value, const char *why)
{
    const struct fake_setting settings[] = {{"api_key", DEEPGRAM_KEY}, {name, value}, {NULL, NULL}};
    const struct fake_setting *given = strcmp(name, "api_key") == 0 ? settings + 1 : settings;
    struct vsched *v = vsched_create(7);
    struct fake_host *fake = fake_host_create(v);
    void *self = NULL;
    assert_int_equal(fake_provider_create(fake, aicaller_plugin_deepgram(), given, &self),
                     AIC_ERROR_CONFIG);
    assert_null(self);
    assert_has(fake_log(fake), why);
    fake_host_destroy(fake);
    vsched_destroy(v);
}

static void test_settings_that_cannot_work_are_refused_with_words(void **state)
{
    (void)state;
    char long_extra[2100] = "{\"tag\":\"";
    memset(long_extra + 8, 'a', 2000);
    (void)snprintf(long_extra + 2008, 8, "\"}");
    refuses("api_key", "two words", "api_key must be one word");
    refuses("url", "ftp://example.com", "url must be a base address");
    refuses("url", "https://api.deepgram.com/?x=1", "url must be a base address");
    refuses("extra", "{\"encoding\":\"opus\"}", "extra must not hold");
    refuses("extra", "{\"a b\":1}", "extra must hold texts");
    refuses("extra", "[1]", "extra must be a group");
    refuses("extra", long_extra, "too long");
    refuses("eager_eot_threshold", "0.8", "from 0.3 up to eot_threshold");
    refuses("eager_eot_threshold", "0.2", "from 0.3 up to eot_threshold");
    refuses("speed", "0.5", "speed must be 0, or from 0.7");
}

static void test_it_tells_what_it_can_do(void **state)
{
    (void)state;
    struct ear ear;
    ear_begin(&ear, plain);
    struct aic_stt_caps caps = {.size = sizeof(caps)};
    assert_int_equal(ear.stt->capabilities(ear.self, &caps), AIC_OK);
    assert_true(caps.flags & AIC_STT_FINALIZE);
    assert_false(caps.flags & (AIC_STT_NATIVE_TURNS | AIC_STT_NEEDS_VAD));
    assert_int_equal(caps.formats[0].codec, AIC_CODEC_MULAW);
    const struct aic_stt_open params = {
        .size = sizeof(params),
        .format = {.codec = AIC_CODEC_MP3, .rate_hz = 8000, .channels = 1},
        .language = ""};
    assert_int_equal(ear.stt->open(ear.self, &params, &ear.sink, &ear.session), AIC_ERROR_INVALID);
    ear_finish(&ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_address_says_all_that_is_to_be_done),
        cmocka_unit_test(test_settings_go_into_the_address),
        cmocka_unit_test(test_hints_that_find_no_room_are_counted),
        cmocka_unit_test(test_sound_passes_byte_for_byte_also_what_came_before_the_connection),
        cmocka_unit_test(test_pieces_become_final_and_speech_final_ends_the_turn_once),
        cmocka_unit_test(test_utterance_end_ends_a_turn_that_noise_kept_open),
        cmocka_unit_test(test_repeated_results_say_nothing_and_empty_ones_that_it_listens),
        cmocka_unit_test(test_finalize_is_answered_with_its_id),
        cmocka_unit_test(test_a_quiet_line_is_kept_alive),
        cmocka_unit_test(test_hints_can_change_during_the_session),
        cmocka_unit_test(test_finish_delivers_what_is_pending_then_closed),
        cmocka_unit_test(test_a_closed_session_ends_the_stream_in_order),
        cmocka_unit_test(test_usage_comes_while_the_call_goes_on),
        cmocka_unit_test(test_the_probe_opens_a_session_without_sound),
        cmocka_unit_test(test_it_can_be_closed_from_inside_any_event),
        cmocka_unit_test(test_settings_that_cannot_work_are_refused_with_words),
        cmocka_unit_test(test_it_tells_what_it_can_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
