/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_ROW_H
#define SQLCORE_ROW_H
/*
 * A row of facts as it is known so far. Each column knows the revision that wrote it, so that
 * merging rows gives the same end in whatever order and however often facts arrive.
 */
#include "sqlcore/schema.h"

#include <aicaller/storage.h>

struct sql_row {
    const struct sql_table *table;
    struct sql_value values[SQL_MAX_COLUMNS];
    uint64_t revisions[SQL_MAX_COLUMNS];
    uint64_t revision; /* the highest */
};

enum { SQL_REASON = 200, SQL_FACT_MAX = 2 << 20 };

/*
 * Reads a fact. New memory comes from the arena; the document, kept in *document, is freed by the
 * caller when the row is not needed any more, also after a failure. AIC_ERROR_INVALID with a reason
 * for what no database will ever take.
 */
int32_t sql_row_read(struct sql_row *row, const struct aic_fact *fact, struct sql_arena *arena,
                     struct aic_json **document, char reason[SQL_REASON]);
/* Adds what `from` knows. Returns what is different in `into` now, a bit for each column; a higher
 * revision that changes no value is SQL_ROW_REVISION. */
uint32_t sql_row_merge(struct sql_row *into, const struct sql_row *from);
#define SQL_ROW_REVISION (UINT32_C(1) << 31)
/* Gives a call that nobody told its time the time inside its id, with revision 0. */
bool sql_row_complete(struct sql_row *row, struct sql_arena *arena);

/*
 * The columns that are not of the highest revision, as text: "12:status,cost;9:agent". NULL when
 * all are, or out of memory (`failed`).
 */
struct sql_value sql_row_revisions(const struct sql_row *row, struct sql_arena *arena,
                                   bool *failed);
/* Sets the revisions of a row whose values are set, from that text. Ignores what it cannot read. */
void sql_row_set_revisions(struct sql_row *row, uint64_t revision, struct aic_str text);

static inline struct sql_value *sql_row_value(struct sql_row *row, const char *column)
{
    int index = sql_column_find(row->table, column);
    return index < 0 ? NULL : &row->values[index];
}

#endif
