/* SPDX-License-Identifier: ISC */
/* The queries about calls: the list, its length, one call, everything of one number. */
#include "sqlcore/query_calls.h"

#include <string.h>

enum { TEXT_BYTES = 500, CURSOR_BYTES = 100 };

static const char *const directions[] = {"inbound", "outbound", NULL};
static const char *const statuses[] = {"queued",    "ringing", "in_progress", "completed", "busy",
                                       "no_answer", "failed",  "canceled",    NULL};

#define FILTERS                                                                                    \
    {"status", SQL_TEXT, SQL_ARG_LIST, 0, 0, statuses},                                            \
        {"direction", SQL_TEXT, 0, 0, 0, directions}, {"number", SQL_TEXT, 0, 0, 0, NULL},         \
        {"from", SQL_TEXT, 0, 0, 0, NULL}, {"to", SQL_TEXT, 0, 0, 0, NULL},                        \
        {"agent", SQL_TEXT, 0, 0, 0, NULL}, {"provider", SQL_TEXT, 0, 0, 0, NULL},                 \
        {"since", SQL_TIME, 0, 0, 0, NULL}, {"until", SQL_TIME, 0, 0, 0, NULL},                    \
    {                                                                                              \
        "text", SQL_TEXT, 0, 0, TEXT_BYTES, NULL                                                   \
    }

static const struct sql_param of_calls[] = {
    FILTERS,
    {"page", SQL_INT, 0, 1, INT64_MAX, NULL},
    {"per_page", SQL_INT, 0, 1, CALLS_PAGE, NULL},
    {"after", SQL_TEXT, 0, 0, CURSOR_BYTES, NULL},
    {"before", SQL_TEXT, 0, 0, CURSOR_BYTES, NULL},
    {"last", SQL_BOOL, 0, 0, 0, NULL},
};
static const struct sql_param of_count[] = {FILTERS};
static const struct sql_param of_call[] = {
    {"call_id", SQL_UUID, 0, 0, 0, NULL},
    {"call_sid", SQL_TEXT, 0, 0, 0, NULL},
    {"id", SQL_TEXT, 0, 0, 0, NULL},
};
static const struct sql_param of_export[] = {
    {"number", SQL_TEXT, SQL_ARG_REQUIRED, 0, 0, NULL},
};

static int32_t take_count(void *data, uint32_t index, const struct sql_value *values,
                          uint32_t count)
{
    (void)index;
    (void)count;
    *(int64_t *)data = values[0].integer;
    return 0;
}

/* Runs a statement that gives one number. */
static int32_t count_rows(struct sqlcore *core, const struct sql_text *text, int64_t *count)
{
    int32_t status = sql_text_status(text);
    *count = 0;
    if (status) {
        return sql_fail(core, status, AIC_CATEGORY_BAD_REQUEST, "too many filters");
    }
    struct sql_command command = sql_text_command(text);
    return core->driver->run(core, &command, 1, take_count, count);
}

/* Where in time a search begins: at the newest message, or at the end of the time asked for. */
static int32_t find_newest(struct sqlcore *core, struct calls_filter *filter)
{
    enum { CALL_MS = 86400000 }; /* no call is longer */

    char bound[SQL_UUID_TEXT + 1];
    struct sql_arena arena = {0};
    struct sql_value id;
    int64_t ms = INT64_MAX;
    struct sql_value until = sql_arg(filter->args, "until");
    if (until.type != SQL_NULL && sql_time_read(until.text, &ms)) {
        ms += CALL_MS;
    }
    sql_uuid_bound(bound, ms);
    struct sql_value values[] = {sql_uuid(aic_str(bound))};
    int32_t status = sql_fetch_one(core,
                                   "SELECT message_id FROM messages WHERE message_id < $1 "
                                   "ORDER BY message_id DESC LIMIT 1",
                                   values, 1, &arena, &id);
    filter->newest_ms = id.type == SQL_NULL ? 0 : sql_uuid_time_ms(id.text);
    sql_arena_finish(&arena);
    return status;
}

/* With few calls left by the other filters it is cheaper to look into each of them. */
static int32_t choose_search(struct sqlcore *core, struct calls_filter *filter, uint32_t *search)
{
    *search = CALLS_NO_TEXT;
    if (filter->words.count == 0) {
        return AIC_OK;
    }
    struct sql_text text;
    int64_t count = 0;
    sql_text_init(&text);
    calls_write_count(&text, filter, CALLS_FEW + 1);
    int32_t status = count_rows(core, &text, &count);
    sql_text_finish(&text);
    *search = count > CALLS_FEW ? CALLS_TEXT_FIRST : CALLS_TEXT_LAST;
    bool needs_newest = *search == CALLS_TEXT_FIRST && core->driver->dialect == SQL_PGSQL;
    return status || !needs_newest ? status : find_newest(core, filter);
}

static int32_t read_filter(struct sql_output *out, struct sql_args *args,
                           struct calls_filter *filter, uint32_t *search)
{
    char problem[200];
    int32_t status = calls_filter_read(filter, args, out->core->driver->dialect, problem);
    if (status) {
        return sql_fail(out->core, status, AIC_CATEGORY_BAD_REQUEST, "%s", problem);
    }
    return choose_search(out->core, filter, search);
}

static int32_t run_calls(const struct sql_query *query, struct sql_args *args,
                         struct sql_output *out)
{
    (void)query;
    struct calls_filter filter;
    uint32_t search = CALLS_NO_TEXT;
    int32_t status = read_filter(out, args, &filter, &search);
    if (status) {
        return status;
    }
    struct sql_text text;
    sql_text_init(&text);
    calls_write_list(&text, &filter, search);
    status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Whether a text search came to the end of what has the words. */
static int32_t is_all_seen(struct sqlcore *core, struct calls_filter *filter, bool *is_all)
{
    struct sql_text text;
    int64_t count = 0;
    sql_text_init(&text);
    sql_add(&text, "SELECT count(*) FROM (");
    int64_t limit = calls_write_hits(&text, filter);
    sql_add(&text, ") h");
    int32_t status = count_rows(core, &text, &count);
    sql_text_finish(&text);
    *is_all = count < limit;
    return status;
}

static int32_t count_calls(struct sqlcore *core, struct calls_filter *filter, uint32_t search,
                           int64_t *total, bool *is_exact)
{
    struct sql_text text;
    int64_t bound = search == CALLS_NO_TEXT ? CALLS_EXACT : CALLS_FOUND;
    sql_text_init(&text);
    if (search == CALLS_NO_TEXT) {
        calls_write_count(&text, filter, bound + 1);
    } else {
        filter->limit = bound + 1;
        filter->offset = 0;
        sql_add(&text, "SELECT count(*) FROM (");
        calls_write_keys(&text, filter, search);
        sql_add(&text, ") n");
    }
    int32_t status = count_rows(core, &text, total);
    sql_text_finish(&text);
    *is_exact = *total <= bound && !(search == CALLS_TEXT_FIRST && *total == bound);
    *total = *total < bound ? *total : bound;
    if (status == AIC_OK && *is_exact && search == CALLS_TEXT_FIRST) {
        status = is_all_seen(core, filter, is_exact);
    }
    return status;
}

static int32_t run_count(const struct sql_query *query, struct sql_args *args,
                         struct sql_output *out)
{
    (void)query;
    struct calls_filter filter;
    uint32_t search = CALLS_NO_TEXT;
    int64_t total = 0;
    bool is_exact = false;
    int32_t status = read_filter(out, args, &filter, &search);
    status = status ? status : count_calls(out->core, &filter, search, &total, &is_exact);
    if (status) {
        return status;
    }
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 200);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "total", total);
    aic_json_member_bool(&w, "total_exact", is_exact);
    aic_json_close(&w, '}');
    (void)sql_output_json(out, &buf);
    aic_buf_finish(&buf);
    return AIC_OK;
}

/* Selects all of a call, found by its own id or by the carrier's. */
static int32_t run_call(const struct sql_query *query, struct sql_args *args,
                        struct sql_output *out)
{
    (void)query;
    struct sql_value call_id = sql_arg(args, "call_id");
    struct sql_value call_sid = sql_arg(args, "call_sid");
    struct sql_value id = sql_arg(args, "id");
    if ((call_id.type != SQL_NULL) + (call_sid.type != SQL_NULL) + (id.type != SQL_NULL) != 1) {
        return sql_fail(out->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                        "expected one of call_id, call_sid, id");
    }
    if (id.type != SQL_NULL) {
        struct sql_value *to = sql_uuid_valid(id.text) ? &call_id : &call_sid;
        *to = sql_uuid_valid(id.text) ? sql_uuid(id.text) : id;
    }
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_columns(&text, sql_table_find(AIC_STR("calls")), "c", 0);
    sql_add_field(&text, "c.revision", "revision", SQL_INT);
    sql_add(&text, call_id.type != SQL_NULL ? " FROM calls c WHERE c.call_id = "
                                            : " FROM calls c WHERE c.call_sid = ");
    sql_bind(&text, call_id.type != SQL_NULL ? call_id : call_sid);
    sql_add(&text, " ORDER BY c.created_at DESC LIMIT 1");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Rows of one table that belong to the number: its own, or of calls from or to it. */
static int32_t export_table(struct sql_output *out, const struct sql_table *table,
                            struct sql_value number, struct sql_value hash)
{
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_columns(&text, table, "t", SQL_COLUMN_PRIVATE);
    sql_add(&text, " FROM ");
    sql_add(&text, table->name);
    sql_add(&text, " t WHERE t.call_id IN (SELECT call_id FROM calls WHERE from_number = ");
    sql_bind(&text, number);
    sql_add(&text, " UNION SELECT call_id FROM calls WHERE to_number = ");
    sql_bind(&text, number);
    sql_add(&text, ")");
    if (table->flags & SQL_TABLE_NUMBER) {
        sql_add(&text, " OR t.number_hash = ");
        sql_bind(&text, hash);
    } else if (sql_column_find(table, "number") >= 0) {
        sql_add(&text, " OR t.number = ");
        sql_bind(&text, number);
    }
    sql_add(&text, " ORDER BY t.");
    sql_add(&text, table->columns[0].name);
    out->table = table->name;
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

struct export
{
    struct sql_output *out;
    struct sql_value number;
    struct sql_value hash;
};

static int32_t export_all(struct sqlcore *core, void *data)
{
    (void)core;
    const struct export *export = data;
    int32_t status = AIC_OK;
    for (size_t i = 0; status == AIC_OK && i < sql_table_count; i++) {
        if (sql_column_find(sql_tables[i], "call_id") >= 0 && !export->out->is_stopped) {
            status = export_table(export->out, sql_tables[i], export->number, export->hash);
        }
    }
    return status;
}

/* All tables as they are at one moment, so that nothing of a call is missing. */
static int32_t run_export(const struct sql_query *query, struct sql_args *args,
                          struct sql_output *out)
{
    (void)query;
    char hash[SQL_HASH_TEXT + 1];
    struct sql_value number = sql_arg(args, "number");
    int32_t status = sql_hash_number(out->core, number.text, hash);
    struct export export = {out, number, sql_text(aic_str(hash))};
    return status ? status : sql_transact(out->core, false, export_all, &export);
}

const struct sql_query sql_call_queries[] = {
    {.name = "calls", SQL_PARAMS(of_calls), .run = run_calls},
    {.name = "calls.count", SQL_PARAMS(of_count), .run = run_count},
    {.name = "call", SQL_PARAMS(of_call), .run = run_call},
    {.name = "export", SQL_PARAMS(of_export), .run = run_export},
};
const size_t sql_call_query_count = sizeof(sql_call_queries) / sizeof(sql_call_queries[0]);
