/* SPDX-License-Identifier: ISC */
#ifndef CLI_FETCHES_H
#define CLI_FETCHES_H
/* A few small HTTP requests at once, waited for. */
#include "buf.h"

#include <stdbool.h>

struct net;

enum { FETCH_URL = 512, FETCH_WORD = 64, FETCH_BODY_MAX = 64 * 1024 };

struct fetched {
    char url[FETCH_URL];
    int32_t status;           /* HTTP status; 0 = no answer */
    char code[FETCH_WORD];    /* why there is none, as io/http_client.h names it */
    char message[256];        /* the same for people */
    char date[FETCH_WORD];    /* the header of this name; "" = none */
    char location[FETCH_URL]; /* the same */
    int64_t wall_us;          /* when the answer came, by this machine's clock */
    int64_t took_ms;
    struct aic_buf body;
};

/* Asks all `list[i].url` with GET; returns when each has an answer or a reason. No redirect is
 * followed. With `is_vendor` plain http is for loopback only, as for providers. */
void fetches_run(struct net *net, struct fetched *list, size_t count, bool is_vendor);
void fetches_finish(struct fetched *list, size_t count);

#endif
