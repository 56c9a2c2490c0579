/* SPDX-License-Identifier: ISC */
#include "sqlcore/change.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 4 << 20 };

struct group {
    const struct sql_change *changes;
    const size_t *count;
};

static const struct group groups[] = {
    {sql_job_changes, &sql_job_change_count},       {sql_limit_changes, &sql_limit_change_count},
    {sql_people_changes, &sql_people_change_count}, {sql_erase_changes, &sql_erase_change_count},
    {sql_load_changes, &sql_load_change_count},
};

const struct sql_change *sql_change_at(size_t index)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (index < *groups[i].count) {
            return &groups[i].changes[index];
        }
        index -= *groups[i].count;
    }
    return NULL;
}

const struct sql_change *sql_change_find(const char *name)
{
    const struct sql_change *change = NULL;
    for (size_t i = 0; (change = sql_change_at(i)) && strcmp(change->name, name) != 0; i++) {
    }
    return change;
}

int32_t sql_out_of_memory(struct sqlcore *core)
{
    return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
}

void sql_pairs_set(struct sql_pairs *pairs, const char *column, struct sql_value value)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->names[i], column) == 0) {
            pairs->values[i] = value;
            return;
        }
    }
    if (pairs->count < SQL_MAX_COLUMNS) {
        pairs->names[pairs->count] = column;
        pairs->values[pairs->count++] = value;
    }
}

void sql_pairs_take(struct sql_pairs *pairs, const struct sql_table *table,
                    const struct sql_args *args)
{
    for (uint32_t i = 0; i < args->count; i++) {
        if (args->values[i].type != SQL_NULL && sql_column_find(table, args->params[i].name) >= 0) {
            sql_pairs_set(pairs, args->params[i].name, args->values[i]);
        }
    }
}

static int32_t run_text(struct sqlcore *core, struct sql_text *text, int64_t *changes)
{
    int32_t status = sql_text_status(text) ? sql_out_of_memory(core) : AIC_OK;
    struct sql_command command = sql_text_command(text);
    status = status ? status : core->driver->run(core, &command, 1, NULL, NULL);
    *changes = status ? 0 : command.changes;
    sql_text_finish(text);
    return status;
}

int32_t sql_insert(struct sqlcore *core, const char *table, const struct sql_pairs *pairs,
                   int64_t *changes)
{
    struct sql_text text;
    sql_text_init(&text);
    aic_buf_printf(&text.buf, "INSERT INTO %s (", table);
    for (uint32_t i = 0; i < pairs->count; i++) {
        aic_buf_printf(&text.buf, "%s%s", i ? ", " : "", pairs->names[i]);
    }
    sql_add(&text, ") VALUES (");
    for (uint32_t i = 0; i < pairs->count; i++) {
        sql_add(&text, i ? ", " : "");
        sql_bind(&text, pairs->values[i]);
    }
    sql_add(&text, ") ON CONFLICT DO NOTHING");
    return run_text(core, &text, changes);
}

static void write_pairs(struct sql_text *text, const struct sql_pairs *pairs, const char *between)
{
    for (uint32_t i = 0; i < pairs->count; i++) {
        aic_buf_printf(&text->buf, "%s%s = ", i ? between : "", pairs->names[i]);
        sql_bind(text, pairs->values[i]);
    }
}

int32_t sql_update(struct sqlcore *core, const char *table, const struct sql_pairs *pairs,
                   const struct sql_pairs *where, int64_t *changes)
{
    struct sql_text text;
    sql_text_init(&text);
    aic_buf_printf(&text.buf, "UPDATE %s SET ", table);
    write_pairs(&text, pairs, ", ");
    sql_add(&text, " WHERE ");
    write_pairs(&text, where, " AND ");
    return run_text(core, &text, changes);
}

struct sql_value sql_later(struct sql_changing *c, int64_t ms)
{
    char *text = sql_arena_take(&c->arena, SQL_TIME_TEXT + 1);
    if (!text) {
        return sql_null();
    }
    sql_time_write(text, c->now_ms + ms);
    return sql_time((struct aic_str){text, SQL_TIME_TEXT});
}

int32_t sql_hash_arg(struct sql_changing *c, const char *name, struct sql_value *hash)
{
    char text[SQL_HASH_TEXT + 1];
    int32_t status = sql_hash_number(c->core, sql_arg(c->args, name).text, text);
    if (status) {
        return status;
    }
    *hash = sql_text(sql_arena_copy(&c->arena, aic_str(text)));
    return hash->text.ptr ? AIC_OK : sql_out_of_memory(c->core);
}

int32_t sql_new_id(struct sql_changing *c, struct sql_value *id)
{
    unsigned char random[10];
    char *text = sql_arena_take(&c->arena, SQL_UUID_TEXT + 1);
    if (!text) {
        return sql_out_of_memory(c->core);
    }
    c->core->clock->random(c->core->host, random, sizeof(random));
    sql_uuid_bound(text, c->now_ms);
    (void)snprintf(text + 15, SQL_UUID_TEXT + 1 - 15, "%03x-%x%03x-%02x%02x%02x%02x%02x%02x",
                   (unsigned)(random[0] << 4 | random[1] >> 4), 8u | (random[1] & 3u),
                   (unsigned)((random[2] & 15) << 8 | random[3]), random[4], random[5], random[6],
                   random[7], random[8], random[9]);
    *id = sql_uuid((struct aic_str){text, SQL_UUID_TEXT});
    return AIC_OK;
}

int32_t sql_write_answer(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    struct sql_written *written = data;
    written->count++;
    sql_write_row(written->w, written->fields,
                  count < written->field_count ? count : written->field_count, values);
    return 0;
}

struct attempt {
    const struct sql_change *change;
    const struct sql_args *args;
    struct aic_buf *answer;
};

static int32_t attempt(struct sqlcore *core, void *data)
{
    const struct attempt *attempt = data;
    struct aic_json_writer w;
    struct sql_changing c = {.core = core, .args = attempt->args, .w = &w};
    char now[SQL_TIME_TEXT + 1];
    int32_t status = AIC_OK;
    if (!sql_time_read(sql_arg(c.args, "at").text, &c.now_ms)) {
        status = core->driver->now(core, &c.now_ms);
    }
    sql_time_write(now, c.now_ms);
    c.now = sql_time((struct aic_str){now, SQL_TIME_TEXT});
    aic_buf_clear(attempt->answer);
    aic_json_writer_init(&w, attempt->answer);
    aic_json_open(&w, '{');
    status = status ? status : attempt->change->run(&c);
    aic_json_close(&w, '}');
    sql_arena_finish(&c.arena);
    return status == AIC_OK && attempt->answer->failed ? sql_out_of_memory(core) : status;
}

int32_t sqlcore_change(void *self, const char *name, struct aic_str params, aic_row_handler row,
                       void *data, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct sql_args args = {0};
    struct aic_buf answer;
    aic_buf_init(&answer, ANSWER_MAX);
    int32_t status = sqlcore_enter(core);
    const struct sql_change *change = status == AIC_OK ? sql_change_find(name) : NULL;
    if (status == AIC_OK && !change) {
        status = sql_fail(core, AIC_ERROR_NOT_FOUND, AIC_CATEGORY_BAD_REQUEST,
                          "there is no change of this name; schema/README.md lists them");
    }
    if (change) {
        status = sql_args_read(&args, change->params, change->param_count, params);
        if (status) {
            status = sql_fail(core, status, AIC_CATEGORY_BAD_REQUEST, "%s", args.problem);
        }
    }
    if (change && status == AIC_OK) {
        struct attempt what = {change, &args, &answer};
        status = change->flags & SQL_CHANGE_ALONE ? attempt(core, &what)
                                                  : sql_transact(core, true, attempt, &what);
    }
    if (status == AIC_OK && row) {
        (void)row(data, aic_buf_view(&answer));
    }
    aic_buf_finish(&answer);
    sql_args_finish(&args);
    return sqlcore_leave(core, status, error);
}
