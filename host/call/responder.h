/* SPDX-License-Identifier: ISC */
#ifndef CALL_RESPONDER_H
#define CALL_RESPONDER_H
/*
 * What answers a caller: takes sound in, tells what it heard, and gives text, sound and tool calls
 * out. The cascade of recogniser, language model and voice (cascade.h) is the first of its kind; a
 * model that goes from speech to speech can be the second.
 *
 * The call decides when: it tells the responder that a turn is over, that an answer was cut off,
 * and how much of it was heard.
 */
#include "buf.h"

#include <aicaller/stt.h>

struct provider;
struct aic_usage;

enum responder_role { RESPONDER_STT = 1, RESPONDER_LLM = 2, RESPONDER_TTS = 3 };

struct responder_events {
    /* Of the caller. */
    void (*heard)(void *data, const struct aic_stt_event *event);
    /* The recogniser's abilities, at the start and after a switch. */
    void (*hears_with)(void *data, uint32_t stt_flags);

    /* Of the answer under way, in order. */
    void (*write_messages)(void *data, const struct provider *provider, struct aic_str note,
                           struct aic_buf *to);
    void (*text)(void *data, struct aic_str delta); /* as generated */
    void (*tool)(void *data, struct aic_str id, struct aic_str name, struct aic_str arguments);
    void (*thought)(
        void *data, const struct provider *provider, uint32_t finish,
        struct aic_str state); /* no more text, unless asked: end_answer or answer_more */
    bool (*clip)(void *data, struct aic_str sentence, struct aic_str *audio); /* see speech.h */
    void (*audio)(void *data, const uint8_t *bytes, size_t count);
    int64_t (*rewind)(void *data, int64_t audio_us); /* see speech.h */
    void (*done)(void *data);                        /* all sound was given */

    /* For the record. */
    void (*first_token)(void *data, const struct provider *provider);
    void (*first_audio)(void *data, const struct provider *provider);
    void (*switched)(void *data, enum responder_role role, const struct provider *from,
                     const struct provider *to, const struct aic_error *error);
    void (*usage)(void *data, enum responder_role role, const struct provider *provider,
                  const struct aic_usage *usage);
    /* A role has no provider left. Of the answer under way nothing more comes. */
    void (*failed)(void *data, enum responder_role role, const struct aic_error *error);
    void *data;
};

struct responder;

struct responder_ops {
    void (*start)(struct responder *r);
    void (*destroy)(struct responder *r);
    /* The caller's sound and what the voice detector makes of it. */
    void (*hear)(struct responder *r, const uint8_t *bytes, size_t count);
    void (*utterance_begin)(struct responder *r, uint64_t id, int64_t back_us);
    void (*utterance_end)(struct responder *r);
    void (*finalize)(struct responder *r);
    void (*expect_words)(struct responder *r);
    /* Answers the conversation. A speculative answer is silent until `promote`. */
    void (*answer)(struct responder *r, bool is_speculative);
    void (*promote)(struct responder *r);
    /* After `thought`: goes on with the answer (tools were run), or ends it: `done` follows. */
    void (*answer_more)(struct responder *r);
    void (*end_answer)(struct responder *r);
    /* Says fixed words as an answer of their own; `done` follows. */
    void (*say)(struct responder *r, struct aic_str text);
    /* Says a sentence while the answer under way is still being thought about. */
    void (*fill)(struct responder *r, struct aic_str text);
    /* Drops the answer; `heard_us` of its sound was heard. */
    void (*cancel)(struct responder *r, int64_t heard_us);
    /* Appends the words that `heard_us` of the answer's sound amount to. */
    void (*heard_text)(struct responder *r, int64_t heard_us, struct aic_buf *to);
    /* Names of the providers in use, "" where none is. */
    const char *(*provider)(struct responder *r, enum responder_role role);
    /* Blocks of the caller's sound that no recogniser took. */
    uint64_t (*unheard_blocks)(const struct responder *r);
    /* Whether the next answers are only text. Not while one is under way. */
    void (*set_silent)(struct responder *r, bool is_silent);
};

/* Embedded first in an implementation. */
struct responder {
    const struct responder_ops *ops;
};

#endif
