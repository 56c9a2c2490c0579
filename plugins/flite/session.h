/* SPDX-License-Identifier: ISC */
#ifndef FLITE_SESSION_H
#define FLITE_SESSION_H
/*
 * One call's voice. The loop queues texts on a lane; the pool thread that speaks them hands over
 * words and sound piece by piece through the outbox, and wakes the loop by a post. Ends of
 * utterances come with the jobs' `done`, which empties the outbox first, so the order holds.
 * The session lives until its lane is closed and no post is under way.
 */
#include "speak.h"

#include <aicaller/aicaller.h>
#include <pthread.h>
#include <stdatomic.h>

struct flt_provider {
    const struct aic_host *host;
    const struct aic_pool_service *pool;
    const struct aic_post_service *post;
    const char *voice;
    struct flt_manner manner;
};

/* One answer; lives while jobs or pieces refer to it. */
struct flt_utterance {
    uint32_t references; /* loop thread only */
    uint64_t id;
    bool has_ended;           /* no more text is taken; loop */
    bool is_told;             /* its last event was sent; loop */
    atomic_bool is_cancelled; /* the pool stops at the next block */
    int64_t made_us;          /* sound of the texts before; lane */
};

enum flt_job_kind { FLT_TEXT, FLT_FLUSH, FLT_END, FLT_CANCEL, FLT_PROBE };

struct flt_job {
    struct flt_session *session;
    struct flt_utterance *utterance;
    enum flt_job_kind kind;
    uint64_t mark_id;
    int32_t status;
    int64_t text_start_us; /* in the utterance's sound */
    size_t bytes;
    char text[];
};

/* Sound, words or the answer to a flush, on its way from the pool to the loop. */
struct flt_piece {
    struct flt_piece *next;
    uint32_t event;                  /* AIC_TTS_EVENT_... */
    struct flt_utterance *utterance; /* kept alive by the job that makes it */
    size_t sample_count;
    size_t span_count;
    int64_t start_us; /* of the sound */
    struct aic_tts_span *spans;
    int16_t *samples;
    uint64_t mark_id;
};

struct flt_session {
    /* On the loop. */
    const struct aic_host *host;
    const struct aic_pool_service *pool;
    const struct aic_post_service *post;
    const struct aic_tts_sink *sink; /* NULL from close on */
    struct aic_lane *lane;
    struct flt_utterance *current;
    uint32_t jobs;

    /* Constant. */
    cst_voice *voice;
    struct flt_manner manner;
    uint32_t rate_hz;

    pthread_mutex_t lock; /* guards what follows */
    struct flt_piece *first;
    struct flt_piece **last;
    bool is_posted;  /* `drain` will be called */
    bool is_closing; /* nothing may be posted any more */
    bool is_idle;    /* the lane is closed */
};

/* The pool's side: what a job does. */
void flt_work(void *data);
/* Sends what lies in the outbox. [call] */
void flt_send_pieces(struct flt_session *session);
/* Called by the post. [call] */
void flt_drain(void *data);
void flt_session_free(struct flt_session *session);
void flt_pieces_free(struct flt_piece *piece);

extern const struct aic_tts flt_tts;

#endif
