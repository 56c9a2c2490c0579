/* SPDX-License-Identifier: ISC */
#include "sqlcore/text.h"

#include <stdio.h>
#include <string.h>

void sql_text_init(struct sql_text *text)
{
    aic_buf_init(&text->buf, SQL_TEXT_MAX);
    text->value_count = 0;
    text->field_count = 0;
}

void sql_text_finish(struct sql_text *text)
{
    aic_buf_finish(&text->buf);
}

void sql_add(struct sql_text *text, const char *sql)
{
    aic_buf_text(&text->buf, sql);
}

void sql_add_identifier(struct sql_text *text, struct aic_str name)
{
    text->buf.failed = text->buf.failed || name.len == 0 || memchr(name.ptr, '\0', name.len);
    aic_buf_char(&text->buf, '"');
    for (size_t i = 0; i < name.len; i++) {
        aic_buf_text(&text->buf, name.ptr[i] == '"' ? "\"" : "");
        aic_buf_char(&text->buf, name.ptr[i]);
    }
    aic_buf_char(&text->buf, '"');
}

void sql_bind(struct sql_text *text, struct sql_value value)
{
    if (text->value_count == SQL_MAX_VALUES) {
        text->buf.failed = true;
        return;
    }
    text->values[text->value_count++] = value;
    aic_buf_printf(&text->buf, "$%u", text->value_count);
}

void sql_add_field(struct sql_text *text, const char *expression, const char *name, uint32_t type)
{
    if (text->field_count == SQL_MAX_FIELDS) {
        text->buf.failed = true;
        return;
    }
    sql_add(text, text->field_count ? ", " : " ");
    sql_add(text, expression);
    text->fields[text->field_count++] = (struct sql_field){name, type};
}

void sql_add_columns(struct sql_text *text, const struct sql_table *table, const char *alias,
                     uint32_t without)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct sql_column *column = &table->columns[i];
        if (column->flags & without) {
            continue;
        }
        char name[80];
        (void)snprintf(name, sizeof(name), "%s.%s", alias, column->name);
        sql_add_field(text, name, column->name, column->type);
    }
}

int32_t sql_text_status(const struct sql_text *text)
{
    if (!text->buf.failed) {
        return AIC_OK;
    }
    bool full = text->value_count == SQL_MAX_VALUES || text->field_count == SQL_MAX_FIELDS;
    return full ? AIC_ERROR_TOO_LARGE : AIC_ERROR_MEMORY;
}

struct sql_command sql_text_command(const struct sql_text *text)
{
    return (struct sql_command){
        .text = aic_buf_view(&text->buf), .values = text->values, .value_count = text->value_count};
}

void sql_write_row(struct aic_json_writer *w, const struct sql_field *fields, uint32_t count,
                   const struct sql_value *values)
{
    aic_json_open(w, '{');
    for (uint32_t i = 0; i < count; i++) {
        aic_json_key(w, fields[i].name);
        sql_value_write(w, fields[i].type, &values[i]);
    }
    aic_json_close(w, '}');
}
