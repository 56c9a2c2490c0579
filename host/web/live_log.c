/* SPDX-License-Identifier: ISC */
#include "web/live_log.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t at;
    uint64_t number; /* 0 = none */
    uint64_t call;   /* a hash of its id; 0 = for everybody */
};

struct live_log {
    struct aic_buf bytes;
    uint64_t begin;        /* the place of the first byte */
    struct entry *entries; /* a ring */
    size_t max_entries;
    size_t first;
    size_t count;
    uint64_t since; /* all numbers behind this one are here */
    uint64_t last;
};

/* FNV-1a. A viewer of one call may see another's line once in 2^64. */
static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (; *text; text++) {
        value = (value ^ (uint8_t)*text) * UINT64_C(1099511628211);
    }
    return value != 0 ? value : 1;
}

struct live_log *live_log_create(size_t max_bytes, size_t max_entries)
{
    struct live_log *log = calloc(1, sizeof(*log));
    if (!log) {
        return NULL;
    }
    aic_buf_init(&log->bytes, max_bytes);
    log->max_entries = max_entries;
    log->entries = calloc(max_entries, sizeof(*log->entries));
    if (!log->entries) {
        live_log_destroy(log);
        return NULL;
    }
    return log;
}

void live_log_destroy(struct live_log *log)
{
    if (log) {
        aic_buf_finish(&log->bytes);
        free(log->entries);
        free(log);
    }
}

void live_log_restart(struct live_log *log, uint64_t number)
{
    /* One byte further than anybody has read. */
    log->begin = live_log_end(log) + 1;
    aic_buf_clear(&log->bytes);
    log->first = 0;
    log->count = 0;
    log->since = number;
    log->last = number;
}

static const struct entry *entry(const struct live_log *log, size_t index)
{
    return &log->entries[(log->first + index) % log->max_entries];
}

/* Where an entry ends; of the one behind the last, where the log does. */
static uint64_t end_of(const struct live_log *log, size_t index)
{
    return index + 1 < log->count ? entry(log, index + 1)->at : live_log_end(log);
}

static void drop_oldest(struct live_log *log, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number = entry(log, i)->number;
        log->since = number != 0 ? number : log->since;
    }
    uint64_t begin = end_of(log, count - 1);
    aic_buf_drop(&log->bytes, (size_t)(begin - log->begin));
    log->begin = begin;
    log->first = (log->first + count) % log->max_entries;
    log->count -= count;
}

/* Makes room by dropping a quarter at a time, so that bytes are seldom moved. */
static bool make_room(struct live_log *log, size_t bytes)
{
    if (bytes > log->bytes.max) {
        return false;
    }
    while (log->count > 0 &&
           (log->count == log->max_entries || bytes > log->bytes.max - log->bytes.len)) {
        drop_oldest(log, (log->count + 3) / 4);
    }
    return true;
}

int32_t live_log_add(struct live_log *log, uint64_t number, const char *call_id,
                     struct aic_str bytes)
{
    if (!make_room(log, bytes.len)) {
        return AIC_ERROR_TOO_LARGE;
    }
    struct entry *next = &log->entries[(log->first + log->count) % log->max_entries];
    const struct entry added = {live_log_end(log), number, call_id[0] ? hash(call_id) : 0};
    if (aic_buf_str(&log->bytes, bytes) != AIC_OK) {
        log->bytes.failed = false;
        return AIC_ERROR_MEMORY;
    }
    *next = added;
    log->count++;
    log->last = number != 0 ? number : log->last;
    return AIC_OK;
}

uint64_t live_log_number(const struct live_log *log)
{
    return log->last;
}

uint64_t live_log_end(const struct live_log *log)
{
    return log->begin + log->bytes.len;
}

bool live_log_has(const struct live_log *log, uint64_t at)
{
    return at >= log->begin && at <= live_log_end(log);
}

bool live_log_find(const struct live_log *log, uint64_t number, uint64_t *at)
{
    if (number < log->since || number > log->last) {
        return false;
    }
    *at = log->begin;
    for (size_t i = log->count; i > 0; i--) {
        uint64_t found = entry(log, i - 1)->number;
        if (found != 0 && found <= number) {
            *at = end_of(log, i - 1);
            break;
        }
    }
    return true;
}

/* The entry that begins at a place, or the number of entries at the end. */
static size_t index_of(const struct live_log *log, uint64_t at)
{
    size_t low = 0;
    size_t high = log->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry(log, middle)->at < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct aic_str bytes_from(const struct live_log *log, uint64_t at, uint64_t end)
{
    return (struct aic_str){log->bytes.data + (at - log->begin), (size_t)(end - at)};
}

static uint64_t read_one(const struct live_log *log, size_t from, uint64_t call, size_t max_bytes,
                         struct aic_buf *room)
{
    uint64_t at = entry(log, from)->at;
    for (size_t i = from; i < log->count && room->len < max_bytes; i++) {
        const struct entry *next = entry(log, i);
        at = end_of(log, i);
        if (next->call == 0 || next->call == call) {
            aic_buf_str(room, bytes_from(log, next->at, at));
        }
    }
    return at;
}

uint64_t live_log_read(const struct live_log *log, uint64_t at, const char *call_id,
                       size_t max_bytes, struct aic_buf *room, struct aic_str *bytes)
{
    size_t from = index_of(log, at);
    *bytes = (struct aic_str){NULL, 0};
    if (from == log->count) {
        return at;
    }
    if (call_id[0]) {
        aic_buf_clear(room);
        uint64_t end = read_one(log, from, hash(call_id), max_bytes, room);
        *bytes = aic_buf_view(room);
        return end;
    }
    uint64_t limit = at + max_bytes;
    size_t to = limit >= live_log_end(log) ? log->count : index_of(log, limit);
    /* The entry at the limit's place begins there or behind: the one before may reach over it. */
    to = to > from + 1 && to < log->count && entry(log, to)->at > limit ? to - 1 : to;
    uint64_t end = end_of(log, to > from ? to - 1 : from);
    *bytes = bytes_from(log, at, end);
    return end;
}
