/* SPDX-License-Identifier: ISC */
#ifndef WEB_WEB_H
#define WEB_WEB_H
/*
 * Everything that people and programs reach over HTTP beside the carriers: the JSON API, the pages
 * and their files. Knows HTTP and calls; decides nothing about a conversation.
 */
#include "call/calls.h"
#include "call/spool.h"
#include "io/server.h"

struct web;
struct shm;
struct storage;
struct trace_export;

/* What is told of the program; borrowed. */
struct web_about {
    const char *file;        /* of the configuration */
    struct aic_str text;     /* the configuration without secrets, */
    struct aic_str settings; /* and as JSON; empty: it is too large */
    struct aic_str plugins;  /* JSON */
};

struct web_settings {
    struct server *server;
    struct sched *sched;
    struct link *link;
    struct calls *calls;
    struct trace_export *traces; /* may be NULL */
    struct fetch *fetch;
    struct storage *storage; /* NULL: nothing is kept */
    struct spool *spool;     /* NULL likewise */
    const struct shm *shm;   /* what all workers have counted; NULL: there is no /metrics */
    const struct agents *agents;
    struct provider *const *providers; /* for health */
    size_t provider_count;
    const char *recordings_dir;
    const char *browser_media;        /* path of the browser's media socket; NULL = no voice page */
    const char *secret;               /* signs cookies */
    const char *const *allowed_hosts; /* values of Host; NULL-terminated, none: any */
    struct web_about about;
    int64_t requests_per_key; /* within a minute */
    int64_t requests_per_address;
    int64_t logins_per_address; /* likewise */
    int64_t session_idle_ms;    /* a session that was not used for so long has ended */
    int64_t session_ms;         /* and so has one that is so old */
    int64_t max_viewers;        /* of live calls, of all workers together */
    int64_t viewers_per_key;    /* of one key or user, in this worker */
    _Atomic int64_t *viewers;   /* where this worker tells how many it has; may be NULL */
};

/* Registers the routes. NULL without memory. */
struct web *web_create(const struct web_settings *settings);
/* No request comes in any more, and none that is on its way reaches calls or storage. Accepts NULL.
 */
void web_stop(struct web *web);
void web_destroy(struct web *web);
/* A request of another worker; true if it was for the web layer. */
bool web_request(struct web *web, const struct link_request *request);
/* API keys were added or removed. */
void web_forget_keys(struct web *web);
/* Users were changed, or sessions ended. */
void web_forget_sessions(struct web *web);
/* News of calls, see io/link.h. */
void web_take_news(struct web *web, const struct link_news *news);
/* This process goes, another one is there: viewers are sent to it. */
void web_drain(struct web *web);
/* Appends all numbers of this host as Prometheus reads them; false where nothing counts. */
bool web_metrics(struct web *web, struct aic_buf *to);
/* From now on health says that no new calls are taken. */
void web_set_draining(struct web *web);

#endif
