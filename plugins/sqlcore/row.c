/* SPDX-License-Identifier: ISC */
#include "sqlcore/row.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHOICES_TEXT = 120 };

struct reader {
    struct sql_row *row;
    struct sql_arena *arena;
    char *reason;
    bool is_out_of_memory;
};

static int refuse(struct reader *r, const char *column, const char *why)
{
    (void)snprintf(r->reason, SQL_REASON, "%.60s: %s", column, why);
    /* The column's name came from outside; what was cut must be whole characters. */
    size_t length = strlen(r->reason);
    struct aic_str text = {r->reason, length};
    if (!aic_utf8_valid(text)) {
        (void)snprintf(r->reason, SQL_REASON, "a column's name is no column of %s",
                       r->row->table->name);
    }
    return 1;
}

static bool is_choice(const char *const *choices, struct aic_str text)
{
    for (size_t i = 0; choices && choices[i]; i++) {
        if (aic_str_equal(text, choices[i])) {
            return true;
        }
    }
    return !choices;
}

static int refuse_choice(struct reader *r, const struct sql_column *column)
{
    char why[CHOICES_TEXT] = "expected one of";
    size_t length = strlen(why);
    for (size_t i = 0; column->choices[i] && length < sizeof(why); i++) {
        length += (size_t)snprintf(why + length, sizeof(why) - length, " %s", column->choices[i]);
    }
    return refuse(r, column->name, why);
}

/* Ids stand in the fact itself; in the columns they may be said again, but not otherwise. */
static int check_id(struct reader *r, const struct aic_json *value, int index)
{
    struct sql_value *known = &r->row->values[index];
    struct sql_value told;
    const char *expected = sql_value_read(&told, SQL_UUID, 0, value, r->arena);
    if (expected) {
        r->is_out_of_memory = strcmp(expected, "memory") == 0;
        return refuse(r, r->row->table->columns[index].name, "expected a UUID");
    }
    if (known->type == SQL_NULL) {
        *known = told;
        r->row->revisions[index] = r->row->revision;
    }
    return sql_value_compare(known, &told) == 0
               ? 0
               : refuse(r, r->row->table->columns[index].name, "the fact itself says otherwise");
}

static int read_column(void *data, const char *key, const struct aic_json *value)
{
    struct reader *r = data;
    const struct sql_table *table = r->row->table;
    int index = sql_column_find(table, key);
    if (index < 0 || table->columns[index].flags & SQL_COLUMN_DERIVED) {
        return refuse(r, key, "no column that a fact of this table sets");
    }
    if (!value) {
        return 0;
    }
    if (index == 0 || strcmp(key, "call_id") == 0) {
        return check_id(r, value, index);
    }
    const struct sql_column *column = &table->columns[index];
    struct sql_value *to = &r->row->values[index];
    const char *expected = sql_value_read(to, column->type, column->max_bytes, value, r->arena);
    if (expected) {
        if (strcmp(expected, "memory") == 0) {
            r->is_out_of_memory = true;
            return 1;
        }
        char why[100];
        (void)snprintf(why, sizeof(why), "expected %s", expected);
        return refuse(r, key, why);
    }
    if (to->type == SQL_TEXT && !is_choice(column->choices, to->text)) {
        return refuse_choice(r, column);
    }
    r->row->revisions[index] = r->row->revision;
    return 0;
}

static bool read_id(struct sql_value *to, struct aic_str text, struct sql_arena *arena)
{
    char lower[SQL_UUID_TEXT];
    if (text.len != sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        lower[i] = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    }
    *to = sql_uuid(sql_arena_copy(arena, (struct aic_str){lower, sizeof(lower)}));
    return to->text.ptr && sql_uuid_valid(to->text);
}

static int32_t read_ids(struct sql_row *row, const struct aic_fact *fact, struct sql_arena *arena,
                        char reason[SQL_REASON])
{
    if (!read_id(&row->values[0], fact->id, arena)) {
        (void)snprintf(reason, SQL_REASON, "%s: expected a UUID", row->table->columns[0].name);
        return AIC_ERROR_INVALID;
    }
    row->revisions[0] = row->revision;
    int index = sql_column_find(row->table, "call_id");
    if (index <= 0) {
        bool same =
            fact->call_id.len == 0 || aic_str_equal_nocase(fact->call_id, row->values[0].text.ptr);
        (void)snprintf(reason, SQL_REASON, "call_id: the id of a call is its call_id");
        return same ? AIC_OK : AIC_ERROR_INVALID;
    }
    if (fact->call_id.len > 0) {
        (void)snprintf(reason, SQL_REASON, "call_id: expected a UUID");
        row->revisions[index] = row->revision;
        return read_id(&row->values[index], fact->call_id, arena) ? AIC_OK : AIC_ERROR_INVALID;
    }
    return AIC_OK;
}

/* Some rows mean nothing without their call. */
static int32_t check_call(const struct sql_row *row, char reason[SQL_REASON])
{
    int index = sql_column_find(row->table, "call_id");
    bool is_needed = row->table->columns[index].flags & SQL_COLUMN_NEEDED;
    (void)snprintf(reason, SQL_REASON, "call_id: %s belong to a call", row->table->name);
    return is_needed && row->values[index].type == SQL_NULL ? AIC_ERROR_INVALID : AIC_OK;
}

/* Columns as JSON; bytes that are no UTF-8 are replaced rather than the fact lost. */
static struct aic_json *parse_columns(struct aic_str text)
{
    if (text.len == 0) {
        return aic_json_parse(aic_str("{}"), 0);
    }
    size_t max = SQL_FACT_MAX;
    if (text.len > max || aic_utf8_valid(text)) {
        return aic_json_parse(text, max);
    }
    struct aic_buf clean;
    aic_buf_init(&clean, text.len * 3 + 1);
    aic_utf8_clean(&clean, text);
    struct aic_json *document =
        clean.failed ? NULL : aic_json_parse(aic_buf_view(&clean), clean.len);
    aic_buf_finish(&clean);
    return document;
}

int32_t sql_row_read(struct sql_row *row, const struct aic_fact *fact, struct sql_arena *arena,
                     struct aic_json **document, char reason[SQL_REASON])
{
    *document = NULL;
    *row = (struct sql_row){.table = sql_table_find(fact->table), .revision = fact->revision};
    if (!row->table || !(row->table->flags & (SQL_TABLE_FACTS | SQL_TABLE_APPENDED))) {
        (void)snprintf(reason, SQL_REASON, "table: no table of facts");
        return AIC_ERROR_INVALID;
    }
    if (fact->revision > INT64_MAX) {
        (void)snprintf(reason, SQL_REASON, "revision: too large");
        return AIC_ERROR_INVALID;
    }
    int32_t status = read_ids(row, fact, arena, reason);
    if (status) {
        return status;
    }
    *document = parse_columns(fact->columns);
    if (!aic_json_is_object(*document)) {
        (void)snprintf(reason, SQL_REASON, "columns: expected a JSON object of at most %d bytes",
                       SQL_FACT_MAX);
        return AIC_ERROR_INVALID;
    }
    struct reader r = {.row = row, .arena = arena, .reason = reason};
    if (aic_json_each(*document, read_column, &r)) {
        return r.is_out_of_memory ? AIC_ERROR_MEMORY : AIC_ERROR_INVALID;
    }
    return check_call(row, reason);
}

/* Whether a status replaces the one that is there, as if they had come in order of revision. */
static bool status_wins(const struct sql_row *from, const struct sql_row *into, uint32_t i)
{
    int fresh = sql_status_rank(from->values[i].text);
    int there = sql_status_rank(into->values[i].text);
    bool is_final = fresh >= SQL_STATUS_FINAL;
    if (is_final != (there >= SQL_STATUS_FINAL)) {
        return is_final;
    }
    if (is_final && from->revisions[i] != into->revisions[i]) {
        return from->revisions[i] < into->revisions[i];
    }
    if (fresh != there) {
        return is_final ? fresh < there : fresh > there;
    }
    return from->revisions[i] < into->revisions[i];
}

static bool wins(const struct sql_row *from, const struct sql_row *into, uint32_t i)
{
    uint32_t rule = i == 0 ? SQL_RULE_LAST : into->table->columns[i].rule;
    if (rule == SQL_RULE_STATUS) {
        return status_wins(from, into, i);
    }
    if (from->revisions[i] != into->revisions[i]) {
        return (from->revisions[i] < into->revisions[i]) == (rule == SQL_RULE_FIRST);
    }
    int order = sql_value_compare(&from->values[i], &into->values[i]);
    return rule == SQL_RULE_FIRST ? order < 0 : order > 0;
}

uint32_t sql_row_merge(struct sql_row *into, const struct sql_row *from)
{
    uint32_t changed = 0;
    for (uint32_t i = 0; i < into->table->column_count; i++) {
        if (from->values[i].type == SQL_NULL) {
            continue;
        }
        if (into->values[i].type == SQL_NULL || wins(from, into, i)) {
            into->values[i] = from->values[i];
            into->revisions[i] = from->revisions[i];
            changed |= UINT32_C(1) << i;
        }
    }
    if (from->revision > into->revision) {
        into->revision = from->revision;
        changed |= SQL_ROW_REVISION;
    }
    return changed;
}

bool sql_row_complete(struct sql_row *row, struct sql_arena *arena)
{
    struct sql_value *created = sql_row_value(row, "created_at");
    if (!created || created->type != SQL_NULL) {
        return true;
    }
    char *text = sql_arena_take(arena, SQL_TIME_TEXT + 1);
    if (!text) {
        return false;
    }
    sql_time_write(text, sql_uuid_time_ms(row->values[0].text));
    *created = sql_time((struct aic_str){text, SQL_TIME_TEXT});
    row->revisions[created - row->values] = 0;
    return true;
}

static bool is_listed(const struct sql_row *row, uint32_t i)
{
    /* The key and what is derived from other columns go without a revision of their own. */
    return row->values[i].type != SQL_NULL && row->revisions[i] != row->revision &&
           !(row->table->columns[i].flags & SQL_COLUMN_DERIVED);
}

struct sql_value sql_row_revisions(const struct sql_row *row, struct sql_arena *arena, bool *failed)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 4096);
    for (uint32_t i = 1; i < row->table->column_count; i++) {
        bool is_first = is_listed(row, i);
        for (uint32_t k = 1; k < i; k++) {
            is_first = is_first && !(is_listed(row, k) && row->revisions[k] == row->revisions[i]);
        }
        if (!is_first) {
            continue;
        }
        aic_buf_printf(&buf, "%s%" PRIu64, buf.len ? ";" : "", row->revisions[i]);
        char separator = ':';
        for (uint32_t k = i; k < row->table->column_count; k++) {
            if (is_listed(row, k) && row->revisions[k] == row->revisions[i]) {
                aic_buf_char(&buf, separator);
                aic_buf_text(&buf, row->table->columns[k].name);
                separator = ',';
            }
        }
    }
    struct sql_value value = sql_null();
    *failed = buf.failed;
    if (buf.len > 0 && !buf.failed) {
        value = sql_text(sql_arena_copy(arena, aic_buf_view(&buf)));
        *failed = !value.text.ptr;
    }
    aic_buf_finish(&buf);
    return value;
}

static void set_revision(struct sql_row *row, struct aic_str name, uint64_t revision)
{
    for (uint32_t i = 1; i < row->table->column_count; i++) {
        if (aic_str_equal(name, row->table->columns[i].name)) {
            row->revisions[i] = revision;
        }
    }
}

void sql_row_set_revisions(struct sql_row *row, uint64_t revision, struct aic_str text)
{
    row->revision = revision;
    for (uint32_t i = 0; i < row->table->column_count; i++) {
        row->revisions[i] = revision;
    }
    uint64_t older = 0;
    bool is_number = true;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.ptr[i] : ';';
        if (is_number && c >= '0' && c <= '9') {
            older = older * 10 + (uint64_t)(c - '0');
            continue;
        }
        if (!is_number && (c == ',' || c == ';')) {
            set_revision(row, (struct aic_str){text.ptr + from, i - from}, older);
        }
        if (c == ':' || c == ',') {
            is_number = false;
            from = i + 1;
        } else if (c == ';') {
            is_number = true;
            older = 0;
        }
    }
}
