/* SPDX-License-Identifier: ISC */
/* Role tts: each utterance is one request, whose answer is streamed sound. */
#include "job.h"
#include "probe.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX_BYTES = 4096, /* of an utterance: what OpenAI takes */
    REQUEST_MAX_BYTES = 128 * 1024,
    UTTERANCES_MAX = 8,
    IDLE_MS = 5000,
    SOUND_MAX_BYTES = 32 << 20
};

struct session {
    const struct openai_provider *provider;
    const struct aic_tts_sink *sink;
    char *voice;
    struct openai_jobs utterances;
};

struct utterance {
    struct openai_job job; /* first: an utterance is its job */
    struct session *session;
    struct aic_buf text;
    struct openai_sound sound;
    uint64_t sound_bytes; /* given */
};

static struct utterance *of(struct openai_job *job)
{
    return (struct utterance *)job;
}

/* Tells an event, unless the host has dropped the utterance meanwhile. */
static void tell(struct utterance *u, uint32_t kind, struct aic_tts_event event)
{
    if (openai_job_is_live(&u->job)) {
        event.size = sizeof(event);
        event.kind = kind;
        event.id = u->job.id;
        u->session->sink->event(u->session->sink, &event);
    }
}

/* Tells the last event; the job ends with it. */
static void tell_last(struct utterance *u, uint32_t kind, struct aic_tts_event event)
{
    tell(u, kind, event);
    if (u->job.jobs) {
        openai_job_drop(&u->job);
    }
}

static int64_t characters(struct aic_str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    }
    return count;
}

static int64_t sound_us(const struct utterance *u)
{
    return (int64_t)(u->sound_bytes / 2 * 1000000 / u->sound.format.rate_hz);
}

static void tell_usage(struct utterance *u)
{
    int64_t chars = characters(aic_buf_view(&u->text));
    struct aic_usage usage = {.size = sizeof(usage),
                              .flags = AIC_USAGE_ESTIMATED,
                              .requests = 1,
                              .chars_in = chars,
                              .chars_billed = chars,
                              .audio_out_us = sound_us(u)};
    tell(u, AIC_TTS_EVENT_USAGE, (struct aic_tts_event){.usage = &usage});
}

static void fail(struct utterance *u, const struct openai_fault *fault)
{
    struct aic_error error = openai_fault_error(fault, u->sound_bytes > 0);
    if (u->sound_bytes > 0) {
        tell_usage(u);
    }
    tell_last(u, AIC_TTS_EVENT_ERROR, (struct aic_tts_event){.error = &error});
}

static void tell_rate(struct utterance *u, const char *bucket, const struct openai_rate *rate)
{
    if (openai_rate_is_told(rate)) {
        const struct aic_rate_info info = {.size = sizeof(info),
                                           .bucket = aic_str(bucket),
                                           .limit = rate->limit,
                                           .remaining = rate->remaining,
                                           .reset_ms = rate->reset_ms};
        tell(u, AIC_TTS_EVENT_RATE_INFO, (struct aic_tts_event){.rate = &info});
    }
}

static void take_head(struct utterance *u)
{
    const struct openai_head *head = &u->job.head;
    tell_rate(u, "requests", &head->requests);
    tell_rate(u, "tokens", &head->tokens);
    if (openai_job_is_good(&u->job)) {
        tell(u, AIC_TTS_EVENT_STARTED,
             (struct aic_tts_event){.vendor_id = aic_str(head->request_id)});
    }
}

static void give_sound(void *data, struct aic_str samples)
{
    struct utterance *u = data;
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = u->sound.format,
                              .data = (const uint8_t *)samples.ptr,
                              .bytes = samples.len,
                              .time_us = -1};
    u->sound_bytes += samples.len;
    tell(u, AIC_TTS_EVENT_AUDIO, (struct aic_tts_event){.audio = &audio});
}

/* Not every 2xx is sound: gateways answer with JSON or pages, servers with what they like best. */
static bool is_sound(const struct openai_head *head)
{
    static const char *const others[] = {"application/json", "text/html",  "text/plain",
                                         "audio/mpeg",       "audio/ogg",  "audio/opus",
                                         "audio/aac",        "audio/flac", "text/event-stream"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (aic_str_equal_nocase(aic_str(head->type), others[i])) {
            return false;
        }
    }
    return true;
}

static void refuse_sound(struct utterance *u, const char *problem)
{
    struct openai_fault fault;
    openai_job_cut(&u->job);
    openai_fault_set(&fault, AIC_CATEGORY_UNSUPPORTED, AIC_RETRY_FALL_BACK, problem);
    fault.scope = AIC_SCOPE_PROVIDER;
    fail(u, &fault);
}

static void take_sound(struct utterance *u, struct aic_str bytes)
{
    if (!is_sound(&u->job.head)) {
        char problem[OPENAI_TYPE_BYTES + 40];
        (void)snprintf(problem, sizeof(problem), "the server answers with %s, not with sound",
                       u->job.head.type);
        refuse_sound(u, problem);
    } else if (openai_sound_push(&u->sound, bytes, give_sound, u) != AIC_OK) {
        refuse_sound(u, u->sound.problem);
    }
}

static void take_end(struct utterance *u, const struct aic_http_event *event)
{
    struct openai_fault fault;
    if (event->kind == AIC_HTTP_EVENT_ERROR || !openai_job_is_good(&u->job)) {
        openai_job_fault(&u->job, event, &fault);
        fail(u, &fault);
    } else if (openai_sound_end(&u->sound, give_sound, u) != AIC_OK) {
        refuse_sound(u, u->sound.problem);
    } else if (u->sound_bytes == 0) {
        openai_fault_set(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NOW,
                         "the server's answer holds no sound");
        fail(u, &fault);
    } else {
        tell_usage(u);
        tell_last(u, AIC_TTS_EVENT_DONE, (struct aic_tts_event){.mark_id = 0});
    }
}

static void take(struct openai_job *job, const struct aic_http_event *event)
{
    struct utterance *u = of(job);
    switch (event->kind) {
    case AIC_HTTP_EVENT_HEADERS:
        take_head(u);
        break;
    case AIC_HTTP_EVENT_DATA:
        if (openai_job_is_good(job) && openai_job_is_live(job)) {
            take_sound(u, event->data);
        }
        break;
    case AIC_HTTP_EVENT_DONE:
    case AIC_HTTP_EVENT_ERROR:
        take_end(u, event);
        break;
    default:
        break;
    }
}

static void destroy_utterance(struct openai_job *job)
{
    struct utterance *u = of(job);
    aic_buf_finish(&u->text);
    openai_sound_finish(&u->sound);
    free(u);
}

static int32_t tts_begin(void *self, const struct aic_tts_utterance *params)
{
    struct session *session = self;
    if (session->utterances.count >= UTTERANCES_MAX) {
        return AIC_ERROR_BUSY;
    }
    struct utterance *u = calloc(1, sizeof(*u));
    if (!u) {
        return AIC_ERROR_MEMORY;
    }
    u->job.take = take;
    u->job.destroy = destroy_utterance;
    u->session = session;
    aic_buf_init(&u->text, TEXT_MAX_BYTES);
    openai_sound_init(&u->sound, session->provider->tts_format);
    openai_job_init(&u->job, session->provider, &session->utterances, params->id);
    return AIC_OK;
}

static int32_t tts_push_text(void *self, uint64_t id, struct aic_str text)
{
    struct session *session = self;
    struct openai_job *job = openai_jobs_find(&session->utterances, id);
    if (!job || job->http) {
        return AIC_ERROR_NOT_FOUND;
    }
    struct aic_buf *all = &of(job)->text;
    if (all->len + text.len + 1 > TEXT_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (all->len > 0 && text.len > 0) {
        aic_buf_char(all, ' ');
    }
    return aic_buf_str(all, text);
}

/* A member of ours, unless the operator has one of this name. */
static void write_member(const struct session *session, struct aic_json_writer *w, const char *key,
                         struct aic_str value)
{
    if (!aic_json_get(session->provider->tts_extra, key)) {
        aic_json_member(w, key, value);
    }
}

static int write_extra(void *w, const char *key, const struct aic_json *value)
{
    aic_json_key(w, key);
    aic_json_put_node(w, value);
    return 0;
}

static int32_t send_text(struct utterance *u)
{
    const struct session *session = u->session;
    const struct openai_settings *settings = &session->provider->settings;
    struct aic_json_writer w;
    struct aic_buf body;
    aic_buf_init(&body, REQUEST_MAX_BYTES);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    write_member(session, &w, "model", aic_str(settings->tts_model));
    write_member(session, &w, "voice", aic_str(session->voice));
    write_member(session, &w, "response_format", aic_str(settings->tts_format));
    (void)aic_json_each(session->provider->tts_extra, write_extra, &w);
    aic_json_member(&w, "input", aic_buf_view(&u->text));
    aic_json_close(&w, '}');
    const struct openai_send params = {.method = "POST",
                                       .path = "/audio/speech",
                                       .type = "application/json",
                                       .body = aic_buf_view(&body),
                                       .first_byte_ms = settings->timeout_ms,
                                       .idle_ms = IDLE_MS,
                                       .total_ms = settings->timeout_ms + OPENAI_WAIT_MS,
                                       .max_bytes = SOUND_MAX_BYTES};
    int32_t status = body.failed ? AIC_ERROR_TOO_LARGE : openai_job_send(&u->job, &params);
    aic_buf_finish(&body);
    return status;
}

static void tell_done(struct openai_job *job)
{
    tell_last(of(job), AIC_TTS_EVENT_DONE, (struct aic_tts_event){.mark_id = 0});
}

static int32_t tts_end(void *self, uint64_t id)
{
    struct session *session = self;
    struct openai_job *job = openai_jobs_find(&session->utterances, id);
    if (!job || job->http) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (of(job)->text.len == 0) {
        return openai_job_wait(job, 0, tell_done);
    }
    return send_text(of(job));
}

/* What was spoken until now is paid for. */
static void tell_cancelled(struct openai_job *job)
{
    struct utterance *u = of(job);
    if (u->sound_bytes > 0) {
        tell_usage(u);
    }
    tell_last(u, AIC_TTS_EVENT_CANCELLED, (struct aic_tts_event){.mark_id = 0});
}

static int32_t tts_cancel(void *self, uint64_t id, int64_t played_us)
{
    (void)played_us;
    struct session *session = self;
    struct openai_job *job = openai_jobs_find(&session->utterances, id);
    if (!job) {
        return AIC_ERROR_NOT_FOUND;
    }
    openai_job_cut(job);
    int32_t status = openai_job_wait(job, 0, tell_cancelled);
    if (status != AIC_OK) {
        openai_job_drop(job);
    }
    return status;
}

static void tts_close(void *self)
{
    struct session *session = self;
    if (session) {
        openai_jobs_drop(&session->utterances);
        free(session->voice);
        free(session);
    }
}

static int32_t session_create(const struct openai_provider *provider, const char *voice,
                              const struct aic_tts_sink *sink, struct session **to)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->provider = provider;
    session->sink = sink;
    session->voice = aic_str_dup(aic_str(voice));
    if (!session->voice) {
        tts_close(session);
        return AIC_ERROR_MEMORY;
    }
    *to = session;
    return AIC_OK;
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **to)
{
    const struct openai_provider *provider = self;
    const struct aic_format *ours = &provider->tts_format;
    if (params->format.codec != ours->codec || params->format.rate_hz != ours->rate_hz ||
        params->format.channels != ours->channels) {
        return AIC_ERROR_INVALID;
    }
    bool has_voice = params->voice && params->voice[0];
    struct session *session = NULL;
    int32_t status = session_create(provider, has_voice ? params->voice : provider->settings.voice,
                                    sink, &session);
    if (status == AIC_OK) {
        *to = session;
    }
    return status;
}

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    const struct openai_provider *provider = self;
    caps->flags = AIC_TTS_STREAM_OUT;
    caps->formats = &provider->tts_format;
    caps->format_count = 1;
    caps->format_size = sizeof(provider->tts_format);
    caps->max_text_bytes = TEXT_MAX_BYTES;
    return AIC_OK;
}

static void tts_prewarm(void *self)
{
    openai_provider_warm(self);
}

static void probed(const void *sink, const struct openai_fault *fault)
{
    const struct aic_tts_sink *to = sink;
    struct aic_tts_event event = {.size = sizeof(event), .kind = AIC_TTS_EVENT_DONE};
    struct aic_error error;
    if (fault) {
        error = openai_fault_error(fault, false);
        event.kind = AIC_TTS_EVENT_ERROR;
        event.error = &error;
    }
    to->event(to, &event);
}

static int32_t tts_probe(void *self, const struct aic_tts_sink *sink, void **to)
{
    const struct openai_provider *provider = self;
    struct session *session = NULL;
    int32_t status = session_create(provider, "", sink, &session);
    if (status != AIC_OK) {
        return status;
    }
    status =
        openai_probe(provider, &session->utterances, provider->settings.tts_model, probed, sink);
    if (status != AIC_OK) {
        tts_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

const struct aic_tts *openai_tts(void)
{
    static const struct aic_tts table = {
        .size = sizeof(table),
        .capabilities = tts_capabilities,
        .open = tts_open,
        .begin = tts_begin,
        .push_text = tts_push_text,
        .end = tts_end,
        .cancel = tts_cancel,
        .close = tts_close,
        .prewarm = tts_prewarm,
        .probe = tts_probe,
    };
    return &table;
}
