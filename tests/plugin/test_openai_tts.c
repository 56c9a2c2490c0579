/* SPDX-License-Identifier: ISC */
/* Voices of openai on the fake host: requests, sound, cancel, faults. */
#include "openai_setup.h"

#include "wav.h"

struct voice {
    struct setup s;
    const struct aic_tts *tts;
    struct aic_tts_sink sink;
    void *session;
    struct aic_buf events;
    struct aic_buf sound;
    struct aic_error error;
    struct aic_usage usage;
    uint32_t cancel_at; /* cancel from inside an event of this kind */
    uint32_t close_at;
};

static void note(struct voice *voice, const struct aic_tts_event *e)
{
    unsigned id = (unsigned)e->id;
    switch (e->kind) {
    case AIC_TTS_EVENT_STARTED:
        aic_buf_printf(&voice->events, "%u started %.*s\n", id, (int)e->vendor_id.len,
                       e->vendor_id.ptr);
        break;
    case AIC_TTS_EVENT_AUDIO:
        assert_int_equal(e->audio->bytes % 2, 0);
        aic_buf_add(&voice->sound, e->audio->data, e->audio->bytes);
        break;
    case AIC_TTS_EVENT_DONE:
        aic_buf_printf(&voice->events, "%u done\n", id);
        break;
    case AIC_TTS_EVENT_CANCELLED:
        aic_buf_printf(&voice->events, "%u cancelled\n", id);
        break;
    case AIC_TTS_EVENT_USAGE:
        voice->usage = *e->usage;
        aic_buf_printf(&voice->events, "%u usage\n", id);
        break;
    case AIC_TTS_EVENT_RATE_INFO:
        aic_buf_printf(&voice->events, "%u rate %.*s %lld\n", id, (int)e->rate->bucket.len,
                       e->rate->bucket.ptr, (long long)e->rate->remaining);
        break;
    default:
        voice->error = *e->error;
        aic_buf_printf(&voice->events, "%u error %u %.*s\n", id, (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
        break;
    }
}

static void take_event(const struct aic_tts_sink *sink, const struct aic_tts_event *event)
{
    struct voice *voice = sink->impl;
    assert_non_null(voice->session);
    note(voice, event);
    if (event->kind == voice->cancel_at) {
        voice->cancel_at = AIC_TTS_EVENT_NONE;
        assert_int_equal(voice->tts->cancel(voice->session, event->id, -1), AIC_OK);
    }
    if (event->kind == voice->close_at) {
        voice->tts->close(voice->session);
        voice->session = NULL;
    }
}

static int32_t open_voice(struct voice *voice, uint32_t rate_hz, const char *name)
{
    const struct aic_tts_open params = {
        .size = sizeof(params),
        .format = {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = rate_hz, .channels = 1},
        .call_id = "c",
        .voice = name,
        .language = "en"};
    return voice->tts->open(voice->s.self, &params, &voice->sink, &voice->session);
}

static void begin(struct voice *voice, const struct fake_setting *settings)
{
    *voice = (struct voice){.cancel_at = AIC_TTS_EVENT_NONE};
    setup_begin(&voice->s, aicaller_plugin_openai(), settings);
    aic_buf_init(&voice->events, 1 << 16);
    aic_buf_init(&voice->sound, 1 << 20);
    voice->tts = aicaller_plugin_openai()->get_interface(AIC_TTS);
    voice->sink =
        (struct aic_tts_sink){.size = sizeof(voice->sink), .impl = voice, .event = take_event};
}

static void begin_local(struct voice *voice)
{
    static const struct fake_setting settings[] = {{"url", "http://localhost:8880/v1"},
                                                   {NULL, NULL}};
    begin(voice, settings);
    assert_int_equal(open_voice(voice, 24000, ""), AIC_OK);
}

static void finish(struct voice *voice)
{
    voice->tts->close(voice->session);
    aic_buf_finish(&voice->events);
    aic_buf_finish(&voice->sound);
    setup_finish(&voice->s);
}

static void expect(struct voice *voice, const char *want)
{
    assert_string_equal(voice->events.len > 0 ? voice->events.data : "", want);
    aic_buf_clear(&voice->events);
}

static int32_t start(struct voice *voice, uint64_t id)
{
    const struct aic_tts_utterance params = {.size = sizeof(params), .id = id};
    return voice->tts->begin(voice->session, &params);
}

static struct aic_http *say(struct voice *voice, uint64_t id, const char *text)
{
    assert_int_equal(start(voice, id), AIC_OK);
    assert_int_equal(voice->tts->push_text(voice->session, id, aic_str(text)), AIC_OK);
    assert_int_equal(voice->tts->end(voice->session, id), AIC_OK);
    return fake_http_pending(voice->s.fake);
}

static void test_text_becomes_a_request_and_sound(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    assert_int_equal(start(&voice, 1), AIC_OK);
    assert_int_equal(voice.tts->push_text(voice.session, 1, AIC_STR("Hello \"you\".")), AIC_OK);
    assert_int_equal(voice.tts->push_text(voice.session, 1, AIC_STR("Caf\xc3\xa9?")), AIC_OK);
    assert_null(fake_http_pending(voice.s.fake));
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    struct aic_http *http = fake_http_pending(voice.s.fake);
    assert_string_equal(http->url, "http://localhost:8880/v1/audio/speech");
    assert_string_equal(http->body,
                        "{\"model\":\"tts-1\",\"voice\":\"alloy\",\"response_format\":\"pcm\","
                        "\"input\":\"Hello \\\"you\\\". Caf\xc3\xa9?\"}");
    assert_int_equal(http->first_byte_ms, 5000);
    fake_http_headers(http, 200,
                      "content-type: audio/pcm\nx-request-id: req_3\n"
                      "x-ratelimit-remaining-requests: 9\n");
    fake_http_data(http, AIC_STR("abcde"));
    fake_http_data(http, AIC_STR("fghij"));
    expect(&voice, "1 rate requests 9\n1 started req_3\n");
    fake_http_done(http);
    expect(&voice, "1 usage\n1 done\n");
    assert_string_equal(voice.sound.data, "abcdefghij");
    assert_int_equal(voice.usage.chars_in, 18);
    assert_int_equal(voice.usage.chars_billed, 18);
    assert_int_equal(voice.usage.audio_out_us, 208);
    /* The next utterance of the session. */
    http = say(&voice, 2, "Bye.");
    fake_http_reply(http, 200, NULL, "abcd");
    expect(&voice, "2 started \n2 usage\n2 done\n");
    finish(&voice);
}

static void test_settings_and_the_agents_voice_go_into_the_request(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {
        {"url", "http://localhost:8880/v1"},
        {"model", "gpt-4o-mini-tts"},
        {"voice", "coral"},
        {"tts_format", "wav"},
        {"sample_rate", "22050"},
        {"tts_extra", "{\"speed\":1.1,\"instructions\":\"Calm.\",\"voice\":\"sage\"}"},
        {NULL, NULL}};
    struct voice voice;
    begin(&voice, settings);
    struct aic_tts_caps caps = {.size = sizeof(caps)};
    assert_int_equal(voice.tts->capabilities(voice.s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_TTS_STREAM_OUT);
    assert_int_equal(caps.format_count, 1);
    assert_int_equal(caps.formats[0].rate_hz, 22050);
    assert_int_equal(open_voice(&voice, 24000, ""), AIC_ERROR_INVALID);
    assert_int_equal(open_voice(&voice, 22050, ""), AIC_OK);
    struct aic_http *http = say(&voice, 1, "Hi.");
    assert_string_equal(http->body, "{\"model\":\"gpt-4o-mini-tts\",\"response_format\":\"wav\","
                                    "\"speed\":1.1,\"instructions\":\"Calm.\",\"voice\":\"sage\","
                                    "\"input\":\"Hi.\"}");
    finish(&voice);
    begin_local(&voice);
    voice.tts->close(voice.session);
    assert_int_equal(open_voice(&voice, 24000, "nova"), AIC_OK);
    assert_has(say(&voice, 1, "Hi.")->body, "\"voice\":\"nova\"");
    finish(&voice);
}

static void test_a_wav_file_is_played_without_its_header(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1};
    uint8_t head[AIC_WAV_HEADER_MAX];
    size_t bytes = aic_wav_header(head, format, AIC_WAV_UNKNOWN);
    struct aic_http *http = say(&voice, 1, "Hi.");
    fake_http_headers(http, 200, "content-type: audio/wav\n");
    fake_http_data(http, (struct aic_str){(const char *)head, 10});
    fake_http_data(http, (struct aic_str){(const char *)head + 10, bytes - 10});
    fake_http_data(http, AIC_STR("abcd"));
    fake_http_done(http);
    assert_string_equal(voice.sound.data, "abcd");
    expect(&voice, "1 started \n1 usage\n1 done\n");
    finish(&voice);
}

static void test_an_utterance_without_text_is_done(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    assert_int_equal(start(&voice, 1), AIC_OK);
    assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
    expect(&voice, "");
    vsched_run(voice.s.v, 1);
    expect(&voice, "1 done\n");
    assert_int_equal(fake_http_count(voice.s.fake), 0);
    finish(&voice);
}

static void test_cancel_drops_the_request_and_is_answered_once(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    struct aic_http *http = say(&voice, 1, "Hello.");
    assert_int_equal(voice.tts->cancel(voice.session, 1, -1), AIC_OK);
    assert_true(http->cancelled);
    expect(&voice, "");
    /* The host need not wait for the answer before it goes on. */
    struct aic_http *next = say(&voice, 2, "Well.");
    vsched_run(voice.s.v, 1);
    expect(&voice, "1 cancelled\n");
    assert_int_equal(voice.tts->cancel(voice.session, 1, -1), AIC_ERROR_NOT_FOUND);
    fake_http_headers(next, 200, NULL);
    fake_http_data(next, AIC_STR("abcd"));
    assert_int_equal(voice.tts->cancel(voice.session, 2, 100000), AIC_OK);
    vsched_run(voice.s.v, 1);
    expect(&voice, "2 started \n2 usage\n2 cancelled\n");
    /* Before the end of its text. */
    assert_int_equal(start(&voice, 3), AIC_OK);
    assert_int_equal(voice.tts->cancel(voice.session, 3, -1), AIC_OK);
    vsched_run(voice.s.v, 1);
    expect(&voice, "3 cancelled\n");
    finish(&voice);
}

static void test_the_host_may_cancel_or_close_at_any_event(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_TTS_EVENT_STARTED, AIC_TTS_EVENT_AUDIO,
                                     AIC_TTS_EVENT_USAGE};
    struct voice voice;
    begin_local(&voice);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        voice.cancel_at = kinds[i];
        fake_http_reply(say(&voice, i + 1, "Hello."), 200, NULL, "abcdefgh");
        vsched_run(voice.s.v, 1000);
        bool is_done = strstr(voice.events.data, " done\n") != NULL;
        bool is_cancelled = strstr(voice.events.data, " cancelled\n") != NULL;
        assert_true(is_done != is_cancelled);
        aic_buf_clear(&voice.events);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct aic_http *one = say(&voice, i + 1, "Hello.");
        (void)say(&voice, i + 10, "Hello.");
        voice.close_at = kinds[i];
        fake_http_reply(one, 200, NULL, "abcdefgh");
        assert_null(voice.session);
        assert_null(fake_http_pending(voice.s.fake));
        voice.close_at = AIC_TTS_EVENT_NONE;
        assert_int_equal(open_voice(&voice, 24000, ""), AIC_OK);
    }
    finish(&voice);
}

static void test_limits_are_kept(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    char text[4097];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(start(&voice, 1), AIC_OK);
    assert_int_equal(voice.tts->push_text(voice.session, 1, aic_str(text)), AIC_ERROR_TOO_LARGE);
    assert_int_equal(voice.tts->push_text(voice.session, 9, AIC_STR("a")), AIC_ERROR_NOT_FOUND);
    assert_int_equal(voice.tts->end(voice.session, 9), AIC_ERROR_NOT_FOUND);
    for (uint64_t id = 2; id < 9; id++) {
        assert_int_equal(start(&voice, id), AIC_OK);
    }
    assert_int_equal(start(&voice, 9), AIC_ERROR_BUSY);
    finish(&voice);
}

static void test_each_failure_is_classified(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *headers;
        const char *body;
        uint32_t category;
        const char *says;
    } answers[] = {
        {400, NULL, "{\"error\":{\"message\":\"'voice' must be one of alloy\"}}",
         AIC_CATEGORY_BAD_REQUEST, "must be one of alloy"},
        {401, NULL, "{\"error\":{\"message\":\"bad\"}}", AIC_CATEGORY_AUTH, "api_key"},
        {429, "retry-after: 1\n", "", AIC_CATEGORY_RATE_LIMIT, "429"},
        {500, NULL, "", AIC_CATEGORY_SERVER, "500"},
        {200, "content-type: application/json\n", "{\"error\":\"no voice\"}",
         AIC_CATEGORY_UNSUPPORTED, "application/json"},
        {200, "content-type: audio/mpeg\n", "abcdefgh", AIC_CATEGORY_UNSUPPORTED, "audio/mpeg"},
        {200, NULL, "OggSabcd", AIC_CATEGORY_UNSUPPORTED, "tts_format"},
        {200, NULL, "", AIC_CATEGORY_PROTOCOL, "no sound"},
        {200, NULL, "R", AIC_CATEGORY_PROTOCOL, "no sound"},
        {200, NULL, "RIFF", AIC_CATEGORY_UNSUPPORTED, "WAV"},
    };
    struct voice voice;
    begin_local(&voice);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        fake_http_reply(say(&voice, i + 1, "Hello."), answers[i].status, answers[i].headers,
                        answers[i].body);
        assert_has(voice.events.data, answers[i].says);
        assert_int_equal(voice.error.category, answers[i].category);
        assert_int_equal(voice.error.output_started, 0);
        assert_null(strstr(voice.events.data, "usage"));
        aic_buf_clear(&voice.events);
    }
    assert_int_equal(voice.sound.len, 0);
    struct aic_http *http = say(&voice, 20, "Hello.");
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abcd"));
    fake_http_fail(http, AIC_CATEGORY_TIMEOUT);
    expect(&voice, "20 started \n20 usage\n20 error 9 made by the test\n");
    assert_int_equal(voice.error.output_started, 1);
    finish(&voice);
}

static void test_a_probe_asks_for_the_voices_model(void **state)
{
    (void)state;
    struct voice voice;
    begin_local(&voice);
    voice.tts->prewarm(voice.s.self);
    assert_int_equal(fake_http_warmed(voice.s.fake), 1);
    voice.tts->close(voice.session);
    assert_int_equal(voice.tts->probe(voice.s.self, &voice.sink, &voice.session), AIC_OK);
    fake_http_reply(fake_http_pending(voice.s.fake), 200, NULL, "{\"data\":[{\"id\":\"tts-1\"}]}");
    assert_has(voice.events.data, " done\n");
    voice.tts->close(voice.session);
    assert_int_equal(voice.tts->probe(voice.s.self, &voice.sink, &voice.session), AIC_OK);
    fake_http_fail(fake_http_pending(voice.s.fake), AIC_CATEGORY_NETWORK);
    assert_has(voice.events.data, " error 10 ");
    finish(&voice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_becomes_a_request_and_sound),
        cmocka_unit_test(test_settings_and_the_agents_voice_go_into_the_request),
        cmocka_unit_test(test_a_wav_file_is_played_without_its_header),
        cmocka_unit_test(test_an_utterance_without_text_is_done),
        cmocka_unit_test(test_cancel_drops_the_request_and_is_answered_once),
        cmocka_unit_test(test_the_host_may_cancel_or_close_at_any_event),
        cmocka_unit_test(test_limits_are_kept),
        cmocka_unit_test(test_each_failure_is_classified),
        cmocka_unit_test(test_a_probe_asks_for_the_voices_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
