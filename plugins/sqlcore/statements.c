/* SPDX-License-Identifier: ISC */
#include "sqlcore/facts.h"

#include <stdlib.h>

/*
 * SQLite keeps messages in order of their time, because its full text index can be read newest
 * first only in order of the row's number. $%u is that time; the first free number from there on is
 * taken.
 */
static const char free_number[] =
    "(SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM messages WHERE seq = $%u) THEN $%u ELSE "
    "(SELECT m.seq + 1 FROM messages m WHERE m.seq >= $%u AND NOT EXISTS "
    "(SELECT 1 FROM messages n WHERE n.seq = m.seq + 1) ORDER BY m.seq LIMIT 1) END)";

static void names(struct aic_buf *buf, const struct sql_table *table)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        aic_buf_printf(buf, "%s%s", i ? ", " : "", table->columns[i].name);
    }
    aic_buf_text(buf, table->flags & SQL_TABLE_MERGES  ? ", revision, revisions"
                      : table->flags & SQL_TABLE_FACTS ? ", revision"
                                                       : "");
}

static void make(struct fact_statements *to, const struct sql_table *table, uint32_t dialect)
{
    const char *key = table->columns[0].name;
    uint32_t count = table->column_count + (table->flags & SQL_TABLE_MERGES  ? 2
                                            : table->flags & SQL_TABLE_FACTS ? 1
                                                                             : 0);
    aic_buf_text(&to->select, "SELECT ");
    names(&to->select, table);
    aic_buf_printf(&to->select, " FROM %s WHERE %s = $1%s", table->name, key,
                   dialect == SQL_PGSQL ? " FOR UPDATE" : "");

    bool has_seq = dialect == SQL_SQLITE && aic_str_equal(aic_str(table->name), "messages");
    aic_buf_printf(&to->insert, "INSERT INTO %s (", table->name);
    names(&to->insert, table);
    aic_buf_text(&to->insert, has_seq ? ", seq) VALUES (" : ") VALUES (");
    for (uint32_t i = 1; i <= count; i++) {
        aic_buf_printf(&to->insert, "%s$%u", i > 1 ? ", " : "", i);
    }
    if (has_seq) {
        aic_buf_text(&to->insert, ", ");
        aic_buf_printf(&to->insert, free_number, count + 1, count + 1, count + 1);
    }
    aic_buf_printf(&to->insert, ") ON CONFLICT (%s) DO NOTHING", key);
}

int32_t facts_prepare(struct sqlcore *core)
{
    if (core->statements) {
        return AIC_OK;
    }
    core->statements = calloc(1, sizeof(*core->statements));
    if (!core->statements) {
        return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    bool failed = false;
    for (size_t i = 0; i < sql_table_count; i++) {
        if (!(sql_tables[i]->flags & (SQL_TABLE_FACTS | SQL_TABLE_APPENDED))) {
            continue;
        }
        struct fact_statements *to = &core->statements->tables[i];
        aic_buf_init(&to->select, 2048);
        aic_buf_init(&to->insert, 2048);
        make(to, sql_tables[i], core->driver->dialect);
        failed = failed || to->select.failed || to->insert.failed;
    }
    if (failed) {
        facts_finish(core);
        return sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    return AIC_OK;
}

void facts_finish(struct sqlcore *core)
{
    for (size_t i = 0; core->statements && i < sql_table_count && i < 16; i++) {
        aic_buf_finish(&core->statements->tables[i].select);
        aic_buf_finish(&core->statements->tables[i].insert);
    }
    free(core->statements);
    core->statements = NULL;
}

const struct fact_statements *facts_statements(const struct sqlcore *core,
                                               const struct sql_table *table)
{
    size_t i = 0;
    while (sql_tables[i] != table) {
        i++;
    }
    return &core->statements->tables[i];
}
