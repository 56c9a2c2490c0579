/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_FACTS_H
#define SQLCORE_FACTS_H
/*
 * Facts on their way into their tables. Facts about one row are folded into one item first; an item
 * is then merged with the row that the database has, or becomes a new one.
 */
#include "sqlcore/core.h"
#include "sqlcore/row.h"

enum {
    FACT_NEW = 1,      /* no such row yet */
    FACT_CHANGED = 2,  /* the row is different now */
    FACT_SAME = 3,     /* it said nothing new */
    FACT_SWALLOWED = 4 /* of an erased call */
};

struct fact_item {
    struct sql_row fact;   /* what the batch says */
    struct sql_row merged; /* that with what the database knew */
    uint32_t first_index;  /* in the batch, of the first of its facts */
    uint32_t state;
    uint32_t changed; /* columns, with FACT_CHANGED */
    bool is_written;
};

/* The statements of one table of facts. */
struct fact_statements {
    struct aic_buf select;
    struct aic_buf insert;
};

struct sql_facts {
    struct fact_statements tables[16]; /* by place in sql_tables */
};

/* Makes the statements at the first call. */
int32_t facts_prepare(struct sqlcore *core);
void facts_finish(struct sqlcore *core);
const struct fact_statements *facts_statements(const struct sqlcore *core,
                                               const struct sql_table *table);

/* Writes items, which are in order of table and key, inside of a transaction. New memory comes from
 * the arena. */
int32_t facts_write(struct sqlcore *core, struct fact_item **items, uint32_t count,
                    struct sql_arena *arena);

#endif
