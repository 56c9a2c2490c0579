/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_QUERY_H
#define SQLCORE_QUERY_H
/*
 * Named queries. Each declares its parameters, writes a statement and hands its rows on as JSON.
 * Writing the statement needs no database, so that it is fuzzed on its own.
 */
#include "sqlcore/args.h"
#include "sqlcore/core.h"
#include "sqlcore/text.h"

/* Where rows go. */
struct sql_output {
    struct sqlcore *core;
    aic_row_handler row;
    void *data;
    const struct sql_field *fields;
    uint32_t field_count;
    const char *table; /* not NULL: rows are written as {"table", "row"} */
    bool failed;       /* a row was too large or memory ran out */
    bool is_stopped;   /* the host wants no more */
    uint64_t count;    /* rows handed on */
};

struct sql_query {
    const char *name;
    uint32_t param_count;
    const struct sql_param *params;
    int32_t (*run)(const struct sql_query *query, struct sql_args *args, struct sql_output *out);
    const void *detail; /* of the kind of query */
};

/* Runs a statement; its rows go out as objects of its fields. Checks the text first. */
int32_t sql_output_rows(struct sql_output *out, const struct sql_text *text);
/* Hands on one finished object. */
int32_t sql_output_json(struct sql_output *out, const struct aic_buf *json);

const struct sql_query *sql_query_find(const char *name);
/* Every query, for tests; NULL at the end. */
const struct sql_query *sql_query_at(size_t index);

/* All kinds of queries, each with its table in its own file. */
extern const struct sql_query sql_list_queries[];
extern const size_t sql_list_query_count;
extern const struct sql_query sql_call_queries[];
extern const size_t sql_call_query_count;
extern const struct sql_query sql_stats_queries[];
extern const size_t sql_stats_query_count;
extern const struct sql_query sql_move_queries[];
extern const size_t sql_move_query_count;
/* Which tables of a dump the change "load" takes; the others are appended. */
extern const char *const sql_loaded_tables[];

#define SQL_PARAMS(list) .param_count = sizeof(list) / sizeof((list)[0]), .params = (list)

#endif
