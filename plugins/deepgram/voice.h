/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_VOICE_H
#define DEEPGRAM_VOICE_H
/*
 * A voice of one call. Each utterance is one request, whose answer is streamed sound: Aura's socket
 * bounds how often and how much may be said in a minute, and its sound does not tell whose it is.
 */
#include "provider.h"
#include "speech-core/exchange.h"
#include "speech-core/fault.h"
#include "speech-core/samples.h"

enum { DEEPGRAM_TEXT_MAX_BYTES = 1900 }; /* the vendor takes 2000 characters */

struct deepgram_voice;

struct deepgram_utterance {
    struct deepgram_utterance *next;
    struct deepgram_voice *voice;
    uint64_t id;
    struct aic_buf text;
    struct speech_exchange exchange;
    struct aic_timer *timer;
    void (*fire)(struct deepgram_utterance *u);
    struct speech_samples samples;
    int64_t chars_billed; /* as the vendor says; -1 unknown */
    char request_id[SPEECH_ID_BYTES];
    bool is_sound; /* the answer's type */
    bool is_ended; /* no more text */
    bool is_told;  /* its last event was told, or will be by the timer */
    bool is_gone;  /* to be freed as soon as nothing runs */
};

struct deepgram_voice {
    const struct deepgram_provider *provider;
    const struct aic_tts_sink *sink;
    struct aic_format format;
    char *name;
    struct deepgram_utterance *first;
    uint32_t count;
    struct speech_exchange probe;
    bool is_closed;
    int depth; /* of functions that run */
};

/* Frame every function that the host calls back; the voice may be gone after `leave`. */
void deepgram_voice_enter(struct deepgram_voice *voice);
void deepgram_voice_leave(struct deepgram_voice *voice);

/* NULL when out of memory. */
struct deepgram_voice *deepgram_voice_create(const struct deepgram_provider *provider,
                                             const char *name, struct aic_format format,
                                             const struct aic_tts_sink *sink);
/* Nothing is told after this. */
void deepgram_voice_close(struct deepgram_voice *voice);
/* Asks for the token's details, which costs nothing: is the key good? */
int32_t deepgram_voice_probe(struct deepgram_voice *voice);

/* AIC_ERROR_BUSY when there are too many. */
int32_t deepgram_utterance_create(struct deepgram_voice *voice, uint64_t id);
/* One that has not had its last event; NULL. */
struct deepgram_utterance *deepgram_utterance_find(const struct deepgram_voice *voice, uint64_t id);
int32_t deepgram_utterance_speak(struct deepgram_utterance *u);
int32_t deepgram_utterance_cancel(struct deepgram_utterance *u);

#endif
