/* SPDX-License-Identifier: ISC */
#ifndef WEB_LIVE_LOG_H
#define WEB_LIVE_LOG_H
/*
 * What happened lately, as the bytes that viewers get: written once, read by all of them from where
 * each is. Bounded: the oldest goes. No I/O and no clock.
 *
 * A place in it is a count of bytes since its beginning, so it never comes again.
 */
#include "buf.h"

struct live_log;

enum { LIVE_LOG_BYTES = 4 << 20, LIVE_LOG_ENTRIES = 16384 };

/* Keeps at most that much; NULL without memory. */
struct live_log *live_log_create(size_t max_bytes, size_t max_entries);
void live_log_destroy(struct live_log *log);
/* Forgets all. What comes is behind this number; places that were read are lost. */
void live_log_restart(struct live_log *log, uint64_t number);

/* Appends an entry. `number` rises, 0 = it has none; `call_id` "" = for everybody. */
int32_t live_log_add(struct live_log *log, uint64_t number, const char *call_id,
                     struct aic_str bytes);
/* The number of the last entry that has one, or what live_log_restart said. */
uint64_t live_log_number(const struct live_log *log);
uint64_t live_log_end(const struct live_log *log);
/* Whether everything from this place on is still there. */
bool live_log_has(const struct live_log *log, uint64_t at);
/* Finds the place behind `number`; false when it is not known what came between. */
bool live_log_find(const struct live_log *log, uint64_t number, uint64_t *at);

/*
 * Reads whole entries from a place that is there, at most about `max_bytes` and at least one, and
 * returns the place behind them. With `call_id` "" all of them, borrowed from the log until it
 * changes; otherwise those for that call are copied into `room`.
 */
uint64_t live_log_read(const struct live_log *log, uint64_t at, const char *call_id,
                       size_t max_bytes, struct aic_buf *room, struct aic_str *bytes);

#endif
