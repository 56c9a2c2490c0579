/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_TEXT_H
#define SQLCORE_TEXT_H
/*
 * A statement being written: its text, the values behind $1, $2 ..., and the fields that its rows
 * will have. What comes from outside becomes a value and never part of the text, but for names of
 * tables that are not ours, which are quoted.
 */
#include "sqlcore/driver.h"
#include "sqlcore/schema.h"

enum { SQL_MAX_VALUES = 128, SQL_MAX_FIELDS = 40, SQL_TEXT_MAX = 32768 };

struct sql_field {
    const char *name;
    uint32_t type;
};

struct sql_text {
    struct aic_buf buf;
    struct sql_value values[SQL_MAX_VALUES];
    uint32_t value_count;
    struct sql_field fields[SQL_MAX_FIELDS];
    uint32_t field_count;
};

void sql_text_init(struct sql_text *text);
void sql_text_finish(struct sql_text *text);
/* Appends SQL that this program wrote. */
void sql_add(struct sql_text *text, const char *sql);
/* Appends a name in quotes; what no name can be fails the text. */
void sql_add_identifier(struct sql_text *text, struct aic_str name);
/* Appends the next $n and keeps the value, which is borrowed. */
void sql_bind(struct sql_text *text, struct sql_value value);
/* Appends an expression of the select list, with a comma where one is needed. */
void sql_add_field(struct sql_text *text, const char *expression, const char *name, uint32_t type);
/* Appends all columns of a table but those that have a flag of `without`, as alias.column. */
void sql_add_columns(struct sql_text *text, const struct sql_table *table, const char *alias,
                     uint32_t without);
/* AIC_OK, or AIC_ERROR_MEMORY, or AIC_ERROR_TOO_LARGE when it has outgrown its bounds. */
int32_t sql_text_status(const struct sql_text *text);
struct sql_command sql_text_command(const struct sql_text *text);
/* Writes a row as an object of the fields. */
void sql_write_row(struct aic_json_writer *w, const struct sql_field *fields, uint32_t count,
                   const struct sql_value *values);

#endif
