/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_SCHEMA_H
#define SQLCORE_SCHEMA_H
/*
 * The one description of all tables. Statements for facts, their checks, queries over whole tables,
 * erasure and export come from it, and a test holds the SQL files and schema/README.md to it.
 */
#include "sqlcore/value.h"

/* How a fact's column meets the value that is there. Every rule gives the same end in any order. */
enum {
    SQL_RULE_LAST = 0,  /* the highest revision wins */
    SQL_RULE_FIRST = 1, /* the lowest revision wins: what was told first stays */
    SQL_RULE_STATUS = 2 /* a call's status: only forward, and the first final one stays */
};

enum {
    SQL_COLUMN_BIG = 1u << 0,     /* left out of lists */
    SQL_COLUMN_DERIVED = 1u << 1, /* made by the plugin; no fact may set it */
    SQL_COLUMN_PRIVATE = 1u << 2, /* given out only to those who ask for this row by its key */
    SQL_COLUMN_NEEDED = 1u << 3   /* no fact without it */
};

struct sql_column {
    const char *name;
    uint32_t type;
    uint32_t rule;
    uint32_t flags;
    uint32_t max_bytes;         /* of a text; longer text is cut at a character */
    const char *const *choices; /* the words that it may hold; NULL = any */
};

enum {
    SQL_TABLE_FACTS = 1u << 0,  /* filled by append; has a revision */
    SQL_TABLE_MERGES = 1u << 1, /* rows grow; has revisions. Without it the first row stays */
    SQL_TABLE_NUMBER =
        1u << 2, /* has number and number_hash, and outlives an erasure without number */
    SQL_TABLE_APPENDED = 1u << 3 /* append adds rows, without a revision: the first row stays */
};

/* The first column is the key. revision and revisions are not listed. */
struct sql_table {
    const char *name;
    uint32_t flags;
    uint32_t column_count;
    const struct sql_column *columns;
    const char *time; /* the column that says when, NULL = none */
};

enum { SQL_MAX_COLUMNS = 24 }; /* under 32, so that a set of them is a word */

extern const struct sql_table *const sql_tables[];
extern const size_t sql_table_count;

/* NULL when there is no such table; an index of -1 when there is no such column. */
const struct sql_table *sql_table_find(struct aic_str name);
int sql_column_find(const struct sql_table *table, const char *name);

/* Rank of a status, rising as in telephony.h; 0 for none. From 4 on it is final. */
int sql_status_rank(struct aic_str status);

enum { SQL_STATUS_FINAL = 4 };

#endif
