/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_JOB_H
#define OPENAI_JOB_H
/*
 * One exchange with the server and the life of what waits for it: an answer, a transcription, an
 * utterance or a probe. A job is the first member of these. It belongs to a list; dropped while one
 * of its events is being told, it stays alive until that has returned.
 */
#include "fault.h"
#include "provider.h"

struct openai_job;

struct openai_jobs {
    struct openai_job *first;
    uint32_t count;
};

struct openai_job {
    struct openai_job *next;
    struct openai_jobs *jobs; /* NULL once dropped */
    const struct openai_provider *provider;
    uint64_t id; /* the host's */
    struct aic_http *http;
    struct aic_timer *timer;
    struct openai_head head;
    struct aic_buf body; /* of an answer that is no stream */
    int64_t ttfb_us;
    int depth;     /* of functions of the job that run */
    bool is_ended; /* its last event was told; what still comes from the server is ignored */

    /* Takes an event of the exchange, after the job has noted what concerns all. */
    void (*take)(struct openai_job *job, const struct aic_http_event *event);
    /* Frees it. */
    void (*destroy)(struct openai_job *job);
    void (*fire)(struct openai_job *job); /* see openai_job_wait */
};

struct openai_send {
    const char *method;
    const char *path;
    const char *type; /* content type; NULL without a body */
    struct aic_str body;
    uint32_t flags; /* AIC_HTTP_... */
    int64_t first_byte_ms;
    int64_t idle_ms;
    int64_t total_ms;
    uint64_t max_bytes; /* 0 = the host's default */
};

enum { OPENAI_BODY_MAX_BYTES = 1 << 20, OPENAI_WAIT_MS = 60000 };

/* Puts a new job into a list. The caller has set take and destroy. */
void openai_job_init(struct openai_job *job, const struct openai_provider *provider,
                     struct openai_jobs *jobs, uint64_t id);
/* Ends a job: no function of it is called after this. The memory is gone when this returns, or when
 * the function of the job that runs returns. */
void openai_job_drop(struct openai_job *job);
void openai_jobs_drop(struct openai_jobs *jobs);
/* The job with this id that has not ended; NULL. */
struct openai_job *openai_jobs_find(const struct openai_jobs *jobs, uint64_t id);
/* Whether the job still has to tell: neither ended nor dropped. */
bool openai_job_is_live(const struct openai_job *job);

int32_t openai_job_send(struct openai_job *job, const struct openai_send *params);
/* Breaks the exchange off. */
void openai_job_cut(struct openai_job *job);
/* Calls `fire` in so many ms, and no other that was waited for before. */
int32_t openai_job_wait(struct openai_job *job, int64_t ms, void (*fire)(struct openai_job *job));
void openai_job_stop_waiting(struct openai_job *job);

/* Whether the answer's status is 2xx. */
bool openai_job_is_good(const struct openai_job *job);
/* What an ERROR event, or an answer with a bad status, says. */
void openai_job_fault(const struct openai_job *job, const struct aic_http_event *event,
                      struct openai_fault *fault);

#endif
