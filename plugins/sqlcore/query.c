/* SPDX-License-Identifier: ISC */
#include "sqlcore/query.h"

#include <string.h>

struct group {
    const struct sql_query *queries;
    const size_t *count;
};

static const struct group groups[] = {
    {sql_call_queries, &sql_call_query_count},
    {sql_list_queries, &sql_list_query_count},
    {sql_stats_queries, &sql_stats_query_count},
    {sql_move_queries, &sql_move_query_count},
};

const struct sql_query *sql_query_at(size_t index)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (index < *groups[i].count) {
            return &groups[i].queries[index];
        }
        index -= *groups[i].count;
    }
    return NULL;
}

const struct sql_query *sql_query_find(const char *name)
{
    const struct sql_query *query = NULL;
    for (size_t i = 0; (query = sql_query_at(i)) && strcmp(query->name, name) != 0; i++) {
    }
    return query;
}

int32_t sql_output_json(struct sql_output *out, const struct aic_buf *json)
{
    out->failed = out->failed || json->failed;
    if (out->failed) {
        return 1;
    }
    out->count++;
    out->is_stopped = out->row && out->row(out->data, aic_buf_view(json)) != 0;
    return out->is_stopped;
}

static int32_t write_row(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    struct sql_output *out = data;
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, SQL_ROW_MAX);
    aic_json_writer_init(&w, &buf);
    if (out->table) {
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "table", out->table);
        aic_json_key(&w, "row");
    }
    sql_write_row(&w, out->fields, count < out->field_count ? count : out->field_count, values);
    if (out->table) {
        aic_json_close(&w, '}');
    }
    int32_t stop = sql_output_json(out, &buf);
    aic_buf_finish(&buf);
    return stop;
}

int32_t sql_output_rows(struct sql_output *out, const struct sql_text *text)
{
    int32_t status = sql_text_status(text);
    if (status) {
        return sql_fail(out->core, status, AIC_CATEGORY_BAD_REQUEST,
                        "the statement would be too long");
    }
    out->fields = text->fields;
    out->field_count = text->field_count;
    struct sql_command command = sql_text_command(text);
    status = out->core->driver->run(out->core, &command, 1, write_row, out);
    if (status == AIC_OK && out->failed) {
        status = sql_fail(out->core, AIC_ERROR_TOO_LARGE, AIC_CATEGORY_INTERNAL,
                          "a row is larger than %d bytes, or memory ran out", SQL_ROW_MAX);
    }
    return status;
}

int32_t sqlcore_query(void *self, const char *name, struct aic_str params, aic_row_handler row,
                      void *data, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct sql_args args = {0};
    int32_t status = sqlcore_enter(core);
    const struct sql_query *query = status == AIC_OK ? sql_query_find(name) : NULL;
    if (status == AIC_OK && !query) {
        status = sql_fail(core, AIC_ERROR_NOT_FOUND, AIC_CATEGORY_BAD_REQUEST,
                          "there is no query of this name; schema/README.md lists them");
    }
    if (query) {
        status = sql_args_read(&args, query->params, query->param_count, params);
        if (status) {
            status = sql_fail(core, status, AIC_CATEGORY_BAD_REQUEST, "%s", args.problem);
        }
    }
    if (query && status == AIC_OK) {
        struct sql_output out = {.core = core, .row = row, .data = data};
        status = query->run(query, &args, &out);
    }
    sql_args_finish(&args);
    return sqlcore_leave(core, status, error);
}
