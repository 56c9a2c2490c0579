/* SPDX-License-Identifier: ISC */
#ifndef IO_SERVER_PARTS_H
#define IO_SERVER_PARTS_H
/*
 * Inside of the port. server.c keeps routes and settings, server_accept.c lets connections in,
 * server_conn.c reads requests from them, server_dispatch.c finds who handles a request,
 * server_answer.c and server_stream.c answer it.
 */
#include "io/server.h"

#include "base/sched.h"
#include "buf.h"
#include "io/http_head.h"
#include "io/peer_table.h"
#include "io/wire.h"

#include <netinet/in.h>

enum {
    SERVER_SCRATCH = 64 * 1024,
    SERVER_STREAM_QUEUE = 1024 * 1024,
    SERVER_DROPPED_MAX = 1024 * 1024 /* what a peer may send behind its request */
};

struct server_route {
    const void *owner;
    bool is_websocket;
    char *path; /* without closing slash or star */
    bool is_prefix;
    bool (*exists)(struct aic_str path); /* may be NULL */

    union {
        struct aic_http_route http;
        struct aic_ws_route websocket;
    };
};

struct server {
    struct loop *loop;
    struct sched *sched;
    struct server_options options;
    char *public_url;
    char **trusted; /* NULL-terminated */
    struct server_balance balance;
    bool has_balance;
    struct wire_tls *tls;
    int64_t tls_looked_us;
    struct server_route *routes;
    size_t route_count;

    int listen_fd;
    struct loop_watch *listen_watch;
    struct sched_timer *accept_timer; /* accepting pauses until it fires */
    bool is_listening;

    struct server_conn *conns;
    uint32_t conn_count;
    struct peer_table *peers;
    struct aic_exchange *exchanges; /* those that wait for their answer */
    int64_t refused_logged_us;
    char scratch[SERVER_SCRATCH];
};

enum server_state {
    SERVER_HEAD = 1,
    SERVER_BODY = 2,
    SERVER_PENDING = 3, /* handed over, or its answer streams */
    SERVER_ENDING = 4,  /* the answer is on its way */
    SERVER_WEBSOCKET = 5
};

union server_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct server_conn {
    struct server *server;
    struct server_conn *next;
    struct server_conn **where; /* what points to it */
    struct wire *wire;
    union server_address peer;
    bool is_counted; /* in the table of peers */
    enum server_state state;
    struct sched_timer *timer;
    struct aic_buf head;
    size_t dropped;
    struct aic_exchange *exchange; /* until it is answered; of a stream, until it is over */
    struct aic_ws *ws;
};

struct aic_exchange {
    struct server *server;     /* NULL once that is gone */
    struct server_conn *conn;  /* NULL once the peer is gone or was told 504 */
    struct aic_exchange *next; /* of those that wait */
    struct aic_exchange **where;
    struct sched_timer *timer;
    struct aic_buf head_text;
    struct http_head head;
    struct aic_buf body;
    uint64_t body_bytes; /* that are announced */
    char peer[64];
    bool is_https; /* see server_is_https */
    bool is_streaming;
    int64_t stream_left; /* -1 = no length */
    struct server_stream_handler stream;
};

/* server_accept.c */
int32_t server_accept_start(struct server *server);
void server_accept_stop(struct server *server);

/* server_conn.c: takes the descriptor. */
void server_conn_open(struct server *server, int fd, const union server_address *peer,
                      bool is_counted);
/* Forgets the connection at once; the exchange goes on without it. */
void server_conn_close(struct server_conn *conn);
/* Takes the wire's events back from a WebSocket. */
void server_conn_take_wire(struct server_conn *conn);
/* The answer is written: sends it out, then closes. */
void server_conn_finish(struct server_conn *conn);
/* Answers with a problem document and finishes; before an exchange was handed over. */
void server_conn_refuse(struct server_conn *conn, int32_t status, const char *detail,
                        const char *header);

/* server_dispatch.c */
/* The largest body that a handler of this request takes. 0, or the status to refuse with; then
 * `header` is the line which that status needs ("Allow: GET\r\n"), or empty. */
int32_t server_dispatch_check(struct server_conn *conn, uint64_t *max_body_bytes, char *header,
                              size_t header_bytes);
/* Hands a whole request over. The connection may be gone afterwards. */
void server_dispatch(struct server_conn *conn);
/* The same for a WebSocket handshake; `bytes` came behind its head. */
void server_dispatch_upgrade(struct server_conn *conn, char *bytes, size_t count);

/* server_answer.c */
const char *server_reason(int32_t status);
/* Status line and headers, with the blank line; false when something in it is not acceptable. */
bool server_write_head(struct aic_buf *to, const struct aic_exchange *exchange,
                       const struct aic_response *response, int64_t length);
/* The body of a problem document. */
void server_write_problem(struct aic_buf *to, int32_t status, const char *type, const char *detail);
/* Puts an exchange on the list of those that wait, with its deadline. */
void server_exchange_wait(struct aic_exchange *exchange);
/* Takes it off again. */
void server_exchange_unlink(struct aic_exchange *exchange);
void server_exchange_free(struct aic_exchange *exchange);

/* server_stream.c */
/* The connection of a streaming exchange is over: tells and frees. */
void server_stream_closed(struct aic_exchange *exchange);
void server_stream_drained(struct aic_exchange *exchange);

#endif
