/* SPDX-License-Identifier: ISC */
/*
 * What must go: everything of one number or one call, at once and for ever; what is older than it
 * may be, in slices. Files are named in the answer and stay on record until the host has deleted
 * them.
 */
#include "sqlcore/change.h"
#include "sqlcore/erased.h"

#include <stdlib.h>
#include <string.h>

enum { MANY_CALLS = 1000, SLICE = 1000, MAX_SLICE = 10000 };

static const char *const classes[] = {"messages",   "events",   "turns",    "usage",
                                      "recordings", "calls",    "consents", "do_not_call",
                                      "audit",      "erasures", "work",     NULL};

static const struct sql_param of_erase[] = {SQL_OF("number", SQL_TEXT),
                                            SQL_OF("call_id", SQL_UUID),
                                            SQL_OF("erasure_id", SQL_UUID),
                                            SQL_OF("actor", SQL_TEXT),
                                            SQL_LONG("reason", 1000),
                                            SQL_OF("confirm_calls", SQL_INT),
                                            SQL_AT};
static const struct sql_param of_done[] = {SQL_NEEDS("erasure_id", SQL_UUID), SQL_AT};
static const struct sql_param of_retention[] = {
    {"class", SQL_TEXT, SQL_ARG_REQUIRED, 0, 0, classes},
    SQL_NEEDS("before", SQL_TIME),
    {"limit", SQL_INT, 0, 1, MAX_SLICE, NULL},
    SQL_AT};

/* Texts of one column of the rows of a statement. */
struct texts {
    struct sql_arena *arena;
    struct aic_str *all;
    size_t count;
    size_t room;
    bool failed;
};

static int32_t take_text(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    (void)count;
    struct texts *texts = data;
    if (texts->count == texts->room) {
        size_t room = texts->room ? texts->room * 2 : 64;
        struct aic_str *grown = realloc(texts->all, room * sizeof(*grown));
        if (!grown) {
            texts->failed = true;
            return 1;
        }
        texts->all = grown;
        texts->room = room;
    }
    if (values[0].type != SQL_NULL) {
        texts->all[texts->count] = sql_arena_copy(texts->arena, values[0].text);
        texts->failed = texts->failed || !texts->all[texts->count].ptr;
        texts->count++;
    }
    return 0;
}

static int32_t collect(struct sql_changing *c, struct texts *texts, const char *text,
                       const struct sql_value *values, uint32_t count)
{
    texts->arena = &c->arena;
    int32_t status = sql_fetch(c->core, text, values, count, take_text, texts);
    return status == AIC_OK && texts->failed ? sql_out_of_memory(c->core) : status;
}

static void write_files(struct sql_changing *c, const struct texts *files)
{
    aic_json_key(c->w, "files");
    aic_json_open(c->w, '[');
    for (size_t i = 0; i < files->count; i++) {
        aic_json_put(c->w, files->all[i]);
    }
    aic_json_close(c->w, ']');
}

struct erasure {
    struct sql_changing *c;
    struct sql_value id;
    struct sql_value number; /* SQL_NULL = one call */
    struct sql_value hash;
    struct texts calls;
    struct texts files;
    int64_t counts[ERASED_TABLES];
    int64_t kept[3]; /* consents, do_not_call, audit: kept without the number */
    int64_t jobs;    /* for the number and of no call */
};

static int32_t find_calls(struct erasure *e)
{
    struct sql_changing *c = e->c;
    if (e->number.type == SQL_NULL) {
        struct sql_value call_id = sql_arg(c->args, "call_id");
        return collect(c, &e->calls, "SELECT call_id FROM calls WHERE call_id = $1", &call_id, 1);
    }
    int32_t status = collect(c, &e->calls,
                             "SELECT call_id FROM calls WHERE from_number = $1 "
                             "UNION SELECT call_id FROM calls WHERE to_number = $1",
                             &e->number, 1);
    int64_t confirmed = sql_arg_int(c->args, "confirm_calls", -1);
    if (status == AIC_OK && e->calls.count > MANY_CALLS && confirmed != (int64_t)e->calls.count) {
        return sql_fail(c->core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "this number has %zu calls: is it one of your own? To erase them all, "
                        "say confirm_calls = %zu",
                        e->calls.count, e->calls.count);
    }
    return status;
}

static int32_t erase_calls(struct erasure *e)
{
    struct sql_changing *c = e->c;
    int32_t status = AIC_OK;
    for (size_t i = 0; status == AIC_OK && i < e->calls.count; i++) {
        struct sql_value id = sql_uuid(e->calls.all[i]);
        status = collect(c, &e->files, "SELECT path FROM recordings WHERE call_id = $1", &id, 1);
        status = status ? status
                        : sql_execute(c->core,
                                      "UPDATE audit SET number = NULL, detail = NULL "
                                      "WHERE call_id = $1",
                                      &id, 1, NULL);
        status =
            status ? status : erased_delete_call(c->core, id.text, c->now.text, &e->id, e->counts);
    }
    return status;
}

/* A second erasure of a number moves its tombstone on. */
static int32_t bury_number(struct erasure *e)
{
    struct sql_changing *c = e->c;
    struct sql_value tombstone[] = {e->hash, c->now, e->id};
    int32_t status = sql_execute(c->core,
                                 "INSERT INTO tombstones (subject, erased_at, erasure_id) "
                                 "VALUES ($1, $2, $3) ON CONFLICT (subject) DO UPDATE SET "
                                 "erased_at = excluded.erased_at, erasure_id = excluded.erasure_id",
                                 tombstone, 3, NULL);
    static const char *const texts[] = {
        "UPDATE consents SET number = NULL WHERE number_hash = $1 AND number IS NOT NULL",
        "UPDATE do_not_call SET number = NULL WHERE number_hash = $1 AND number IS NOT NULL",
        ("UPDATE audit SET number = NULL, detail = NULL WHERE number_hash = $1 "
         "AND number IS NOT NULL")};
    for (int i = 0; status == AIC_OK && i < 3; i++) {
        status = sql_execute(c->core, texts[i], &e->hash, 1, &e->kept[i]);
    }
    return status ? status
                  : sql_execute(c->core, "DELETE FROM jobs WHERE number = $1", &e->number, 1,
                                &e->jobs);
}

static void write_counts(struct aic_json_writer *w, const struct erasure *e)
{
    static const char *const kept[] = {"consents", "do_not_call", "audit"};
    aic_json_open(w, '{');
    for (size_t i = 0; i < ERASED_TABLES; i++) {
        bool is_jobs = strcmp(erased_tables[i], "jobs") == 0;
        aic_json_member_int(w, erased_tables[i], e->counts[i] + (is_jobs ? e->jobs : 0));
    }
    for (size_t i = 0; i < 3; i++) {
        aic_json_member_int(w, kept[i], e->kept[i]);
    }
    aic_json_close(w, '}');
}

/* The receipt, which is also kept in the database, without the number. */
static int32_t write_receipt(struct erasure *e)
{
    struct sql_changing *c = e->c;
    struct aic_buf counts;
    struct aic_buf files;
    struct aic_json_writer w;
    aic_buf_init(&counts, 4096);
    aic_buf_init(&files, SQL_ROW_MAX);
    aic_json_writer_init(&w, &counts);
    write_counts(&w, e);
    aic_json_writer_init(&w, &files);
    aic_json_open(&w, '[');
    for (size_t i = 0; i < e->files.count; i++) {
        aic_json_put(&w, e->files.all[i]);
    }
    aic_json_close(&w, ']');

    struct sql_pairs pairs = {0};
    int64_t added = 0;
    struct sql_value subject = e->number.type == SQL_NULL ? sql_arg(c->args, "call_id") : e->hash;
    sql_pairs_set(&pairs, "at", c->now);
    sql_pairs_set(&pairs, "subject", sql_text(subject.text));
    sql_pairs_set(&pairs, "counts",
                  (struct sql_value){.type = SQL_JSON, .text = aic_buf_view(&counts)});
    sql_pairs_set(&pairs, "files",
                  (struct sql_value){.type = SQL_JSON, .text = aic_buf_view(&files)});
    sql_pairs_set(&pairs, "actor", sql_arg(c->args, "actor"));
    sql_pairs_set(&pairs, "reason", sql_arg(c->args, "reason"));
    sql_pairs_set(&pairs, "erasure_id", e->id);
    int32_t status = counts.failed || files.failed
                         ? sql_out_of_memory(c->core)
                         : sql_insert(c->core, "erasures", &pairs, &added);
    aic_json_member(c->w, "erasure_id", e->id.text);
    aic_json_member(c->w, "at", c->now.text);
    aic_json_member_int(c->w, "calls", (int64_t)e->calls.count);
    aic_json_member_raw(c->w, "counts", aic_buf_view(&counts));
    write_files(c, &e->files);
    aic_buf_finish(&counts);
    aic_buf_finish(&files);
    return status;
}

static int32_t erase(struct erasure *e)
{
    struct sql_changing *c = e->c;
    int32_t status = c->core->driver->lock(c->core, "erase", false);
    status = status ? status : find_calls(e);
    status = status ? status : erase_calls(e);
    if (status == AIC_OK && e->number.type != SQL_NULL) {
        status = bury_number(e);
    } else if (status == AIC_OK && e->calls.count == 0) {
        /* Its facts may still be on their way. */
        status = erased_delete_call(c->core, sql_arg(c->args, "call_id").text, c->now.text, &e->id,
                                    e->counts);
    }
    return status ? status : write_receipt(e);
}

static int32_t run_erase(struct sql_changing *c)
{
    struct erasure e = {.c = c, .number = sql_arg(c->args, "number"), .hash = sql_null()};
    bool has_call = sql_arg_has(c->args, "call_id");
    if (has_call == (e.number.type != SQL_NULL) || (!has_call && e.number.text.len == 0)) {
        return sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                        "expected one of number, call_id");
    }
    int32_t status = has_call ? AIC_OK : sql_hash_arg(c, "number", &e.hash);
    e.id = sql_arg(c->args, "erasure_id");
    if (status == AIC_OK && e.id.type == SQL_NULL) {
        status = sql_new_id(c, &e.id);
    }
    status = status ? status : erase(&e);
    free(e.calls.all);
    free(e.files.all);
    return status;
}

static int32_t run_done(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "erasure_id")};
    int64_t changes = 0;
    int32_t status = sql_execute(c->core,
                                 "UPDATE erasures SET files = NULL, done_at = $1 "
                                 "WHERE erasure_id = $2 AND done_at IS NULL",
                                 values, 2, &changes);
    aic_json_member_bool(c->w, "done", changes > 0);
    return status;
}

/* Rows of a table of facts by the time inside their ids, which needs no index of its own. */
static int32_t expire_facts(struct sql_changing *c, const struct sql_table *table, int64_t limit,
                            int64_t *deleted)
{
    const char *key = table->columns[0].name;
    char bound[SQL_UUID_TEXT + 1];
    int64_t ms = 0;
    (void)sql_time_read(sql_arg(c->args, "before").text, &ms);
    sql_uuid_bound(bound, ms);
    struct sql_text text;
    sql_text_init(&text);
    aic_buf_printf(&text.buf, "DELETE FROM %s WHERE %s IN (SELECT %s FROM %s WHERE %s < ",
                   table->name, key, key, table->name, key);
    sql_bind(&text, sql_uuid(aic_str(bound)));
    if (strcmp(table->name, "do_not_call") == 0) {
        /* Whoever asked not to be called stays on the list for ever. */
        sql_add(&text, " AND removed_at IS NOT NULL");
    }
    aic_buf_printf(&text.buf, " ORDER BY %s LIMIT ", key);
    sql_bind(&text, sql_int(limit));
    sql_add(&text, ")");
    struct sql_command command = sql_text_command(&text);
    int32_t status = sql_text_status(&text)
                         ? sql_out_of_memory(c->core)
                         : c->core->driver->run(c->core, &command, 1, NULL, NULL);
    *deleted = command.changes;
    sql_text_finish(&text);
    return status;
}

static int32_t expire_recordings(struct sql_changing *c, int64_t limit, struct texts *files,
                                 int64_t *deleted)
{
    char bound[SQL_UUID_TEXT + 1];
    int64_t ms = 0;
    (void)sql_time_read(sql_arg(c->args, "before").text, &ms);
    sql_uuid_bound(bound, ms);
    struct sql_value values[] = {sql_uuid(aic_str(bound)), sql_int(limit)};
    int32_t status = collect(c, files,
                             "SELECT path FROM recordings WHERE recording_id < $1 "
                             "ORDER BY recording_id LIMIT $2",
                             values, 2);
    return status ? status : expire_facts(c, sql_table_find(AIC_STR("recordings")), limit, deleted);
}

/* Calls with all that is theirs. */
static int32_t expire_calls(struct sql_changing *c, int64_t limit, struct texts *files,
                            int64_t *deleted)
{
    struct texts calls = {0};
    struct sql_value values[] = {sql_arg(c->args, "before"), sql_int(limit)};
    int32_t status = collect(c, &calls,
                             "SELECT call_id FROM calls WHERE created_at < $1 "
                             "ORDER BY created_at, call_id LIMIT $2",
                             values, 2);
    for (size_t i = 0; status == AIC_OK && i < calls.count; i++) {
        struct sql_value id = sql_uuid(calls.all[i]);
        status = collect(c, files, "SELECT path FROM recordings WHERE call_id = $1", &id, 1);
        status = status ? status : erased_delete_rows(c->core, id.text, NULL);
    }
    *deleted = (int64_t)calls.count;
    free(calls.all);
    return status;
}

/* Jobs, reservations, keys, tokens and sessions that are over. */
static int32_t expire_work(struct sql_changing *c, int64_t limit, int64_t *deleted)
{
    static const char *const texts[] = {
        ("DELETE FROM jobs WHERE job_id IN (SELECT job_id FROM jobs WHERE finished_at < $1 "
         "LIMIT $2)"),
        ("DELETE FROM reservations WHERE reservation_id IN (SELECT reservation_id FROM "
         "reservations WHERE at < $1 AND expires_at < $1 LIMIT $2)"),
        ("DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE "
         "expires_at < $1 LIMIT $2)"),
        ("DELETE FROM tokens WHERE token_hash IN (SELECT token_hash FROM tokens WHERE "
         "expires_at < $1 LIMIT $2)"),
        ("DELETE FROM sessions WHERE session_hash IN (SELECT session_hash FROM sessions WHERE "
         "expires_at < $1 LIMIT $2)")};
    struct sql_value values[] = {sql_arg(c->args, "before"), sql_int(limit)};
    int32_t status = AIC_OK;
    for (size_t i = 0; status == AIC_OK && i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t changes = 0;
        status = sql_execute(c->core, texts[i], values, 2, &changes);
        *deleted = changes > *deleted ? changes : *deleted;
    }
    return status;
}

static int32_t run_retention(struct sql_changing *c)
{
    struct aic_str class = sql_arg(c->args, "class").text;
    int64_t limit = sql_arg_int(c->args, "limit", SLICE);
    struct texts files = {0};
    int64_t deleted = 0;
    int32_t status = AIC_OK;
    if (aic_str_equal(class, "calls")) {
        status = expire_calls(c, limit, &files, &deleted);
    } else if (aic_str_equal(class, "recordings")) {
        status = expire_recordings(c, limit, &files, &deleted);
    } else if (aic_str_equal(class, "work")) {
        status = expire_work(c, limit, &deleted);
    } else {
        status = expire_facts(c, sql_table_find(class), limit, &deleted);
    }
    aic_json_member_int(c->w, "deleted", deleted);
    aic_json_member_bool(c->w, "more", deleted >= limit);
    write_files(c, &files);
    free(files.all);
    return status;
}

static int32_t run_maintain(struct sql_changing *c)
{
    bool more = false;
    int32_t status = c->core->driver->maintain ? c->core->driver->maintain(c->core, &more) : AIC_OK;
    aic_json_member_bool(c->w, "more", more);
    return status;
}

const struct sql_change sql_erase_changes[] = {
    {.name = "erase", SQL_PARAMS(of_erase), .run = run_erase},
    {.name = "erase.done", SQL_PARAMS(of_done), .run = run_done},
    {.name = "retention", SQL_PARAMS(of_retention), .run = run_retention},
    {.name = "maintain", .flags = SQL_CHANGE_ALONE, .run = run_maintain},
};
const size_t sql_erase_change_count = sizeof(sql_erase_changes) / sizeof(sql_erase_changes[0]);
