/* SPDX-License-Identifier: ISC */
#include "speak.h"

#include "sound.h"

#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_MAX_BYTES = 128 * 1024, IDLE_MS = 5000, SOUND_MAX_BYTES = 32 << 20 };

struct utterance {
    struct openai_job job; /* first: an utterance is its job */
    struct openai_tts_session *session;
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
    struct openai_fault told = *fault;
    openai_fault_hide_words(&told, aic_buf_view(&u->text));
    struct aic_error error = openai_fault_error(&told, u->sound_bytes > 0);
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

int32_t openai_utterance_begin(struct openai_tts_session *session, uint64_t id)
{
    struct utterance *u = calloc(1, sizeof(*u));
    if (!u) {
        return AIC_ERROR_MEMORY;
    }
    u->job.take = take;
    u->job.destroy = destroy_utterance;
    u->session = session;
    aic_buf_init(&u->text, OPENAI_SPEECH_MAX_BYTES);
    openai_sound_init(&u->sound, session->provider->tts_format);
    openai_job_init(&u->job, session->provider, &session->utterances, id);
    return AIC_OK;
}

int32_t openai_utterance_add(struct openai_job *job, struct aic_str text)
{
    struct aic_buf *all = &of(job)->text;
    if (all->len + text.len + 1 > OPENAI_SPEECH_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (all->len > 0 && text.len > 0) {
        aic_buf_char(all, ' ');
    }
    return aic_buf_str(all, text);
}

/* A member of ours, unless the operator has one of this name. */
static void write_member(const struct openai_tts_session *session, struct aic_json_writer *w,
                         const char *key, struct aic_str value)
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
    const struct openai_tts_session *session = u->session;
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

int32_t openai_utterance_send(struct openai_job *job)
{
    return of(job)->text.len > 0 ? send_text(of(job)) : openai_job_wait(job, 0, tell_done);
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

int32_t openai_utterance_cancel(struct openai_job *job)
{
    openai_job_cut(job);
    int32_t status = openai_job_wait(job, 0, tell_cancelled);
    if (status != AIC_OK) {
        openai_job_drop(job);
    }
    return status;
}
