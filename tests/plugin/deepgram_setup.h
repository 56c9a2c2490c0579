/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_SETUP_H
#define DEEPGRAM_SETUP_H
/* A recogniser of Deepgram's on the fake host, and its events as lines of text. */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEEPGRAM_KEY "dg-test-0123456789"

const struct aic_plugin *aicaller_plugin_deepgram(void);

struct ear {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_stt *stt;
    struct aic_stt_sink sink;
    void *self;
    void *session;
    struct aic_format format;
    struct aic_buf events;
    struct aic_error error;     /* of the last event with one */
    struct aic_usage usage;     /* sum */
    struct aic_stt_event words; /* the last transcript, without what it points to */
    struct aic_stt_word word;   /* its first word, without the text */
    uint32_t close_at;          /* close from inside an event of this kind */
    bool is_closed;
};

static inline void ear_note(struct ear *ear, const struct aic_stt_event *e)
{
    static const char *const names[] = {
        "none",      "ready",   "speech",  "text",  "eager",   "resumed", "end",         "ended",
        "finalized", "updated", "revised", "usage", "warning", "error",   "reconnected", "closed"};
    static const char *const stabilities[] = {"", "partial", "EAGER", "FINAL"};
    if (e->kind == AIC_STT_EVENT_USAGE) {
        ear->usage.requests += e->usage->requests;
        ear->usage.audio_in_us += e->usage->audio_in_us;
        ear->usage.connection_us += e->usage->connection_us;
        return;
    }
    aic_buf_text(&ear->events, names[e->kind]);
    if (e->kind == AIC_STT_EVENT_TRANSCRIPT) {
        ear->words = *e;
        if (e->word_count > 0) {
            ear->word = e->words[0];
        }
        aic_buf_printf(&ear->events, " %u.%u %s %.*s", (unsigned)e->id, (unsigned)e->segment_id,
                       stabilities[e->stability], (int)e->text.len, e->text.ptr);
    } else if (e->error) {
        ear->error = *e->error;
        aic_buf_printf(&ear->events, " %u %.*s", (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
    } else if (e->kind == AIC_STT_EVENT_RECONNECTED) {
        aic_buf_printf(&ear->events, " %lld", (long long)e->duration_us);
    } else if (e->kind != AIC_STT_EVENT_READY && e->kind != AIC_STT_EVENT_CLOSED) {
        aic_buf_printf(&ear->events, " %u", (unsigned)e->id);
    }
    aic_buf_char(&ear->events, '\n');
}

static inline void ear_take(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct ear *ear = sink->impl;
    assert_false(ear->is_closed);
    ear_note(ear, event);
    if (event->kind == ear->close_at) {
        ear->is_closed = true;
        ear->stt->close(ear->session);
        ear->session = NULL;
    }
}

static inline void ear_begin(struct ear *ear, const struct fake_setting *settings)
{
    *ear = (struct ear){.format = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1}};
    ear->v = vsched_create(7);
    ear->fake = fake_host_create(ear->v);
    assert_int_equal(
        fake_provider_create(ear->fake, aicaller_plugin_deepgram(), settings, &ear->self), AIC_OK);
    ear->stt = aicaller_plugin_deepgram()->get_interface(AIC_STT);
    ear->sink = (struct aic_stt_sink){.size = sizeof(ear->sink), .impl = ear, .event = ear_take};
    aic_buf_init(&ear->events, 1 << 20);
}

static inline struct aic_ws *ear_open_with(struct ear *ear, const struct aic_str *hints,
                                           uint32_t count)
{
    const struct aic_stt_open params = {.size = sizeof(params),
                                        .format = ear->format,
                                        .call_id = "c",
                                        .language = "en",
                                        .hints = hints,
                                        .hint_count = count,
                                        .hint_size = sizeof(struct aic_str),
                                        .endpointing_ms = 500};
    assert_int_equal(ear->stt->open(ear->self, &params, &ear->sink, &ear->session), AIC_OK);
    return fake_ws_current(ear->fake);
}

/* A session with a connection. */
static inline struct aic_ws *ear_open(struct ear *ear, const struct fake_setting *settings)
{
    ear_begin(ear, settings);
    struct aic_ws *ws = ear_open_with(ear, NULL, 0);
    fake_ws_open(ws);
    return ws;
}

/* Nothing may be left behind: socket, timer, or key in the log. */
static inline void ear_finish(struct ear *ear)
{
    ear->stt->close(ear->session);
    aicaller_plugin_deepgram()->destroy(ear->self);
    aic_buf_finish(&ear->events);
    const char *log = fake_log(ear->fake);
    assert_true(!log || !strstr(log, DEEPGRAM_KEY));
    assert_int_equal(vsched_timers(ear->v), 0);
    fake_host_destroy(ear->fake);
    vsched_destroy(ear->v);
}

static inline void ear_expect(struct ear *ear, const char *want)
{
    assert_string_equal(ear->events.len > 0 ? ear->events.data : "", want);
    aic_buf_clear(&ear->events);
}

/* Sound of this many ms, all bytes the same, in frames of 20 ms, while time passes. */
static inline void ear_speak(struct ear *ear, int ms, uint8_t value)
{
    uint8_t frame[160];
    memset(frame, value, sizeof(frame));
    const struct aic_audio audio = {.size = sizeof(audio),
                                    .format = ear->format,
                                    .data = frame,
                                    .bytes = sizeof(frame),
                                    .time_us = -1};
    for (int at = 0; at < ms; at += 20) {
        assert_int_equal(ear->stt->push_audio(ear->session, &audio), AIC_OK);
        vsched_run(ear->v, 20000);
    }
}

/* A message with results of Nova's. */
static inline void ear_results(struct aic_ws *ws, double start, double duration, const char *flags,
                               const char *text)
{
    char message[2048];
    (void)snprintf(message, sizeof(message),
                   "{\"type\":\"Results\",\"channel_index\":[0,1],\"start\":%g,\"duration\":%g,%s"
                   "\"channel\":{\"alternatives\":[{\"transcript\":\"%s\",\"confidence\":0.9,"
                   "\"words\":[{\"word\":\"w\",\"start\":%g,\"end\":%g,\"confidence\":0.8}]}]},"
                   "\"metadata\":{\"request_id\":\"r-1\"}}",
                   start, duration, flags, text, start, start + duration);
    fake_ws_text(ws, message);
}

#define PARTIAL "\"is_final\":false,\"speech_final\":false,"
#define FINAL   "\"is_final\":true,\"speech_final\":false,"
#define LAST    "\"is_final\":true,\"speech_final\":true,"

static inline void assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part)) {
        fail_msg("no \"%s\" in: %s", part, text ? text : "(nothing)");
    }
}

#endif
