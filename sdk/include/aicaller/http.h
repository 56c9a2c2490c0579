/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_HTTP_H
#define AICALLER_HTTP_H
/*
 * Service: HTTP requests to vendors. The host owns connections, TLS, names, proxies, deadlines and
 * limits; answers stream in as they arrive; server-sent events are split where asked for.
 *
 * Redirects are never followed. TLS is verified and never downgraded; http:// is allowed to
 * loopback and where the operator wrote it as the provider's `url`.
 */
#include <aicaller/abi.h>
#include <aicaller/error.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_HTTP "aicaller.http/1"

struct aic_header {
    struct aic_str name;
    struct aic_str value;
};

enum {
    AIC_HTTP_SSE = 1u << 0,   /* split a 2xx text/event-stream answer into AIC_HTTP_EVENT_SSE */
    AIC_HTTP_WHOLE = 1u << 1, /* gather the body: one DATA event just before DONE, if not empty */
    AIC_HTTP_ONCE = 1u << 2   /* never sent twice. Without it a request is repeated when a kept
                               * connection turns out to be dead; for what must not happen twice,
                               * such as to dial. */
};

/* Everything in it is copied before `start` returns. */
struct aic_http_request {
    uint32_t size;
    uint32_t flags;
    const char *method; /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;    /* absolute */
    const struct aic_header *headers;
    uint32_t header_count;
    uint32_t header_size; /* sizeof(struct aic_header) */
    struct aic_str body;  /* empty = none */
    /* Deadlines; 0 = the provider's `timeout`, else the host's default (in brackets). */
    int64_t connect_ms;    /* name, connect and TLS [2000] */
    int64_t first_byte_ms; /* from start to the first byte of the body [5000] */
    int64_t idle_ms;       /* between two bytes of the body [5000] */
    int64_t total_ms;      /* whole exchange [none] */
    uint64_t max_bytes;    /* of the body, after decoding [1 MiB; streams 16 MiB] */
};

enum {
    AIC_HTTP_EVENT_NONE = 0,
    AIC_HTTP_EVENT_HEADERS = 1, /* status and headers */
    AIC_HTTP_EVENT_DATA = 2,    /* bytes of the body */
    AIC_HTTP_EVENT_SSE = 3,     /* one server-sent event: `name` and `data` */
    AIC_HTTP_EVENT_DONE = 4,    /* the body is complete; the last event */
    AIC_HTTP_EVENT_ERROR = 5    /* no answer, or it broke off; the last event */
};

struct aic_http_event {
    uint32_t size;
    uint32_t kind;
    int32_t status;        /* HTTP status; 0 before the headers */
    uint32_t header_count; /* with HEADERS */
    const struct aic_header *headers;
    uint32_t header_size;
    uint32_t reserved;             /* 0 */
    struct aic_str data;           /* with DATA and SSE */
    struct aic_str name;           /* with SSE: the event's name, empty when it has none */
    int64_t ttfb_us;               /* with HEADERS: since start */
    const struct aic_error *error; /* with ERROR: category TIMEOUT, NETWORK, TLS, PROTOCOL ... */
};

struct aic_http; /* a request under way, the host's */

struct aic_http_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /*
     * Starts a request; `event(data, ...)` is called on the loop, never before `start` returns.
     * Exactly one DONE or ERROR ends it, unless it is cancelled; *request is valid until then.
     * [main, call]
     */
    int32_t (*start)(const struct aic_host *host, const struct aic_http_request *params,
                     void (*event)(void *data, const struct aic_http_event *event), void *data,
                     struct aic_http **request);
    /* Drops a request; no event is delivered after this. May be called from inside its event
     * function. NULL is fine. [main, call] */
    void (*cancel)(const struct aic_host *host, struct aic_http *request);
    /*
     * Opens and keeps a connection to the origin of `url`, so that the next request does not pay
     * for TCP and TLS. Best effort; may be called often. [main, call]
     */
    void (*warm)(const struct aic_host *host, const char *url);
};

AIC_END_DECLS
#endif
