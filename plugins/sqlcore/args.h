/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_ARGS_H
#define SQLCORE_ARGS_H
/*
 * The parameters of a query or a change: read from JSON, checked against what it declares. A name
 * that it does not declare, a wrong type or a value out of range is an error that says which.
 */
#include "sqlcore/value.h"

enum {
    SQL_ARG_REQUIRED = 1u << 0,
    SQL_ARG_LIST = 1u << 1 /* one value or an array of up to SQL_MAX_LIST */
};

enum { SQL_MAX_ARGS = 20, SQL_MAX_LIST = 16, SQL_ARGS_BYTES = 4 << 20 };

struct sql_param {
    const char *name;
    uint32_t type;
    uint32_t flags;
    int64_t min; /* with SQL_INT, and both 0 = any */
    int64_t max; /* with SQL_INT; with SQL_TEXT the bytes, 0 = 200 */
    const char *const *choices;
};

struct sql_args {
    const struct sql_param *params;
    uint32_t count;
    uint32_t reserved;
    struct sql_value values[SQL_MAX_ARGS];
    struct sql_value lists[SQL_MAX_ARGS][SQL_MAX_LIST];
    uint32_t list_counts[SQL_MAX_ARGS];
    const struct aic_json *nodes[SQL_MAX_ARGS];
    struct aic_json *document;
    struct sql_arena arena;
    char problem[200];
};

/* AIC_OK, AIC_ERROR_INVALID with args->problem, or AIC_ERROR_MEMORY. `finish` in any case. */
int32_t sql_args_read(struct sql_args *args, const struct sql_param *params, uint32_t count,
                      struct aic_str json);
void sql_args_finish(struct sql_args *args);

/* The value of a declared parameter; of type SQL_NULL when it was not given. */
struct sql_value sql_arg(const struct sql_args *args, const char *name);
bool sql_arg_has(const struct sql_args *args, const char *name);
int64_t sql_arg_int(const struct sql_args *args, const char *name, int64_t fallback);
bool sql_arg_bool(const struct sql_args *args, const char *name, bool fallback);
/* The values of a parameter with SQL_ARG_LIST. */
const struct sql_value *sql_arg_list(const struct sql_args *args, const char *name,
                                     uint32_t *count);
/* The JSON itself; NULL when it was not given. */
const struct aic_json *sql_arg_node(const struct sql_args *args, const char *name);

#endif
