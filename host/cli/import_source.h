/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_SOURCE_H
#define CLI_IMPORT_SOURCE_H
/*
 * The three tables of the Python application in whatever database they are: found by how their
 * names end, since Django puts the application's name before them, and their columns by the names
 * that its versions gave them. Pure.
 */
#include "buf.h"

#include <stdbool.h>

enum { IMPORT_NAME = 64, IMPORT_COLUMNS = 40, IMPORT_TABLES = 3, IMPORT_FIELDS = 13 };

enum import_kind { IMPORT_CALLS = 0, IMPORT_MESSAGES = 1, IMPORT_EVENTS = 2 };

/* What a column stands for. */
enum import_field {
    IMPORT_ID,
    IMPORT_SESSION, /* the call that a message or an event is of */
    IMPORT_AT,      /* of a call: when it was made */
    IMPORT_SID,
    IMPORT_FROM,
    IMPORT_TO,
    IMPORT_DIRECTION,
    IMPORT_STATUS,
    IMPORT_ENDED,
    IMPORT_DURATION,
    IMPORT_PROMPT, /* of a message: who speaks; of an event: its type */
    IMPORT_URL,    /* of a message: what was said; of an event: its detail */
    IMPORT_DATA,
    IMPORT_ROLE = IMPORT_PROMPT,
    IMPORT_TEXT = IMPORT_URL
};

struct import_table {
    char name[IMPORT_NAME]; /* "" = not found */
    char columns[IMPORT_COLUMNS][IMPORT_NAME];
    size_t count;
    int fields[IMPORT_FIELDS]; /* by enum import_field: index of a column, -1 = there is none */
};

struct import_source {
    struct import_table tables[IMPORT_TABLES];
    char prefix[IMPORT_NAME]; /* with its underscore; "" is one, too */
    bool has_prefix;          /* it is known */
    bool is_ambiguous;
    char other[IMPORT_NAME]; /* another prefix that would do */
};

/* Takes a column of the database. `wanted` is the prefix that the operator named, or NULL. */
void import_source_add(struct import_source *source, const char *wanted, struct aic_str table,
                       struct aic_str column);
/* Once all are there. "" or what is missing, as a sentence. */
const char *import_source_finish(struct import_source *source, char *to, size_t bytes);
/* What the tables are called for people. */
const char *import_kind_name(enum import_kind kind);
/* The name of a field's column; NULL where there is none. */
const char *import_column(const struct import_table *table, enum import_field field);
/* Whether a column stands for nothing of ours, so that it goes into the call's metadata. */
bool import_is_extra(const struct import_table *table, size_t column);

#endif
