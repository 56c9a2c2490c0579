/* SPDX-License-Identifier: ISC */
#ifndef WEB_IDEMPOTENCY_H
#define WEB_IDEMPOTENCY_H
/*
 * Idempotency-Key: a request that is sent twice is done once. The storage decides, so that it holds
 * between workers, hosts and restarts. Pure; who asks the storage is make_call.c.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct aic_json;

enum { IDEMPOTENCY_KEY = 255, IDEMPOTENCY_NAME = 128, IDEMPOTENCY_FINGERPRINT = 65 };

/* 1 to 255 visible ASCII characters. */
bool idempotency_key_is_good(struct aic_str key);
/* What a key is called in the storage: each API key has keys of its own. `owner` "" = nobody. */
void idempotency_name(char to[IDEMPOTENCY_NAME], const char *owner, struct aic_str key);
/* The same for bodies that say the same in the same order, however they are laid out. */
void idempotency_fingerprint(char to[IDEMPOTENCY_FINGERPRINT], const struct aic_json *body);

enum idempotency {
    IDEMPOTENCY_FIRST = 1,
    IDEMPOTENCY_DONE = 2,    /* the answer is known */
    IDEMPOTENCY_OTHER = 3,   /* the key came with another body */
    IDEMPOTENCY_RUNNING = 4, /* the first request is not answered yet */
    IDEMPOTENCY_LOST = 5,    /* nor will it ever be: nobody knows how far it came */
    IDEMPOTENCY_UNKNOWN = 6  /* the storage's answer makes no sense */
};

/* `row` is the answer to the change "idempotency.begin". */
enum idempotency idempotency_judge(const struct aic_json *row);

#endif
