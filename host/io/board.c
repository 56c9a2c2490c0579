/* SPDX-License-Identifier: ISC */
#include "io/board.h"

#include "io/pack.h"
#include "io/table.h"

#include "json.h"

/* A full table is swept for what has no meaning any more at most this often. */
enum { SWEEP_EVERY_MS = 1000, SWEEP_FIRST = 1024 };

struct call {
    struct table_entry entry; /* first: an entry is its call */
    int owner;
    char *summary;
};

struct token {
    struct table_entry entry;
    int64_t expires_wall_us;
};

/* Levels are counted in amount times window, so that filling needs no fractions: a millisecond adds
 * `limit`, one unit costs `window_ms`. */
struct bucket {
    struct table_entry entry;
    int64_t limit;
    int64_t window_ms;
    int64_t level;
    int64_t level_at_ms;
};

struct sweep {
    size_t at_count;
    int64_t not_before_ms;
};

struct board {
    struct table calls;
    struct table tokens;
    struct table buckets;
    struct sweep tokens_sweep;
    struct sweep buckets_sweep;
};

/* Tags of items; values are never reused. */
enum {
    PACK_CALL = 101,
    PACK_TOKEN = 102,
    PACK_BUCKET = 103,
    PACK_NAME = 1,
    PACK_OWNER = 2,
    PACK_SUMMARY = 3,
    PACK_EXPIRES = 4,
    PACK_LIMIT = 5,
    PACK_WINDOW = 6,
    PACK_LEVEL = 7,
    PACK_LEVEL_AT = 8
};

static void release_call(struct table_entry *entry)
{
    free(((struct call *)entry)->summary);
    free(entry);
}

static void release_plain(struct table_entry *entry)
{
    free(entry);
}

struct board *board_create(void)
{
    struct board *board = calloc(1, sizeof(*board));
    if (!board) {
        return NULL;
    }
    board->tokens_sweep.at_count = SWEEP_FIRST;
    board->buckets_sweep.at_count = SWEEP_FIRST;
    if (table_init(&board->calls) != AIC_OK || table_init(&board->tokens) != AIC_OK ||
        table_init(&board->buckets) != AIC_OK) {
        board_destroy(board);
        return NULL;
    }
    return board;
}

void board_destroy(struct board *board)
{
    if (board) {
        table_finish(&board->calls, release_call);
        table_finish(&board->tokens, release_plain);
        table_finish(&board->buckets, release_plain);
        free(board);
    }
}

/* A zeroed entry with its key behind it. */
static void *entry_create(struct table *table, size_t bytes, const char *key)
{
    size_t key_bytes = strlen(key) + 1;
    char *memory = calloc(1, bytes + key_bytes);
    if (!memory) {
        return NULL;
    }
    memcpy(memory + bytes, key, key_bytes);
    struct table_entry *entry = (struct table_entry *)(void *)memory;
    entry->key = memory + bytes;
    table_add(table, entry);
    return memory;
}

static struct call *find_call(const struct board *board, int owner, const char *call_id)
{
    struct call *call = (struct call *)table_find(&board->calls, call_id);
    return call && call->owner == owner ? call : NULL;
}

static int32_t set_summary(struct call *call, struct aic_str summary)
{
    char *copy = aic_str_dup(summary);
    if (!copy) {
        return AIC_ERROR_MEMORY;
    }
    free(call->summary);
    call->summary = copy;
    return AIC_OK;
}

static int32_t check_summary(struct aic_str summary)
{
    if (summary.len > BOARD_SUMMARY_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    bool is_object = summary.len >= 2 && summary.ptr[0] == '{' &&
                     summary.ptr[summary.len - 1] == '}' && !memchr(summary.ptr, 0, summary.len);
    return is_object ? AIC_OK : AIC_ERROR_INVALID;
}

int32_t board_claim(struct board *board, int owner, const char *call_id, struct aic_str summary)
{
    int32_t status = call_id[0] ? check_summary(summary) : AIC_ERROR_INVALID;
    if (status != AIC_OK) {
        return status;
    }
    struct call *call = (struct call *)table_find(&board->calls, call_id);
    if (call) {
        return call->owner == owner ? set_summary(call, summary) : AIC_ERROR_CONFLICT;
    }
    if (board->calls.count >= BOARD_CALLS) {
        return AIC_ERROR_BUSY;
    }
    call = entry_create(&board->calls, sizeof(*call), call_id);
    if (!call) {
        return AIC_ERROR_MEMORY;
    }
    call->owner = owner;
    status = set_summary(call, summary);
    if (status != AIC_OK) {
        table_remove(&board->calls, &call->entry);
        release_call(&call->entry);
    }
    return status;
}

int32_t board_update(struct board *board, int owner, const char *call_id, struct aic_str summary)
{
    struct call *call = find_call(board, owner, call_id);
    if (!call) {
        return AIC_ERROR_NOT_FOUND;
    }
    int32_t status = check_summary(summary);
    return status == AIC_OK ? set_summary(call, summary) : status;
}

int32_t board_release(struct board *board, int owner, const char *call_id)
{
    struct call *call = find_call(board, owner, call_id);
    if (!call) {
        return AIC_ERROR_NOT_FOUND;
    }
    table_remove(&board->calls, &call->entry);
    release_call(&call->entry);
    return AIC_OK;
}

int board_owner(const struct board *board, const char *call_id)
{
    const struct call *call = (struct call *)table_find(&board->calls, call_id);
    return call ? call->owner : -1;
}

size_t board_calls(const struct board *board)
{
    return board->calls.count;
}

void board_list(const struct board *board, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    const struct table_entry *entry = NULL;
    while ((entry = table_next(&board->calls, entry)) != NULL) {
        const struct call *call = (const struct call *)entry;
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "call_id", call->entry.key);
        aic_json_member_int(&w, "worker", call->owner);
        size_t length = strlen(call->summary);
        if (length > 2) {
            /* The members of an object that the worker wrote, without its braces. */
            aic_buf_char(to, ',');
            aic_buf_add(to, call->summary + 1, length - 2);
        }
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
}

size_t board_take_calls(struct board *board, int owner, struct aic_buf *to)
{
    struct aic_json_writer w;
    size_t taken = 0;
    struct table_entry *entry = table_next(&board->calls, NULL);
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    while (entry) {
        struct call *call = (struct call *)entry;
        struct table_entry *next = table_next(&board->calls, entry);
        /* Room for the id with every byte escaped, the keys, and the closing bracket. */
        size_t most = strlen(call->summary) + 6 * strlen(call->entry.key) + 64;
        if (call->owner == owner && most <= to->max - to->len) {
            aic_json_open(&w, '{');
            aic_json_member_text(&w, "call_id", call->entry.key);
            aic_json_member_raw(&w, "summary", aic_str(call->summary));
            aic_json_close(&w, '}');
            table_remove(&board->calls, entry);
            release_call(entry);
            taken++;
        }
        entry = next;
    }
    aic_json_close(&w, ']');
    return taken;
}

/* Whether a table of `limit` takes one more; sweeps it now and then, so that one sweep is paid by
 * the many entries since the last. */
static bool has_room(struct table *table, struct sweep *sweep, size_t limit, int64_t now_ms,
                     bool (*is_spent)(const struct table_entry *entry, int64_t now_ms))
{
    if (table->count < sweep->at_count || now_ms < sweep->not_before_ms) {
        return table->count < limit;
    }
    struct table_entry *entry = table_next(table, NULL);
    while (entry) {
        struct table_entry *next = table_next(table, entry);
        if (is_spent(entry, now_ms)) {
            table_remove(table, entry);
            free(entry);
        }
        entry = next;
    }
    sweep->not_before_ms = now_ms + SWEEP_EVERY_MS;
    sweep->at_count = table->count * 2 > SWEEP_FIRST ? table->count * 2 : SWEEP_FIRST;
    if (sweep->at_count > limit) {
        sweep->at_count = limit;
    }
    return table->count < limit;
}

static bool token_is_spent(const struct table_entry *entry, int64_t wall_ms)
{
    return ((const struct token *)entry)->expires_wall_us / 1000 < wall_ms;
}

int32_t board_use_token(struct board *board, const char *nonce, int64_t expires_wall_us,
                        int64_t wall_us)
{
    if (!nonce[0]) {
        return AIC_ERROR_INVALID;
    }
    if (table_find(&board->tokens, nonce)) {
        return AIC_ERROR_CONFLICT;
    }
    if (expires_wall_us <= wall_us) {
        return AIC_ERROR_DENIED;
    }
    if (!has_room(&board->tokens, &board->tokens_sweep, BOARD_TOKENS, wall_us / 1000,
                  token_is_spent)) {
        return AIC_ERROR_BUSY;
    }
    struct token *token = entry_create(&board->tokens, sizeof(*token), nonce);
    if (!token) {
        return AIC_ERROR_MEMORY;
    }
    token->expires_wall_us = expires_wall_us;
    return AIC_OK;
}

/* What a bucket holds now. */
static int64_t level_at(const struct bucket *bucket, int64_t now_ms)
{
    int64_t full = bucket->limit * bucket->window_ms;
    int64_t passed_ms = now_ms > bucket->level_at_ms ? now_ms - bucket->level_at_ms : 0;
    if (passed_ms >= bucket->window_ms || bucket->level >= full - passed_ms * bucket->limit) {
        return full;
    }
    return bucket->level + passed_ms * bucket->limit;
}

static bool bucket_is_full(const struct table_entry *entry, int64_t now_ms)
{
    const struct bucket *bucket = (const struct bucket *)entry;
    return level_at(bucket, now_ms) == bucket->limit * bucket->window_ms;
}

static struct bucket *find_bucket(struct board *board, const char *name, int64_t now_ms)
{
    struct bucket *bucket = (struct bucket *)table_find(&board->buckets, name);
    if (!bucket &&
        has_room(&board->buckets, &board->buckets_sweep, BOARD_BUCKETS, now_ms, bucket_is_full)) {
        bucket = entry_create(&board->buckets, sizeof(*bucket), name);
    }
    return bucket;
}

/* Brings a bucket up to now, and to the limits asked for: a configuration may have changed them,
 * then what was used stays used. */
static void refresh(struct bucket *bucket, const struct board_take *take, int64_t now_ms)
{
    int64_t full = take->limit * take->window_ms;
    int64_t used = 0;
    if (bucket->window_ms > 0) {
        used = bucket->limit * bucket->window_ms - level_at(bucket, now_ms);
    }
    if (used > 0 && bucket->window_ms != take->window_ms) {
        double scaled = (double)used / (double)bucket->window_ms * (double)take->window_ms;
        used = scaled < (double)full ? (int64_t)scaled : full;
    }
    bucket->limit = take->limit;
    bucket->window_ms = take->window_ms;
    bucket->level = used < full ? full - used : 0;
    bucket->level_at_ms = now_ms;
}

int32_t board_take(struct board *board, const struct board_take *take, int64_t now_ms,
                   int64_t *retry_after_ms)
{
    int64_t full;
    *retry_after_ms = 0;
    if (!take->bucket[0] || take->amount <= 0 || take->limit < take->amount ||
        take->window_ms <= 0 || __builtin_mul_overflow(take->limit, take->window_ms, &full)) {
        return AIC_ERROR_INVALID;
    }
    struct bucket *bucket = find_bucket(board, take->bucket, now_ms);
    if (!bucket) {
        return AIC_ERROR_BUSY;
    }
    refresh(bucket, take, now_ms);
    int64_t cost = take->amount * take->window_ms;
    if (bucket->level < cost) {
        *retry_after_ms = (cost - bucket->level + take->limit - 1) / take->limit;
        return AIC_ERROR_DENIED;
    }
    bucket->level -= cost;
    return AIC_OK;
}

static void save_call(const struct call *call, struct aic_buf *item)
{
    pack_str(item, PACK_NAME, aic_str(call->entry.key));
    pack_int(item, PACK_OWNER, call->owner);
    pack_str(item, PACK_SUMMARY, aic_str(call->summary));
}

static void save_token(const struct token *token, struct aic_buf *item)
{
    pack_str(item, PACK_NAME, aic_str(token->entry.key));
    pack_int(item, PACK_EXPIRES, token->expires_wall_us);
}

static void save_bucket(const struct bucket *bucket, struct aic_buf *item)
{
    pack_str(item, PACK_NAME, aic_str(bucket->entry.key));
    pack_int(item, PACK_LIMIT, bucket->limit);
    pack_int(item, PACK_WINDOW, bucket->window_ms);
    pack_int(item, PACK_LEVEL, bucket->level);
    pack_int(item, PACK_LEVEL_AT, bucket->level_at_ms);
}

static void save_table(const struct table *table, uint32_t tag, struct aic_buf *to)
{
    struct aic_buf item;
    aic_buf_init(&item, BOARD_SUMMARY_BYTES * 2);
    const struct table_entry *entry = NULL;
    while ((entry = table_next(table, entry)) != NULL) {
        aic_buf_clear(&item);
        if (tag == PACK_CALL) {
            save_call((const struct call *)entry, &item);
        } else if (tag == PACK_TOKEN) {
            save_token((const struct token *)entry, &item);
        } else {
            save_bucket((const struct bucket *)entry, &item);
        }
        pack_str(to, tag, aic_buf_view(&item));
        to->failed |= item.failed;
    }
    aic_buf_finish(&item);
}

void board_save(const struct board *board, struct aic_buf *to)
{
    save_table(&board->calls, PACK_CALL, to);
    save_table(&board->tokens, PACK_TOKEN, to);
    save_table(&board->buckets, PACK_BUCKET, to);
}

struct loaded {
    char name[256];
    int64_t numbers[PACK_LEVEL_AT + 1];
    struct aic_str summary;
};

static bool load_fields(struct aic_str from, struct loaded *loaded)
{
    struct pack_item item;
    int32_t status;
    while ((status = pack_next(&from, &item)) == 1) {
        if (item.tag == PACK_NAME && !pack_copy(&item, loaded->name, sizeof(loaded->name))) {
            return false;
        }
        if (item.tag == PACK_SUMMARY) {
            loaded->summary = item.text;
        } else if (item.tag <= PACK_LEVEL_AT) {
            loaded->numbers[item.tag] = item.number;
        }
    }
    return status == 0;
}

static void load_bucket(struct board *board, const struct loaded *loaded)
{
    struct board_take take = {.bucket = loaded->name,
                              .amount = 1,
                              .limit = loaded->numbers[PACK_LIMIT],
                              .window_ms = loaded->numbers[PACK_WINDOW]};
    int64_t retry_after_ms;
    if (board_take(board, &take, loaded->numbers[PACK_LEVEL_AT], &retry_after_ms) == AIC_OK) {
        struct bucket *bucket = (struct bucket *)table_find(&board->buckets, loaded->name);
        bucket->level = loaded->numbers[PACK_LEVEL];
        bucket->level_at_ms = loaded->numbers[PACK_LEVEL_AT];
    }
}

void board_load(struct board *board, const struct pack_item *item)
{
    struct loaded loaded = {.name = ""};
    if (item->tag < PACK_CALL || item->tag > PACK_BUCKET || !load_fields(item->text, &loaded)) {
        return;
    }
    if (item->tag == PACK_CALL) {
        (void)board_claim(board, (int)loaded.numbers[PACK_OWNER], loaded.name, loaded.summary);
    } else if (item->tag == PACK_TOKEN) {
        (void)board_use_token(board, loaded.name, loaded.numbers[PACK_EXPIRES], INT64_MIN);
    } else {
        load_bucket(board, &loaded);
    }
}
