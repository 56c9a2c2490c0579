/* SPDX-License-Identifier: ISC */
#ifndef IO_SERVER_H
#define IO_SERVER_H
/*
 * The port: HTTP/1.1 and WebSocket. This is the engine of the service in aicaller/route.h, whose
 * structs it takes. Every answer closes its connection; what a request leaves unclear is refused.
 */
#include <aicaller/route.h>
#include <stdbool.h>

struct server;
struct loop;

struct server_options {
    const char *public_url;             /* "" or NULL = none */
    const char *const *trusted_proxies; /* networks whose X-Forwarded-For counts; NULL-terminated */
    const char *tls_cert;               /* PEM files; "" or NULL = plain */
    const char *tls_key;
    /* 0 = what is in brackets */
    int64_t header_ms;                 /* a request head must come within [5000] */
    int64_t body_ms;                   /* and its body [10000] */
    int64_t answer_ms;                 /* an exchange must be answered within [10000] */
    int64_t stall_ms;                  /* a peer may take nothing of ours for so long [10000] */
    uint32_t max_connections;          /* [4096], and never the last tenth of the descriptors */
    uint32_t max_connections_per_peer; /* [64]; loopback is exempt, IPv6 counts by /64 */
};

/* Live numbers of this worker's slot in the shared table, for the balance rule; may be NULL. */
struct server_balance {
    int64_t (*own)(void *data);      /* calls that this worker has */
    int64_t (*smallest)(void *data); /* the least of its generation */
    void *data;
};

/* What is borrowed in `options` and `balance` is copied, but for `balance->data`. NULL on failure;
 * the log says why. */
struct server *server_create(struct loop *loop, const struct server_options *options,
                             const struct server_balance *balance);
/* Closes all connections: streams are told `closed`, WebSockets nothing. Exchanges that were not
 * answered stay valid until they are. Accepts NULL. */
void server_destroy(struct server *server);
/* Begins to accept on an inherited, listening socket, which stays the caller's. */
int32_t server_listen(struct server *server, int fd);
/* Stops accepting; what is open goes on. */
void server_stop_listening(struct server *server);
/* Open connections, HTTP and WebSocket. */
uint32_t server_connections(const struct server *server);
/* "https://voice.example.com", without a closing slash; NULL = none. */
const char *server_public_url(const struct server *server);

/*
 * Routes, in order: of those that match, the first that does not say AIC_ERROR_NOT_FOUND takes the
 * request. A path ending in "*" matches any rest; else the closing slash is optional. `owner`
 * groups them for removal.
 */
int32_t server_add_http(struct server *server, const void *owner,
                        const struct aic_http_route *route);
/* The same for those paths alone of which `exists` says that there is something, so that 404, 405
 * and Allow are right where several routes share a prefix. */
int32_t server_add_http_where(struct server *server, const void *owner,
                              const struct aic_http_route *route,
                              bool (*exists)(struct aic_str path));
int32_t server_add_websocket(struct server *server, const void *owner,
                             const struct aic_ws_route *route);
void server_remove_owner(struct server *server, const void *owner);

/* A request's path, query, body and peer stay readable until it is answered, and so do: the first
 * header of that name, */
struct aic_str server_header(struct aic_exchange *exchange, const char *name);
/* whether there is one, be it empty, */
bool server_has_header(const struct aic_exchange *exchange, const char *name);
/* and whether the client spoke TLS: with this port, or with a trusted proxy in front of it. */
bool server_is_https(const struct aic_exchange *exchange);
/* See aic_route_service.respond. AIC_ERROR_INVALID: status or a header is not acceptable; 500 was
 * said instead. Whatever it returns, the exchange is over. */
int32_t server_respond(struct aic_exchange *exchange, const struct aic_response *response);
/* A problem document (RFC 9457) and nothing else; `type` NULL = "about:blank", `detail` may be
 * NULL. */
int32_t server_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                       const char *detail);

/*
 * An answer in pieces: server-sent events, a recording. `closed(data)` is called once when the
 * connection is over, also after server_stream_end; the exchange is dead then. `writable(data)`
 * follows AIC_ERROR_BUSY when the queue (1 MiB) has drained below a quarter; may be NULL.
 */
struct server_stream_handler {
    void (*writable)(void *data);
    void (*closed)(void *data);
    void *data;
};

/* Sends the head. `length` -1: until the connection closes. Where it fails, as server_respond does,
 * the exchange is over and nothing is called. */
int32_t server_stream_begin(struct aic_exchange *exchange, const struct aic_response *head,
                            int64_t length, const struct server_stream_handler *handler);
/* AIC_ERROR_BUSY: the queue is full, nothing was taken. AIC_ERROR_CLOSED: ended, or the peer is
 * gone. AIC_ERROR_TOO_LARGE: more than `length`, or than the queue ever holds. */
int32_t server_stream_write(struct aic_exchange *exchange, struct aic_str bytes);
/* How many bytes wait because the peer does not take them. */
size_t server_stream_queued(const struct aic_exchange *exchange);
/* `closed` follows, not before this returns. */
void server_stream_end(struct aic_exchange *exchange);

#endif
