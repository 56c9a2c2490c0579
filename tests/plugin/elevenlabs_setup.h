/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_SETUP_H
#define ELEVENLABS_SETUP_H
/* A voice of ElevenLabs' on the fake host, and its events as lines of text. */
#include "fake_host.h"

#include "base64.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ELEVEN_KEY "xi-test-0123456789"

/* What a character of the fake vendor's speech takes. */
enum { CHAR_MS = 10 };

const struct aic_plugin *aicaller_plugin_elevenlabs(void);

struct voice {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_tts *tts;
    struct aic_tts_sink sink;
    void *self;
    void *session;
    struct aic_format format;
    struct aic_buf events;
    struct aic_buf sound;
    struct aic_error error;
    struct aic_usage usage; /* the last */
    uint32_t close_at;      /* close from inside an event of this kind */
    uint32_t cancel_at;
    bool is_closed;
};

static inline void voice_note_spans(struct voice *voice, const struct aic_tts_event *e)
{
    for (uint32_t i = 0; i < e->span_count; i++) {
        const struct aic_tts_span *span = &e->spans[i];
        aic_buf_printf(&voice->events, " %.*s@%d+%d", (int)span->text.len, span->text.ptr,
                       (int)(span->start_us / 1000), (int)(span->duration_us / 1000));
    }
}

static inline void voice_note(struct voice *voice, const struct aic_tts_event *e)
{
    static const char *const names[] = {"none",    "started", "audio",     "words",
                                        "flushed", "done",    "cancelled", "usage",
                                        "warning", "error",   "rate"};
    aic_buf_printf(&voice->events, "%u %s", (unsigned)e->id, names[e->kind]);
    if (e->kind == AIC_TTS_EVENT_AUDIO) {
        aic_buf_printf(&voice->events, " %u", (unsigned)e->audio->bytes);
        aic_buf_add(&voice->sound, e->audio->data, e->audio->bytes);
    } else if (e->kind == AIC_TTS_EVENT_ALIGNMENT) {
        voice_note_spans(voice, e);
    } else if (e->kind == AIC_TTS_EVENT_FLUSHED) {
        aic_buf_printf(&voice->events, " %u", (unsigned)e->mark_id);
    } else if (e->kind == AIC_TTS_EVENT_USAGE) {
        voice->usage = *e->usage;
        aic_buf_printf(&voice->events, " %u", (unsigned)e->usage->chars_in);
    } else if (e->kind == AIC_TTS_EVENT_RATE_INFO) {
        aic_buf_printf(&voice->events, " %d of %d", (int)e->rate->remaining, (int)e->rate->limit);
    } else if (e->error) {
        voice->error = *e->error;
        aic_buf_printf(&voice->events, " %u %.*s", (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
    }
    aic_buf_char(&voice->events, '\n');
}

static inline void voice_take(const struct aic_tts_sink *sink, const struct aic_tts_event *event)
{
    struct voice *voice = sink->impl;
    assert_false(voice->is_closed);
    voice_note(voice, event);
    if (event->kind == voice->cancel_at) {
        voice->cancel_at = 0;
        assert_int_equal(voice->tts->cancel(voice->session, event->id, 0), AIC_OK);
    }
    if (event->kind == voice->close_at) {
        voice->is_closed = true;
        voice->tts->close(voice->session);
        voice->session = NULL;
    }
}

static inline void voice_begin(struct voice *voice, const struct fake_setting *settings)
{
    *voice = (struct voice){.format = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1}};
    voice->v = vsched_create(7);
    voice->fake = fake_host_create(voice->v);
    assert_int_equal(
        fake_provider_create(voice->fake, aicaller_plugin_elevenlabs(), settings, &voice->self),
        AIC_OK);
    voice->tts = aicaller_plugin_elevenlabs()->get_interface(AIC_TTS);
    voice->sink =
        (struct aic_tts_sink){.size = sizeof(voice->sink), .impl = voice, .event = voice_take};
    aic_buf_init(&voice->events, 1 << 20);
    aic_buf_init(&voice->sound, 1 << 20);
}

static inline void voice_open(struct voice *voice, const struct fake_setting *settings)
{
    voice_begin(voice, settings);
    const struct aic_tts_open params = {.size = sizeof(params),
                                        .format = voice->format,
                                        .call_id = "c",
                                        .voice = "",
                                        .language = "en-IN"};
    assert_int_equal(voice->tts->open(voice->self, &params, &voice->sink, &voice->session), AIC_OK);
}

/* Nothing may be left behind: request, socket, timer, or key in the log. */
static inline void voice_finish(struct voice *voice)
{
    voice->tts->close(voice->session);
    aicaller_plugin_elevenlabs()->destroy(voice->self);
    aic_buf_finish(&voice->events);
    aic_buf_finish(&voice->sound);
    const char *log = fake_log(voice->fake);
    assert_true(!log || !strstr(log, ELEVEN_KEY));
    assert_int_equal(vsched_timers(voice->v), 0);
    fake_host_destroy(voice->fake);
    vsched_destroy(voice->v);
}

static inline void voice_expect(struct voice *voice, const char *want)
{
    assert_string_equal(voice->events.len > 0 ? voice->events.data : "", want);
    aic_buf_clear(&voice->events);
}

static inline void voice_start(struct voice *voice, uint64_t id)
{
    const struct aic_tts_utterance params = {
        .size = sizeof(params), .id = id, .previous_text = AIC_STR("Good day.")};
    assert_int_equal(voice->tts->begin(voice->session, &params), AIC_OK);
}

/* A sentence, as the host gives it: with a mark at its end. */
static inline void voice_say(struct voice *voice, uint64_t id, const char *text, uint64_t mark)
{
    assert_int_equal(voice->tts->push_text(voice->session, id, aic_str(text)), AIC_OK);
    assert_int_equal(voice->tts->flush(voice->session, id, mark), AIC_OK);
}

static inline void sent_is(struct aic_ws *ws, const char *want)
{
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, want);
    free(sent);
}

/* A message of the vendor's: sound as long as the text, and when each character is heard. */
static inline void vendor_speaks(struct aic_ws *ws, uint64_t context, const char *text,
                                 bool with_alignment)
{
    size_t count = strlen(text) * CHAR_MS * 8;
    uint8_t *sound = malloc(count + 1);
    struct aic_buf message;
    struct aic_json_writer w;
    assert_non_null(sound);
    memset(sound, 0x55, count);
    aic_buf_init(&message, 1 << 22);
    aic_buf_text(&message, "{\"audio\":\"");
    aic_buf_reserve(&message, AIC_BASE64_ENCODED(count));
    message.len += aic_base64_encode(message.data + message.len, sound, count);
    message.data[message.len] = '\0';
    aic_buf_printf(&message,
                   "\",\"isFinal\":null,\"contextId\":\"%u\",\"alignment\":", (unsigned)context);
    aic_json_writer_init(&w, &message);
    aic_json_open(&w, '{');
    aic_json_key(&w, "chars");
    aic_json_open(&w, '[');
    for (size_t i = 0; with_alignment && text[i]; i++) {
        aic_json_put(&w, (struct aic_str){text + i, 1});
    }
    aic_json_close(&w, ']');
    aic_json_key(&w, "charStartTimesMs");
    aic_json_open(&w, '[');
    for (size_t i = 0; text[i]; i++) {
        aic_json_put_int(&w, (int64_t)i * CHAR_MS);
    }
    aic_json_close(&w, ']');
    aic_json_key(&w, "charDurationsMs");
    aic_json_open(&w, '[');
    for (size_t i = 0; text[i]; i++) {
        aic_json_put_int(&w, CHAR_MS);
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    aic_buf_char(&message, '}');
    fake_ws_text(ws, message.data);
    aic_buf_finish(&message);
    free(sound);
}

static inline void vendor_ends(struct aic_ws *ws, unsigned context)
{
    char message[120];
    (void)snprintf(message, sizeof(message),
                   "{\"audio\":null,\"isFinal\":true,\"contextId\":\"%u\"}", context);
    fake_ws_text(ws, message);
}

static inline void assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part)) {
        fail_msg("no \"%s\" in: %s", part, text ? text : "(nothing)");
    }
}

#endif
