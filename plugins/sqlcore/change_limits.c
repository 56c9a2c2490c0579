/* SPDX-License-Identifier: ISC */
/*
 * Limits that hold for all who share the database, and things that may happen only once.
 *
 * A reservation takes amounts from several counters, all or none. A counter with a window counts
 * what was reserved within the last window_ms; one without counts what is open at the moment, until
 * it is settled or its time runs out.
 */
#include "sqlcore/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COUNTERS = 16, NAME_BYTES = 200 };

static const int64_t DEFAULT_TTL_MS = 3600000;
static const int64_t DEFAULT_KEY_TTL_MS = 86400000;
static const int64_t DEFAULT_LEASE_MS = 60000;

static const struct sql_param of_reserve[] = {SQL_NEEDS("reservation_id", SQL_UUID),
                                              SQL_NEEDS("counters", SQL_JSON), SQL_MS("ttl_ms"),
                                              SQL_AT};
static const struct sql_param of_settle[] = {SQL_NEEDS("reservation_id", SQL_UUID),
                                             SQL_OF("amounts", SQL_JSON), SQL_AT};
static const struct sql_param of_release[] = {SQL_NEEDS("reservation_id", SQL_UUID), SQL_AT};
static const struct sql_param of_begin[] = {
    SQL_NEEDS("key", SQL_TEXT),  SQL_OF("fingerprint", SQL_TEXT),
    SQL_OF("call_id", SQL_UUID), SQL_MS("ttl_ms"),
    SQL_MS("lease_ms"),          SQL_AT};
static const struct sql_param of_finish[] = {
    SQL_NEEDS("key", SQL_TEXT), SQL_NEEDS("status", SQL_INT), SQL_OF("call_id", SQL_UUID),
    SQL_LONG("response", 1 << 20), SQL_AT};
static const struct sql_param of_key[] = {SQL_NEEDS("key", SQL_TEXT), SQL_AT};
static const struct sql_param of_token[] = {
    SQL_NEEDS("token_hash", SQL_TEXT),
    {"ttl_ms", SQL_INT, SQL_ARG_REQUIRED, 1, SQL_MAX_MS, NULL},
    SQL_AT};

struct counter {
    struct aic_str name;
    int64_t amount;
    int64_t limit;
    int64_t window_ms;
};

static int by_name(const void *a, const void *b)
{
    struct sql_value x = sql_text(((const struct counter *)a)->name);
    struct sql_value y = sql_text(((const struct counter *)b)->name);
    return sql_value_compare(&x, &y);
}

static bool read_counter(struct counter *to, const struct aic_json *node)
{
    *to = (struct counter){.name = aic_json_get_text(node, "counter"),
                           .amount = aic_json_get_int(node, "amount", 1),
                           .limit = aic_json_get_int(node, "limit", -1),
                           .window_ms = aic_json_get_int(node, "window_ms", 0)};
    return to->name.len > 0 && to->name.len <= NAME_BYTES &&
           !memchr(to->name.ptr, '\0', to->name.len) && to->amount >= 0 && to->limit >= 0 &&
           to->amount <= INT64_MAX / 2 && to->window_ms >= 0 && to->window_ms <= SQL_MAX_MS;
}

/* In order of their names, so that two reservations never wait for each other. */
static int32_t read_counters(struct sql_changing *c, struct counter *counters, uint32_t *count)
{
    const struct aic_json *list = sql_arg_node(c->args, "counters");
    size_t length = aic_json_is_array(list) ? aic_json_count(list) : 0;
    bool good = length > 0 && length <= MAX_COUNTERS;
    for (size_t i = 0; good && i < length; i++) {
        good = read_counter(&counters[i], aic_json_at(list, i));
    }
    if (good) {
        qsort(counters, length, sizeof(*counters), by_name);
    }
    for (size_t i = 1; good && i < length; i++) {
        good = by_name(&counters[i - 1], &counters[i]) != 0;
    }
    *count = (uint32_t)length;
    return good ? AIC_OK
                : sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                           "counters: expected are 1 to 16 of {\"counter\", \"amount\", "
                           "\"limit\", \"window_ms\"}, each name once");
}

struct used {
    int64_t amount;
    int64_t oldest_ms; /* when the first of them was reserved, or the first open one ends */
};

static int32_t take_used(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    struct used *used = data;
    used->amount = count > 0 && values[0].type == SQL_INT ? values[0].integer : 0;
    if (count > 1 && values[1].type != SQL_NULL) {
        (void)sql_time_read(values[1].text, &used->oldest_ms);
    }
    return 0;
}

static int32_t find_used(struct sql_changing *c, const struct counter *counter, struct used *used)
{
    char lock[NAME_BYTES + 20];
    (void)snprintf(lock, sizeof(lock), "counter %.*s", (int)counter->name.len, counter->name.ptr);
    int32_t status = c->core->driver->lock(c->core, lock, false);
    const char *text =
        counter->window_ms > 0
            ? "SELECT CAST(sum(amount) AS BIGINT), min(at) FROM reservations "
              "WHERE counter = $1 AND at > $2"
            : "SELECT CAST(sum(amount) AS BIGINT), min(expires_at) FROM reservations "
              "WHERE counter = $1 AND expires_at > $2 AND NOT settled";
    struct sql_value values[] = {sql_text(counter->name), sql_later(c, -counter->window_ms)};
    *used = (struct used){0, c->now_ms};
    return status ? status : sql_fetch(c->core, text, values, 2, take_used, used);
}

static void refuse(struct sql_changing *c, const struct counter *counter, const struct used *used)
{
    int64_t wait_ms = used->oldest_ms + counter->window_ms - c->now_ms;
    aic_json_member_bool(c->w, "granted", false);
    aic_json_member(c->w, "counter", counter->name);
    aic_json_member_int(c->w, "used", used->amount);
    aic_json_member_int(c->w, "limit", counter->limit);
    aic_json_member_int(c->w, "retry_after_ms", wait_ms > 0 ? wait_ms : 0);
}

static int32_t reserve_all(struct sql_changing *c, const struct counter *counters, uint32_t count)
{
    struct sql_value expires = sql_later(c, sql_arg_int(c->args, "ttl_ms", DEFAULT_TTL_MS));
    int32_t status = AIC_OK;
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        struct sql_pairs pairs = {0};
        int64_t added = 0;
        sql_pairs_set(&pairs, "reservation_id", sql_arg(c->args, "reservation_id"));
        sql_pairs_set(&pairs, "counter", sql_text(counters[i].name));
        sql_pairs_set(&pairs, "amount", sql_int(counters[i].amount));
        sql_pairs_set(&pairs, "at", c->now);
        sql_pairs_set(&pairs, "expires_at", expires);
        sql_pairs_set(&pairs, "settled", (struct sql_value){.type = SQL_BOOL, .integer = 0});
        status = sql_insert(c->core, "reservations", &pairs, &added);
    }
    aic_json_member_bool(c->w, "granted", true);
    return status;
}

static int32_t run_reserve(struct sql_changing *c)
{
    struct counter counters[MAX_COUNTERS] = {{.limit = 0}};
    uint32_t count = 0;
    struct sql_value id = sql_arg(c->args, "reservation_id");
    struct sql_value known = sql_null();
    int32_t status = read_counters(c, counters, &count);
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        struct used used;
        status = find_used(c, &counters[i], &used);
        if (status == AIC_OK && i == 0) {
            /* Asked again because the first answer was lost: what was granted stays granted. */
            status = sql_fetch_one(c->core,
                                   "SELECT 1 FROM reservations WHERE reservation_id = $1 LIMIT 1",
                                   &id, 1, &c->arena, &known);
        }
        if (status == AIC_OK && known.type != SQL_NULL) {
            aic_json_member_bool(c->w, "granted", true);
            return AIC_OK;
        }
        if (status == AIC_OK && used.amount + counters[i].amount > counters[i].limit) {
            refuse(c, &counters[i], &used);
            return AIC_OK;
        }
    }
    return status ? status : reserve_all(c, counters, count);
}

struct settle {
    struct sql_changing *c;
    int32_t status;
};

static int settle_one(void *data, const char *key, const struct aic_json *node)
{
    struct settle *settle = data;
    struct sql_changing *c = settle->c;
    int64_t amount = aic_json_int(node, -1);
    if (amount < 0 || amount > INT64_MAX / 2) {
        settle->status = sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                                  "amounts: expected {counter: a whole number from 0}");
        return 1;
    }
    struct sql_value values[] = {sql_int(amount), sql_arg(c->args, "reservation_id"),
                                 sql_text(aic_str(key))};
    settle->status = sql_execute(c->core,
                                 "UPDATE reservations SET amount = $1 WHERE reservation_id = $2 "
                                 "AND counter = $3",
                                 values, 3, NULL);
    return settle->status != AIC_OK;
}

/* What it came to in the end. Open counters let go of it, windows go on counting it. */
static int32_t run_settle(struct sql_changing *c)
{
    struct settle settle = {c, AIC_OK};
    struct sql_value id = sql_arg(c->args, "reservation_id");
    int64_t changes = 0;
    int32_t status =
        sql_execute(c->core, "UPDATE reservations SET settled = TRUE WHERE reservation_id = $1",
                    &id, 1, &changes);
    if (status == AIC_OK) {
        (void)aic_json_each(sql_arg_node(c->args, "amounts"), settle_one, &settle);
        status = settle.status;
    }
    aic_json_member_bool(c->w, "known", changes > 0);
    return status;
}

/* It did not happen: nothing counts it any more. */
static int32_t run_release(struct sql_changing *c)
{
    struct sql_value id = sql_arg(c->args, "reservation_id");
    int64_t changes = 0;
    int32_t status =
        sql_execute(c->core, "DELETE FROM reservations WHERE reservation_id = $1 AND NOT settled",
                    &id, 1, &changes);
    aic_json_member_bool(c->w, "known", changes > 0);
    return status;
}

static int32_t begin_first(struct sql_changing *c, int64_t *added)
{
    struct sql_pairs pairs = {0};
    struct sql_value key[] = {sql_arg(c->args, "key"), c->now};
    int32_t status = sql_execute(
        c->core, "DELETE FROM idempotency WHERE key = $1 AND expires_at <= $2", key, 2, NULL);
    if (status) {
        return status;
    }
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("pending")));
    sql_pairs_set(&pairs, "created_at", c->now);
    sql_pairs_set(&pairs, "expires_at",
                  sql_later(c, sql_arg_int(c->args, "ttl_ms", DEFAULT_KEY_TTL_MS)));
    sql_pairs_set(&pairs, "lease_until",
                  sql_later(c, sql_arg_int(c->args, "lease_ms", DEFAULT_LEASE_MS)));
    sql_pairs_take(&pairs, sql_table_find(AIC_STR("idempotency")), c->args);
    return sql_insert(c->core, "idempotency", &pairs, added);
}

struct known_key {
    struct sql_changing *c;
    bool is_mismatch;
    bool is_left; /* its holder did not finish in time */
};

static int32_t take_key(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    static const struct sql_field fields[] = {
        {"state", SQL_TEXT}, {"status", SQL_INT}, {"call_id", SQL_UUID}, {"response", SQL_TEXT}};
    struct known_key *known = data;
    struct sql_changing *c = known->c;
    struct sql_value ours = sql_arg(c->args, "fingerprint");
    bool is_same = values[4].type == SQL_NULL || ours.type == SQL_NULL ||
                   (values[4].text.len == ours.text.len &&
                    memcmp(values[4].text.ptr, ours.text.ptr, ours.text.len) == 0);
    struct sql_value lease = sql_time(count > 5 ? values[5].text : (struct aic_str){NULL, 0});
    known->is_mismatch = !is_same;
    known->is_left = is_same && aic_str_equal(values[0].text, "pending") &&
                     sql_value_compare(&lease, &c->now) <= 0;
    aic_json_member_bool(c->w, "first", known->is_left);
    aic_json_member_bool(c->w, "mismatch", known->is_mismatch);
    for (uint32_t i = 0; i < 4; i++) {
        aic_json_key(c->w, fields[i].name);
        sql_value_write(c->w, fields[i].type, &values[i]);
    }
    return 0;
}

static int32_t run_begin(struct sql_changing *c)
{
    int64_t added = 0;
    int32_t status = begin_first(c, &added);
    if (status || added > 0) {
        aic_json_member_bool(c->w, "first", added > 0);
        return status;
    }
    struct known_key known = {.c = c};
    struct sql_value values[] = {sql_later(c, sql_arg_int(c->args, "lease_ms", DEFAULT_LEASE_MS)),
                                 sql_arg(c->args, "key")};
    const char *text = c->core->driver->dialect == SQL_PGSQL
                           ? "SELECT state, status, call_id, response, fingerprint, lease_until "
                             "FROM idempotency WHERE key = $1 FOR UPDATE"
                           : "SELECT state, status, call_id, response, fingerprint, lease_until "
                             "FROM idempotency WHERE key = $1";
    status = sql_fetch(c->core, text, &values[1], 1, take_key, &known);
    if (status == AIC_OK && known.is_left) {
        status = sql_execute(c->core, "UPDATE idempotency SET lease_until = $1 WHERE key = $2",
                             values, 2, NULL);
    }
    return status;
}

static int32_t run_finish(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    struct sql_pairs where = {0};
    int64_t changes = 0;
    sql_pairs_set(&where, "key", sql_arg(c->args, "key"));
    sql_pairs_set(&where, "state", sql_text(AIC_STR("pending")));
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("done")));
    sql_pairs_set(&pairs, "status", sql_arg(c->args, "status"));
    sql_pairs_set(&pairs, "response", sql_arg(c->args, "response"));
    if (sql_arg_has(c->args, "call_id")) {
        sql_pairs_set(&pairs, "call_id", sql_arg(c->args, "call_id"));
    }
    int32_t status = sql_update(c->core, "idempotency", &pairs, &where, &changes);
    aic_json_member_bool(c->w, "finished", changes > 0);
    return status;
}

static int32_t run_forget(struct sql_changing *c)
{
    struct sql_value key = sql_arg(c->args, "key");
    int64_t changes = 0;
    int32_t status = sql_execute(
        c->core, "DELETE FROM idempotency WHERE key = $1 AND state = 'pending'", &key, 1, &changes);
    aic_json_member_bool(c->w, "released", changes > 0);
    return status;
}

static int32_t run_token(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    int64_t added = 0;
    sql_pairs_set(&pairs, "token_hash", sql_arg(c->args, "token_hash"));
    sql_pairs_set(&pairs, "used_at", c->now);
    sql_pairs_set(&pairs, "expires_at", sql_later(c, sql_arg_int(c->args, "ttl_ms", 0)));
    int32_t status = sql_insert(c->core, "tokens", &pairs, &added);
    aic_json_member_bool(c->w, "first", added > 0);
    return status;
}

const struct sql_change sql_limit_changes[] = {
    {.name = "counter.reserve", SQL_PARAMS(of_reserve), .run = run_reserve},
    {.name = "counter.settle", SQL_PARAMS(of_settle), .run = run_settle},
    {.name = "counter.release", SQL_PARAMS(of_release), .run = run_release},
    {.name = "idempotency.begin", SQL_PARAMS(of_begin), .run = run_begin},
    {.name = "idempotency.finish", SQL_PARAMS(of_finish), .run = run_finish},
    {.name = "idempotency.release", SQL_PARAMS(of_key), .run = run_forget},
    {.name = "token.use", SQL_PARAMS(of_token), .run = run_token},
};
const size_t sql_limit_change_count = sizeof(sql_limit_changes) / sizeof(sql_limit_changes[0]);
