/* SPDX-License-Identifier: ISC */
#ifndef CLI_APP_H
#define CLI_APP_H
/*
 * The composition of everything that serves calls in one process: a worker of the server, or a
 * command that talks without one.
 */
#include "cli/app_about.h"
#include "cli/conf.h"

#include "call/calls.h"
#include "call/clips.h"
#include "call/fetch.h"
#include "call/gate.h"
#include "call/spool.h"
#include "call/trace_export.h"
#include "call/webhook_post.h"
#include "call/webhook_send.h"
#include "io/link.h"
#include "io/loop.h"
#include "plugin/provider.h"
#include "plugin/storage.h"
#include "web/web.h"

struct master_worker;

enum { APP_PROVIDERS = 64 };

/* What happens, told to others (app_outlets.c). */
struct app_outlets {
    struct webhook_post *webhooks; /* NULL: there are none */
    struct webhook_send *sender;
    struct fetch *fetch; /* of traces */
    struct trace_export *traces;
    struct sched_timer *timer;
    char owner[128]; /* of the jobs that are claimed here */
    char host[64];
};

struct app_options {
    struct conf *conf;                  /* borrowed */
    const struct master_worker *worker; /* NULL: no master */
    bool has_server;                    /* opens the web and the carriers' routes */
    const char *extra_carrier;          /* a provider beside the agents' ("wav"); NULL */
    struct calls_hooks hooks;
    int64_t spool_grace_ms; /* for facts to reach the storage at the end */
};

/* Totals that others keep, as far as they are in the metrics already. */
struct app_seen {
    uint64_t moved;
    uint64_t rejected;
    uint64_t dropped;
    uint64_t log_lines;
    uint64_t link_messages;
    uint64_t user_us;
    uint64_t system_us;
};

struct app {
    struct app_options options;
    struct conf *conf;
    struct loop *loop;
    struct sched *sched;
    struct plugin_env env;
    struct http_client *http;
    struct ws_engine *ws;
    struct server *server;
    struct shm *shm;
    struct shm_worker *slot;
    struct link *link;
    struct provider *providers[APP_PROVIDERS];
    size_t provider_count;
    struct storage *storage;
    struct spool *spool;
    struct clips *clips;
    struct fetch *fetch;
    struct gate_lines gate_lines;
    struct gate *gate;
    struct app_outlets outlets;
    struct calls *calls;
    struct retention *retention;
    struct web *web;
    struct app_about about;
    char *secret;
    char *recordings_dir;
    char *clips_dir;
    char browser_media[128];
    struct app_seen seen;
    struct sched_timer *beat_timer;
    struct sched_timer *drain_timer;
    int64_t drain_until_us;
    bool is_draining; /* replaced: leaves when the last call has ended */
    int exit_status;
};

/* Makes all of it; NULL after saying why on standard error or in the log. `exit_status` is 78 for a
 * configuration that turns out to be wrong, else 1. */
struct app *app_create(const struct app_options *options, int *exit_status);
/* Runs until it is told to stop; returns the exit status. */
int app_run(struct app *app);
void app_destroy(struct app *app);

#endif
