/* SPDX-License-Identifier: ISC */
/* Recognisers of groq and openai on the fake host: utterances, forms, transcripts, faults. */
#include "openai_setup.h"

#include "wav.h"

enum { RATE_HZ = 8000, BLOCK = 160 };

struct ear {
    struct setup s;
    const struct aic_stt *stt;
    struct aic_stt_sink sink;
    void *session;
    int64_t pushed_us;
    struct aic_buf events;
    struct aic_error error;
    struct aic_usage usage;
    float confidence;
    uint32_t close_at; /* close the session from inside an event of this kind */
};

static const struct aic_format narrow = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = RATE_HZ, .channels = 1};

static void note(struct ear *ear, const struct aic_stt_event *e)
{
    unsigned id = (unsigned)e->id;
    switch (e->kind) {
    case AIC_STT_EVENT_READY:
        aic_buf_text(&ear->events, "ready\n");
        break;
    case AIC_STT_EVENT_TRANSCRIPT:
        assert_int_equal(e->stability, AIC_STT_FINAL);
        ear->confidence = e->confidence;
        aic_buf_printf(&ear->events, "%u \"%.*s\" %lld-%lld\n", id, (int)e->text.len, e->text.ptr,
                       (long long)e->start_us, (long long)e->end_us);
        break;
    case AIC_STT_EVENT_TURN_END:
        aic_buf_printf(&ear->events, "%u end\n", id);
        break;
    case AIC_STT_EVENT_USAGE:
        ear->usage = *e->usage;
        break;
    case AIC_STT_EVENT_CLOSED:
        aic_buf_text(&ear->events, "closed\n");
        break;
    default:
        ear->error = *e->error;
        aic_buf_printf(&ear->events, "%u error %u %.*s\n", id, (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
        break;
    }
}

static void take_event(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct ear *ear = sink->impl;
    assert_non_null(ear->session);
    note(ear, event);
    if (event->kind == ear->close_at) {
        ear->stt->close(ear->session);
        ear->session = NULL;
    }
}

static void open_ear(struct ear *ear, const char *language, const char *const *hints)
{
    struct aic_str list[8];
    struct aic_stt_open params = {.size = sizeof(params),
                                  .format = narrow,
                                  .call_id = "c",
                                  .language = language,
                                  .hints = list,
                                  .hint_size = sizeof(list[0])};
    for (; hints && hints[params.hint_count]; params.hint_count++) {
        list[params.hint_count] = aic_str(hints[params.hint_count]);
    }
    assert_int_equal(ear->stt->open(ear->s.self, &params, &ear->sink, &ear->session), AIC_OK);
    vsched_run(ear->s.v, 1);
    assert_string_equal(ear->events.data, "ready\n");
    aic_buf_clear(&ear->events);
    ear->pushed_us = 0;
}

static void begin(struct ear *ear, const struct aic_plugin *plugin,
                  const struct fake_setting *settings)
{
    *ear = (struct ear){.close_at = AIC_STT_EVENT_NONE};
    setup_begin(&ear->s, plugin, settings);
    aic_buf_init(&ear->events, 1 << 16);
    ear->stt = plugin->get_interface(AIC_STT);
    ear->sink = (struct aic_stt_sink){.size = sizeof(ear->sink), .impl = ear, .event = take_event};
}

static void begin_groq(struct ear *ear)
{
    static const struct fake_setting settings[] = {{"api_key", OPENAI_KEY}, {NULL, NULL}};
    begin(ear, aicaller_plugin_groq(), settings);
    open_ear(ear, "en-IN", NULL);
}

static void finish(struct ear *ear)
{
    ear->stt->close(ear->session);
    aic_buf_finish(&ear->events);
    setup_finish(&ear->s);
}

/* Pushes sound; every sample tells which 20 ms of the session it is from. */
static void push(struct ear *ear, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 20) {
        int16_t samples[BLOCK];
        for (size_t i = 0; i < BLOCK; i++) {
            samples[i] = (int16_t)(ear->pushed_us / 20000);
        }
        const struct aic_audio audio = {.size = sizeof(audio),
                                        .format = narrow,
                                        .data = (const uint8_t *)samples,
                                        .bytes = sizeof(samples),
                                        .time_us = ear->pushed_us};
        assert_int_equal(ear->stt->push_audio(ear->session, &audio), AIC_OK);
        ear->pushed_us += 20000;
    }
}

static int32_t utterance(struct ear *ear, uint32_t what, uint64_t id, int64_t at_ms)
{
    return ear->stt->utterance(ear->session, what, id, at_ms * 1000);
}

/* Speaks from the last 300 ms on for a second; returns the request. */
static struct aic_http *speak(struct ear *ear, uint64_t id)
{
    push(ear, 300);
    int64_t from_ms = ear->pushed_us / 1000 - 300;
    assert_int_equal(utterance(ear, AIC_STT_UTTERANCE_BEGIN, id, from_ms), AIC_OK);
    push(ear, 1000);
    assert_int_equal(utterance(ear, AIC_STT_UTTERANCE_END, id, ear->pushed_us / 1000), AIC_OK);
    return fake_http_pending(ear->s.fake);
}

static void expect(struct ear *ear, const char *want)
{
    assert_string_equal(ear->events.len > 0 ? ear->events.data : "", want);
    aic_buf_clear(&ear->events);
}

/* The bytes behind a part of a request's body. */
static struct aic_str behind(const struct aic_http *http, const char *mark)
{
    const char *at = memmem(http->body, http->body_bytes, mark, strlen(mark));
    assert_non_null(at);
    at += strlen(mark);
    return (struct aic_str){at, http->body_bytes - (size_t)(at - http->body)};
}

static void assert_field(const struct aic_http *http, const char *name, const char *value)
{
    char part[300];
    (void)snprintf(part, sizeof(part), "form-data; name=\"%s\"\r\n\r\n%s\r\n--", name, value);
    (void)behind(http, part);
}

static void test_an_utterance_is_sent_as_a_wav_file(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    push(&ear, 1000);
    struct aic_http *http = speak(&ear, 1);
    assert_string_equal(http->method, "POST");
    assert_string_equal(http->url, "https://api.groq.com/openai/v1/audio/transcriptions");
    assert_has(http->headers, "Authorization: Bearer " OPENAI_KEY "\n");
    assert_has(http->headers, "Content-Type: multipart/form-data; boundary=form-");
    assert_field(http, "model", "whisper-large-v3-turbo");
    assert_field(http, "response_format", "verbose_json");
    assert_field(http, "language", "en");
    assert_null(memmem(http->body, http->body_bytes, "prompt", 6));
    struct aic_str file = behind(http, "Content-Type: audio/wav\r\n\r\n");
    struct aic_wav wav;
    assert_int_equal(aic_wav_parse(file, file.len, &wav), AIC_OK);
    assert_int_equal(wav.format.codec, AIC_CODEC_PCM_S16LE);
    assert_int_equal(wav.rate_hz, RATE_HZ);
    /* Exactly the utterance: 1.3 s, from the 50th block on. */
    assert_int_equal(wav.data_bytes, 1300 * 16);
    assert_int_equal(file.ptr[wav.data_offset], 50);
    assert_int_equal(file.ptr[wav.data_offset + wav.data_bytes - 2], 114);
    assert_true(aic_str_starts((struct aic_str){file.ptr + wav.data_offset + wav.data_bytes, 9},
                               "\r\n--form-"));
    fake_http_reply(http, 200, NULL,
                    "{\"text\":\" On Tuesday.\",\"segments\":[{\"start\":0,"
                    "\"end\":1.2,\"text\":\" On Tuesday.\",\"avg_logprob\":-0.2,"
                    "\"no_speech_prob\":0.01,\"compression_ratio\":0.8}]}");
    expect(&ear, "1 \"On Tuesday.\" 1000000-2300000\n1 end\n");
    assert_true(ear.confidence > 0.81F && ear.confidence < 0.83F);
    assert_int_equal(ear.usage.audio_in_us, 1300000);
    assert_int_equal(ear.usage.requests, 1);
    finish(&ear);
}

static void test_hints_and_settings_go_into_the_form(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {
        {"url", "http://127.0.0.1:9000/v1"},
        {"model", "gpt-4o-transcribe"},
        {"language", "de"},
        {"stt_extra", "{\"temperature\":0.2,\"include[]\":[\"logprobs\"]}"},
        {NULL, NULL}};
    static const char *const hints[] = {"Example Clinic", "", "cardiology", NULL};
    struct ear ear;
    begin(&ear, aicaller_plugin_openai(), settings);
    open_ear(&ear, "en", hints);
    struct aic_http *http = speak(&ear, 1);
    assert_string_equal(http->url, "http://127.0.0.1:9000/v1/audio/transcriptions");
    assert_null(strstr(http->headers, "Authorization"));
    assert_field(http, "model", "gpt-4o-transcribe");
    assert_field(http, "response_format", "json");
    assert_field(http, "language", "de");
    assert_field(http, "prompt", "Example Clinic, cardiology");
    assert_field(http, "temperature", "0.2");
    assert_field(http, "include[]", "logprobs");
    fake_http_reply(http, 200, NULL, "{\"text\":\"Ja.\"}");
    expect(&ear, "1 \"Ja.\" 0-1300000\n1 end\n");
    assert_true(ear.confidence < 0);
    struct aic_stt_caps caps = {.size = sizeof(caps)};
    assert_int_equal(ear.stt->capabilities(ear.s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_STT_NEEDS_VAD);
    finish(&ear);
}

static void test_the_recogniser_may_find_out_the_language(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {
        {"api_key", OPENAI_KEY}, {"language", "auto"}, {"model", "whisper-large-v3"}, {NULL, NULL}};
    struct ear ear;
    begin(&ear, aicaller_plugin_groq(), settings);
    open_ear(&ear, "en", NULL);
    struct aic_http *http = speak(&ear, 1);
    assert_null(memmem(http->body, http->body_bytes, "language", 8));
    assert_field(http, "model", "whisper-large-v3");
    struct aic_stt_caps caps = {.size = sizeof(caps)};
    assert_int_equal(ear.stt->capabilities(ear.s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_STT_NEEDS_VAD | AIC_STT_CONFIDENCE);
    finish(&ear);
}

static void test_what_is_no_speech_gives_an_empty_text(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    fake_http_reply(speak(&ear, 1), 200, NULL,
                    "{\"text\":\" Thank you.\",\"segments\":[{\"start\":0,\"end\":1,\"text\":\" "
                    "Thank you.\",\"avg_logprob\":-1.4,\"no_speech_prob\":0.9}]}");
    expect(&ear, "1 \"\" 0-1300000\n1 end\n");
    /* Too short for any server: nobody is asked. */
    size_t asked = fake_http_count(ear.s.fake);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 2, 1300), AIC_OK);
    push(&ear, 80);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_END, 2, 1380), AIC_OK);
    expect(&ear, "");
    vsched_run(ear.s.v, 1);
    expect(&ear, "2 \"\" 1300000-1380000\n2 end\n");
    assert_int_equal(fake_http_count(ear.s.fake), asked);
    finish(&ear);
}

static void test_utterances_follow_one_another(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    struct aic_http *one = speak(&ear, 1);
    push(&ear, 500);
    (void)speak(&ear, 2);
    struct aic_http *two = one->next;
    assert_int_equal(behind(two, "audio/wav\r\n\r\n").ptr[44], 90);
    fake_http_reply(two, 200, NULL, "{\"text\":\"b\"}");
    fake_http_reply(one, 200, NULL, "{\"text\":\"a\"}");
    expect(&ear, "2 \"b\" 1800000-3100000\n2 end\n1 \"a\" 0-1300000\n1 end\n");
    /* An end without its beginning, and of another utterance. */
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_END, 3, 2000), AIC_ERROR_INVALID);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 4, 3100), AIC_OK);
    push(&ear, 200);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_END, 3, 3300), AIC_ERROR_INVALID);
    assert_int_equal(utterance(&ear, 7, 3, 3300), AIC_ERROR_INVALID);
    /* A beginning without the end of the one before ends that. */
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 5, 3300), AIC_OK);
    assert_int_equal(fake_http_count(ear.s.fake), 3);
    finish(&ear);
}

static void test_sound_of_before_is_kept_for_a_late_beginning(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    push(&ear, 60000);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 1, 50000), AIC_OK);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_END, 1, 60000), AIC_OK);
    struct aic_str file = behind(fake_http_pending(ear.s.fake), "audio/wav\r\n\r\n");
    struct aic_wav wav;
    assert_int_equal(aic_wav_parse(file, file.len, &wav), AIC_OK);
    assert_int_equal(wav.data_bytes, 10000 * 16);
    finish(&ear);
}

static void test_an_utterance_has_a_bound(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 1, 0), AIC_OK);
    push(&ear, 120000);
    uint8_t more[320] = {0};
    const struct aic_audio audio = {.size = sizeof(audio),
                                    .format = narrow,
                                    .data = more,
                                    .bytes = sizeof(more),
                                    .time_us = -1};
    assert_int_equal(ear.stt->push_audio(ear.session, &audio), AIC_ERROR_BUSY);
    assert_int_equal(ear.stt->push_audio(ear.session, &audio), AIC_ERROR_BUSY);
    const char *warning = strstr(fake_log(ear.s.fake), "over two minutes");
    assert_non_null(warning);
    assert_null(strstr(warning + 1, "over two minutes"));
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_END, 1, 121000), AIC_OK);
    assert_true(fake_http_pending(ear.s.fake)->body_bytes > 120 * 16000);
    finish(&ear);
}

static void test_a_session_that_is_to_be_finished_delivers_first(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    struct aic_http *http = speak(&ear, 1);
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    assert_int_equal(ear.stt->finish(ear.session), AIC_ERROR_CLOSED);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 2, 1300), AIC_ERROR_CLOSED);
    vsched_run(ear.s.v, 1000);
    expect(&ear, "");
    fake_http_reply(http, 200, NULL, "{\"text\":\"Bye.\"}");
    expect(&ear, "1 \"Bye.\" 0-1300000\n1 end\nclosed\n");
    ear.stt->close(ear.session);
    open_ear(&ear, "en", NULL);
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    vsched_run(ear.s.v, 1);
    expect(&ear, "closed\n");
    ear.stt->close(ear.session);
    open_ear(&ear, "en", NULL);
    assert_int_equal(utterance(&ear, AIC_STT_UTTERANCE_BEGIN, 3, 0), AIC_OK);
    push(&ear, 400);
    assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
    fake_http_reply(fake_http_pending(ear.s.fake), 200, NULL, "{\"text\":\"Oh.\"}");
    expect(&ear, "3 \"Oh.\" 0-400000\n3 end\nclosed\n");
    finish(&ear);
}

static void test_the_host_may_close_at_any_event(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_STT_EVENT_TRANSCRIPT, AIC_STT_EVENT_TURN_END,
                                     AIC_STT_EVENT_USAGE, AIC_STT_EVENT_CLOSED};
    struct ear ear;
    begin_groq(&ear);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct aic_http *one = speak(&ear, 1);
        if (kinds[i] != AIC_STT_EVENT_CLOSED) {
            (void)speak(&ear, 2);
        }
        assert_int_equal(ear.stt->finish(ear.session), AIC_OK);
        ear.close_at = kinds[i];
        fake_http_reply(one, 200, NULL, "{\"text\":\"a\"}");
        assert_null(ear.session);
        assert_null(fake_http_pending(ear.s.fake));
        ear.close_at = AIC_STT_EVENT_NONE;
        aic_buf_clear(&ear.events);
        open_ear(&ear, "en", NULL);
    }
    struct aic_http *http = speak(&ear, 1);
    ear.close_at = AIC_STT_EVENT_ERROR;
    fake_http_fail(http, AIC_CATEGORY_NETWORK);
    assert_null(ear.session);
    finish(&ear);
}

static void test_lost_words_are_an_error_of_the_session(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        uint32_t category;
        uint32_t scope;
    } answers[] = {
        {400, "{\"error\":{\"message\":\"could not process file\"}}", AIC_CATEGORY_BAD_REQUEST,
         AIC_SCOPE_SESSION},
        {401, "", AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER},
        {404, "{\"error\":{\"message\":\"m\",\"code\":\"model_not_found\"}}",
         AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER},
        {413, "<html>", AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_SESSION},
        {429, "", AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER},
        {500, "", AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION},
        {503, "{\"error\":{\"message\":\"Loading model\"}}", AIC_CATEGORY_OVERLOADED,
         AIC_SCOPE_SESSION},
        {200, "<html>", AIC_CATEGORY_PROTOCOL, AIC_SCOPE_SESSION},
        {200, "{\"text\":\"cu", AIC_CATEGORY_PROTOCOL, AIC_SCOPE_SESSION},
        {200, "", AIC_CATEGORY_PROTOCOL, AIC_SCOPE_SESSION},
    };
    struct ear ear;
    begin_groq(&ear);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        fake_http_reply(speak(&ear, 1), answers[i].status, NULL, answers[i].body);
        assert_has(ear.events.data, "1 error ");
        assert_null(strstr(ear.events.data, "end"));
        assert_int_equal(ear.error.category, answers[i].category);
        assert_int_equal(ear.error.scope, answers[i].scope);
        aic_buf_clear(&ear.events);
    }
    fake_http_fail(speak(&ear, 1), AIC_CATEGORY_TIMEOUT);
    assert_int_equal(ear.error.category, AIC_CATEGORY_TIMEOUT);
    assert_int_equal(ear.error.scope, AIC_SCOPE_SESSION);
    finish(&ear);
}

static void test_other_sound_is_refused(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    uint8_t bytes[160] = {0};
    struct aic_audio audio = {
        .size = sizeof(audio), .format = narrow, .data = bytes, .bytes = 160, .time_us = 0};
    audio.format.rate_hz = 16000;
    assert_int_equal(ear.stt->push_audio(ear.session, &audio), AIC_ERROR_INVALID);
    struct aic_stt_open params = {.size = sizeof(params), .format = narrow, .language = ""};
    params.format.codec = AIC_CODEC_MULAW;
    void *session = NULL;
    assert_int_equal(ear.stt->open(ear.s.self, &params, &ear.sink, &session), AIC_ERROR_INVALID);
    ear.stt->prewarm(ear.s.self);
    assert_int_equal(fake_http_warmed(ear.s.fake), 1);
    finish(&ear);
}

static void test_a_probe_asks_for_the_recognisers_model(void **state)
{
    (void)state;
    struct ear ear;
    begin_groq(&ear);
    ear.stt->close(ear.session);
    assert_int_equal(ear.stt->probe(ear.s.self, &ear.sink, &ear.session), AIC_OK);
    fake_http_reply(fake_http_pending(ear.s.fake), 200, NULL,
                    "{\"data\":[{\"id\":\"whisper-large-v3-turbo\"}]}");
    expect(&ear, "closed\n");
    ear.stt->close(ear.session);
    assert_int_equal(ear.stt->probe(ear.s.self, &ear.sink, &ear.session), AIC_OK);
    fake_http_reply(fake_http_pending(ear.s.fake), 200, NULL, "{\"data\":[]}");
    assert_has(ear.events.data, "error 4 the server has no model \"whisper-large-v3-turbo\"");
    finish(&ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_utterance_is_sent_as_a_wav_file),
        cmocka_unit_test(test_hints_and_settings_go_into_the_form),
        cmocka_unit_test(test_the_recogniser_may_find_out_the_language),
        cmocka_unit_test(test_what_is_no_speech_gives_an_empty_text),
        cmocka_unit_test(test_utterances_follow_one_another),
        cmocka_unit_test(test_sound_of_before_is_kept_for_a_late_beginning),
        cmocka_unit_test(test_an_utterance_has_a_bound),
        cmocka_unit_test(test_a_session_that_is_to_be_finished_delivers_first),
        cmocka_unit_test(test_the_host_may_close_at_any_event),
        cmocka_unit_test(test_lost_words_are_an_error_of_the_session),
        cmocka_unit_test(test_other_sound_is_refused),
        cmocka_unit_test(test_a_probe_asks_for_the_recognisers_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
