/* SPDX-License-Identifier: ISC */
#ifndef CALL_SPEECH_H
#define CALL_SPEECH_H
/*
 * Sentences to sound: gives each to the voice in use, converts what comes to the leg's format, and
 * keeps the ledger of which words are where. When a voice fails in the middle, the next one says
 * what the caller has not heard.
 */
#include "call/ledger.h"
#include "call/voice.h"
#include "plugin/chain.h"

struct speech_events {
    /* The sound of a sentence that was spoken ahead, in the leg's format; false where there is
     * none. Borrowed until the answer ends. May be NULL. */
    bool (*clip)(void *data, struct aic_str sentence, struct aic_str *audio);
    /* The next sound of the answer, in the leg's format. */
    void (*audio)(void *data, const uint8_t *bytes, size_t count);
    /* Forget what was given beyond `audio_us` of this answer, as far as it is unheard; returns how
     * much of the answer's sound remains. */
    int64_t (*rewind)(void *data, int64_t audio_us);
    /* The first sound of the answer is about to come; for the latency record. */
    void (*first_audio)(void *data, const struct provider *provider);
    /* All sentences before speech_end were delivered. */
    void (*done)(void *data);
    /* No voice is left. */
    void (*failed)(void *data, const struct aic_error *error);
    /* Usage and the switch to another voice, for the record. */
    void (*usage)(void *data, const struct provider *provider, const struct aic_usage *usage);
    void (*switched)(void *data, const struct provider *from, const struct provider *to,
                     const struct aic_error *error);
    void *data;
};

struct speech_settings {
    struct aic_format format; /* of the leg */
    const char *call_id;
    const char *voice; /* "" = each provider's own */
    const char *language;
    int64_t first_audio_us; /* patience while another voice is there [1.5 s] */
};

struct speech_voice {
    struct speech *speech;
    struct voice voice;
};

enum { SPEECH_SENTENCES = 256 };

struct speech {
    struct sched *sched;
    struct chain chain;
    struct speech_settings settings;
    struct speech_events events;
    struct speech_voice voices[CHAIN_MAX];
    struct ledger ledger;
    int current;                   /* index of the voice in use; -1 before the first */
    uint32_t tried;                /* in this answer */
    size_t ends[SPEECH_SENTENCES]; /* of the sentences in the ledger's text */
    size_t sentence_count;
    size_t given;       /* text up to here was given to the voice */
    size_t done;        /* text up to here came back as sound */
    uint64_t utterance; /* under way; 0 = none */
    uint64_t last_utterance;
    int64_t utterance_began_us; /* where in the answer's audio it begins */
    int64_t audio_us;           /* of the answer, delivered */
    struct sched_timer *timer;  /* patience with the voice */
    bool utterance_has_ended;   /* the voice knows that no more text comes for it */
    bool utterance_has_sound;
    bool has_retried; /* the only voice got a second chance in this answer */
    bool is_open;     /* an answer is being spoken */
    bool is_ended;    /* no more sentences will come */
};

void speech_init(struct speech *speech, struct sched *sched, const struct chain *chain,
                 const struct speech_settings *settings, const struct speech_events *events);
void speech_finish(struct speech *speech);
/* Opens the first voice ahead of its first sentence. */
void speech_prepare(struct speech *speech);

/* Begins an answer; the one before is cancelled. */
void speech_begin(struct speech *speech);
void speech_say(struct speech *speech, struct aic_str sentence);
void speech_end(struct speech *speech);
/* Drops the answer; `heard_us` of its sound was heard. */
void speech_cancel(struct speech *speech, int64_t heard_us);
/* The provider of the voice in use, or NULL. */
const struct provider *speech_provider(const struct speech *speech);

#endif
