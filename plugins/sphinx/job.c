/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>
#include <string.h>

struct job *sphinx_job_create(struct sphinx_session *session, enum job_kind kind, size_t capacity)
{
    struct job *job = calloc(1, sizeof(*job) + capacity);
    if (!job) {
        return NULL;
    }
    job->session = session;
    job->kind = kind;
    job->capacity = capacity;
    job->id = session->id;
    job->start_us = session->start_us;
    aic_buf_init(&job->words, 1u << 16);
    return job;
}

void sphinx_job_destroy(struct job *job)
{
    if (!job) {
        return;
    }
    sphinx_model_release(job->model);
    aic_buf_finish(&job->words);
    free(job);
}

/* Keeps the words for the event, where they are new. The first of an utterance are told even when
 * there are none yet, as a sign of life. */
static void note_words(struct sphinx_session *s, struct job *job, bool is_final)
{
    struct aic_str words = sphinx_decoder_words(s->decoder);
    bool is_same = words.len == s->heard.len &&
                   (words.len == 0 || memcmp(words.ptr, s->heard.data, words.len) == 0);
    if (is_same && s->has_told && !is_final) {
        return;
    }
    s->has_told = true;
    aic_buf_clear(&s->heard);
    aic_buf_str(&s->heard, words);
    aic_buf_str(&job->words, words);
    job->has_words = true;
}

static int32_t decode(struct sphinx_session *s, struct job *job)
{
    int32_t status = AIC_OK;
    if (job->kind == JOB_BEGIN) {
        s->has_told = false;
        aic_buf_clear(&s->heard);
        status = sphinx_decoder_begin(s->decoder);
    }
    if (status == AIC_OK) {
        status = sphinx_decoder_push(s->decoder, job->sound, job->bytes);
    }
    if (status == AIC_OK && job->kind == JOB_END) {
        status = sphinx_decoder_end(s->decoder);
    }
    if (status == AIC_OK && job->kind != JOB_BEGIN) {
        note_words(s, job, job->kind == JOB_END);
    }
    return status;
}

/* [pool] */
static void work(void *data)
{
    struct job *job = data;
    struct sphinx_session *s = job->session;
    if (atomic_load(&s->is_closing)) {
        job->status = AIC_ERROR_CLOSED;
        return;
    }
    switch (job->kind) {
    case JOB_OPEN:
        job->status = sphinx_decoder_create(job->model, s->ring.format, &s->decoder);
        break;
    case JOB_HINTS:
        job->status = s->decoder ? sphinx_decoder_change(s->decoder, job->model) : AIC_ERROR_CLOSED;
        break;
    case JOB_FINISH:
        break;
    default:
        job->status = s->decoder ? decode(s, job) : AIC_ERROR_CLOSED;
        break;
    }
}

/* [call] */
static void done(void *data, int32_t status)
{
    struct job *job = data;
    struct sphinx_session *s = job->session;
    s->jobs--;
    s->backlog_us -= sphinx_ring_duration_us(&s->ring, job->bytes);
    if (s->sink && status == AIC_OK) {
        sphinx_report(s, job);
    }
    sphinx_job_destroy(job);
}

int32_t sphinx_job_run(struct job *job)
{
    struct sphinx_session *s = job->session;
    int32_t status = s->pool->run(s->host, s->lane, work, done, job);
    if (status < 0) {
        sphinx_job_destroy(job);
        return status;
    }
    s->jobs++;
    s->backlog_us += sphinx_ring_duration_us(&s->ring, job->bytes);
    return AIC_OK;
}
