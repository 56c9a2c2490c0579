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

static void add_command(struct writer *w, struct fact_item *item, const struct aic_buf *text,
                        const struct sql_value *values, uint32_t count)
{
    w->items[w->count] = item;
    w->commands[w->count++] = (struct sql_command){
        .text = aic_buf_view(text), .values = values, .value_count = count, .is_fixed = true};
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

static int32_t load(struct writer *w, struct fact_item **items, uint32_t count)
{
    w->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct fact_item *item = items[i];
        if (item->state == FACT_SWALLOWED || item->is_written) {
            continue;
        }
        item->state = FACT_NEW;
        if (item->fact.table->flags & SQL_TABLE_MERGES) {
            add_command(w, item, &facts_statements(w->core, item->fact.table)->select,
                        &item->fact.values[0], 1);
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
        } else if (item->state == FACT_SAME && sql_row_merge(&item->merged, &item->fact)) {
            item->state = FACT_CHANGED;
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

static int32_t add_write(struct writer *w, struct fact_item *item)
{
    struct sql_row *row = &item->merged;
    const struct sql_table *table = row->table;
    const struct fact_statements *statements = facts_statements(w->core, table);
    uint32_t columns = table->column_count;
    struct sql_value *values = sql_arena_take(w->arena, (columns + MORE_VALUES) * sizeof(*values));
    bool failed = !values;
    struct sql_value revisions =
        table->flags & SQL_TABLE_MERGES ? sql_row_revisions(row, w->arena, &failed) : sql_null();
    if (failed || !values) {
        return out_of_memory(w->core);
    }
    if (item->state == FACT_CHANGED) {
        memcpy(values, row->values + 1, (columns - 1) * sizeof(*values));
        values[columns - 1] = sql_int((int64_t)row->revision);
        values[columns] = revisions;
        values[columns + 1] = row->values[0];
        add_command(w, item, &statements->update, values, columns + 2);
        return AIC_OK;
    }
    memcpy(values, row->values, columns * sizeof(*values));
    uint32_t count = columns;
    values[count++] = sql_int((int64_t)row->revision);
    if (table->flags & SQL_TABLE_MERGES) {
        values[count++] = revisions;
    }
    if (w->core->driver->dialect == SQL_SQLITE && strcmp(table->name, "messages") == 0) {
        values[count++] = sql_int(message_number(row));
    }
    add_command(w, item, &statements->insert, values, count);
    return AIC_OK;
}

/* Writes what is new or different. Says whether rows turned up that were not there before. */
static int32_t store(struct writer *w, struct fact_item **items, uint32_t count, bool *raced)
{
    w->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!items[i]->is_written &&
            (items[i]->state == FACT_NEW || items[i]->state == FACT_CHANGED)) {
            int32_t status = add_write(w, items[i]);
            if (status) {
                return status;
            }
        }
    }
    int32_t status = w->core->driver->run(w->core, w->commands, w->count, NULL, NULL);
    *raced = false;
    for (uint32_t i = 0; status == AIC_OK && i < w->count; i++) {
        bool lost = w->items[i]->state == FACT_NEW && w->commands[i].changes == 0 &&
                    w->items[i]->fact.table->flags & SQL_TABLE_MERGES;
        w->items[i]->is_written = !lost;
        *raced = *raced || lost;
    }
    return status;
}

int32_t facts_write(struct sqlcore *core, struct fact_item **items, uint32_t count,
                    struct sql_arena *arena)
{
    enum { ROUNDS = 4 };
    struct writer w = {.core = core, .arena = arena};
    w.items = sql_arena_take(arena, (count + 1) * sizeof(struct fact_item *));
    w.commands = sql_arena_take(arena, (count + 1) * sizeof(*w.commands));
    if (!w.items || !w.commands) {
        return out_of_memory(core);
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i]->state = FACT_NEW;
        items[i]->is_written = false;
    }
    int32_t status = erased_find_calls(core, items, count, arena);
    bool raced = status == AIC_OK;
    /* A row that another host inserts between our look and our insert is seen in the next round. */
    for (int round = 0; raced && round < ROUNDS; round++) {
        status = load(&w, items, count);
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
