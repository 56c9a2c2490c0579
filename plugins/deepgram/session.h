/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_SESSION_H
#define DEEPGRAM_SESSION_H
/* A session of the recogniser: what nova.c and flux.c, which read its messages, have in common. */
#include "line.h"
#include "protocol.h"
#include "query.h"

enum { DEEPGRAM_WORDS_MAX = 512 };

struct deepgram_session {
    struct deepgram_provider *provider;
    const struct aic_stt_sink *sink;
    struct deepgram_line line;
    char *language; /* the agent's */
    char *terms[DEEPGRAM_TERMS_MAX];
    uint32_t term_count;
    uint32_t terms_dropped;
    int64_t endpointing_ms;
    uint64_t turn_id;
    uint64_t segment_id;
    uint64_t finalize_id;
    int64_t heard_us;      /* end of what is final */
    int64_t turn_began_us; /* begin of the turn's first finished words */
    int64_t told_bytes;    /* of sound, in the usage so far */
    int64_t told_us;       /* of connection, in the usage so far */
    struct aic_buf text;   /* Flux: of the turn so far */
    bool has_words;        /* finished words whose turn has not ended */
    bool has_partial;      /* words were shown that may still change */
    bool awaits_finalize;
    bool is_probe;
    struct aic_stt_word words[DEEPGRAM_WORDS_MAX];
};

/* Tells an event unless the host has closed the session. */
void deepgram_tell(struct deepgram_session *session, uint32_t kind, struct aic_stt_event event);
/* Tells the words of a message; the caller has filled scope, mode and stability. */
void deepgram_tell_words(struct deepgram_session *session, const struct deepgram_message *message,
                         struct aic_stt_event event);
/* The session's time of a connection's. */
int64_t deepgram_time_us(const struct deepgram_session *session, int64_t stream_us);
/* It listens and hears no words: an empty partial transcript. */
void deepgram_tell_no_words(struct deepgram_session *session);
/* TURN_END, and the next turn begins. */
void deepgram_end_turn(struct deepgram_session *session, float confidence);

void deepgram_nova_take(struct deepgram_session *session, const struct deepgram_message *message);
void deepgram_flux_take(struct deepgram_session *session, const struct deepgram_message *message);
/* Flux ends without a last word: what it showed last counts. */
void deepgram_flux_finish(struct deepgram_session *session);

#endif
