/* SPDX-License-Identifier: ISC */
/* The life of sessions and utterances, and what is told of them. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum { GIVE_BACK_MS = 5000, UTTERANCES_MAX = 16, PREVIOUS_MAX_BYTES = 500 };

static const struct speech_services *services_of(const struct eleven_session *session)
{
    return &session->provider->services;
}

static void utterance_destroy(struct eleven_utterance *u)
{
    speech_exchange_finish(&u->exchange);
    eleven_stop_waiting(u);
    aic_buf_finish(&u->text);
    aic_buf_finish(&u->previous);
    free(u);
}

static void session_destroy(struct eleven_session *session)
{
    while (session->first) {
        struct eleven_utterance *u = session->first;
        session->first = u->next;
        utterance_destroy(u);
    }
    aic_buf_finish(&session->decoded);
    free(session->voice);
    free(session->language);
    free(session);
}

static void sweep(struct eleven_session *session)
{
    for (struct eleven_utterance **at = &session->first; *at;) {
        struct eleven_utterance *u = *at;
        if (u->is_gone) {
            *at = u->next;
            session->count--;
            utterance_destroy(u);
        } else {
            at = &u->next;
        }
    }
}

void eleven_enter(struct eleven_session *session)
{
    session->depth++;
}

void eleven_leave(struct eleven_session *session)
{
    session->depth--;
    if (session->depth > 0) {
        return;
    }
    if (session->is_closed) {
        session_destroy(session);
    } else {
        sweep(session);
    }
}

static void on_timer(void *data)
{
    struct eleven_utterance *u = data;
    struct eleven_session *session = u->session;
    u->timer = NULL;
    eleven_enter(session);
    u->fire(u);
    eleven_leave(session);
}

void eleven_wait(struct eleven_utterance *u, int64_t ms, void (*fire)(struct eleven_utterance *u))
{
    u->fire = fire;
    if (u->session->is_closed) {
        return;
    }
    if (speech_wait(services_of(u->session), &u->timer, ms, on_timer, u) != AIC_OK) {
        speech_log(services_of(u->session), AIC_LOG_ERROR, "no timer for an utterance");
    }
}

void eleven_stop_waiting(struct eleven_utterance *u)
{
    speech_stop_waiting(services_of(u->session), &u->timer);
}

struct eleven_session *eleven_session_create(const struct eleven_provider *provider,
                                             const char *voice, const char *language,
                                             const struct aic_tts_sink *sink)
{
    struct eleven_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return NULL;
    }
    session->provider = provider;
    session->sink = sink;
    session->is_socket = provider->is_socket;
    session->voice = aic_str_dup(aic_str(voice && voice[0] ? voice : provider->settings.voice));
    session->language = aic_str_dup(aic_str(language ? language : ""));
    session->request = (struct eleven_request){
        .settings = &provider->settings, .voice = session->voice, .language = session->language};
    aic_buf_init(&session->decoded, ELEVEN_MESSAGE_MAX_BYTES);
    if (!session->voice || !session->language) {
        session_destroy(session);
        return NULL;
    }
    return session;
}

void eleven_session_close(struct eleven_session *session)
{
    session->is_closed = true;
    eleven_socket_close(session);
    speech_exchange_finish(&session->probe);
    for (struct eleven_utterance *u = session->first; u; u = u->next) {
        speech_exchange_finish(&u->exchange);
        eleven_stop_waiting(u);
    }
    if (session->depth == 0) {
        session_destroy(session);
    }
}

static void append(struct eleven_session *session, struct eleven_utterance *u)
{
    struct eleven_utterance **end = &session->first;
    while (*end) {
        end = &(*end)->next;
    }
    *end = u;
    session->count++;
}

/* Events */

void eleven_tell(struct eleven_utterance *u, uint32_t kind, struct aic_tts_event event)
{
    const struct eleven_session *session = u->session;
    if (!session->is_closed && !u->is_told) {
        event.size = sizeof(event);
        event.kind = kind;
        event.id = u->id;
        session->sink->event(session->sink, &event);
    }
}

int64_t eleven_sound_us(const struct eleven_utterance *u)
{
    return speech_samples_us(&u->samples, u->session->request.format);
}

static void give_sound(void *data, struct aic_str samples)
{
    struct eleven_utterance *u = data;
    const struct aic_audio audio = {.size = sizeof(audio),
                                    .format = u->session->request.format,
                                    .data = (const uint8_t *)samples.ptr,
                                    .bytes = samples.len,
                                    .time_us = -1};
    eleven_tell(u, AIC_TTS_EVENT_AUDIO, (struct aic_tts_event){.audio = &audio});
}

void eleven_tell_sound(struct eleven_utterance *u, struct aic_str sound)
{
    speech_samples_push(&u->samples, u->session->request.format, sound, give_sound, u);
}

void eleven_flushed(struct eleven_utterance *u, size_t pieces)
{
    while (u->flushed < pieces && u->flushed < u->piece_count) {
        const struct eleven_piece *piece = &u->pieces[u->flushed++];
        if (piece->has_mark) {
            eleven_tell(u, AIC_TTS_EVENT_FLUSHED,
                        (struct aic_tts_event){.mark_id = piece->mark_id});
        }
    }
}

/* What was sent is paid for, also when nobody heard it. */
static void tell_usage(struct eleven_utterance *u)
{
    size_t sent = u->sent > 0 ? u->pieces[u->sent - 1].end : 0;
    int64_t chars = 0;
    for (size_t i = 0; i < sent; i++) {
        chars += ((unsigned char)u->text.data[i] & 0xC0) != 0x80;
    }
    const struct aic_usage usage = {.size = sizeof(usage),
                                    .flags = u->credits > 0 ? 0 : AIC_USAGE_ESTIMATED,
                                    .requests = 1,
                                    .chars_in = chars,
                                    .credits = u->credits,
                                    .audio_out_us = eleven_sound_us(u)};
    if (chars > 0) {
        eleven_tell(u, AIC_TTS_EVENT_USAGE, (struct aic_tts_event){.usage = &usage});
    }
}

static void give_back(struct eleven_utterance *u)
{
    u->is_final = true;
    u->is_gone = true;
    eleven_socket_pump(u->session);
}

/* The last event. A context that the vendor has not ended yet still counts with it. */
static void tell_last(struct eleven_utterance *u, uint32_t kind, struct aic_tts_event event)
{
    struct eleven_session *session = u->session;
    if (u->is_told) {
        return;
    }
    tell_usage(u);
    eleven_stop_waiting(u);
    speech_exchange_finish(&u->exchange);
    if (u->is_begun && !u->is_final && session->ws) {
        eleven_wait(u, GIVE_BACK_MS, give_back);
    } else {
        u->is_gone = true;
    }
    event.size = sizeof(event);
    event.kind = kind;
    event.id = u->id;
    u->is_told = true;
    if (!session->is_closed) {
        session->sink->event(session->sink, &event);
    }
}

void eleven_done(struct eleven_utterance *u)
{
    eleven_flushed(u, u->piece_count);
    tell_last(u, AIC_TTS_EVENT_DONE, (struct aic_tts_event){.mark_id = 0});
}

void eleven_fail(struct eleven_utterance *u, const struct speech_fault *fault)
{
    struct speech_fault told = *fault;
    speech_fault_hide(&told, u->session->provider->api_key);
    struct aic_error error = speech_fault_error(&told, u->samples.bytes > 0);
    tell_last(u, AIC_TTS_EVENT_ERROR, (struct aic_tts_event){.error = &error});
}

void eleven_fail_all(struct eleven_session *session, const struct speech_fault *fault)
{
    bool is_told = false;
    for (struct eleven_utterance *u = session->first; u; u = u->next) {
        is_told = is_told || !u->is_told;
        eleven_fail(u, fault);
    }
    if (!is_told && !session->is_closed) {
        struct speech_fault told = *fault;
        speech_fault_hide(&told, session->provider->api_key);
        struct aic_error error = speech_fault_error(&told, false);
        const struct aic_tts_event event = {
            .size = sizeof(event), .kind = AIC_TTS_EVENT_ERROR, .error = &error};
        session->sink->event(session->sink, &event);
    }
}

void eleven_cancelled(struct eleven_utterance *u)
{
    tell_last(u, AIC_TTS_EVENT_CANCELLED, (struct aic_tts_event){.mark_id = 0});
}

struct aic_str eleven_tail(struct aic_str text)
{
    if (text.len <= PREVIOUS_MAX_BYTES) {
        return text;
    }
    text.ptr += text.len - PREVIOUS_MAX_BYTES;
    text.len = PREVIOUS_MAX_BYTES;
    while (text.len > 0 && text.ptr[0] != ' ') {
        text.ptr++;
        text.len--;
    }
    return text;
}

int32_t eleven_utterance_create(struct eleven_session *session, uint64_t id,
                                struct aic_str previous)
{
    if (session->count >= UTTERANCES_MAX) {
        return AIC_ERROR_BUSY;
    }
    struct eleven_utterance *u = calloc(1, sizeof(*u));
    if (!u) {
        return AIC_ERROR_MEMORY;
    }
    u->session = session;
    u->id = id;
    aic_buf_init(&u->text, ELEVEN_TEXT_MAX_BYTES);
    aic_buf_init(&u->previous, PREVIOUS_MAX_BYTES);
    (void)aic_buf_str(&u->previous, eleven_tail(previous));
    append(session, u);
    return AIC_OK;
}
