/* SPDX-License-Identifier: ISC */
#include "sqlcore/erased.h"

#include <stdlib.h>
#include <string.h>

const char *const erased_tables[ERASED_TABLES + 1] = {
    "messages", "events", "turns", "usage", "recordings", "jobs", "idempotency", "calls", NULL};

/* A literal in static data. */
#define TEXT_OF(literal)                                                                           \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

struct lookup {
    struct sql_value subject;
    struct sql_value erased_at; /* SQL_NULL = not erased */
};

struct lookups {
    struct lookup *all;
    struct sql_arena *arena;
};

static int32_t take_erased_at(void *data, uint32_t index, const struct sql_value *values,
                              uint32_t count)
{
    (void)count;
    struct lookups *lookups = data;
    lookups->all[index].erased_at = sql_time(sql_arena_copy(lookups->arena, values[0].text));
    return 0;
}

/* Asks for all of them in one go. */
static int32_t look_up(struct sqlcore *core, struct lookup *all, uint32_t count,
                       struct sql_arena *arena)
{
    struct sql_command *commands = count ? sql_arena_take(arena, count * sizeof(*commands)) : NULL;
    if (!commands) {
        return count ? sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory")
                     : AIC_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        commands[i] = (struct sql_command){
            .text = AIC_STR("SELECT erased_at FROM tombstones WHERE subject = $1"),
            .values = &all[i].subject,
            .value_count = 1,
            .is_fixed = true};
    }
    struct lookups lookups = {all, arena};
    return core->driver->run(core, commands, count, take_erased_at, &lookups);
}

static const struct sql_value *call_of(const struct fact_item *item)
{
    int index = sql_column_find(item->fact.table, "call_id");
    return index < 0 ? NULL : &item->fact.values[index];
}

static int by_subject(const void *a, const void *b)
{
    return sql_value_compare(&((const struct lookup *)a)->subject,
                             &((const struct lookup *)b)->subject);
}

int32_t erased_find_calls(struct sqlcore *core, struct fact_item **items, uint32_t count,
                          struct sql_arena *arena)
{
    struct lookup *all = sql_arena_take(arena, (count + 1) * sizeof(*all));
    if (!all) {
        return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sql_value *call = call_of(items[i]);
        if (call && call->type != SQL_NULL && !(items[i]->fact.table->flags & SQL_TABLE_NUMBER)) {
            all[used++] = (struct lookup){.subject = sql_text(call->text)};
        }
    }
    qsort(all, used, sizeof(*all), by_subject);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < used; i++) {
        if (distinct == 0 || by_subject(&all[distinct - 1], &all[i]) != 0) {
            all[distinct++] = all[i];
        }
    }
    int32_t status = look_up(core, all, distinct, arena);
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        const struct sql_value *call = call_of(items[i]);
        if (!call || call->type == SQL_NULL || items[i]->fact.table->flags & SQL_TABLE_NUMBER) {
            continue;
        }
        struct lookup key = {.subject = sql_text(call->text)};
        const struct lookup *found = bsearch(&key, all, distinct, sizeof(*all), by_subject);
        if (found && found->erased_at.type != SQL_NULL) {
            items[i]->state = FACT_SWALLOWED;
        }
    }
    return status;
}

/* The columns of a row that hold a telephone number. */
static const char *const number_columns[] = {"from_number", "to_number", "number"};

static int32_t add_number(struct sqlcore *core, struct fact_item *item, const char *column,
                          struct lookup *to, struct sql_arena *arena)
{
    struct sql_value *number = sql_row_value(&item->merged, column);
    char hash[SQL_HASH_TEXT + 1];
    *to = (struct lookup){.subject = sql_null()};
    if (!number || number->type == SQL_NULL || number->text.len == 0) {
        return AIC_OK;
    }
    int32_t status = sql_hash_number(core, number->text, hash);
    if (status) {
        return status;
    }
    to->subject = sql_text(sql_arena_copy(arena, aic_str(hash)));
    struct sql_value *kept = sql_row_value(&item->merged, "number_hash");
    if (kept) {
        *kept = to->subject;
        item->changed |= UINT32_C(1) << (kept - item->merged.values);
    }
    return to->subject.text.ptr
               ? AIC_OK
               : sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
}

/* An erasure holds for what began before it; what does not say when counts as before. */
static bool is_before(struct fact_item *item, const struct sql_value *erased_at)
{
    struct sql_value *time = sql_row_value(&item->merged, item->merged.table->time);
    return time->type == SQL_NULL || sql_value_compare(time, erased_at) <= 0;
}

static int32_t obey(struct sqlcore *core, struct fact_item *item, const struct lookup *number)
{
    if (number->erased_at.type == SQL_NULL || !is_before(item, &number->erased_at) ||
        item->state == FACT_SWALLOWED) {
        return AIC_OK;
    }
    if (item->merged.table->flags & SQL_TABLE_NUMBER) {
        struct sql_value *kept = sql_row_value(&item->merged, "number");
        *kept = sql_null();
        item->changed |= UINT32_C(1) << (kept - item->merged.values);
        return AIC_OK;
    }
    item->state = FACT_SWALLOWED;
    if (item->merged.table->flags & SQL_TABLE_APPENDED) {
        return AIC_OK;
    }
    int64_t counts[ERASED_TABLES] = {0};
    struct sql_value none = sql_null();
    return erased_delete_call(core, item->merged.values[0].text, number->erased_at.text, &none,
                              counts);
}

int32_t erased_find_numbers(struct sqlcore *core, struct fact_item **items, uint32_t count,
                            struct sql_arena *arena)
{
    enum { EACH = sizeof(number_columns) / sizeof(number_columns[0]) };
    struct lookup *all = sql_arena_take(arena, ((size_t)count + 1) * EACH * sizeof(*all));
    uint32_t *owner = sql_arena_take(arena, ((size_t)count + 1) * EACH * sizeof(*owner));
    if (!all || !owner) {
        return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_open = items[i]->state != FACT_SWALLOWED && !items[i]->is_written;
        for (uint32_t k = 0; k < EACH && is_open; k++) {
            int32_t status = add_number(core, items[i], number_columns[k], &all[used], arena);
            if (status) {
                return status;
            }
            owner[used] = i;
            used += all[used].subject.type != SQL_NULL;
        }
    }
    int32_t status = look_up(core, all, used, arena);
    for (uint32_t i = 0; status == AIC_OK && i < used; i++) {
        status = obey(core, items[owner[i]], &all[i]);
    }
    return status;
}

int32_t erased_delete_rows(struct sqlcore *core, struct aic_str call_id, int64_t *counts)
{
    static const struct aic_str texts[ERASED_TABLES] = {
        TEXT_OF("DELETE FROM messages WHERE call_id = $1"),
        TEXT_OF("DELETE FROM events WHERE call_id = $1"),
        TEXT_OF("DELETE FROM turns WHERE call_id = $1"),
        TEXT_OF("DELETE FROM usage WHERE call_id = $1"),
        TEXT_OF("DELETE FROM recordings WHERE call_id = $1"),
        TEXT_OF("DELETE FROM jobs WHERE call_id = $1"),
        TEXT_OF("DELETE FROM idempotency WHERE call_id = $1"),
        TEXT_OF("DELETE FROM calls WHERE call_id = $1"),
    };
    struct sql_value id = sql_uuid(call_id);
    struct sql_command commands[ERASED_TABLES];
    for (uint32_t i = 0; i < ERASED_TABLES; i++) {
        commands[i] = (struct sql_command){
            .text = texts[i], .values = &id, .value_count = 1, .is_fixed = true};
    }
    int32_t status = core->driver->run(core, commands, ERASED_TABLES, NULL, NULL);
    for (uint32_t i = 0; status == AIC_OK && counts && i < ERASED_TABLES; i++) {
        counts[i] += commands[i].changes;
    }
    return status;
}

int32_t erased_delete_call(struct sqlcore *core, struct aic_str call_id, struct aic_str erased_at,
                           const struct sql_value *erasure_id, int64_t *counts)
{
    struct sql_value tombstone[] = {sql_text(call_id), sql_time(erased_at), *erasure_id};
    int32_t status = erased_delete_rows(core, call_id, counts);
    return status ? status
                  : sql_execute(core,
                                "INSERT INTO tombstones (subject, erased_at, erasure_id) "
                                "VALUES ($1, $2, $3) ON CONFLICT (subject) DO NOTHING",
                                tombstone, 3, NULL);
}
