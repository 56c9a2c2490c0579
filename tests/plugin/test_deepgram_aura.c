/* SPDX-License-Identifier: ISC */
/* Voices of Aura on the fake host: requests, sound, cancel, faults. */
#include "deepgram_setup.h"

struct mouth {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_tts *tts;
    struct aic_tts_sink sink;
    void *self;
    void *session;
    struct aic_buf events;
    struct aic_buf sound;
    struct aic_error error;
    struct aic_usage usage;
    uint32_t cancel_at;
    uint32_t close_at;
    bool is_closed;
};

static const struct fake_setting plain[] = {{"api_key", DEEPGRAM_KEY}, {NULL, NULL}};
static const struct aic_format mulaw = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1};

static void note(struct mouth *mouth, const struct aic_tts_event *e)
{
    static const char *const names[] = {"none", "started",   "audio", "words",   "flushed",
                                        "done", "cancelled", "usage", "warning", "error"};
    aic_buf_printf(&mouth->events, "%u %s", (unsigned)e->id, names[e->kind]);
    if (e->kind == AIC_TTS_EVENT_AUDIO) {
        aic_buf_add(&mouth->sound, e->audio->data, e->audio->bytes);
        aic_buf_printf(&mouth->events, " %u", (unsigned)e->audio->bytes);
    } else if (e->kind == AIC_TTS_EVENT_STARTED) {
        aic_buf_printf(&mouth->events, " %.*s", (int)e->vendor_id.len, e->vendor_id.ptr);
    } else if (e->usage) {
        mouth->usage = *e->usage;
    } else if (e->error) {
        mouth->error = *e->error;
        aic_buf_printf(&mouth->events, " %u %.*s", (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
    }
    aic_buf_char(&mouth->events, '\n');
}

static void take_event(const struct aic_tts_sink *sink, const struct aic_tts_event *event)
{
    struct mouth *mouth = sink->impl;
    assert_false(mouth->is_closed);
    note(mouth, event);
    if (event->kind == mouth->cancel_at) {
        mouth->cancel_at = 0;
        assert_int_equal(mouth->tts->cancel(mouth->session, event->id, 0), AIC_OK);
    }
    if (event->kind == mouth->close_at) {
        mouth->is_closed = true;
        mouth->tts->close(mouth->session);
        mouth->session = NULL;
    }
}

static void begin(struct mouth *mouth, const struct fake_setting *settings)
{
    *mouth = (struct mouth){.v = vsched_create(7)};
    mouth->fake = fake_host_create(mouth->v);
    assert_int_equal(
        fake_provider_create(mouth->fake, aicaller_plugin_deepgram(), settings, &mouth->self),
        AIC_OK);
    mouth->tts = aicaller_plugin_deepgram()->get_interface(AIC_TTS);
    mouth->sink =
        (struct aic_tts_sink){.size = sizeof(mouth->sink), .impl = mouth, .event = take_event};
    aic_buf_init(&mouth->events, 1 << 16);
    aic_buf_init(&mouth->sound, 1 << 16);
}

static int32_t open_mouth(struct mouth *mouth, struct aic_format format, const char *voice)
{
    const struct aic_tts_open params = {
        .size = sizeof(params), .format = format, .call_id = "c", .voice = voice, .language = "en"};
    return mouth->tts->open(mouth->self, &params, &mouth->sink, &mouth->session);
}

static void finish(struct mouth *mouth)
{
    mouth->tts->close(mouth->session);
    aicaller_plugin_deepgram()->destroy(mouth->self);
    aic_buf_finish(&mouth->events);
    aic_buf_finish(&mouth->sound);
    const char *log = fake_log(mouth->fake);
    assert_true(!log || !strstr(log, DEEPGRAM_KEY));
    assert_int_equal(vsched_timers(mouth->v), 0);
    fake_host_destroy(mouth->fake);
    vsched_destroy(mouth->v);
}

static void expect(struct mouth *mouth, const char *want)
{
    assert_string_equal(mouth->events.len > 0 ? mouth->events.data : "", want);
    aic_buf_clear(&mouth->events);
}

static struct aic_http *say(struct mouth *mouth, uint64_t id, const char *text)
{
    const struct aic_tts_utterance params = {.size = sizeof(params), .id = id};
    assert_int_equal(mouth->tts->begin(mouth->session, &params), AIC_OK);
    assert_int_equal(mouth->tts->push_text(mouth->session, id, aic_str(text)), AIC_OK);
    assert_int_equal(mouth->tts->end(mouth->session, id), AIC_OK);
    return fake_http_pending(mouth->fake);
}

static void test_an_utterance_is_a_request_and_its_sound_passes_as_it_is(void **state)
{
    (void)state;
    struct mouth mouth;
    begin(&mouth, plain);
    assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
    struct aic_http *http = say(&mouth, 1, "Say \"caf\xc3\xa9\".");
    assert_string_equal(http->method, "POST");
    assert_string_equal(http->url, "https://api.deepgram.com/v1/speak?model=aura-2-thalia-en"
                                   "&encoding=mulaw&sample_rate=8000&container=none");
    assert_string_equal(http->headers,
                        "Authorization: Token " DEEPGRAM_KEY "\nContent-Type: application/json\n");
    assert_string_equal(http->body, "{\"text\":\"Say \\\"caf\xc3\xa9\\\".\"}");
    fake_http_headers(http, 200,
                      "Content-Type: audio/mulaw;rate=8000\ndg-request-id: r-1\n"
                      "dg-char-count: 11\n");
    fake_http_data(http, AIC_STR("abc"));
    fake_http_data(http, AIC_STR("de"));
    fake_http_done(http);
    expect(&mouth, "1 started r-1\n1 audio 3\n1 audio 2\n1 usage\n1 done\n");
    assert_string_equal(mouth.sound.data, "abcde");
    assert_int_equal(mouth.usage.chars_in, 11);
    assert_int_equal(mouth.usage.chars_billed, 11);
    assert_int_equal(mouth.usage.flags, 0);
    assert_int_equal(mouth.usage.audio_out_us, 625);
    assert_int_equal(mouth.tts->push_text(mouth.session, 1, AIC_STR("x")), AIC_ERROR_NOT_FOUND);
    finish(&mouth);
}

static void test_settings_and_the_agents_voice_go_into_the_request(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"api_key", DEEPGRAM_KEY},
                                                   {"url", "http://127.0.0.1:8080/dg"},
                                                   {"speed", "1.2"},
                                                   {"mip_opt_out", "true"},
                                                   {NULL, NULL}};
    const struct aic_format pcm = {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1};
    struct mouth mouth;
    begin(&mouth, settings);
    assert_int_equal(open_mouth(&mouth, pcm, "aura-2-luna-en"), AIC_OK);
    struct aic_http *http = say(&mouth, 1, "Hi.");
    assert_string_equal(http->url,
                        "http://127.0.0.1:8080/dg/v1/speak?model=aura-2-luna-en&encoding=linear16"
                        "&sample_rate=16000&container=none&speed=1.2&mip_opt_out=true");
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abc"));
    fake_http_data(http, AIC_STR("d"));
    expect(&mouth, "1 started \n1 audio 2\n1 audio 2\n");
    assert_string_equal(mouth.sound.data, "abcd");
    mouth.tts->prewarm(mouth.self);
    assert_int_equal(fake_http_warmed(mouth.fake), 1);
    finish(&mouth);
}

static void test_nothing_to_say_is_said_at_once_and_too_much_is_refused(void **state)
{
    (void)state;
    char text[2000];
    struct mouth mouth;
    begin(&mouth, plain);
    assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
    assert_null(say(&mouth, 1, ""));
    vsched_run(mouth.v, 1000);
    expect(&mouth, "1 done\n");
    memset(text, 'a', sizeof(text));
    const struct aic_tts_utterance params = {.size = sizeof(params), .id = 2};
    assert_int_equal(mouth.tts->begin(mouth.session, &params), AIC_OK);
    assert_int_equal(mouth.tts->push_text(mouth.session, 2, (struct aic_str){text, sizeof(text)}),
                     AIC_ERROR_TOO_LARGE);
    struct aic_tts_caps caps = {.size = sizeof(caps)};
    assert_int_equal(mouth.tts->capabilities(mouth.self, &caps), AIC_OK);
    assert_int_equal(
        mouth.tts->push_text(mouth.session, 2, (struct aic_str){text, caps.max_text_bytes}),
        AIC_OK);
    mouth.tts->close(mouth.session);
    const struct aic_format opus = {.codec = AIC_CODEC_OPUS, .rate_hz = 48000, .channels = 1};
    mouth.session = NULL;
    assert_int_equal(open_mouth(&mouth, opus, ""), AIC_ERROR_INVALID);
    finish(&mouth);
}

static void test_cancel_drops_the_request(void **state)
{
    (void)state;
    struct mouth mouth;
    begin(&mouth, plain);
    assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
    struct aic_http *http = say(&mouth, 1, "A long story.");
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abc"));
    assert_int_equal(mouth.tts->cancel(mouth.session, 1, 0), AIC_OK);
    assert_true(http->cancelled);
    assert_int_equal(mouth.tts->cancel(mouth.session, 1, 0), AIC_ERROR_NOT_FOUND);
    http = say(&mouth, 2, "Yes?");
    vsched_run(mouth.v, 1000);
    expect(&mouth, "1 started \n1 audio 3\n1 usage\n1 cancelled\n");
    assert_int_equal(mouth.usage.flags, AIC_USAGE_ESTIMATED);
    fake_http_reply(http, 200, NULL, "ab");
    expect(&mouth, "2 started \n2 audio 2\n2 usage\n2 done\n");
    finish(&mouth);
}

static void test_it_can_be_cancelled_and_closed_from_inside_its_events(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_TTS_EVENT_STARTED, AIC_TTS_EVENT_AUDIO,
                                     AIC_TTS_EVENT_USAGE, AIC_TTS_EVENT_DONE};
    for (size_t i = 0; i < 6; i++) {
        struct mouth mouth;
        begin(&mouth, plain);
        mouth.cancel_at = i < 2 ? kinds[i] : 0;
        mouth.close_at = i < 2 ? 0 : kinds[i - 2];
        assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
        fake_http_reply(say(&mouth, 1, "Hi."), 200, NULL, "abc");
        vsched_run(mouth.v, 1000);
        assert_true(mouth.is_closed || strstr(mouth.events.data, "1 cancelled\n"));
        finish(&mouth);
    }
}

static void test_refusals_say_who_is_to_act(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        uint32_t category;
    } refusals[] = {
        {401, "{\"err_code\":\"INVALID_AUTH\",\"err_msg\":\"" DEEPGRAM_KEY "\"}",
         AIC_CATEGORY_AUTH},
        {402, "{\"err_code\":\"ASR_PAYMENT_REQUIRED\",\"err_msg\":\"m\"}", AIC_CATEGORY_QUOTA},
        {413, "{\"category\":\"Payload Too Large\",\"message\":\"m\"}", AIC_CATEGORY_BAD_REQUEST},
        {429, "{\"err_code\":\"Too Many Requests\"}", AIC_CATEGORY_CONCURRENCY},
        {500, "", AIC_CATEGORY_SERVER},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct mouth mouth;
        begin(&mouth, plain);
        assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
        fake_http_reply(say(&mouth, 1, "Hi."), refusals[i].status,
                        "Content-Type: application/json\n", refusals[i].body);
        assert_int_equal(mouth.error.category, refusals[i].category);
        assert_int_equal(mouth.error.output_started, 0);
        assert_null(strstr(mouth.events.data, DEEPGRAM_KEY));
        finish(&mouth);
    }
}

static void test_what_breaks_off_or_is_no_sound_is_an_error(void **state)
{
    (void)state;
    struct mouth mouth;
    begin(&mouth, plain);
    assert_int_equal(open_mouth(&mouth, mulaw, ""), AIC_OK);
    struct aic_http *http = say(&mouth, 1, "Hi.");
    fake_http_headers(http, 200, NULL);
    fake_http_data(http, AIC_STR("abc"));
    fake_http_fail(http, AIC_CATEGORY_NETWORK);
    expect(&mouth, "1 started \n1 audio 3\n1 usage\n1 error 10 made by the test\n");
    assert_int_equal(mouth.error.output_started, 1);
    fake_http_reply(say(&mouth, 2, "Hi."), 200, "Content-Type: text/html\n", "<html>");
    assert_int_equal(mouth.error.category, AIC_CATEGORY_PROTOCOL);
    fake_http_reply(say(&mouth, 3, "Hi."), 200, "Content-Type: audio/mulaw\n", "");
    assert_int_equal(mouth.error.category, AIC_CATEGORY_PROTOCOL);
    finish(&mouth);
}

static void test_the_probe_asks_about_the_key(void **state)
{
    (void)state;
    struct mouth mouth;
    begin(&mouth, plain);
    assert_int_equal(mouth.tts->probe(mouth.self, &mouth.sink, &mouth.session), AIC_OK);
    struct aic_http *http = fake_http_pending(mouth.fake);
    assert_string_equal(http->url, "https://api.deepgram.com/v1/auth/token");
    fake_http_reply(http, 200, NULL, "{\"scopes\":[]}");
    expect(&mouth, "0 done\n");
    mouth.tts->close(mouth.session);
    assert_int_equal(mouth.tts->probe(mouth.self, &mouth.sink, &mouth.session), AIC_OK);
    fake_http_reply(fake_http_pending(mouth.fake), 401, NULL,
                    "{\"err_code\":\"INVALID_AUTH\",\"err_msg\":\"m\"}");
    expect(&mouth, "0 error 1 Deepgram refuses the key: look at api_key\n");
    finish(&mouth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_utterance_is_a_request_and_its_sound_passes_as_it_is),
        cmocka_unit_test(test_settings_and_the_agents_voice_go_into_the_request),
        cmocka_unit_test(test_nothing_to_say_is_said_at_once_and_too_much_is_refused),
        cmocka_unit_test(test_cancel_drops_the_request),
        cmocka_unit_test(test_it_can_be_cancelled_and_closed_from_inside_its_events),
        cmocka_unit_test(test_refusals_say_who_is_to_act),
        cmocka_unit_test(test_what_breaks_off_or_is_no_sound_is_an_error),
        cmocka_unit_test(test_the_probe_asks_about_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
