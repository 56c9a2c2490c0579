/* SPDX-License-Identifier: ISC */
/*
 * The queries of a move: whole tables of this database, to be written into another, and tables that
 * are not ours at all, of which an import makes calls.
 */
#include "sqlcore/query.h"
#include "sqlcore/query_calls.h"

#include <stdlib.h>
#include <string.h>

enum { IDENTIFIER_BYTES = 63, DIGITS = 18 };

static const char *const tables[] = {
    "calls",       "messages",    "events", "turns",      "usage",    "recordings",
    "consents",    "do_not_call", "audit",  "tombstones", "erasures", "jobs",
    "idempotency", "tokens",      "users",  "sessions",   "api_keys", NULL};
static const struct sql_param of_dump[] = {
    {"table", SQL_TEXT, SQL_ARG_REQUIRED, 0, 0, tables},
    {"after", SQL_TEXT, 0, 0, 0, NULL},
    {"limit", SQL_INT, 0, 1, CALLS_PAGE, NULL},
};
static const struct sql_param of_foreign_rows[] = {
    {"table", SQL_TEXT, SQL_ARG_REQUIRED, 0, IDENTIFIER_BYTES, NULL},
    {"key", SQL_TEXT, SQL_ARG_REQUIRED, 0, IDENTIFIER_BYTES, NULL},
    {"columns", SQL_JSON, SQL_ARG_REQUIRED, 0, 0, NULL},
    {"after", SQL_TEXT, 0, 0, 0, NULL},
    {"limit", SQL_INT, 0, 1, CALLS_PAGE, NULL},
};

/* All rows of a table with all columns, by key. */
static int32_t run_dump(const struct sql_query *query, struct sql_args *args,
                        struct sql_output *out)
{
    (void)query;
    const struct sql_table *table = sql_table_find(sql_arg(args, "table").text);
    struct sql_value after = sql_arg(args, "after");
    if (after.type != SQL_NULL && table->columns[0].type == SQL_UUID) {
        if (!sql_uuid_valid(after.text)) {
            return sql_fail(out->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                            "after: expected a UUID");
        }
        after.type = SQL_UUID;
    }
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_columns(&text, table, "t", 0);
    if (table->flags & SQL_TABLE_FACTS) {
        sql_add_field(&text, "t.revision", "revision", SQL_INT);
    }
    aic_buf_printf(&text.buf, " FROM %s t", table->name);
    if (after.type != SQL_NULL) {
        aic_buf_printf(&text.buf, " WHERE t.%s > ", table->columns[0].name);
        sql_bind(&text, after);
    }
    aic_buf_printf(&text.buf, " ORDER BY t.%s LIMIT ", table->columns[0].name);
    sql_bind(&text, sql_int(sql_arg_int(args, "limit", CALLS_PAGE)));
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

static bool is_loaded(const char *name)
{
    size_t i = 0;
    while (sql_loaded_tables[i] && strcmp(sql_loaded_tables[i], name) != 0) {
        i++;
    }
    return sql_loaded_tables[i] != NULL;
}

/* What a move goes through, and how each table is written at the other end. */
static int32_t run_tables(const struct sql_query *query, struct sql_args *args,
                          struct sql_output *out)
{
    (void)query;
    (void)args;
    int32_t stop = 0;
    for (size_t i = 0; tables[i] && !stop; i++) {
        const struct sql_table *table = sql_table_find(aic_str(tables[i]));
        struct aic_buf buf;
        struct aic_json_writer w;
        aic_buf_init(&buf, SQL_ROW_MAX);
        aic_json_writer_init(&w, &buf);
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "table", table->name);
        aic_json_member_text(&w, "key", table->columns[0].name);
        aic_json_member_text(&w, "change", is_loaded(table->name) ? "load" : "append");
        aic_json_close(&w, '}');
        stop = sql_output_json(out, &buf);
        aic_buf_finish(&buf);
    }
    return out->failed ? AIC_ERROR_MEMORY : AIC_OK;
}

static int32_t run_database(const struct sql_query *query, struct sql_args *args,
                            struct sql_output *out)
{
    (void)query;
    (void)args;
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_field(&text, "d.name", "name", SQL_TEXT);
    sql_add_field(&text, "d.value", "value", SQL_TEXT);
    sql_add(&text, " FROM database_info d ORDER BY d.name");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Every table that this connection sees, a row for each of its columns. */
static int32_t run_foreign_columns(const struct sql_query *query, struct sql_args *args,
                                   struct sql_output *out)
{
    (void)query;
    (void)args;
    bool is_pgsql = out->core->driver->dialect == SQL_PGSQL;
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_field(&text, is_pgsql ? "c.relname::text" : "c.name", "table", SQL_TEXT);
    sql_add_field(&text, is_pgsql ? "a.attname::text" : "a.name", "column", SQL_TEXT);
    sql_add(&text, is_pgsql ? " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE "
                              "c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND "
                              "c.relnamespace NOT IN ('pg_catalog'::regnamespace, "
                              "'information_schema'::regnamespace) AND a.attnum > 0 AND NOT "
                              "a.attisdropped ORDER BY c.relname, a.attnum"
                            : " FROM sqlite_schema c JOIN pragma_table_info(c.name) a WHERE "
                              "c.type = 'table' ORDER BY c.name, a.cid");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Adds a column of a foreign table as text; its name must live as long as the rows. */
static bool add_foreign_field(struct sql_text *text, struct sql_arena *arena, struct aic_str name)
{
    struct aic_str kept = sql_arena_copy(arena, name);
    if (!kept.ptr || name.len == 0 || name.len > IDENTIFIER_BYTES) {
        return false;
    }
    sql_add_field(text, "CAST(t.", kept.ptr, SQL_TEXT);
    sql_add_identifier(text, kept);
    sql_add(text, " AS TEXT)");
    return true;
}

static bool is_number(struct aic_str text)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        digits++;
    }
    return digits == text.len && digits > 0 && digits <= DIGITS;
}

/* What the key of a foreign table is compared with. */
static struct sql_value foreign_key_value(const struct sql_output *out, struct sql_value after)
{
    if (is_number(after.text)) {
        char digits[DIGITS + 1];
        (void)aic_str_copy(after.text, digits, sizeof(digits));
        return sql_int(strtoll(digits, NULL, 10));
    }
    if (out->core->driver->dialect == SQL_PGSQL && sql_uuid_valid(after.text)) {
        after.type = SQL_UUID;
    }
    return after;
}

static int32_t run_foreign_rows(const struct sql_query *query, struct sql_args *args,
                                struct sql_output *out)
{
    (void)query;
    const struct aic_json *columns = sql_arg_node(args, "columns");
    struct sql_value after = sql_arg(args, "after");
    struct aic_str key = sql_arg(args, "key").text;
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    bool is_good = aic_json_is_array(columns) && aic_json_count(columns) > 0 && key.len > 0;
    for (size_t i = 0; is_good && i < aic_json_count(columns); i++) {
        is_good = add_foreign_field(&text, &args->arena, aic_json_text(aic_json_at(columns, i)));
    }
    sql_add(&text, " FROM ");
    sql_add_identifier(&text, sql_arg(args, "table").text);
    sql_add(&text, " t");
    if (after.type != SQL_NULL) {
        sql_add(&text, " WHERE t.");
        sql_add_identifier(&text, key);
        sql_add(&text, " > ");
        sql_bind(&text, foreign_key_value(out, after));
    }
    sql_add(&text, " ORDER BY t.");
    sql_add_identifier(&text, key);
    sql_add(&text, " LIMIT ");
    sql_bind(&text, sql_int(sql_arg_int(args, "limit", CALLS_PAGE)));
    int32_t status = is_good ? sql_output_rows(out, &text)
                             : sql_fail(out->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                                        "columns: expected are names of columns");
    sql_text_finish(&text);
    return status;
}

const struct sql_query sql_move_queries[] = {
    {.name = "dump", SQL_PARAMS(of_dump), .run = run_dump},
    {.name = "tables", .run = run_tables},
    {.name = "database", .run = run_database},
    {.name = "foreign.columns", .run = run_foreign_columns},
    {.name = "foreign.rows", SQL_PARAMS(of_foreign_rows), .run = run_foreign_rows},
};
const size_t sql_move_query_count = sizeof(sql_move_queries) / sizeof(sql_move_queries[0]);
