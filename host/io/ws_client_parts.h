/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_CLIENT_PARTS_H
#define IO_WS_CLIENT_PARTS_H
/*
 * Inside of an outgoing socket. ws_connect.c brings it up, ws_client.c carries its messages and
 * ends it.
 */
#include "io/ws_client.h"

#include "base/sched.h"
#include "io/ws_core.h"
#include "io/ws_engine.h"
#include "io/ws_frame.h"
#include "io/ws_target.h"

/* In front of each message that waits. */
struct waiting {
    size_t bytes;
    uint8_t opcode;
};

struct ws_client {
    struct aic_ws core; /* first: a socket is its core */
    struct ws_engine *engine;
    struct ws_engine_link link;
    struct sched *sched;
    struct lws *wsi;           /* NULL before and after */
    int depth;                 /* of our functions on the stack: no free below them */
    bool is_gone;              /* to be freed */
    struct sched_timer *timer; /* connecting, then pings, then the goodbye */

    struct ws_target target;
    struct http_rules rules;
    char *subprotocol;
    struct aic_buf headers;
    struct ws_lookup *lookup;
    struct ws_found found;
    size_t next_address;
    int64_t deadline_us; /* of the whole connecting */
    bool in_open;        /* lws is being asked to connect */
    bool open_failed;

    int64_t ping_us; /* 0 = never */
    int unanswered;
    bool ping_waits;
    struct aic_buf queue; /* messages that wait, each behind a struct waiting */
    size_t queue_at;
    size_t inside;      /* bytes of a message that lws has not sent whole */
    bool has_failed;    /* the peer broke the rules: close_code says which */
    int32_t close_code; /* that we send; 0 = we do not close */
    char close_text[WS_CONTROL_BYTES];
    struct aic_str close_reason;
    struct sched_timer *goodbye; /* is about to be said */
    bool said_goodbye;
    int32_t peer_code; /* of the peer's close frame; 0 = none came */
    char peer_text[WS_CONTROL_BYTES];
    struct aic_str peer_reason;
};

extern const struct ws_ops ws_client_ops;

void ws_client_set_timer(struct ws_client *client, int64_t deadline_us, void (*due)(void *data));
/* Takes everything back, tells CLOSED and frees. */
void ws_client_end(struct ws_client *client, const struct ws_end *how);
/* The same for a failure of the connection. */
void ws_client_fail(struct ws_client *client, uint32_t category, const char *code,
                    const char *text);

#endif
