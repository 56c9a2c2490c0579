/* SPDX-License-Identifier: ISC */
#ifndef CALL_HEARING_H
#define CALL_HEARING_H
/*
 * The caller's sound to words: feeds the recogniser in use, and keeps the last ten seconds, so that
 * when it is lost the next one hears everything since the last finished words again.
 */
#include "plugin/chain.h"
#include "plugin/session.h"

struct audio_converter;

struct hearing_events {
    /* Transcripts and what else a recogniser tells; never ERROR or CLOSED. */
    void (*heard)(void *data, const struct aic_stt_event *event);
    /* Another recogniser is in use (also the first one); its flags are what turns go by. */
    void (*changed)(void *data, const struct provider *from, const struct provider *to,
                    const struct aic_error *error);
    void (*failed)(void *data, const struct aic_error *error); /* none is left */
    void (*usage)(void *data, const struct provider *provider, const struct aic_usage *usage);
    void *data;
};

struct hearing_settings {
    struct aic_format format; /* of the leg */
    const char *call_id;
    const char *language;
    const struct aic_str *hints; /* as long as the call lives */
    uint32_t hint_count;
    int64_t endpointing_ms;
};

struct hearing {
    struct sched *sched;
    struct chain chain;
    struct hearing_settings settings;
    struct hearing_events events;
    struct session *session;
    struct audio_converter *converter;
    struct aic_format format; /* that the recogniser takes */
    int current;              /* index in the chain; -1 = none */
    uint32_t tried;           /* since the last words came */
    uint32_t restarts;        /* likewise */
    uint8_t *ring;            /* the last seconds in the leg's format */
    size_t ring_bytes;
    int64_t pushed;         /* bytes of leg audio since the call began */
    int64_t session_from;   /* where in them the present session began */
    int64_t settled;        /* up to here words are finished */
    uint64_t utterance_id;  /* the open one; 0 = none */
    int64_t utterance_from; /* where it began */
    uint64_t ended_id;      /* the last one that ended, until its words came; 0 = none */
    int64_t ended_from;     /* where in the audio it lies */
    int64_t ended_to;
    struct sched_timer *timer; /* patience for words, or until the next session */
    uint32_t lost_category;    /* of the error that ended the last session */
    uint64_t dropped_blocks;
    bool is_paused;
};

void hearing_init(struct hearing *hearing, struct sched *sched, const struct chain *chain,
                  const struct hearing_settings *settings, const struct hearing_events *events);
void hearing_finish(struct hearing *hearing);
/* Opens the first recogniser. */
void hearing_start(struct hearing *hearing);
/* The next block from the leg. */
void hearing_push(struct hearing *hearing, const uint8_t *bytes, size_t count);
/* An utterance begins, `back_us` before the last sample pushed, or ends with it. */
void hearing_utterance_begin(struct hearing *hearing, uint64_t id, int64_t back_us);
void hearing_utterance_end(struct hearing *hearing);
/* Asks for pending words. */
void hearing_finalize(struct hearing *hearing);
/* The caller has spoken: unless words come, the recogniser is taken for dead. */
void hearing_expect_words(struct hearing *hearing);
/* Capabilities of the recogniser in use; 0 = none. */
uint32_t hearing_flags(const struct hearing *hearing);
const struct provider *hearing_provider(const struct hearing *hearing);

#endif
