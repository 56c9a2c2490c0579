/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_HEAD_H
#define OPENAI_HEAD_H
/* What the headers of an answer say. Pure. */
#include "buf.h"

enum { OPENAI_ID_BYTES = 100, OPENAI_TYPE_BYTES = 64 };

/* One bucket of the rate limit; -1 where the vendor does not tell. */
struct openai_rate {
    int64_t limit;
    int64_t remaining;
    int64_t reset_ms;
};

struct openai_head {
    int32_t status;
    int32_t should_retry;   /* 1 yes, -1 no, 0 not told */
    int64_t retry_after_ms; /* -1 not told */
    struct openai_rate requests;
    struct openai_rate tokens;
    char type[OPENAI_TYPE_BYTES]; /* content type without its parameters */
    char request_id[OPENAI_ID_BYTES];
};

void openai_head_init(struct openai_head *head, int32_t status);
/* Takes one header; `wall_us` turns a date into a duration. */
void openai_head_take(struct openai_head *head, struct aic_str name, struct aic_str value,
                      int64_t wall_us);
bool openai_rate_is_told(const struct openai_rate *rate);

/*
 * Reads the duration that `text` begins with, in the forms "6", "1.57s", "2m59.56s", "120ms"; a
 * number without unit is seconds. Returns ms, or -1 where there is none.
 */
int64_t openai_duration_ms(struct aic_str text);

#endif
