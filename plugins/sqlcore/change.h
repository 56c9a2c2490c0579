/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_CHANGE_H
#define SQLCORE_CHANGE_H
/*
 * Named changes: what needs the database's own judgement. Each runs in one transaction, possibly
 * more than once, and writes its answer, an object, which is handed on when it is committed.
 */
#include "sqlcore/args.h"
#include "sqlcore/core.h"
#include "sqlcore/query.h"
#include "sqlcore/text.h"

/* One change under way. */
struct sql_changing {
    struct sqlcore *core;
    const struct sql_args *args;
    struct aic_json_writer *w; /* within the answer's object */
    struct sql_arena arena;
    int64_t now_ms;
    struct sql_value now; /* the parameter "at", or the database's clock */
};

enum { SQL_CHANGE_ALONE = 1u << 0 /* runs outside of a transaction */ };

struct sql_change {
    const char *name;
    uint32_t flags;
    uint32_t param_count;
    const struct sql_param *params;
    int32_t (*run)(struct sql_changing *c);
};

/* Columns and their values, for a statement about one row. */
struct sql_pairs {
    uint32_t count;
    const char *names[SQL_MAX_COLUMNS];
    struct sql_value values[SQL_MAX_COLUMNS];
};

void sql_pairs_set(struct sql_pairs *pairs, const char *column, struct sql_value value);
/* Every parameter that was given and is a column of the table. */
void sql_pairs_take(struct sql_pairs *pairs, const struct sql_table *table,
                    const struct sql_args *args);
/* Inserts a row; where it collides with another nothing is done and *changes is 0. */
int32_t sql_insert(struct sqlcore *core, const char *table, const struct sql_pairs *pairs,
                   int64_t *changes);
/* Updates the rows where all of `where` hold. */
int32_t sql_update(struct sqlcore *core, const char *table, const struct sql_pairs *pairs,
                   const struct sql_pairs *where, int64_t *changes);

/* "now" plus some milliseconds, as a value that lives as long as the change. */
struct sql_value sql_later(struct sql_changing *c, int64_t ms);
/* The number's hash, likewise. */
int32_t sql_hash_arg(struct sql_changing *c, const char *name, struct sql_value *hash);
/* A new UUID version 7. */
int32_t sql_new_id(struct sql_changing *c, struct sql_value *id);
int32_t sql_out_of_memory(struct sqlcore *core);

/* For queries inside of a change: a row handler that writes rows into the answer. */
struct sql_written {
    struct aic_json_writer *w;
    const struct sql_field *fields;
    uint32_t field_count;
    uint32_t count;
};

int32_t sql_write_answer(void *data, uint32_t index, const struct sql_value *values,
                         uint32_t count);

const struct sql_change *sql_change_find(const char *name);
const struct sql_change *sql_change_at(size_t index);

extern const struct sql_change sql_job_changes[];
extern const size_t sql_job_change_count;
extern const struct sql_change sql_limit_changes[];
extern const size_t sql_limit_change_count;
extern const struct sql_change sql_people_changes[];
extern const size_t sql_people_change_count;
extern const struct sql_change sql_erase_changes[];
extern const size_t sql_erase_change_count;
extern const struct sql_change sql_load_changes[];
extern const size_t sql_load_change_count;

#define SQL_AT                                                                                     \
    {                                                                                              \
        "at", SQL_TIME, 0, 0, 0, NULL                                                              \
    }
#define SQL_OF(n, t)                                                                               \
    {                                                                                              \
        (n), (t), 0, 0, 0, NULL                                                                    \
    }
#define SQL_NEEDS(n, t)                                                                            \
    {                                                                                              \
        (n), (t), SQL_ARG_REQUIRED, 0, 0, NULL                                                     \
    }
#define SQL_LONG(n, max)                                                                           \
    {                                                                                              \
        (n), SQL_TEXT, 0, 0, (max), NULL                                                           \
    }
#define SQL_MS(n)                                                                                  \
    {                                                                                              \
        (n), SQL_INT, 0, 0, SQL_MAX_MS, NULL                                                       \
    }
#define SQL_MAX_MS INT64_C(315360000000) /* ten years */

#endif
