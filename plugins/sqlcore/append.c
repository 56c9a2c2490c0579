/* SPDX-License-Identifier: ISC */
#include "sqlcore/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 100000 };

struct batch {
    struct sqlcore *core;
    const struct aic_fact *facts;
    uint32_t fact_size;
    uint32_t fact_count;
    struct sql_arena arena;      /* what lives as long as the batch */
    struct aic_json **documents; /* one for each fact */
    struct fact_item **items;    /* distinct rows, in order of table and key */
    uint32_t item_count;
    struct fact_item **item_of; /* by fact; NULL = rejected */
    struct aic_fact_rejection *rejections;
    uint32_t rejection_count;
};

/* A host of another version may know fewer or more members of a fact. */
static struct aic_fact fact_at(const struct batch *batch, uint32_t index)
{
    struct aic_fact fact = {0};
    const char *from = (const char *)batch->facts + (size_t)index * batch->fact_size;
    memcpy(&fact, from, batch->fact_size < sizeof(fact) ? batch->fact_size : sizeof(fact));
    return fact;
}

static int32_t reject(struct batch *batch, uint32_t index, const char *reason)
{
    struct aic_str text = sql_arena_copy(&batch->core->kept, aic_str(reason));
    if (!text.ptr) {
        return AIC_ERROR_MEMORY;
    }
    batch->rejections[batch->rejection_count++] =
        (struct aic_fact_rejection){.index = index, .reason = text};
    batch->item_of[index] = NULL;
    return AIC_OK;
}

static int32_t read_facts(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->fact_count; i++) {
        char reason[SQL_REASON];
        struct aic_fact fact = fact_at(batch, i);
        struct fact_item *item = sql_arena_take(&batch->arena, sizeof(*item));
        if (!item) {
            return AIC_ERROR_MEMORY;
        }
        *item = (struct fact_item){.first_index = i};
        batch->item_of[i] = item;
        int32_t status =
            sql_row_read(&item->fact, &fact, &batch->arena, &batch->documents[i], reason);
        if (status == AIC_ERROR_INVALID) {
            status = reject(batch, i, reason);
        }
        if (status) {
            return status;
        }
    }
    return AIC_OK;
}

static size_t place_of(const struct sql_table *table)
{
    size_t i = 0;
    while (sql_tables[i] != table) {
        i++;
    }
    return i;
}

static int by_key(const void *a, const void *b)
{
    const struct fact_item *x = *(struct fact_item *const *)a;
    const struct fact_item *y = *(struct fact_item *const *)b;
    if (x->fact.table != y->fact.table) {
        return place_of(x->fact.table) < place_of(y->fact.table) ? -1 : 1;
    }
    int order = sql_value_compare(&x->fact.values[0], &y->fact.values[0]);
    return order ? order : (x->first_index > y->first_index) - (x->first_index < y->first_index);
}

static bool is_same_row(const struct fact_item *a, const struct fact_item *b)
{
    return a->fact.table == b->fact.table &&
           sql_value_compare(&a->fact.values[0], &b->fact.values[0]) == 0;
}

/* Sorts the items and folds those about one row into the first of them. */
static void fold(struct batch *batch)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->fact_count; i++) {
        if (batch->item_of[i]) {
            batch->items[count++] = batch->item_of[i];
        }
    }
    qsort(batch->items, count, sizeof(struct fact_item *), by_key);
    for (uint32_t i = 0; i < count; i++) {
        struct fact_item *item = batch->items[i];
        struct fact_item *last = batch->item_count ? batch->items[batch->item_count - 1] : NULL;
        if (!last || !is_same_row(last, item)) {
            batch->items[batch->item_count++] = item;
            continue;
        }
        if (item->fact.table->flags & SQL_TABLE_MERGES) {
            (void)sql_row_merge(&last->fact, &item->fact);
        }
        batch->item_of[item->first_index] = last;
    }
}

static int32_t write_all(struct sqlcore *core, void *data)
{
    struct batch *batch = data;
    struct sql_arena arena = {0};
    int32_t status = core->driver->lock(core, "erase", true);
    status = status ? status : facts_write(core, batch->items, batch->item_count, &arena);
    sql_arena_finish(&arena);
    return status;
}

static int32_t reject_item(struct batch *batch, const struct fact_item *item)
{
    char reason[SQL_REASON];
    (void)snprintf(reason, sizeof(reason), "the database refuses these values (%s)",
                   batch->core->problem.code);
    int32_t status = AIC_OK;
    for (uint32_t i = 0; status == AIC_OK && i < batch->fact_count; i++) {
        if (batch->item_of[i] == item) {
            status = reject(batch, i, reason);
        }
    }
    return status;
}

/* One row, so that it can be taken back alone. */
static int32_t write_one(struct batch *batch, struct fact_item *item)
{
    struct sqlcore *core = batch->core;
    struct sql_arena arena = {0};
    int32_t status = sql_execute(core, "SAVEPOINT one", NULL, 0, NULL);
    if (status == AIC_OK) {
        status = facts_write(core, &item, 1, &arena);
        if (status && core->problem.is_data) {
            status = reject_item(batch, item);
            int32_t undone = sql_execute(core, "ROLLBACK TO SAVEPOINT one", NULL, 0, NULL);
            status = status ? status : undone;
        }
        status = status ? status : sql_execute(core, "RELEASE SAVEPOINT one", NULL, 0, NULL);
    }
    sql_arena_finish(&arena);
    return status;
}

static int32_t write_one_by_one(struct sqlcore *core, void *data)
{
    struct batch *batch = data;
    int32_t status = core->driver->lock(core, "erase", true);
    for (uint32_t i = 0; status == AIC_OK && i < batch->item_count; i++) {
        status = write_one(batch, batch->items[i]);
    }
    return status;
}

static int by_index(const void *a, const void *b)
{
    const struct aic_fact_rejection *x = a;
    const struct aic_fact_rejection *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static int32_t run(struct batch *batch)
{
    size_t count = batch->fact_count;
    batch->documents = calloc(count, sizeof(struct aic_json *));
    batch->items = calloc(count, sizeof(struct fact_item *));
    batch->item_of = calloc(count, sizeof(struct fact_item *));
    batch->rejections = sql_arena_take(&batch->core->kept, count * sizeof(*batch->rejections));
    if (!batch->documents || !batch->items || !batch->item_of || !batch->rejections) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = facts_prepare(batch->core);
    status = status ? status : read_facts(batch);
    if (status) {
        return status;
    }
    fold(batch);
    uint32_t rejected = batch->rejection_count;
    status = batch->item_count ? sql_transact(batch->core, true, write_all, batch) : AIC_OK;
    if (status && batch->core->problem.is_data) {
        batch->rejection_count = rejected;
        status = sql_transact(batch->core, true, write_one_by_one, batch);
    }
    qsort(batch->rejections, batch->rejection_count, sizeof(*batch->rejections), by_index);
    return status;
}

static void finish(struct batch *batch)
{
    for (uint32_t i = 0; batch->documents && i < batch->fact_count; i++) {
        aic_json_free(batch->documents[i]);
    }
    free(batch->documents);
    free(batch->items);
    free(batch->item_of);
    sql_arena_finish(&batch->arena);
}

static void tell(const struct batch *batch, struct aic_append_result *result)
{
    struct aic_append_result full = {.size = result->size,
                                     .rejection_count = batch->rejection_count,
                                     .rejections = batch->rejections,
                                     .rejection_size = sizeof(struct aic_fact_rejection)};
    memcpy(result, &full, result->size < sizeof(full) ? result->size : sizeof(full));
}

int32_t sqlcore_append(void *self, const struct aic_fact *facts, uint32_t count, uint32_t fact_size,
                       struct aic_append_result *result, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct batch batch = {
        .core = core, .facts = facts, .fact_size = fact_size, .fact_count = count};
    int32_t status = sqlcore_enter(core);
    if (status == AIC_OK && count > MAX_BATCH) {
        status = sql_fail(core, AIC_ERROR_TOO_LARGE, AIC_CATEGORY_BAD_REQUEST,
                          "a batch holds at most %d facts", MAX_BATCH);
    }
    if (status == AIC_OK && count > 0) {
        status = run(&batch);
        if (status == AIC_ERROR_MEMORY) {
            status = sql_fail(core, status, AIC_CATEGORY_INTERNAL, "out of memory");
        }
    }
    if (status) {
        batch.rejection_count = 0;
    }
    tell(&batch, result);
    finish(&batch);
    return sqlcore_leave(core, status, error);
}
