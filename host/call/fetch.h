/* SPDX-License-Identifier: ISC */
#ifndef CALL_FETCH_H
#define CALL_FETCH_H
/*
 * How a call asks the outside world for a document: a tool's answer, the context of a caller. One
 * request, one whole answer. The real one is fetch_http.c; tests bring one without sockets.
 */
#include <aicaller/http.h>
#include <stdbool.h>

struct fetch;

struct fetch_request {
    const char *method;
    const char *url;
    const struct aic_header *headers;
    uint32_t header_count;
    struct aic_str body;
    int64_t timeout_ms; /* for all of it */
    uint64_t max_bytes;
    bool text_only; /* an answer that is neither JSON nor text is an error */
    bool only_once; /* must not be sent twice, see AIC_HTTP_ONCE */
};

struct fetch_answer {
    int32_t status;      /* of HTTP; 0 = none came */
    struct aic_str body; /* borrowed until the function returns */
    const char *error;   /* NULL, or why there is no answer: a code of http_client.h */
};

typedef void (*fetch_done)(void *data, const struct fetch_answer *answer);

struct fetch_ops {
    /* `done` is called exactly once, never from inside, unless it is cancelled. Everything is
     * copied. AIC_ERROR_INVALID: the URL or a header can not be used. */
    int32_t (*start)(struct fetch *fetch, const struct fetch_request *request, fetch_done done,
                     void *data, void **handle);
    /* `done` will not be called. */
    void (*cancel)(struct fetch *fetch, void *handle);
};

/* Embedded first in an implementation. */
struct fetch {
    const struct fetch_ops *ops;
};

struct http_client;

/* Addresses that are not public are refused, but for those in `private_allow` (addresses or
 * networks, NULL-terminated), which is borrowed. NULL without memory. */
struct fetch *fetch_http_create(struct http_client *client, const char *const *private_allow);
/* The same, for addresses of the operator's own: all may be reached. */
struct fetch *fetch_http_create_open(struct http_client *client);
void fetch_http_destroy(struct fetch *fetch);

#endif
