/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_ERASED_H
#define SQLCORE_ERASED_H
/*
 * Tombstones: what was erased stays so. Of an erased number every fact of a call that began before
 * the erasure is swallowed, however late it comes; what must outlive an erasure (do-not-call,
 * consents, audit) is kept without the number, known by its keyed hash.
 */
#include "sqlcore/facts.h"

/* Marks items of erased calls FACT_SWALLOWED. */
int32_t erased_find_calls(struct sqlcore *core, struct fact_item **items, uint32_t count,
                          struct sql_arena *arena);
/* Looks at the numbers of merged items: swallows calls, removes numbers that may not come back. */
int32_t erased_find_numbers(struct sqlcore *core, struct fact_item **items, uint32_t count,
                            struct sql_arena *arena);
/* Deletes the rows of one call. Adds to `counts`, one for each table of the list below; NULL = they
 * are not wanted. */
int32_t erased_delete_rows(struct sqlcore *core, struct aic_str call_id, int64_t *counts);
/* The same, and leaves a tombstone. */
int32_t erased_delete_call(struct sqlcore *core, struct aic_str call_id, struct aic_str erased_at,
                           const struct sql_value *erasure_id, int64_t *counts);

/* The tables that hold rows of a call and lose them; ends with NULL. */
extern const char *const erased_tables[];

enum { ERASED_TABLES = 8 };

#endif
