/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_ROW_H
#define CLI_IMPORT_ROW_H
/*
 * A row of the Python application as a fact of ours, or the reason why it can not be one. Ids are
 * made of what is in the row, so that the same row always gives the same id. Pure.
 */
#include "base/uuid.h"
#include "cli/import_source.h"

struct aic_json;

enum { IMPORT_REASON = 160, IMPORT_KEY = 300 };

/* What the rows of a call need to know of it. */
struct import_call {
    char call_id[UUID_TEXT];
    int64_t at_us; /* when it was made */
};

struct import_fact {
    char id[UUID_TEXT];
    struct import_call call;    /* made by a call's row, given to the others */
    struct aic_buf columns;     /* a JSON object */
    char reason[IMPORT_REASON]; /* why it is no fact */
    char note[IMPORT_REASON];   /* what of it is not as it was; "" = nothing */
};

/* Time as databases and Django write it; without a zone it is UTC. */
bool import_time(struct aic_str text, int64_t *wall_us);

/* `fallback_us` is the time of a call without one of its own, 0 = none. Each returns false with a
 * reason. `fact->columns` is initialised by the caller and cleared first. */
bool import_call_row(const struct import_table *table, const struct aic_json *row,
                     int64_t fallback_us, struct import_fact *fact);
bool import_message_row(const struct import_table *table, const struct aic_json *row,
                        struct import_fact *fact);
bool import_event_row(const struct import_table *table, const struct aic_json *row,
                      struct import_fact *fact);

#endif
