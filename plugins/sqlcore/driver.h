/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_DRIVER_H
#define SQLCORE_DRIVER_H
/*
 * What a database must do so that the rest can be shared. SQL is written once, with $1, $2 ... for
 * values, in the order of their first use. All functions run on the instance's pool thread, except
 * `interrupt`. A function that fails fills core->problem.
 */
#include "sqlcore/value.h"

#include <aicaller/error.h>

struct sqlcore;

enum { SQL_SQLITE = 1, SQL_PGSQL = 2 };

/* Why an operation failed. */
struct sql_problem {
    int32_t status; /* AIC_ERROR_* */
    uint32_t category;
    uint32_t retry;
    int64_t retry_after_ms;
    bool is_data;    /* the values themselves are refused, and always will be */
    bool is_passing; /* the transaction lost a race; the same again will do */
    char code[32];   /* the database's own */
    char message[512];
};

struct sql_command {
    struct aic_str text;
    const struct sql_value *values;
    uint32_t value_count;
    bool is_fixed;   /* the text is always the same and worth preparing */
    int64_t changes; /* out: rows inserted, updated or deleted */
};

/* Takes a row of command `index`; values are valid until it returns. Non-zero stops the command. */
typedef int32_t (*sql_row_handler)(void *data, uint32_t index, const struct sql_value *values,
                                   uint32_t count);

struct sql_migration {
    int64_t version;
    const char *name;
    const char *text;
    size_t bytes;
};

struct sql_driver {
    uint32_t dialect;
    uint32_t reserved;
    const struct sql_migration *migrations; /* in order; ends with one without a name */

    /* Connects unless connected. */
    int32_t (*open)(struct sqlcore *core);
    void (*close)(struct sqlcore *core);
    void (*interrupt)(struct sqlcore *core);
    /* A transaction that will write, or only read; `rollback` also after a failed commit. */
    int32_t (*begin)(struct sqlcore *core, bool write);
    int32_t (*commit)(struct sqlcore *core);
    void (*rollback)(struct sqlcore *core);
    /* Runs the commands in order and stops at the first that fails. `row` may be NULL. */
    int32_t (*run)(struct sqlcore *core, struct sql_command *commands, uint32_t count,
                   sql_row_handler row, void *data);
    /* Runs a file of statements without values, inside a transaction. */
    int32_t (*script)(struct sqlcore *core, const struct sql_migration *file);
    /* Keeps out other transactions that want this name, until the end of the transaction; two
     * shared ones keep out only who wants it alone. */
    int32_t (*lock)(struct sqlcore *core, const char *name, bool shared);
    /* The database's clock: one for all who share it. */
    int32_t (*now)(struct sqlcore *core, int64_t *ms);
    /* Whether the database is empty, ours, or somebody else's. */
    int32_t (*inspect)(struct sqlcore *core, uint32_t *owner);
    /* A slice of housekeeping, outside of a transaction; *more if there is more to do. */
    int32_t (*maintain)(struct sqlcore *core, bool *more);
};

enum { SQL_OWNER_NONE = 0, SQL_OWNER_US = 1, SQL_OWNER_OTHER = 2 };

#endif
