/* SPDX-License-Identifier: ISC */
#ifndef CALL_WEBHOOK_POST_H
#define CALL_WEBHOOK_POST_H
/*
 * Events on their way to webhooks: each becomes a job for each endpoint that wants it, and takes
 * the way of all facts, so that it is not lost while the storage is away. webhook_send.h takes them
 * from there.
 */
#include "base/sched.h"
#include "call/journal.h"
#include "call/webhook_conf.h"

#include "json.h"

struct webhook_post;

struct webhook_post_settings {
    struct sched *sched;
    struct journal *journal;
    const struct webhook_conf *conf;
    /* There is a new job; may be NULL. */
    void (*posted)(void *data);
    void *data;
};

/* NULL without memory. */
struct webhook_post *webhook_post_create(const struct webhook_post_settings *settings);
void webhook_post_destroy(struct webhook_post *post);
/* Whether anybody wants an event. NULL: nobody wants anything. */
bool webhook_post_wants(const struct webhook_post *post, enum webhook_event event);

struct webhook_news {
    enum webhook_event event;
    const char *call_id;
    bool is_once;            /* this event happens once in a call, however many workers tell it */
    struct aic_str data;     /* JSON object; of a transcript empty: it is made when it is sent */
    const char *traceparent; /* "" = none */
};

void webhook_post_tell(struct webhook_post *post, const struct webhook_news *news);

/* What is known of a call; texts may be NULL, times 0. */
struct webhook_call {
    const char *call_id;
    const char *call_sid;
    const char *direction;
    const char *from;
    const char *to;
    const char *agent;
    const char *provider;
    const char *status;
    const char *end_reason;
    const char *metadata; /* JSON object */
    const char *traceparent;
    int64_t started_wall_us;
    int64_t answered_wall_us;
    int64_t ended_wall_us;
    int64_t turns; /* -1 = unknown */
    double cost;   /* negative = unknown */
};

/* Tells that a call began, was answered or ended; at the end of one that was answered its
 * transcript follows. */
void webhook_post_call(struct webhook_post *post, enum webhook_event event,
                       const struct webhook_call *call);

/* A new job of an endpoint as the columns of its fact. */
struct webhook_job {
    const struct webhook_endpoint *endpoint;
    enum webhook_event event;
    const char *event_id; /* what receivers know it by */
    const char *call_id;
    struct aic_str body; /* empty: it is made when it is sent */
    const char *traceparent;
    int64_t wall_us;
};

void webhook_job_write(const struct webhook_job *job, struct aic_buf *columns);
/* What is sent: {"type", "timestamp", "data"}. */
void webhook_body_write(struct aic_buf *to, const char *type, int64_t wall_us, struct aic_str data);

#endif
