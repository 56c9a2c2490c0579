/* SPDX-License-Identifier: ISC */
#ifndef IO_SERVER_H
#define IO_SERVER_H
/*
 * The port: HTTP/1.1 and WebSocket on libwebsockets, behind guards for everything that its old
 * versions do wrong (see docs/decisions). Every answer closes its connection. This is the engine of
 * the service in aicaller/route.h, whose structs it takes.
 */
#include <aicaller/route.h>
#include <stdbool.h>

struct server;
struct loop;
struct ws_engine;

struct server_options {
    const char *public_url;            /* "" = none */
    const char *const *trusted_proxies; /* networks whose X-Forwarded-For counts; NULL-terminated */
    const char *tls_cert;              /* PEM files; "" = plain */
    const char *tls_key;
    int64_t header_ms;       /* a request head must come within [5000] */
    int64_t body_ms;         /* and its body [10000] */
    uint32_t max_connections;         /* [4096] */
    uint32_t max_connections_per_peer; /* [64]; loopback is exempt */
};

/* Live numbers of this worker's slot in the shared table, for the balance rule; may be NULL. */
struct server_balance {
    int64_t (*own)(void *data);      /* calls that this worker has */
    int64_t (*smallest)(void *data); /* the least of its generation */
    void *data;
};

/* One lws context per worker serves both the port and client sockets. */
struct ws_engine *ws_engine_create(struct loop *loop, const struct server_options *options);
/* Closes all sockets (no events), then the context; proves that it is gone. */
void ws_engine_destroy(struct ws_engine *engine);

struct server *server_create(struct ws_engine *engine, const struct server_options *options,
                             const struct server_balance *balance);
void server_destroy(struct server *server);
/* Begins to accept on an inherited, non-blocking listening socket. */
int32_t server_listen(struct server *server, int fd);
/* Stops accepting; what is open goes on. */
void server_stop_listening(struct server *server);
/* Open connections, HTTP and WebSocket. */
uint32_t server_connections(const struct server *server);

/* Routes, in order; the first whose handler takes the exchange wins. A path ending in "*" matches
 * any rest; else the closing slash is optional. `owner` groups them for removal. */
int32_t server_add_http(struct server *server, const void *owner, const struct aic_http_route *route);
int32_t server_add_websocket(struct server *server, const void *owner,
                             const struct aic_ws_route *route);
void server_remove_owner(struct server *server, const void *owner);

/* Of a request, inside its handler or later. */
struct aic_str server_header(struct aic_exchange *exchange, const char *name);
int32_t server_respond(struct aic_exchange *exchange, const struct aic_response *response);
/* A problem document (RFC 9457) and nothing else; `detail` may be NULL. */
int32_t server_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                       const char *detail);

/*
 * An answer in pieces: server-sent events, a recording. `closed(data)` is called once when the peer
 * is gone, also after server_stream_end; the exchange is dead then. `writable(data)` when the queue
 * (1 MiB) has drained below a quarter.
 */
struct server_stream_handler {
    void (*writable)(void *data);
    void (*closed)(void *data);
    void *data;
};
/* Sends the head. `length` -1: until the connection closes. */
int32_t server_stream_begin(struct aic_exchange *exchange, const struct aic_response *head,
                            int64_t length, const struct server_stream_handler *handler);
/* AIC_ERROR_BUSY: the queue is full, nothing was taken. */
int32_t server_stream_write(struct aic_exchange *exchange, struct aic_str bytes);
void server_stream_end(struct aic_exchange *exchange);

/* The next request body bytes a handler may take; see aic_http_route.max_body_bytes. */
const char *server_public_url(const struct server *server);

#endif
