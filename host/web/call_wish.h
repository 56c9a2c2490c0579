/* SPDX-License-Identifier: ISC */
#ifndef WEB_CALL_WISH_H
#define WEB_CALL_WISH_H
/* The body of a request to place a call, read and bounded. Pure. */
#include "call/context.h"

#include "json.h"

enum {
    CALL_WISH_PROMPT = 5000, /* characters */
    CALL_WISH_URL = 2048,
    CALL_WISH_HEADER_BYTES = 8192, /* of all together */
    CALL_WISH_METADATA = 4096,
    CALL_WISH_AGENT = 128
};

struct call_wish {
    struct aic_json *root; /* what the texts point into */
    char *to;
    char *agent;       /* NULL = default */
    char *context_url; /* NULL = none */
    char *metadata;    /* JSON object; NULL = none */
    struct aic_str prompt;
    struct aic_header headers[CONTEXT_HEADERS];
    uint32_t header_count;
};

/* What is wrong with a body. */
struct call_wish_problem {
    const char *field;
    char detail[256];
};

/* Takes over `root`, an object. False: see `problem`; `wish` is to be finished all the same. */
bool call_wish_read(struct call_wish *wish, struct aic_json *root,
                    struct call_wish_problem *problem);
void call_wish_finish(struct call_wish *wish);

#endif
