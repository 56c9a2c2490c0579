/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_SESSION_H
#define SPHINX_SESSION_H
/*
 * One call's recognition. The loop keeps the last sound and cuts utterances out of it; a lane of
 * the pool decodes them, job by job; what a job found becomes events when it is done, on the loop.
 * The session lives until its lane is closed, which may be after the provider.
 */
#include "decoder.h"
#include "provider.h"
#include "ring.h"

#include <stdatomic.h>

enum job_kind { JOB_OPEN, JOB_BEGIN, JOB_SOUND, JOB_END, JOB_HINTS, JOB_FINISH };

struct job {
    struct sphinx_session *session;
    enum job_kind kind;
    uint64_t id;      /* of the utterance */
    int64_t start_us; /* media time of the utterance */
    int64_t end_us;
    struct sphinx_model *model; /* with OPEN and HINTS */
    int32_t status;
    bool has_words;
    struct aic_buf words;
    size_t capacity; /* of the sound */
    size_t bytes;
    uint8_t sound[];
};

struct sphinx_session {
    /* On the loop. */
    const struct aic_host *host;
    const struct aic_pool_service *pool;
    struct sphinx_provider *provider; /* until close */
    const struct aic_stt_sink *sink;  /* NULL from close on */
    struct aic_lane *lane;
    struct sphinx_ring ring;
    struct job *filling; /* sound of the utterance that is not yet worth a job, or NULL */
    bool is_probe;
    bool is_finishing;
    bool is_open;     /* within an utterance */
    bool has_dropped; /* sound of this utterance */
    bool must_warn;
    uint64_t id;
    int64_t start_us;
    int64_t ended_us;   /* media time up to which sound belongs to an older utterance */
    int64_t backlog_us; /* of sound in jobs */
    int64_t backlog_max_us;
    uint32_t jobs;

    /* In the lane. */
    struct sphinx_decoder *decoder;
    struct aic_buf heard; /* the last words that were told */
    bool has_told;

    atomic_bool is_closing; /* jobs that have not begun may as well not run */
};

/* A new job with room for `capacity` bytes of sound, or NULL. */
struct job *sphinx_job_create(struct sphinx_session *session, enum job_kind kind, size_t capacity);
void sphinx_job_destroy(struct job *job);
/* Queues a job, which is gone where that fails. [call] */
int32_t sphinx_job_run(struct job *job);
/* Tells the host what a job found. The host may close the session meanwhile. [call] */
void sphinx_report(struct sphinx_session *session, struct job *job);

#endif
