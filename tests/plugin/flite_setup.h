/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_FLITE_SETUP_H
#define PLUGIN_FLITE_SETUP_H
/* The flite plugin on a fake host, and a host that writes down what it is told. */
#include "fake_host.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_flite(void);

enum { MAX_WORDS = 200, SECOND = 1000000, UTTERANCES = 64 };

struct heard_word {
    char text[40];
    uint64_t id;
    int64_t start_us;
    int64_t end_us;
};

struct voice_setup {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_tts *tts;
    void *self;
    void *session;
    struct aic_tts_sink sink;
    bool is_inside;       /* an operation is under way */
    bool is_closed;       /* `close` has returned */
    bool closes_at_audio; /* closes the session at the next audio */
    bool cancels_at_audio;
    struct heard_word words[MAX_WORDS];
    size_t word_count;
    struct aic_buf sound; /* of all utterances */
    int64_t sound_us[UTTERANCES];
    size_t blocks;
    size_t largest_block;
    uint32_t rate_hz;
    int done[UTTERANCES]; /* by id */
    int cancelled[UTTERANCES];
    int errors[UTTERANCES];
    uint64_t flushed_mark;
    int64_t flushed_at_us; /* sound of the utterance when the mark came */
    int after_end;         /* events of an utterance behind its last */
};

static inline struct voice_setup *setup_of(void **state)
{
    return *state;
}

static inline void take_audio(struct voice_setup *s, const struct aic_tts_event *event)
{
    const struct aic_audio *audio = event->audio;
    int64_t us = (int64_t)(audio->bytes / 2) * SECOND / audio->format.rate_hz;
    assert_int_equal(audio->format.codec, AIC_CODEC_PCM_S16LE);
    assert_int_equal(audio->time_us, s->sound_us[event->id]);
    s->rate_hz = audio->format.rate_hz;
    s->sound_us[event->id] += us;
    s->blocks++;
    s->largest_block = audio->bytes > s->largest_block ? audio->bytes : s->largest_block;
    assert_int_equal(aic_buf_add(&s->sound, audio->data, audio->bytes), AIC_OK);
    if (s->cancels_at_audio) {
        s->cancels_at_audio = false;
        assert_int_equal(s->tts->cancel(s->session, event->id, 0), AIC_OK);
    }
    if (s->closes_at_audio) {
        s->tts->close(s->session);
        s->session = NULL;
        s->is_closed = true;
    }
}

static inline void take_words(struct voice_setup *s, const struct aic_tts_event *event)
{
    assert_int_equal(event->span_size, sizeof(struct aic_tts_span));
    for (uint32_t i = 0; i < event->span_count && s->word_count < MAX_WORDS; i++) {
        const struct aic_tts_span *span = &event->spans[i];
        struct heard_word *word = &s->words[s->word_count++];
        (void)aic_str_copy(span->text, word->text, sizeof(word->text));
        word->id = event->id;
        word->start_us = span->start_us;
        word->end_us = span->start_us + span->duration_us;
    }
}

static inline void on_voice_event(const struct aic_tts_sink *sink,
                                  const struct aic_tts_event *event)
{
    struct voice_setup *s = sink->impl;
    assert_false(s->is_inside);
    assert_false(s->is_closed);
    assert_true(event->id < UTTERANCES);
    uint64_t id = event->id;
    s->after_end += s->done[id] + s->cancelled[id] + s->errors[id] > 0;
    switch (event->kind) {
    case AIC_TTS_EVENT_AUDIO:
        take_audio(s, event);
        break;
    case AIC_TTS_EVENT_ALIGNMENT:
        take_words(s, event);
        break;
    case AIC_TTS_EVENT_FLUSHED:
        s->flushed_mark = event->mark_id;
        s->flushed_at_us = s->sound_us[id];
        break;
    case AIC_TTS_EVENT_DONE:
        s->done[id]++;
        break;
    case AIC_TTS_EVENT_CANCELLED:
        s->cancelled[id]++;
        break;
    case AIC_TTS_EVENT_ERROR:
        s->errors[id]++;
        break;
    default:
        fail_msg("unexpected event %u", event->kind);
    }
}

static inline int32_t open_voice(struct voice_setup *s, uint32_t rate_hz, const char *voice)
{
    struct aic_tts_open params = {.size = sizeof(params),
                                  .format = {AIC_CODEC_PCM_S16LE, rate_hz, 1, 0},
                                  .call_id = "call",
                                  .voice = voice,
                                  .language = ""};
    s->is_closed = false;
    return s->tts->open(s->self, &params, &s->sink, &s->session);
}

static inline void close_voice(struct voice_setup *s)
{
    s->tts->close(s->session);
    s->session = NULL;
    s->is_closed = true;
}

static inline void begin(struct voice_setup *s, uint64_t id)
{
    struct aic_tts_utterance params = {.size = sizeof(params), .id = id};
    s->is_inside = true;
    assert_int_equal(s->tts->begin(s->session, &params), AIC_OK);
    s->is_inside = false;
}

static inline void push(struct voice_setup *s, uint64_t id, const char *text)
{
    s->is_inside = true;
    assert_int_equal(s->tts->push_text(s->session, id, aic_str(text)), AIC_OK);
    s->is_inside = false;
}

static inline void end(struct voice_setup *s, uint64_t id)
{
    s->is_inside = true;
    assert_int_equal(s->tts->end(s->session, id), AIC_OK);
    s->is_inside = false;
}

static inline void cancel(struct voice_setup *s, uint64_t id)
{
    s->is_inside = true;
    assert_int_equal(s->tts->cancel(s->session, id, 0), AIC_OK);
    s->is_inside = false;
}

static inline void say(struct voice_setup *s, uint64_t id, const char *text)
{
    begin(s, id);
    push(s, id, text);
    end(s, id);
    vsched_run(s->v, SECOND);
}

static inline void create_voice(struct voice_setup *s, const struct fake_setting *settings)
{
    const struct aic_plugin *plugin = aicaller_plugin_flite();
    assert_int_equal(fake_provider_create(s->fake, plugin, settings, &s->self), AIC_OK);
    s->tts = plugin->get_interface(AIC_TTS);
}

static inline int voice_setup(void **state)
{
    struct voice_setup *s = calloc(1, sizeof(*s));
    s->v = vsched_create(1);
    s->fake = fake_host_create(s->v);
    s->sink = (struct aic_tts_sink){.size = sizeof(s->sink), .impl = s, .event = on_voice_event};
    aic_buf_init(&s->sound, 64 << 20);
    *state = s;
    return 0;
}

static inline int voice_teardown(void **state)
{
    struct voice_setup *s = *state;
    int after_end = s->after_end;
    if (s->tts) {
        s->tts->close(s->session);
        aicaller_plugin_flite()->destroy(s->self);
    }
    vsched_run(s->v, SECOND);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
    aic_buf_finish(&s->sound);
    free(s);
    return after_end;
}

#endif
