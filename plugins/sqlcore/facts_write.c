/* SPDX-License-Identifier: ISC */
#include "sqlcore/erased.h"
#include "sqlcore/facts.h"

#include <string.h>

enum { MORE_VALUES = 3 }; /* revision, revisions, and the number of a message */

struct writer {
    struct sqlcore *core;
    struct sql_arena *arena;
    struct fact_item **items; /* the subset that the commands are about */
    struct sql_command *commands;
    uint32_t count;
    bool is_out_of_memory;
};

static int32_t out_of_memory(struct sqlcore *core)
{
    return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
}

static void add_command(struct writer *w, struct fact_item *item, struct aic_str text,
                        const struct sql_value *values, uint32_t count)
{
    w->items[w->count] = item;
    w->commands[w->count++] = (struct sql_command){
        .text = text, .values = values, .value_count = count, .is_fixed = true};
}

/* The row that the database has, into item->merged. */
static int32_t take_row(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    struct writer *w = data;
    struct fact_item *item = w->items[index];
    const struct sql_table *table = item->fact.table;
    struct sql_row *row = &item->merged;
    *row = (struct sql_row){.table = table};
    for (uint32_t i = 0; i < table->column_count && i < count; i++) {
        row->values[i] = values[i];
        if (values[i].type == SQL_NULL) {
            continue;
        }
        row->values[i].type = table->columns[i].type;
        if (values[i].type != SQL_INT && values[i].type != SQL_REAL && values[i].type != SQL_BOOL) {
            row->values[i].text = sql_arena_copy(w->arena, values[i].text);
            w->is_out_of_memory = w->is_out_of_memory || !row->values[i].text.ptr;
        }
    }
    const struct sql_value *revisions = &values[table->column_count + 1];
    sql_row_set_revisions(row, (uint64_t)values[table->column_count].integer,
                          revisions->type == SQL_NULL ? (struct aic_str){NULL, 0}
                                                      : revisions->text);
    item->state = FACT_SAME;
    return 0;
}

/*
 * Whether to look before inserting. A call is told of many times; most other rows come once, and
 * with a server in between it is cheaper to find out by inserting.
 */
static bool looks_first(const struct writer *w, const struct sql_table *table)
{
    return w->core->driver->dialect == SQL_SQLITE || strcmp(table->name, "calls") == 0;
}

static int32_t load(struct writer *w, struct fact_item **items, uint32_t count, bool is_first)
{
    w->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct fact_item *item = items[i];
        if (item->state == FACT_SWALLOWED || item->is_written) {
            continue;
        }
        item->state = FACT_NEW;
        if (item->fact.table->flags & SQL_TABLE_MERGES &&
            (!is_first || looks_first(w, item->fact.table))) {
            const struct fact_statements *texts = facts_statements(w->core, item->fact.table);
            add_command(w, item, aic_buf_view(&texts->select), &item->fact.values[0], 1);
        }
    }
    int32_t status = w->core->driver->run(w->core, w->commands, w->count, take_row, w);
    return status == AIC_OK && w->is_out_of_memory ? out_of_memory(w->core) : status;
}

static int32_t merge(struct writer *w, struct fact_item **items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct fact_item *item = items[i];
        if (item->state == FACT_NEW) {
            item->merged = item->fact;
        } else if (item->state == FACT_SAME) {
            item->changed = sql_row_merge(&item->merged, &item->fact);
            item->state = item->changed ? FACT_CHANGED : FACT_SAME;
        }
        if (item->state != FACT_SWALLOWED && !sql_row_complete(&item->merged, w->arena)) {
            return out_of_memory(w->core);
        }
    }
    return AIC_OK;
}

/* The time of a message, which numbers its row in SQLite. */
static int64_t message_number(struct sql_row *row)
{
    int64_t ms = sql_uuid_time_ms(row->values[0].text);
    struct sql_value *at = sql_row_value(row, "at");
    if (ms < 0 && at->type != SQL_NULL) {
        (void)sql_time_read(at->text, &ms);
    }
    return ms > 0 ? ms : 1;
}

/*
 * Only what is different, so that a change of status does not write the prompt again, and the full
 * text index is left alone by what does not concern it.
 */
static int32_t add_update(struct writer *w, struct fact_item *item, struct sql_value *values,
                          struct sql_value revisions)
{
    struct sql_row *row = &item->merged;
    const struct sql_table *table = row->table;
    struct aic_buf text;
    uint32_t count = 0;
    aic_buf_init(&text, 2048);
    aic_buf_printf(&text, "UPDATE %s SET", table->name);
    for (uint32_t i = 1; i < table->column_count; i++) {
        if (item->changed & UINT32_C(1) << i) {
            values[count++] = row->values[i];
            aic_buf_printf(&text, " %s = $%u,", table->columns[i].name, count);
        }
    }
    values[count++] = sql_int((int64_t)row->revision);
    values[count++] = revisions;
    values[count++] = row->values[0];
    aic_buf_printf(&text, " revision = $%u, revisions = $%u WHERE %s = $%u", count - 2, count - 1,
                   table->columns[0].name, count);
    struct aic_str kept = sql_arena_copy(w->arena, aic_buf_view(&text));
    bool failed = text.failed || !kept.ptr;
    aic_buf_finish(&text);
    if (failed) {
        return out_of_memory(w->core);
    }
    add_command(w, item, kept, values, count);
    return AIC_OK;
}

static void add_insert(struct writer *w, struct fact_item *item, struct sql_value *values,
                       struct sql_value revisions)
{
    struct sql_row *row = &item->merged;
    const struct sql_table *table = row->table;
    const struct fact_statements *texts = facts_statements(w->core, table);
    uint32_t count = table->column_count;
    memcpy(values, row->values, count * sizeof(*values));
    if (table->flags & SQL_TABLE_FACTS) {
        values[count++] = sql_int((int64_t)row->revision);
    }
    if (table->flags & SQL_TABLE_MERGES) {
        values[count++] = revisions;
    }
    bool has_index = w->core->driver->dialect == SQL_SQLITE && strcmp(table->name, "messages") == 0;
    if (has_index) {
        values[count++] = sql_int(message_number(row));
    }
    add_command(w, item, aic_buf_view(&texts->insert), values, count);
    struct sql_value *content = has_index ? sql_row_value(row, "content") : NULL;
    if (content && content->type != SQL_NULL) {
        /* A trigger would make SQLite write out its index for every message. */
        add_command(w, NULL,
                    AIC_STR("INSERT INTO messages_fts (rowid, content) "
                            "VALUES (last_insert_rowid(), $1)"),
                    content, 1);
    }
}

static int32_t add_write(struct writer *w, struct fact_item *item)
{
    const struct sql_table *table = item->merged.table;
    struct sql_value *values =
        sql_arena_take(w->arena, (table->column_count + MORE_VALUES) * sizeof(*values));
    bool failed = !values;
    struct sql_value revisions = table->flags & SQL_TABLE_MERGES
                                     ? sql_row_revisions(&item->merged, w->arena, &failed)
                                     : sql_null();
    if (failed || !values) {
        return out_of_memory(w->core);
    }
    if (item->state == FACT_CHANGED) {
        return add_update(w, item, values, revisions);
    }
    add_insert(w, item, values, revisions);
    return AIC_OK;
}

static int32_t add_writes(struct writer *w, struct fact_item **items, uint32_t count,
                          uint32_t state)
{
    int32_t status = AIC_OK;
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        if (!items[i]->is_written && items[i]->state == state) {
            status = add_write(w, items[i]);
        }
    }
    return status;
}

/* Writes what is new or different. Says whether rows turned up that were not there before. */
static int32_t store(struct writer *w, struct fact_item **items, uint32_t count, bool *raced)
{
    *raced = false;
    w->count = 0;
    int32_t status = add_writes(w, items, count, FACT_NEW);
    status = status ? status : add_writes(w, items, count, FACT_CHANGED);
    status = status ? status : w->core->driver->run(w->core, w->commands, w->count, NULL, NULL);
    for (uint32_t i = 0; status == AIC_OK && i < w->count; i++) {
        struct fact_item *item = w->items[i];
        if (!item) {
            continue;
        }
        bool lost = item->state == FACT_NEW && w->commands[i].changes == 0 &&
                    item->fact.table->flags & SQL_TABLE_MERGES;
        item->is_written = !lost;
        *raced = *raced || lost;
    }
    return status;
}

int32_t facts_write(struct sqlcore *core, struct fact_item **items, uint32_t count,
                    struct sql_arena *arena)
{
    enum { ROUNDS = 5 };
    struct writer w = {.core = core, .arena = arena};
    w.items = sql_arena_take(arena, (2 * count + 1) * sizeof(struct fact_item *));
    w.commands = sql_arena_take(arena, (2 * count + 1) * sizeof(*w.commands));
    if (!w.items || !w.commands) {
        return out_of_memory(core);
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i]->state = FACT_NEW;
        items[i]->is_written = false;
    }
    int32_t status = erased_find_calls(core, items, count, arena);
    bool raced = status == AIC_OK;
    /* A row that turns out to be there is merged in the next round. */
    for (int round = 0; raced && round < ROUNDS; round++) {
        status = load(&w, items, count, round == 0);
        status = status ? status : merge(&w, items, count);
        status = status ? status : erased_find_numbers(core, items, count, arena);
        status = status ? status : store(&w, items, count, &raced);
        raced = raced && status == AIC_OK;
    }
    if (raced) {
        status = sql_fail(core, AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED,
                          "rows changed under every attempt to write them");
        core->problem.is_passing = true;
    }
    return status;
}
