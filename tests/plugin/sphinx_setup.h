/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_SPHINX_SETUP_H
#define PLUGIN_SPHINX_SETUP_H
/* The sphinx plugin on a fake host, a recorded caller, and a host that writes down what it hears.
 */
#include "fake_host.h"

#include "buf.h"
#include "wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_sphinx(void);

enum { SECOND = 1000000, FRAME_US = 20000, UTTERANCES = 64, MAX_TEXT = 400 };

struct ear_setup {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_stt *stt;
    void *self;
    void *session;
    struct aic_stt_sink sink;
    struct aic_format format;
    char *file; /* the caller's */
    const uint8_t *sound;
    size_t sound_bytes;
    int64_t now_us; /* media time: what was pushed */
    int32_t pushed; /* status of the last push */
    bool is_inside; /* an operation is under way */
    bool is_closed; /* `close` has returned */
    bool closes_at_words;
    int ready;
    int closed;
    int updated;
    int warnings;
    int errors;
    uint32_t error_scope;
    int partials[UTTERANCES]; /* by id */
    int finals[UTTERANCES];
    int turn_ends[UTTERANCES];
    int out_of_order; /* words behind the final ones, ends before them */
    char partial[UTTERANCES][MAX_TEXT];
    char text[UTTERANCES][MAX_TEXT]; /* final */
    int64_t start_us[UTTERANCES];
    int64_t end_us[UTTERANCES];
};

static inline struct ear_setup *setup_of(void **state)
{
    return *state;
}

static inline void close_ear(struct ear_setup *s)
{
    s->stt->close(s->session);
    s->session = NULL;
    s->is_closed = true;
}

static inline void take_words(struct ear_setup *s, const struct aic_stt_event *event)
{
    uint64_t id = event->id;
    assert_int_equal(event->scope, AIC_STT_SCOPE_TURN);
    assert_int_equal(event->text_mode, AIC_STT_TEXT_REPLACE);
    s->out_of_order += s->finals[id] > 0;
    if (event->stability == AIC_STT_FINAL) {
        s->finals[id]++;
        s->start_us[id] = event->start_us;
        s->end_us[id] = event->end_us;
        (void)aic_str_copy(event->text, s->text[id], MAX_TEXT);
    } else {
        assert_int_equal(event->stability, AIC_STT_PARTIAL);
        s->partials[id]++;
        (void)aic_str_copy(event->text, s->partial[id], MAX_TEXT);
    }
    if (s->closes_at_words) {
        close_ear(s);
    }
}

static inline void on_ear_event(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct ear_setup *s = sink->impl;
    assert_false(s->is_inside);
    assert_false(s->is_closed);
    assert_true(event->id < UTTERANCES);
    switch (event->kind) {
    case AIC_STT_EVENT_READY:
        s->ready++;
        break;
    case AIC_STT_EVENT_TRANSCRIPT:
        take_words(s, event);
        break;
    case AIC_STT_EVENT_TURN_END:
        s->out_of_order += s->finals[event->id] != 1;
        s->turn_ends[event->id]++;
        break;
    case AIC_STT_EVENT_UPDATED:
        s->updated++;
        break;
    case AIC_STT_EVENT_CLOSED:
        s->closed++;
        break;
    case AIC_STT_EVENT_WARNING:
        s->warnings++;
        break;
    case AIC_STT_EVENT_ERROR:
        s->errors++;
        s->error_scope = event->error->scope;
        break;
    default:
        fail_msg("unexpected event %u", event->kind);
    }
}

static inline void create_ear(struct ear_setup *s, const struct fake_setting *settings)
{
    static const struct fake_setting none[] = {{NULL, NULL}};
    const struct aic_plugin *plugin = aicaller_plugin_sphinx();
    assert_int_equal(fake_provider_create(s->fake, plugin, settings ? settings : none, &s->self),
                     AIC_OK);
    s->stt = plugin->get_interface(AIC_STT);
    assert_non_null(s->stt);
}

enum { MAX_HINTS = 16 };

/* Hints end with NULL. */
static inline uint32_t hints_of(const char *const *texts, struct aic_str hints[MAX_HINTS])
{
    uint32_t count = 0;
    for (; texts && texts[count]; count++) {
        assert_true(count < MAX_HINTS);
        hints[count] = aic_str(texts[count]);
    }
    return count;
}

static inline int32_t open_ear(struct ear_setup *s, struct aic_format format, const char *language,
                               const char *const *texts)
{
    struct aic_str hints[MAX_HINTS];
    struct aic_stt_open params = {.size = sizeof(params),
                                  .format = format,
                                  .call_id = "call",
                                  .language = language,
                                  .hints = hints,
                                  .hint_count = hints_of(texts, hints),
                                  .hint_size = sizeof(hints[0])};
    s->format = format;
    s->is_closed = false;
    s->now_us = 0;
    s->is_inside = true;
    int32_t status = s->stt->open(s->self, &params, &s->sink, &s->session);
    s->is_inside = false;
    return status;
}

/* The session hears these bytes, 20 ms of sound in 20 ms of time. */
static inline void hear_frame(struct ear_setup *s, const uint8_t *bytes, size_t count)
{
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = s->format,
                              .data = bytes,
                              .bytes = count,
                              .time_us = s->now_us};
    s->is_inside = true;
    s->pushed = s->stt->push_audio(s->session, &audio);
    s->is_inside = false;
    s->now_us += FRAME_US;
    vsched_run(s->v, FRAME_US);
}

/* The recorded caller from one time of the file to another, in seconds. */
static inline void hear(struct ear_setup *s, double from_s, double to_s)
{
    size_t frame = s->format.rate_hz / 50; /* mu-law */
    size_t at = (size_t)(from_s * 50) * frame;
    for (; at < (size_t)(to_s * 50) * frame && s->session; at += frame) {
        assert_true(at + frame <= s->sound_bytes);
        hear_frame(s, s->sound + at, frame);
    }
}

static inline void hear_silence(struct ear_setup *s, double seconds)
{
    uint8_t silence[1280];
    size_t frame = s->format.rate_hz / 50 * (s->format.codec == AIC_CODEC_MULAW ? 1 : 2);
    memset(silence, s->format.codec == AIC_CODEC_MULAW ? 0xFF : 0, sizeof(silence));
    for (int i = 0; i < (int)(seconds * 50); i++) {
        hear_frame(s, silence, frame);
    }
}

static inline int32_t tell(struct ear_setup *s, uint32_t what, uint64_t id)
{
    s->is_inside = true;
    int32_t status = s->stt->utterance(s->session, what, id, s->now_us);
    s->is_inside = false;
    return status;
}

static inline void begin(struct ear_setup *s, uint64_t id)
{
    assert_int_equal(tell(s, AIC_STT_UTTERANCE_BEGIN, id), AIC_OK);
}

static inline void end(struct ear_setup *s, uint64_t id)
{
    assert_int_equal(tell(s, AIC_STT_UTTERANCE_END, id), AIC_OK);
}

/* One sentence of the caller, as the host's voice detector would cut it out. */
static inline void hear_sentence(struct ear_setup *s, uint64_t id, double from_s, double to_s)
{
    hear(s, from_s - 0.5, from_s - 0.2);
    begin(s, id);
    hear(s, from_s - 0.2, to_s + 0.5);
    end(s, id);
    vsched_run(s->v, SECOND);
}

static inline void read_caller(struct ear_setup *s)
{
    FILE *file = fopen(TEST_DATA "/caller_rms.wav", "rb");
    struct aic_wav wav;
    s->file = malloc(1 << 20);
    assert_non_null(file);
    assert_non_null(s->file);
    size_t bytes = fread(s->file, 1, 1 << 20, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(aic_wav_parse((struct aic_str){s->file, bytes}, bytes, &wav), AIC_OK);
    assert_int_equal(wav.format.codec, AIC_CODEC_MULAW);
    s->sound = (const uint8_t *)s->file + wav.data_offset;
    s->sound_bytes = wav.data_bytes;
}

static inline int ear_setup(void **state)
{
    struct ear_setup *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->v = vsched_create(1);
    s->fake = fake_host_create(s->v);
    s->sink = (struct aic_stt_sink){.size = sizeof(s->sink), .impl = s, .event = on_ear_event};
    read_caller(s);
    *state = s;
    return 0;
}

static inline int ear_teardown(void **state)
{
    struct ear_setup *s = *state;
    int out_of_order = s->out_of_order;
    if (s->stt) {
        s->stt->close(s->session);
        aicaller_plugin_sphinx()->destroy(s->self);
    }
    vsched_run(s->v, SECOND);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
    free(s->file);
    free(s);
    return out_of_order;
}

#endif
