/* SPDX-License-Identifier: ISC */
#ifndef CALL_CONTEXT_H
#define CALL_CONTEXT_H
/*
 * What somebody's system knows about a callee: one document, asked for before the call is dialled,
 * and put behind the prompt as data. An address that must not or cannot be asked is a mistake of
 * the one who gave it; a system that does not answer well is not worth a call: that is made without
 * it. No redirect is followed, so that the headers go nowhere else.
 */
#include "base/sched.h"
#include "call/fetch.h"

struct context;
struct aic_buf;

enum {
    CONTEXT_MAX_BYTES = 64 * 1024,
    CONTEXT_TIMEOUT_MS = 3000, /* for all of it */
    CONTEXT_HEADERS = 16
};

struct context_request {
    const char *url;
    const struct aic_header *headers;
    uint32_t header_count;
};

enum context_outcome {
    CONTEXT_FETCHED = 1,
    CONTEXT_FAILED = 2, /* the call goes on without */
    CONTEXT_REFUSED = 3 /* the address is no good */
};

struct context_result {
    enum context_outcome outcome;
    const char
        *reason; /* why not, a code: "address", "timeout", "http_status" ...; "" if fetched */
    int32_t http_status; /* 0 = none came */
    int64_t took_ms;
    struct aic_str text; /* valid UTF-8; borrowed, as all of it */
};

typedef void (*context_done)(void *data, const struct context_result *result);

/* `done` is called exactly once, never from inside, unless it is cancelled. NULL without memory.
 * Everything is copied. */
struct context *context_fetch(struct fetch *fetch, struct sched *sched,
                              const struct context_request *wish, context_done done, void *data);
/* `done` will not be called. Accepts NULL. */
void context_cancel(struct context *context);

/* The result as the detail of an event: no word of the document, nor of the address. */
void context_describe(const struct context_result *result, struct aic_buf *to);

#endif
