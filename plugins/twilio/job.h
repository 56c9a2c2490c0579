/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_JOB_H
#define TWILIO_JOB_H
/*
 * Something that the host has asked for and that takes requests to Twilio. It ends with one RESULT,
 * or in silence where nobody waits for it.
 */
#include "rest.h"

struct twilio_session;
struct twilio_job;

typedef void (*twilio_job_step)(struct twilio_job *job, const struct twilio_answer *answer);

struct twilio_job {
    struct twilio_provider *provider;
    struct twilio_job *next;
    uint64_t request_id; /* 0 = nobody waits */
    struct twilio_request *request;
    struct aic_timer *timer;
    twilio_job_step step;           /* takes the answer of the request */
    struct twilio_session *session; /* whose job it is; NULL = none, or it is gone */
    struct aic_json *params;        /* owned */
    struct aic_buf ext;             /* of the result */
    struct twilio_problem problem;  /* of a result that comes later */
    bool has_problem;
};

struct twilio_job *twilio_job_create(struct twilio_provider *provider, uint64_t request_id);

/* Sends a request; `step` gets its answer. On failure the job is gone. */
int32_t twilio_job_ask(struct twilio_job *job, const struct twilio_ask *ask, twilio_job_step step);
/* The same from inside a step: where the request can not be sent the job fails. */
void twilio_job_go_on(struct twilio_job *job, const struct twilio_ask *ask, twilio_job_step step);

/* Ends a job: with its `ext`, or with a problem. Not from inside an operation. */
void twilio_job_done(struct twilio_job *job);
void twilio_job_fail(struct twilio_job *job, const struct aic_error *error);
/* The same with the next turn of the loop. Returns AIC_OK, for operations to return. */
int32_t twilio_job_done_later(struct twilio_job *job);
int32_t twilio_job_fail_later(struct twilio_job *job, uint32_t category, const char *message);

/* Ends it without a word. Accepts NULL. */
void twilio_job_free(struct twilio_job *job);
void twilio_job_stop(struct twilio_provider *provider);

/* Ends a call at Twilio; `step` may be NULL where nobody wants to know. */
int32_t twilio_job_hang_up(struct twilio_job *job, struct aic_str call_sid, twilio_job_step step);
/* Whether the answer to that is as good as done. */
bool twilio_is_hung_up(const struct twilio_answer *answer);
/* Gives a live call another document. Sent once: done twice it would dial or press keys twice. */
int32_t twilio_job_redirect(struct twilio_job *job, struct aic_str call_sid,
                            const struct aic_buf *twiml, twilio_job_step step);

#endif
