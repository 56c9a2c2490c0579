/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_CLIENT_H
#define IO_WS_CLIENT_H
/*
 * Inside of ws.h: an outgoing connection. ws_connect.c reaches the peer, ws_client.c shakes hands
 * and gives the wire to the socket, ws_engine.c keeps all of them.
 */
#include "io/ws.h"

#include "base/sched.h"
#include "buf.h"
#include "io/ws_handshake.h"
#include "io/ws_target.h"

struct wire;
struct wire_trust;
struct ws_ops;

enum { WS_SCRATCH_BYTES = 64 * 1024 };

struct ws_engine {
    struct loop *loop;
    struct sched *sched;
    char *user_agent;
    struct wire_trust *trust;
    struct ws_client *clients;
    struct aic_buf mask_room;
    char scratch[WS_SCRATCH_BYTES];
};

struct ws_client {
    struct ws_client *next;
    struct ws_client **where; /* what points to it */
    struct ws_engine *engine;
    struct aic_ws *ws;         /* NULL: it is over, and the wire says goodbye */
    struct sched_timer *timer; /* the deadline of connecting */

    struct ws_target target;
    struct http_rules rules;
    char *subprotocol;
    struct aic_buf headers;
    struct ws_request request;
    struct ws_lookup *lookup;
    struct dial *dial;
    int fd;              /* connected, while there is no wire; -1 */
    bool wants_trust;    /* until the certificates of authorities are there */
    bool trust_is_ready; /* it is about to be told that they are, or can not be had */
    struct wire *wire;
    struct aic_buf answer; /* to the handshake */
};

/* Of a socket that is not open yet. */
extern const struct ws_ops ws_client_connecting_ops;

/* Connected, and the authorities are there where they are needed: goes on with both. */
void ws_client_begin_handshake(struct ws_client *client);
/* The authorities that were waited for are there, or can not be had. */
void ws_client_trusted(struct ws_client *client);
/* It never came to be: tells CLOSED, and the client is gone. */
void ws_client_fail(struct ws_client *client, uint32_t category, const char *code,
                    const char *text);
/* The same when nothing more will come; a refusal whose body broke off is told as one. */
void ws_client_end_early(struct ws_client *client, uint32_t category, const char *code,
                         const char *text);
/* The socket is over; see ws_socket.h. */
void ws_client_released(void *data, bool at_once);
/* Takes everything back; tells nobody. */
void ws_client_destroy(struct ws_client *client);

#endif
