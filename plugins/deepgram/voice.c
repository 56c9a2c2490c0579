/* SPDX-License-Identifier: ISC */
#include "voice.h"

#include "problem.h"
#include "query.h"

#include <stdlib.h>
#include <string.h>

enum {
    UTTERANCES_MAX = 8,
    IDLE_MS = 5000,
    URL_MAX_BYTES = 2048,
    BODY_MAX_BYTES = 16 * 1024,
    SOUND_MAX_BYTES = 64 << 20
};

static const struct speech_services *services_of(const struct deepgram_voice *voice)
{
    return &voice->provider->services;
}

static void utterance_destroy(struct deepgram_utterance *u)
{
    speech_exchange_finish(&u->exchange);
    speech_stop_waiting(services_of(u->voice), &u->timer);
    aic_buf_finish(&u->text);
    free(u);
}

static void voice_destroy(struct deepgram_voice *voice)
{
    while (voice->first) {
        struct deepgram_utterance *u = voice->first;
        voice->first = u->next;
        utterance_destroy(u);
    }
    speech_exchange_finish(&voice->probe);
    free(voice->name);
    free(voice);
}

static void sweep(struct deepgram_voice *voice)
{
    for (struct deepgram_utterance **at = &voice->first; *at;) {
        struct deepgram_utterance *u = *at;
        if (u->is_gone) {
            *at = u->next;
            voice->count--;
            utterance_destroy(u);
        } else {
            at = &u->next;
        }
    }
}

void deepgram_voice_enter(struct deepgram_voice *voice)
{
    voice->depth++;
}

void deepgram_voice_leave(struct deepgram_voice *voice)
{
    voice->depth--;
    if (voice->depth == 0 && voice->is_closed) {
        voice_destroy(voice);
    } else if (voice->depth == 0) {
        sweep(voice);
    }
}

static void tell(struct deepgram_utterance *u, uint32_t kind, struct aic_tts_event event)
{
    const struct deepgram_voice *voice = u->voice;
    if (!voice->is_closed && !u->is_told) {
        event.size = sizeof(event);
        event.kind = kind;
        event.id = u->id;
        voice->sink->event(voice->sink, &event);
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

/* What was sent is paid for, also when nobody heard it. */
static void tell_usage(struct deepgram_utterance *u)
{
    const struct aic_usage usage = {.size = sizeof(usage),
                                    .flags = u->chars_billed >= 0 ? 0 : AIC_USAGE_ESTIMATED,
                                    .requests = 1,
                                    .chars_in = characters(aic_buf_view(&u->text)),
                                    .chars_billed = u->chars_billed > 0 ? u->chars_billed : 0,
                                    .audio_out_us =
                                        speech_samples_us(&u->samples, u->voice->format)};
    if (u->chars_billed >= 0 || u->samples.bytes > 0) {
        tell(u, AIC_TTS_EVENT_USAGE, (struct aic_tts_event){.usage = &usage});
    }
}

static void tell_last(struct deepgram_utterance *u, uint32_t kind, struct aic_tts_event event)
{
    if (u->is_told) {
        return;
    }
    tell_usage(u);
    speech_exchange_finish(&u->exchange);
    speech_stop_waiting(services_of(u->voice), &u->timer);
    u->is_gone = true;
    tell(u, kind, event);
    u->is_told = true;
}

static void tell_done(struct deepgram_utterance *u)
{
    tell_last(u, AIC_TTS_EVENT_DONE, (struct aic_tts_event){.mark_id = 0});
}

static void tell_cancelled(struct deepgram_utterance *u)
{
    tell_last(u, AIC_TTS_EVENT_CANCELLED, (struct aic_tts_event){.mark_id = 0});
}

static void fail(struct deepgram_utterance *u, struct speech_fault *fault)
{
    speech_fault_hide(fault, u->voice->provider->settings.api_key);
    struct aic_error error = speech_fault_error(fault, u->samples.bytes > 0);
    tell_last(u, AIC_TTS_EVENT_ERROR, (struct aic_tts_event){.error = &error});
}

static void on_timer(void *data)
{
    struct deepgram_utterance *u = data;
    struct deepgram_voice *voice = u->voice;
    u->timer = NULL;
    deepgram_voice_enter(voice);
    u->fire(u);
    deepgram_voice_leave(voice);
}

static int32_t soon(struct deepgram_utterance *u, void (*fire)(struct deepgram_utterance *u))
{
    u->fire = fire;
    return speech_wait(services_of(u->voice), &u->timer, 0, on_timer, u);
}

/* Sound */

static void give_sound(void *data, struct aic_str samples)
{
    struct deepgram_utterance *u = data;
    const struct aic_audio audio = {.size = sizeof(audio),
                                    .format = u->voice->format,
                                    .data = (const uint8_t *)samples.ptr,
                                    .bytes = samples.len,
                                    .time_us = -1};
    tell(u, AIC_TTS_EVENT_AUDIO, (struct aic_tts_event){.audio = &audio});
}

static void on_header(void *data, struct aic_str name, struct aic_str value)
{
    struct deepgram_utterance *u = data;
    if (aic_str_equal_nocase(name, "content-type")) {
        u->is_sound =
            aic_str_starts(value, "audio/") || aic_str_starts(value, "application/octet-stream");
    } else if (aic_str_equal_nocase(name, "dg-request-id")) {
        speech_fault_copy(u->request_id, sizeof(u->request_id), value);
    } else if (aic_str_equal_nocase(name, "dg-char-count") && value.len > 0 && value.len < 10) {
        char text[10];
        (void)aic_str_copy(value, text, sizeof(text));
        u->chars_billed = strtol(text, NULL, 10);
    }
}

static void on_begun(void *data)
{
    struct deepgram_utterance *u = data;
    struct deepgram_voice *voice = u->voice;
    deepgram_voice_enter(voice);
    if (speech_exchange_is_good(&u->exchange)) {
        tell(u, AIC_TTS_EVENT_STARTED, (struct aic_tts_event){.vendor_id = aic_str(u->request_id)});
    }
    deepgram_voice_leave(voice);
}

static void on_bytes(void *data, struct aic_str bytes)
{
    struct deepgram_utterance *u = data;
    struct deepgram_voice *voice = u->voice;
    deepgram_voice_enter(voice);
    if (u->is_sound) {
        speech_samples_push(&u->samples, voice->format, bytes, give_sound, u);
    } else {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_FALL_BACK,
                         "the answer is no sound: is url the address of Deepgram?");
        fail(u, &fault);
    }
    deepgram_voice_leave(voice);
}

static void on_ended(void *data, const struct aic_error *error)
{
    struct deepgram_utterance *u = data;
    struct deepgram_voice *voice = u->voice;
    struct speech_fault fault;
    deepgram_voice_enter(voice);
    if (error) {
        speech_fault_of_network(&fault, error);
        fail(u, &fault);
    } else if (!speech_exchange_is_good(&u->exchange)) {
        deepgram_problem_of_answer(&fault, u->exchange.status, aic_buf_view(&u->exchange.refusal));
        fail(u, &fault);
    } else if (u->samples.bytes == 0) {
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                         "the answer holds no sound");
        fail(u, &fault);
    } else {
        tell_done(u);
    }
    deepgram_voice_leave(voice);
}

/* Utterances */

int32_t deepgram_utterance_create(struct deepgram_voice *voice, uint64_t id)
{
    const struct speech_exchange_events events = {
        .header = on_header, .begun = on_begun, .bytes = on_bytes, .ended = on_ended};
    if (voice->count >= UTTERANCES_MAX) {
        return AIC_ERROR_BUSY;
    }
    struct deepgram_utterance *u = calloc(1, sizeof(*u));
    if (!u) {
        return AIC_ERROR_MEMORY;
    }
    u->voice = voice;
    u->id = id;
    u->chars_billed = -1;
    u->is_sound = true;
    aic_buf_init(&u->text, DEEPGRAM_TEXT_MAX_BYTES);
    speech_exchange_init(&u->exchange, services_of(voice), &events);
    u->exchange.events.data = u;
    u->next = voice->first;
    voice->first = u;
    voice->count++;
    return AIC_OK;
}

struct deepgram_utterance *deepgram_utterance_find(const struct deepgram_voice *voice, uint64_t id)
{
    struct deepgram_utterance *u = voice->first;
    while (u && (u->id != id || u->is_told || u->is_gone || u->fire)) {
        u = u->next;
    }
    return u;
}

static void write_body(const struct deepgram_utterance *u, struct aic_buf *body)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, body);
    aic_json_open(&w, '{');
    aic_json_member(&w, "text", aic_buf_view(&u->text));
    aic_json_close(&w, '}');
}

int32_t deepgram_utterance_speak(struct deepgram_utterance *u)
{
    const struct deepgram_provider *provider = u->voice->provider;
    const struct aic_header headers[] = {
        {AIC_STR("Authorization"), aic_buf_view(&provider->authorization)},
        {AIC_STR("Content-Type"), AIC_STR("application/json")},
    };
    struct aic_buf url;
    struct aic_buf body;
    u->is_ended = true;
    if (u->text.len == 0) {
        return soon(u, tell_done);
    }
    aic_buf_init(&url, URL_MAX_BYTES);
    aic_buf_init(&body, BODY_MAX_BYTES);
    deepgram_speak_url(&provider->settings, u->voice->name, u->voice->format, &url);
    write_body(u, &body);
    const struct aic_http_request request = {
        .size = sizeof(request),
        .method = "POST",
        .url = url.data,
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
        .header_size = sizeof(headers[0]),
        .body = aic_buf_view(&body),
        .first_byte_ms = provider->settings.timeout_ms,
        .idle_ms = IDLE_MS,
        .max_bytes = SOUND_MAX_BYTES,
    };
    int32_t status = url.failed || body.failed ? AIC_ERROR_TOO_LARGE
                                               : speech_exchange_start(&u->exchange, &request);
    aic_buf_finish(&url);
    aic_buf_finish(&body);
    return status;
}

int32_t deepgram_utterance_cancel(struct deepgram_utterance *u)
{
    speech_exchange_finish(&u->exchange);
    return soon(u, tell_cancelled);
}

/* Voices */

struct deepgram_voice *deepgram_voice_create(const struct deepgram_provider *provider,
                                             const char *name, struct aic_format format,
                                             const struct aic_tts_sink *sink)
{
    struct deepgram_voice *voice = calloc(1, sizeof(*voice));
    if (!voice) {
        return NULL;
    }
    voice->provider = provider;
    voice->sink = sink;
    voice->format = format;
    voice->name = aic_str_dup(aic_str(name && name[0] ? name : provider->settings.voice));
    if (!voice->name) {
        voice_destroy(voice);
        return NULL;
    }
    return voice;
}

void deepgram_voice_close(struct deepgram_voice *voice)
{
    voice->is_closed = true;
    speech_exchange_finish(&voice->probe);
    for (struct deepgram_utterance *u = voice->first; u; u = u->next) {
        speech_exchange_finish(&u->exchange);
        speech_stop_waiting(services_of(voice), &u->timer);
    }
    if (voice->depth == 0) {
        voice_destroy(voice);
    }
}
