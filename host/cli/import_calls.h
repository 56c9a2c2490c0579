/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_CALLS_H
#define CLI_IMPORT_CALLS_H
/* The calls of an import by their id in the other database. */
#include "cli/import_row.h"

struct import_calls;

/* NULL without memory. */
struct import_calls *import_calls_create(void);
/* Accepts NULL. */
void import_calls_destroy(struct import_calls *calls);
/* The call of an id, made when it is not there; NULL without memory. A new one has no call_id and
 * the time 0. Valid until the next is made. */
struct import_call *import_calls_put(struct import_calls *calls, struct aic_str id);
/* NULL when there is none. */
struct import_call *import_calls_find(struct import_calls *calls, struct aic_str id);

#endif
