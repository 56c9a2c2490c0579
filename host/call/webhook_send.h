/* SPDX-License-Identifier: ISC */
#ifndef CALL_WEBHOOK_SEND_H
#define CALL_WEBHOOK_SEND_H
/*
 * Sends webhooks: claims their jobs from the storage, with a lease, so that of all workers of all
 * hosts one sends each. What fails is tried again for three days; 410 ends an endpoint until this
 * process is replaced. A slow endpoint holds up nobody but itself: at most WEBHOOK_AT_ONCE requests
 * to it are under way in a worker.
 *
 * An event may arrive twice, when a worker dies between the receiver's answer and the storage's.
 */
#include "base/sched.h"
#include "call/fetch.h"
#include "call/webhook_conf.h"
#include "plugin/storage.h"

struct webhook_send;

enum { WEBHOOK_AT_ONCE = 4 };

struct webhook_send_settings {
    struct sched *sched;
    struct fetch *fetch;
    const struct webhook_conf *conf;
    const char *owner; /* of the jobs that are claimed here */
    /* As storage_query and storage_change. */
    void (*query)(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data);
    void (*change)(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data);
    /* An endpoint answered that it is gone; may be NULL. */
    void (*gone)(void *data, const char *name);
    void *data;
};

/* Begins to look for jobs. NULL without memory. */
struct webhook_send *webhook_send_create(const struct webhook_send_settings *settings);
/* Sends no more. What the storage has not answered yet may still come until destroy. */
void webhook_send_stop(struct webhook_send *send);
void webhook_send_destroy(struct webhook_send *send);
/* There may be a new job. */
void webhook_send_wake(struct webhook_send *send);
/* Another worker was told that an endpoint is gone. */
void webhook_send_gone(struct webhook_send *send, struct aic_str name);
/* Requests and answers of the storage that are awaited. */
size_t webhook_send_running(const struct webhook_send *send);

#endif
