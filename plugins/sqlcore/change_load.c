/* SPDX-License-Identifier: ISC */
/*
 * Taking over another database: rows of its tables as "dump" gives them (calls and what is theirs
 * go through append), and its hash key, without which its do-not-call list would not be understood.
 */
#include "sqlcore/change.h"
#include "sqlcore/query.h"

#include <stdio.h>
#include <string.h>

enum { MAX_ROWS = 1000, KEY_TEXT = 64 };

const char *const sql_loaded_tables[] = {"consents", "do_not_call", "audit",    "tombstones",
                                         "erasures", "jobs",        "tokens",   "idempotency",
                                         "users",    "sessions",    "api_keys", NULL};

static const struct sql_param of_load[] = {
    {"table", SQL_TEXT, SQL_ARG_REQUIRED, 0, 0, sql_loaded_tables},
    SQL_NEEDS("rows", SQL_JSON),
    SQL_AT};
static const struct sql_param of_adopt[] = {SQL_NEEDS("hash_key", SQL_TEXT), SQL_AT};

struct loading {
    struct sql_changing *c;
    const struct sql_table *table;
    struct sql_pairs pairs;
    char problem[120];
};

static int read_column(void *data, const char *key, const struct aic_json *value)
{
    struct loading *loading = data;
    int index = sql_column_find(loading->table, key);
    if (loading->table->flags & SQL_TABLE_FACTS && strcmp(key, "revision") == 0) {
        sql_pairs_set(&loading->pairs, "revision", sql_int(aic_json_int(value, 0)));
        return 0;
    }
    if (index < 0) {
        (void)snprintf(loading->problem, sizeof(loading->problem),
                       "rows: %s has no column of one of these names", loading->table->name);
        return 1;
    }
    const struct sql_column *column = &loading->table->columns[index];
    struct sql_value read = sql_null();
    const char *expected =
        value ? sql_value_read(&read, column->type, column->max_bytes, value, &loading->c->arena)
              : NULL;
    if (expected) {
        (void)snprintf(loading->problem, sizeof(loading->problem), "rows: %s: expected %s",
                       column->name, expected);
        return 1;
    }
    sql_pairs_set(&loading->pairs, column->name, read);
    return 0;
}

static int32_t load_row(struct loading *loading, const struct aic_json *row, int64_t *loaded)
{
    int64_t added = 0;
    loading->pairs.count = 0;
    if (!aic_json_is_object(row) || aic_json_count(row) == 0) {
        (void)snprintf(loading->problem, sizeof(loading->problem), "rows: expected are objects");
    } else if (!aic_json_each(row, read_column, loading)) {
        int32_t status =
            sql_insert(loading->c->core, loading->table->name, &loading->pairs, &added);
        *loaded += added;
        return status;
    }
    return sql_fail(loading->c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, "%s",
                    loading->problem);
}

static int32_t run_load(struct sql_changing *c)
{
    struct loading loading = {.c = c, .table = sql_table_find(sql_arg(c->args, "table").text)};
    const struct aic_json *rows = sql_arg_node(c->args, "rows");
    size_t count = aic_json_count(rows);
    int64_t loaded = 0;
    if (!aic_json_is_array(rows) || count > MAX_ROWS) {
        return sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                        "rows: expected an array of at most %d objects", MAX_ROWS);
    }
    int32_t status = AIC_OK;
    for (size_t i = 0; status == AIC_OK && i < count; i++) {
        status = load_row(&loading, aic_json_at(rows, i), &loaded);
    }
    aic_json_member_int(c->w, "loaded", loaded);
    aic_json_member_int(c->w, "known", (int64_t)count - loaded);
    return status;
}

/* Only while no number was hashed with the key that is there. */
static int32_t run_adopt(struct sql_changing *c)
{
    struct sql_value key = sql_arg(c->args, "hash_key");
    struct sql_value used = sql_null();
    if (key.text.len != KEY_TEXT || strspn(key.text.ptr, "0123456789abcdef") < KEY_TEXT) {
        return sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                        "hash_key: expected are 64 hexadecimal digits");
    }
    int32_t status =
        sql_fetch_one(c->core,
                      "SELECT 1 FROM consents WHERE number_hash IS NOT NULL UNION ALL "
                      "SELECT 1 FROM do_not_call WHERE number_hash IS NOT NULL UNION ALL "
                      "SELECT 1 FROM audit WHERE number_hash IS NOT NULL UNION ALL "
                      "SELECT 1 FROM tombstones LIMIT 1",
                      NULL, 0, &c->arena, &used);
    if (status == AIC_OK && used.type != SQL_NULL) {
        return sql_fail(c->core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "numbers were hashed with this database's own key already: take over "
                        "into a new database");
    }
    status =
        status ? status
               : sql_execute(c->core, "UPDATE database_info SET value = $1 WHERE name = 'hash_key'",
                             &key, 1, NULL);
    c->core->has_hash_key = false;
    aic_json_member_bool(c->w, "adopted", status == AIC_OK);
    return status;
}

const struct sql_change sql_load_changes[] = {
    {.name = "load", SQL_PARAMS(of_load), .run = run_load},
    {.name = "database.adopt", SQL_PARAMS(of_adopt), .run = run_adopt},
};
const size_t sql_load_change_count = sizeof(sql_load_changes) / sizeof(sql_load_changes[0]);
