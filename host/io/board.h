/* SPDX-License-Identifier: ISC */
#ifndef IO_BOARD_H
#define IO_BOARD_H
/*
 * What the workers of a host must agree on: who owns which call, which tokens are used up, and how
 * full the shared buckets are. Kept by the master (with --single by the one process). No I/O and no
 * clock of its own; everything is bounded.
 */
#include "buf.h"

struct board;
struct pack_item;

enum {
    BOARD_CALLS = 4096,
    BOARD_SUMMARY_BYTES = 4096,
    BOARD_TOKENS = 65536,
    BOARD_BUCKETS = 16384,
    BOARD_LIST_BYTES = BOARD_CALLS * (BOARD_SUMMARY_BYTES + 512)
};

struct board *board_create(void);
void board_destroy(struct board *board);

/* Makes `owner` (a worker's number) the owner of a call; again for its own call is a new summary.
 * AIC_ERROR_CONFLICT: another one has it; AIC_ERROR_INVALID: an empty id, or `summary` is not a
 * JSON object; AIC_ERROR_TOO_LARGE; AIC_ERROR_BUSY: BOARD_CALLS are live. */
int32_t board_claim(struct board *board, int owner, const char *call_id, struct aic_str summary);
/* AIC_ERROR_NOT_FOUND: `owner` does not own it. */
int32_t board_update(struct board *board, int owner, const char *call_id, struct aic_str summary);
int32_t board_release(struct board *board, int owner, const char *call_id);
/* -1: nobody. */
int board_owner(const struct board *board, const char *call_id);
size_t board_calls(const struct board *board);
/* Appends a JSON array of {"call_id", "worker", ...summary}. */
void board_list(const struct board *board, struct aic_buf *to);
/* Appends a JSON array of {"call_id", "summary"} of calls that `owner` had, as many as fit into
 * `to`, and forgets them. Returns how many; 0 when it has none. */
size_t board_take_calls(struct board *board, int owner, struct aic_buf *to);

/* AIC_ERROR_CONFLICT: used before; AIC_ERROR_DENIED: expired; AIC_ERROR_BUSY: BOARD_TOKENS are
 * remembered. */
int32_t board_use_token(struct board *board, const char *nonce, int64_t expires_wall_us,
                        int64_t wall_us);

/* A bucket holds `limit` and is filled again within `window_ms`. AIC_ERROR_DENIED: not enough in
 * it, `*retry_after_ms` tells when there will be; AIC_ERROR_INVALID: there never will be;
 * AIC_ERROR_BUSY: BOARD_BUCKETS are in use. */
struct board_take {
    const char *bucket;
    int64_t amount;
    int64_t limit;
    int64_t window_ms;
};

int32_t board_take(struct board *board, const struct board_take *take, int64_t now_ms,
                   int64_t *retry_after_ms);

/* Writes everything with io/pack.h; board_load takes it back item by item and ignores what is not
 * its own. */
void board_save(const struct board *board, struct aic_buf *to);
void board_load(struct board *board, const struct pack_item *item);

#endif
