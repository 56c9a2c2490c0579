/* SPDX-License-Identifier: ISC */
#ifndef FAKES_FAKE_HOST_H
#define FAKES_FAKE_HOST_H
/*
 * Stands in for the host to drive any plugin without a socket: time is virtual, HTTP requests and
 * WebSockets are written down and answered by the test, routes are called by it. What a plugin does
 * against the contract (an operation after close, a request left open at destroy) fails the test.
 */
#include "vsched.h"

#include "buf.h"

#include <aicaller/aicaller.h>

struct fake_host;

/* One HTTP request that a plugin started. */
struct aic_http {
    struct fake_host *fake;
    struct aic_http *next;
    char *method;
    char *url;
    char *headers; /* "name: value\n" lines */
    char *body;
    size_t body_bytes;
    uint32_t flags;
    int64_t connect_ms; /* deadlines as asked for; none is enforced here */
    int64_t first_byte_ms;
    int64_t idle_ms;
    int64_t total_ms;
    bool ended; /* DONE, ERROR or cancelled */
    bool cancelled;
    void (*event)(void *data, const struct aic_http_event *event);
    void *data;
};

/* One WebSocket that a plugin opened, or one that the test opened on a route. */
struct aic_ws {
    struct fake_host *fake;
    struct aic_ws *next;
    char *url;
    char *headers;
    char *subprotocol;
    bool open;
    bool ended;        /* CLOSED was delivered, or dropped */
    bool closing;      /* the plugin asked for a close */
    bool refuse_sends; /* sends answer AIC_ERROR_BUSY */
    uint64_t queued;   /* what queued_bytes answers */
    int32_t close_code;
    struct aic_buf sent;   /* text messages, each followed by a line feed */
    struct aic_buf binary; /* binary messages, joined */
    size_t text_count;
    size_t binary_count;
    aic_ws_handler event;
    void *data;
};

/* The answer to a request that the test made on a route. */
struct aic_exchange {
    struct fake_host *fake;
    const struct aic_header *headers;
    uint32_t header_count;
    bool answered;
    int32_t status;
    char content_type[100];
    struct aic_buf body;
};

/* A setting for the plugin, as the operator would write it. Lists: several with one name. */
struct fake_setting {
    const char *name;
    const char *value;
};

struct fake_host *fake_host_create(struct vsched *v);
/* Fails the test if requests or sockets were left open. */
void fake_host_destroy(struct fake_host *fake);
const struct aic_host *fake_host_of(struct fake_host *fake);

/*
 * Creates a provider with settings (ends with {NULL, NULL}); unnamed options get their declared
 * default. The config lives until fake_host_destroy.
 */
int32_t fake_provider_create(struct fake_host *fake, const struct aic_plugin *plugin,
                             const struct fake_setting *settings, void **self);

/* Everything logged so far, a line each, "level text". */
const char *fake_log(const struct fake_host *fake);

/* HTTP: the oldest request that has not ended, or NULL; and how many were started in all. */
struct aic_http *fake_http_pending(struct fake_host *fake);
size_t fake_http_count(const struct fake_host *fake);
/* Headers as "name: value\n" lines; NULL = none. */
void fake_http_headers(struct aic_http *request, int32_t status, const char *headers);
/* For a request with AIC_HTTP_SSE, `fake_http_sse` gives events; data comes as it is otherwise. */
void fake_http_data(struct aic_http *request, struct aic_str bytes);
void fake_http_sse(struct aic_http *request, const char *name, struct aic_str data);
void fake_http_done(struct aic_http *request);
void fake_http_fail(struct aic_http *request, uint32_t category);
/* The same with the host's code: "connect", "total_timeout" ... */
void fake_http_fail_as(struct aic_http *request, uint32_t category, const char *code);
/* Headers, whole body, done. */
void fake_http_reply(struct aic_http *request, int32_t status, const char *headers,
                     const char *body);
size_t fake_http_warmed(const struct fake_host *fake);

/* WebSocket: the newest that has not ended, or NULL; and how many were opened in all. */
struct aic_ws *fake_ws_current(struct fake_host *fake);
size_t fake_ws_count(const struct fake_host *fake);
void fake_ws_open(struct aic_ws *ws);
void fake_ws_text(struct aic_ws *ws, const char *text);
void fake_ws_binary(struct aic_ws *ws, const void *bytes, size_t count);
/* Ends it: a refusal when it was never open. `http_status` 0 or the refusal's. */
void fake_ws_closed(struct aic_ws *ws, int32_t code, const char *reason, int32_t http_status);
/* Takes what was sent as text since the last call; terminated, to be freed. */
char *fake_ws_take_text(struct aic_ws *ws);

/* Routes: asks the handlers of a path in order, as the server does. 404 where none took it. The
 * exchange is the test's: fake_exchange_finish after use. */
void fake_route_set_public_url(struct fake_host *fake, const char *url);
void fake_route_request(struct fake_host *fake, uint32_t method, const char *path,
                        const char *query, const struct aic_header *headers, uint32_t header_count,
                        struct aic_str body, struct aic_exchange *exchange);
/* Upgrades on a route; NULL when refused (exchange->status tells). */
struct aic_ws *fake_route_upgrade(struct fake_host *fake, const char *path,
                                  const struct aic_header *headers, uint32_t header_count,
                                  struct aic_exchange *exchange);
/* The same without the OPEN, which the test sends or not. */
struct aic_ws *fake_route_accept(struct fake_host *fake, const char *path,
                                 const struct aic_header *headers, uint32_t header_count,
                                 struct aic_exchange *exchange);
void fake_exchange_finish(struct aic_exchange *exchange);

#endif
