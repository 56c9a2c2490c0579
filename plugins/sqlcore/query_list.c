/* SPDX-License-Identifier: ISC */
/*
 * Queries that list rows of one table. A parameter with the name of a column means rows where it
 * has that value; the others are: since, until (of the table's time), after (the key of the last
 * row seen), limit, number (found by its hash where the table has one), active, valid_at.
 */
#include "sqlcore/query.h"

#include <string.h>

enum { LIMIT = 100, MAX_LIMIT = 1000, CALL_LIMIT = 10000 };

struct listing {
    const char *table;
    const char *order;  /* of the rows */
    const char *cursor; /* what `after` goes by; NULL = it takes none */
    const char *active; /* condition of `active`; NULL = it takes none */
    uint32_t without;   /* columns left out */
    int64_t limit;
};

#define LIMIT_UP_TO(most)                                                                          \
    {                                                                                              \
        "limit", SQL_INT, 0, 1, (most), NULL                                                       \
    }
#define OF(name, type)                                                                             \
    {                                                                                              \
        (name), (type), 0, 0, 0, NULL                                                              \
    }
#define NEEDS(name, type)                                                                          \
    {                                                                                              \
        (name), (type), SQL_ARG_REQUIRED, 0, 0, NULL                                               \
    }

/* A condition begins with WHERE or AND. */
static void condition(struct sql_text *text, bool *has_where)
{
    sql_add(text, *has_where ? " AND " : " WHERE ");
    *has_where = true;
}

static void compare(struct sql_text *text, bool *has_where, const char *left,
                    struct sql_value value)
{
    condition(text, has_where);
    sql_add(text, left);
    sql_bind(text, value);
}

static int32_t add_number(struct sql_output *out, struct sql_text *text, bool *has_where,
                          const struct sql_table *table, const struct sql_args *args)
{
    struct sql_value number = sql_arg(args, "number");
    if (number.type == SQL_NULL) {
        return AIC_OK;
    }
    if (!(table->flags & SQL_TABLE_NUMBER)) {
        compare(text, has_where, "t.number = ", number);
        return AIC_OK;
    }
    char hash[SQL_HASH_TEXT + 1];
    int32_t status = sql_hash_number(out->core, number.text, hash);
    if (status == AIC_OK) {
        struct aic_str kept = sql_arena_copy(&out->core->kept, aic_str(hash));
        compare(text, has_where, "t.number_hash = ", sql_text(kept));
        status = kept.ptr ? AIC_OK
                          : sql_fail(out->core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL,
                                     "out of memory");
    }
    return status;
}

static void add_time(struct sql_text *text, bool *has_where, const struct sql_table *table,
                     const struct sql_args *args)
{
    static const char *const names[] = {"since", "until"};
    for (int i = 0; i < 2; i++) {
        if (sql_arg_has(args, names[i])) {
            condition(text, has_where);
            sql_add(text, "t.");
            sql_add(text, table->time);
            sql_add(text, i == 0 ? " >= " : " < ");
            sql_bind(text, sql_arg(args, names[i]));
        }
    }
}

/* Consents that hold at a time: given before, neither run out nor revoked. */
static void add_validity(struct sql_text *text, bool *has_where, const struct sql_args *args)
{
    struct sql_value at = sql_arg(args, "valid_at");
    if (at.type != SQL_NULL) {
        compare(text, has_where, "t.obtained_at <= ", at);
        compare(text, has_where, "(t.expires_at IS NULL OR t.expires_at > ", at);
        sql_add(text, ")");
        compare(text, has_where, "(t.revoked_at IS NULL OR t.revoked_at > ", at);
        sql_add(text, ")");
    }
}

static void add_columns(struct sql_text *text, bool *has_where, const struct sql_table *table,
                        const struct sql_args *args)
{
    for (uint32_t i = 0; i < args->count; i++) {
        const char *name = args->params[i].name;
        if (args->values[i].type == SQL_NULL || strcmp(name, "number") == 0 ||
            sql_column_find(table, name) < 0) {
            continue;
        }
        condition(text, has_where);
        sql_add(text, "t.");
        sql_add(text, name);
        sql_add(text, " = ");
        sql_bind(text, args->values[i]);
    }
}

static int32_t run_list(const struct sql_query *query, struct sql_args *args,
                        struct sql_output *out)
{
    const struct listing *listing = query->detail;
    const struct sql_table *table = sql_table_find(aic_str(listing->table));
    struct sql_text text;
    bool has_where = false;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_columns(&text, table, "t", listing->without);
    if (table->flags & SQL_TABLE_FACTS) {
        sql_add_field(&text, "t.revision", "revision", SQL_INT);
    }
    sql_add(&text, " FROM ");
    sql_add(&text, table->name);
    sql_add(&text, " t");
    add_columns(&text, &has_where, table, args);
    add_time(&text, &has_where, table, args);
    add_validity(&text, &has_where, args);
    int32_t status = add_number(out, &text, &has_where, table, args);
    if (sql_arg_has(args, "after")) {
        compare(&text, &has_where, listing->cursor, sql_arg(args, "after"));
    }
    if (listing->active && sql_arg_bool(args, "active", false)) {
        condition(&text, &has_where);
        sql_add(&text, listing->active);
    }
    sql_add(&text, " ORDER BY ");
    sql_add(&text, listing->order);
    sql_add(&text, " LIMIT ");
    sql_bind(&text, sql_int(sql_arg_int(args, "limit", listing->limit)));
    status = status ? status : sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

static const struct sql_param of_call[] = {NEEDS("call_id", SQL_UUID), LIMIT_UP_TO(CALL_LIMIT)};
static const struct sql_param of_do_not_call[] = {
    OF("number", SQL_TEXT), OF("active", SQL_BOOL), OF("source", SQL_TEXT), OF("since", SQL_TIME),
    OF("until", SQL_TIME),  OF("after", SQL_UUID),  LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_consents[] = {OF("number", SQL_TEXT), OF("call_id", SQL_UUID),
                                               OF("scope", SQL_TEXT),  OF("valid_at", SQL_TIME),
                                               OF("after", SQL_UUID),  LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_audit[] = {
    OF("number", SQL_TEXT), OF("call_id", SQL_UUID), OF("actor", SQL_TEXT), OF("action", SQL_TEXT),
    OF("since", SQL_TIME),  OF("until", SQL_TIME),   OF("after", SQL_UUID), LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_jobs[] = {OF("kind", SQL_TEXT),    OF("state", SQL_TEXT),
                                           OF("call_id", SQL_UUID), OF("number", SQL_TEXT),
                                           OF("after", SQL_UUID),   LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_job[] = {NEEDS("job_id", SQL_UUID)};
static const struct sql_param of_users[] = {OF("after", SQL_TEXT), LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_user[] = {NEEDS("name", SQL_TEXT)};
static const struct sql_param of_user_id[] = {NEEDS("user_id", SQL_UUID)};
static const struct sql_param of_sessions[] = {OF("user_id", SQL_UUID), LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_session[] = {NEEDS("session_hash", SQL_TEXT)};
static const struct sql_param of_api_keys[] = {OF("after", SQL_UUID), LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_api_key[] = {NEEDS("key_hash", SQL_TEXT)};
static const struct sql_param of_reservations[] = {OF("reservation_id", SQL_UUID),
                                                   OF("counter", SQL_TEXT), OF("since", SQL_TIME),
                                                   LIMIT_UP_TO(MAX_LIMIT)};
static const struct sql_param of_idempotency[] = {NEEDS("key", SQL_TEXT)};
static const struct sql_param of_erasures[] = {OF("active", SQL_BOOL), OF("after", SQL_UUID),
                                               LIMIT_UP_TO(MAX_LIMIT)};

enum {
    PLAIN = SQL_COLUMN_BIG | SQL_COLUMN_PRIVATE,
    ALL = 0 /* those who know the key of a row get all of it */
};

static const struct listing messages = {
    .table = "messages", .order = "t.at NULLS FIRST, t.message_id", .limit = CALL_LIMIT};
static const struct listing events = {
    .table = "events", .order = "t.at NULLS FIRST, t.event_id", .limit = CALL_LIMIT};
static const struct listing turns = {
    .table = "turns", .order = "t.turn NULLS FIRST, t.turn_id", .limit = CALL_LIMIT};
static const struct listing usage = {.table = "usage", .order = "t.usage_id", .limit = CALL_LIMIT};
static const struct listing recordings = {
    .table = "recordings", .order = "t.recording_id", .limit = CALL_LIMIT};
static const struct listing do_not_call = {.table = "do_not_call",
                                           .order = "t.entry_id DESC",
                                           .cursor = "t.entry_id < ",
                                           .active = "t.removed_at IS NULL",
                                           .limit = LIMIT};
static const struct listing consents = {
    .table = "consents", .order = "t.consent_id DESC", .cursor = "t.consent_id < ", .limit = LIMIT};
static const struct listing audit = {
    .table = "audit", .order = "t.audit_id DESC", .cursor = "t.audit_id < ", .limit = LIMIT};
static const struct listing jobs = {.table = "jobs",
                                    .order = "t.job_id DESC",
                                    .cursor = "t.job_id < ",
                                    .without = PLAIN,
                                    .limit = LIMIT};
static const struct listing job = {.table = "jobs", .order = "t.job_id", .limit = 1};
static const struct listing users = {
    .table = "users", .order = "t.name", .cursor = "t.name > ", .without = PLAIN, .limit = LIMIT};
static const struct listing user = {
    .table = "users", .order = "t.user_id", .without = ALL, .limit = 1};
static const struct listing sessions = {.table = "sessions",
                                        .order = "t.seen_at DESC, t.session_hash",
                                        .without = PLAIN,
                                        .limit = LIMIT};
static const struct listing session = {
    .table = "sessions", .order = "t.session_hash", .without = ALL, .limit = 1};
static const struct listing api_keys = {.table = "api_keys",
                                        .order = "t.key_id",
                                        .cursor = "t.key_id > ",
                                        .without = PLAIN,
                                        .limit = LIMIT};
static const struct listing api_key = {
    .table = "api_keys", .order = "t.key_id", .without = PLAIN, .limit = 1};
static const struct listing reservations = {
    .table = "reservations", .order = "t.at DESC, t.reservation_id, t.counter", .limit = LIMIT};
static const struct listing idempotency = {
    .table = "idempotency", .order = "t.key", .without = ALL, .limit = 1};
static const struct listing erasures = {.table = "erasures",
                                        .order = "t.erasure_id DESC",
                                        .cursor = "t.erasure_id < ",
                                        .active = "t.done_at IS NULL",
                                        .limit = LIMIT};

#define LIST(query, list, what)                                                                    \
    {                                                                                              \
        .name = (query), SQL_PARAMS(list), .run = run_list, .detail = &(what)                      \
    }

const struct sql_query sql_list_queries[] = {
    LIST("messages", of_call, messages),
    LIST("events", of_call, events),
    LIST("turns", of_call, turns),
    LIST("usage", of_call, usage),
    LIST("recordings", of_call, recordings),
    LIST("do_not_call", of_do_not_call, do_not_call),
    LIST("consents", of_consents, consents),
    LIST("audit", of_audit, audit),
    LIST("jobs", of_jobs, jobs),
    LIST("job", of_job, job),
    LIST("users", of_users, users),
    LIST("user", of_user, user),
    LIST("user.by_id", of_user_id, user),
    LIST("sessions", of_sessions, sessions),
    LIST("session", of_session, session),
    LIST("api_keys", of_api_keys, api_keys),
    LIST("api_key", of_api_key, api_key),
    LIST("reservations", of_reservations, reservations),
    LIST("idempotency", of_idempotency, idempotency),
    LIST("erasures", of_erasures, erasures),
};
const size_t sql_list_query_count = sizeof(sql_list_queries) / sizeof(sql_list_queries[0]);
