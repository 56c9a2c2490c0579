/* SPDX-License-Identifier: ISC */
/* Voices of ElevenLabs over requests: what is asked for, sound, cost, faults, settings. */
#include "elevenlabs_setup.h"

static const struct fake_setting plain[] = {
    {"api_key", ELEVEN_KEY}, {"transport", "http"}, {NULL, NULL}};

static void test_a_sentence_is_a_request_and_its_sound_passes_as_it_is(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hello \"you\".", 12);
    struct aic_http *http = fake_http_pending(voice.fake);
    assert_string_equal(http->method, "POST");
    assert_string_equal(http->url,
                        "https://api.elevenlabs.io/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream"
                        "?output_format=ulaw_8000");
    assert_string_equal(http->headers,
                        "xi-api-key: " ELEVEN_KEY "\nContent-Type: application/json\n");
    assert_string_equal(http->body,
                        "{\"text\":\"Hello \\\"you\\\". \",\"model_id\":\"eleven_flash_v2_5\","
                        "\"language_code\":\"en\",\"previous_text\":\"Good day.\"}");
    assert_int_equal(http->first_byte_ms, 3000);
    /* What comes meanwhile waits, and goes as one. */
    voice_say(&voice, 1, "How are you?", 25);
    voice_say(&voice, 1, "Well?", 31);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    assert_int_equal(fake_http_count(voice.fake), 1);
    fake_http_headers(http, 200,
                      "Content-Type: audio/basic\nCharacter-Cost: 6\nx-trace-id: t-1\n"
                      "current-concurrent-requests: 3\nmaximum-concurrent-requests: 10\n");
    fake_http_data(http, AIC_STR("abc"));
    fake_http_data(http, AIC_STR("de"));
    fake_http_done(http);
    voice_expect(&voice, "1 rate 7 of 10\n1 started\n1 audio 3\n1 audio 2\n1 flushed 12\n");
    http = fake_http_pending(voice.fake);
    assert_string_equal(http->body,
                        "{\"text\":\"How are you? Well? \",\"model_id\":\"eleven_flash_v2_5\","
                        "\"language_code\":\"en\",\"previous_text\":\"Hello \\\"you\\\". \"}");
    fake_http_reply(http, 200, "Content-Type: audio/basic\nCharacter-Cost: 9\n", "fg");
    voice_expect(&voice, "1 started\n1 audio 2\n1 flushed 25\n1 flushed 31\n1 usage 32\n1 done\n");
    assert_string_equal(voice.sound.data, "abcdefg");
    assert_int_equal(voice.usage.credits, 15);
    assert_int_equal(voice.usage.flags, 0);
    assert_int_equal(voice.usage.audio_out_us, 875);
    voice_finish(&voice);
}

static void test_text_may_come_after_the_sound_and_end_after_the_text(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "One.", 4);
    fake_http_reply(fake_http_pending(voice.fake), 200, NULL, "ab");
    voice_say(&voice, 1, "Two.", 9);
    fake_http_reply(fake_http_pending(voice.fake), 200, NULL, "cd");
    voice_expect(&voice, "1 started\n1 audio 2\n1 flushed 4\n1 started\n1 audio 2\n1 flushed 9\n");
    /* A mark behind what was spoken already. */
    assert_int_equal(voice.tts->flush(voice.session, 1, 10), AIC_OK);
    vsched_run(voice.v, 1000);
    voice_expect(&voice, "1 flushed 10\n");
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    voice_expect(&voice, "");
    vsched_run(voice.v, 1000);
    voice_expect(&voice, "1 usage 10\n1 done\n");
    /* No text at all. */
    voice_start(&voice, 2);
    assert_int_equal(voice.tts->push_text(voice.session, 2, AIC_STR(" ")), AIC_OK);
    assert_int_equal(voice.tts->end(voice.session, 2), AIC_OK);
    vsched_run(voice.v, 1000);
    voice_expect(&voice, "2 done\n");
    voice_finish(&voice);
}

static void test_settings_go_into_the_request(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"api_key", ELEVEN_KEY},
                                                   {"url", "http://127.0.0.1:8080/eleven/"},
                                                   {"transport", "http"},
                                                   {"voice", "a/b"},
                                                   {"model", "eleven_multilingual_v2"},
                                                   {"stability", "0.3"},
                                                   {"speed", "1.1"},
                                                   {"normalization", "off"},
                                                   {"logging", "false"},
                                                   {"extra", "{\"seed\":7}"},
                                                   {NULL, NULL}};
    struct voice voice;
    voice_open(&voice, settings);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    struct aic_http *http = fake_http_pending(voice.fake);
    assert_string_equal(http->url, "http://127.0.0.1:8080/eleven/v1/text-to-speech/a%2Fb/stream"
                                   "?output_format=ulaw_8000&enable_logging=false");
    assert_string_equal(http->body,
                        "{\"text\":\"Hi. \",\"model_id\":\"eleven_multilingual_v2\","
                        "\"previous_text\":\"Good day.\",\"apply_text_normalization\":\"off\","
                        "\"voice_settings\":{\"stability\":0.3,\"speed\":1.1},\"seed\":7}");
    voice_finish(&voice);
}

static void test_samples_of_two_bytes_stay_whole(void **state)
{
    (void)state;
    struct voice voice;
    voice_begin(&voice, plain);
    voice.format =
        (struct aic_format){.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1};
    const struct aic_tts_open params = {
        .size = sizeof(params), .format = voice.format, .voice = "own", .language = ""};
    assert_int_equal(voice.tts->open(voice.self, &params, &voice.sink, &voice.session), AIC_OK);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    struct aic_http *http = fake_http_pending(voice.fake);
    assert_has(http->url, "/own/stream?output_format=pcm_16000");
    assert_null(strstr(http->body, "language_code"));
    fake_http_headers(http, 200, "Content-Type: audio/pcm\n");
    fake_http_data(http, AIC_STR("abc"));
    fake_http_data(http, AIC_STR("d"));
    fake_http_data(http, AIC_STR("efghi"));
    voice_expect(&voice, "1 started\n1 audio 2\n1 audio 2\n1 audio 4\n");
    assert_string_equal(voice.sound.data, "abcdefgh");
    voice_finish(&voice);
}

static void test_cancel_drops_the_request_and_tells_what_was_paid(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "A long story.", 13);
    struct aic_http *http = fake_http_pending(voice.fake);
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abc"));
    assert_int_equal(voice.tts->cancel(voice.session, 1, 20000), AIC_OK);
    assert_true(http->cancelled);
    voice_expect(&voice, "1 started\n1 audio 3\n");
    vsched_run(voice.v, 1000);
    voice_expect(&voice, "1 usage 14\n1 cancelled\n");
    assert_int_equal(voice.usage.flags, AIC_USAGE_ESTIMATED);
    assert_int_equal(voice.tts->cancel(voice.session, 1, 0), AIC_ERROR_NOT_FOUND);
    assert_int_equal(voice.tts->push_text(voice.session, 1, AIC_STR("x")), AIC_ERROR_NOT_FOUND);
    voice_finish(&voice);
}

static void test_it_can_be_cancelled_and_closed_from_inside_its_events(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_TTS_EVENT_STARTED, AIC_TTS_EVENT_AUDIO,
                                     AIC_TTS_EVENT_FLUSHED};
    for (size_t i = 0; i < 6; i++) {
        struct voice voice;
        voice_open(&voice, plain);
        voice.cancel_at = i < 3 ? kinds[i] : 0;
        voice.close_at = i < 3 ? 0 : kinds[i - 3];
        voice_start(&voice, 1);
        voice_say(&voice, 1, "A long story.", 13);
        voice_say(&voice, 1, "And its end.", 26);
        fake_http_reply(fake_http_pending(voice.fake), 200, NULL, "abc");
        vsched_run(voice.v, 1000);
        assert_true(voice.is_closed || strstr(voice.events.data, "1 cancelled\n"));
        voice_finish(&voice);
    }
}

static void test_refusals_say_who_is_to_act(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        uint32_t category;
        const char *code;
    } refusals[] = {
        {401, "{\"detail\":{\"status\":\"invalid_api_key\",\"message\":\"bad " ELEVEN_KEY "\"}}",
         AIC_CATEGORY_AUTH, "invalid_api_key"},
        {401, "{\"detail\":{\"status\":\"quota_exceeded\",\"message\":\"no credits\"}}",
         AIC_CATEGORY_QUOTA, "quota_exceeded"},
        {401,
         "{\"detail\":{\"type\":\"authentication_error\",\"code\":\"unauthorized\","
         "\"status\":\"missing_permissions\",\"message\":\"m\"}}",
         AIC_CATEGORY_PERMISSION, "unauthorized"},
        {402,
         "{\"detail\":{\"type\":\"payment_required\",\"code\":\"insufficient_credits\","
         "\"status\":\"quota_exceeded\",\"message\":\"m\",\"request_id\":\"r-9\"}}",
         AIC_CATEGORY_QUOTA, "insufficient_credits"},
        {403, "{\"detail\":\"only for creators\"}", AIC_CATEGORY_PERMISSION, ""},
        {404, "{\"detail\":{\"code\":\"voice_not_found\",\"message\":\"m\"}}",
         AIC_CATEGORY_NOT_FOUND, "voice_not_found"},
        {422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\",\"type\":\"v\"}]}",
         AIC_CATEGORY_BAD_REQUEST, ""},
        {429,
         "{\"detail\":{\"type\":\"rate_limit_error\",\"code\":\"concurrent_limit_exceeded\","
         "\"status\":\"too_many_concurrent_requests\",\"message\":\"m\"}}",
         AIC_CATEGORY_CONCURRENCY, "concurrent_limit_exceeded"},
        {429, "{\"detail\":{\"status\":\"system_busy\",\"message\":\"m\"}}",
         AIC_CATEGORY_OVERLOADED, "system_busy"},
        {500, "", AIC_CATEGORY_SERVER, ""},
        {503, "<html>", AIC_CATEGORY_OVERLOADED, ""},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct voice voice;
        voice_open(&voice, plain);
        voice_start(&voice, 1);
        voice_say(&voice, 1, "Hi.", 3);
        fake_http_reply(fake_http_pending(voice.fake), refusals[i].status,
                        "Content-Type: application/json\n", refusals[i].body);
        assert_int_equal(voice.error.category, refusals[i].category);
        assert_int_equal(voice.error.http_status, refusals[i].status);
        assert_int_equal(voice.error.output_started, 0);
        assert_has(voice.events.data, "1 error ");
        assert_null(strstr(voice.events.data, ELEVEN_KEY));
        /* Nobody pays for a refusal. */
        assert_null(strstr(voice.events.data, "usage"));
        /* The next one is asked for anew. */
        voice_start(&voice, 2);
        voice_say(&voice, 2, "Hi.", 3);
        fake_http_reply(fake_http_pending(voice.fake), 200, NULL, "ab");
        assert_has(voice.events.data, "2 audio 2\n2 flushed 3\n");
        voice_finish(&voice);
    }
}

static void test_what_breaks_off_or_is_no_sound_is_an_error(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    voice_start(&voice, 1);
    voice_say(&voice, 1, "Hi.", 3);
    struct aic_http *http = fake_http_pending(voice.fake);
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abc"));
    fake_http_fail(http, AIC_CATEGORY_TIMEOUT);
    voice_expect(&voice, "1 started\n1 audio 3\n1 usage 4\n1 error 9 made by the test\n");
    assert_int_equal(voice.error.output_started, 1);
    voice_start(&voice, 2);
    voice_say(&voice, 2, "Hi.", 3);
    fake_http_reply(fake_http_pending(voice.fake), 200, "Content-Type: text/html\n", "<html>");
    assert_int_equal(voice.error.category, AIC_CATEGORY_PROTOCOL);
    voice_start(&voice, 3);
    voice_say(&voice, 3, "Hi.", 3);
    fake_http_reply(fake_http_pending(voice.fake), 200, "Content-Type: audio/basic\n", "");
    assert_has(voice.events.data, "3 error 11 the answer holds no sound\n");
    voice_finish(&voice);
}

static void test_the_probe_asks_for_the_voice(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        const char *events;
    } answers[] = {
        {200, "{\"voice_id\":\"x\"}", "0 done\n"},
        {401, "{\"detail\":{\"status\":\"missing_permissions\",\"message\":\"voices_read\"}}",
         "0 done\n"},
        {401, "{\"detail\":{\"status\":\"invalid_api_key\",\"message\":\"m\"}}",
         "0 error 1 ElevenLabs refuses the key: look at api_key\n"},
        {404, "{\"detail\":{\"status\":\"voice_not_found\",\"message\":\"no such voice\"}}",
         "0 error 4 no such voice\n"},
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct voice voice;
        voice_begin(&voice, plain);
        assert_int_equal(voice.tts->probe(voice.self, &voice.sink, &voice.session), AIC_OK);
        struct aic_http *http = fake_http_pending(voice.fake);
        assert_string_equal(http->url, "https://api.elevenlabs.io/v1/voices/21m00Tcm4TlvDq8ikWAM");
        fake_http_reply(http, answers[i].status, NULL, answers[i].body);
        voice_expect(&voice, answers[i].events);
        voice_finish(&voice);
    }
}

static void refuses(const char *name, const char *value, const char *why)
{
    const struct fake_setting settings[] = {{"api_key", ELEVEN_KEY}, {name, value}, {NULL, NULL}};
    const struct fake_setting *given = strcmp(name, "api_key") == 0 ? settings + 1 : settings;
    struct vsched *v = vsched_create(7);
    struct fake_host *fake = fake_host_create(v);
    void *self = NULL;
    assert_int_equal(fake_provider_create(fake, aicaller_plugin_elevenlabs(), given, &self),
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
    refuses("url", "api.elevenlabs.io", "url must be a base address");
    refuses("voice", "", "model and voice must not be empty");
    refuses("extra", "{\"text\":\"x\"}", "extra must not hold text");
    refuses("extra", "7", "extra must be a group");
    refuses("extra", long_extra, "too long");
}

static void test_it_tells_what_it_can_do_and_bounds_what_it_takes(void **state)
{
    (void)state;
    struct voice voice;
    voice_open(&voice, plain);
    struct aic_tts_caps caps = {.size = sizeof(caps)};
    assert_int_equal(voice.tts->capabilities(voice.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_TTS_STREAM_IN | AIC_TTS_STREAM_OUT | AIC_TTS_PARALLEL);
    assert_int_equal(caps.formats[0].codec, AIC_CODEC_MULAW);
    char *text = malloc(caps.max_text_bytes + 1);
    assert_non_null(text);
    memset(text, 'a', caps.max_text_bytes + 1);
    voice_start(&voice, 1);
    assert_int_equal(
        voice.tts->push_text(voice.session, 1, (struct aic_str){text, caps.max_text_bytes + 1}),
        AIC_ERROR_TOO_LARGE);
    assert_int_equal(
        voice.tts->push_text(voice.session, 1, (struct aic_str){text, caps.max_text_bytes}),
        AIC_OK);
    free(text);
    for (uint64_t id = 2; id <= 16; id++) {
        voice_start(&voice, id);
    }
    const struct aic_tts_utterance params = {.size = sizeof(params), .id = 17};
    assert_int_equal(voice.tts->begin(voice.session, &params), AIC_ERROR_BUSY);
    voice.tts->prewarm(voice.self);
    assert_int_equal(fake_http_warmed(voice.fake), 1);
    voice_finish(&voice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sentence_is_a_request_and_its_sound_passes_as_it_is),
        cmocka_unit_test(test_text_may_come_after_the_sound_and_end_after_the_text),
        cmocka_unit_test(test_settings_go_into_the_request),
        cmocka_unit_test(test_samples_of_two_bytes_stay_whole),
        cmocka_unit_test(test_cancel_drops_the_request_and_tells_what_was_paid),
        cmocka_unit_test(test_it_can_be_cancelled_and_closed_from_inside_its_events),
        cmocka_unit_test(test_refusals_say_who_is_to_act),
        cmocka_unit_test(test_what_breaks_off_or_is_no_sound_is_an_error),
        cmocka_unit_test(test_the_probe_asks_for_the_voice),
        cmocka_unit_test(test_settings_that_cannot_work_are_refused_with_words),
        cmocka_unit_test(test_it_tells_what_it_can_do_and_bounds_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
