/* SPDX-License-Identifier: ISC */
#include "sqlite.h"

#include <string.h>

enum { MERGE_PAGES = 500, MAX_ROW_COLUMNS = 64 };

static int bind(sqlite3_stmt *statement, int place, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_NULL:
        return sqlite3_bind_null(statement, place);
    case SQL_INT:
    case SQL_BOOL:
        return sqlite3_bind_int64(statement, place, value->integer);
    case SQL_REAL:
        return sqlite3_bind_double(statement, place, value->real);
    default:
        /* The empty text must not become NULL for want of a pointer. */
        return sqlite3_bind_text64(statement, place, value->text.ptr ? value->text.ptr : "",
                                   value->text.len, SQLITE_STATIC, SQLITE_UTF8);
    }
}

static struct sql_value column(sqlite3_stmt *statement, int place)
{
    switch (sqlite3_column_type(statement, place)) {
    case SQLITE_NULL:
        return sql_null();
    case SQLITE_INTEGER:
        return sql_int(sqlite3_column_int64(statement, place));
    case SQLITE_FLOAT:
        return (struct sql_value){.type = SQL_REAL,
                                  .real = sqlite3_column_double(statement, place)};
    default: {
        const char *text = (const char *)sqlite3_column_text(statement, place);
        return sql_text((struct aic_str){text, (size_t)sqlite3_column_bytes(statement, place)});
    }
    }
}

static int step(sqlite3_stmt *statement, uint32_t index, sql_row_handler row, void *data)
{
    int code = sqlite3_step(statement);
    while (code == SQLITE_ROW) {
        struct sql_value values[MAX_ROW_COLUMNS];
        int count = sqlite3_column_count(statement);
        count = count < MAX_ROW_COLUMNS ? count : MAX_ROW_COLUMNS;
        for (int i = 0; i < count; i++) {
            values[i] = column(statement, i);
        }
        if (row && row(data, index, values, (uint32_t)count)) {
            return SQLITE_DONE;
        }
        code = sqlite3_step(statement);
    }
    return code;
}

static int32_t run_one(struct sqlite_storage *s, struct sql_command *command, uint32_t index,
                       sql_row_handler row, void *data)
{
    sqlite3_stmt *statement = NULL;
    int32_t status = sqlite_prepare(s, command->text, &statement);
    if (status) {
        return status;
    }
    int code = SQLITE_OK;
    for (uint32_t i = 0; i < command->value_count && code == SQLITE_OK; i++) {
        code = bind(statement, (int)i + 1, &command->values[i]);
    }
    sqlite3_int64 before = sqlite3_total_changes64(s->db);
    code = code == SQLITE_OK ? step(statement, index, row, data) : code;
    bool is_write = !sqlite3_stmt_readonly(statement);
    command->changes =
        is_write && sqlite3_total_changes64(s->db) != before ? sqlite3_changes64(s->db) : 0;
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE ? AIC_OK : sqlite_problem(s, code);
}

static int32_t run(struct sqlcore *core, struct sql_command *commands, uint32_t count,
                   sql_row_handler row, void *data)
{
    int32_t status = AIC_OK;
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        if (atomic_load(&sqlite_of(core)->is_interrupted)) {
            return sqlite_problem(sqlite_of(core), SQLITE_INTERRUPT);
        }
        status = run_one(sqlite_of(core), &commands[i], i, row, data);
    }
    return status;
}

static int32_t open_file(struct sqlcore *core)
{
    return sqlite_connect(sqlite_of(core));
}

static void close_file(struct sqlcore *core)
{
    sqlite_disconnect(sqlite_of(core));
}

static void interrupt(struct sqlcore *core)
{
    struct sqlite_storage *s = sqlite_of(core);
    atomic_store(&s->is_interrupted, true);
    (void)pthread_mutex_lock(&s->guard);
    if (s->db) {
        sqlite3_interrupt(s->db);
    }
    (void)pthread_mutex_unlock(&s->guard);
}

/* A writer takes its lock at once: one that begins by reading could be refused later on. */
static int32_t begin(struct sqlcore *core, bool write)
{
    return sql_execute(core, write ? "BEGIN IMMEDIATE" : "BEGIN", NULL, 0, NULL);
}

static int32_t commit(struct sqlcore *core)
{
    return sql_execute(core, "COMMIT", NULL, 0, NULL);
}

/* Some errors have ended the transaction already. */
static void rollback(struct sqlcore *core)
{
    struct sqlite_storage *s = sqlite_of(core);
    atomic_store(&s->is_interrupted, false);
    if (!sqlite3_get_autocommit(s->db) &&
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK) {
        sqlite_disconnect(s);
    }
}

static int32_t script(struct sqlcore *core, const struct sql_migration *file)
{
    struct sqlite_storage *s = sqlite_of(core);
    int code = sqlite3_exec(s->db, file->text, NULL, NULL, NULL);
    return code == SQLITE_OK ? AIC_OK : sqlite_problem(s, code);
}

/* A transaction that writes is alone already. */
static int32_t lock(struct sqlcore *core, const char *name, bool shared)
{
    (void)core;
    (void)name;
    (void)shared;
    return AIC_OK;
}

static int32_t now(struct sqlcore *core, int64_t *ms)
{
    *ms = core->clock->wall_us(core->host) / 1000;
    return AIC_OK;
}

static int32_t take_owner(void *data, uint32_t index, const struct sql_value *values,
                          uint32_t count)
{
    (void)index;
    (void)count;
    uint32_t *owner = data;
    bool is_ours = values[0].integer == 2;
    *owner = is_ours ? SQL_OWNER_US : values[1].integer > 0 ? SQL_OWNER_OTHER : SQL_OWNER_NONE;
    return 0;
}

static int32_t inspect(struct sqlcore *core, uint32_t *owner)
{
    return sql_fetch(core,
                     "SELECT count(*) FILTER (WHERE name IN ('schema_migrations', "
                     "'database_info')), count(*) FROM sqlite_master "
                     "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
                     NULL, 0, take_owner, owner);
}

static int32_t pragma(struct sqlite_storage *s, const char *text)
{
    int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_LOCKED ? AIC_OK : sqlite_problem(s, code);
}

/*
 * Merges the full text index, so that words of deleted messages leave it too; gives free pages
 * back; empties the journal, which still holds what was overwritten.
 */
static int32_t maintain(struct sqlcore *core, bool *more)
{
    struct sqlite_storage *s = sqlite_of(core);
    struct sql_value pages = sql_int(MERGE_PAGES);
    sqlite3_int64 before = sqlite3_total_changes64(s->db);
    int32_t status =
        sql_execute(core, "INSERT INTO messages_fts (messages_fts, rank) VALUES ('merge', $1)",
                    &pages, 1, NULL);
    *more = sqlite3_total_changes64(s->db) - before >= 2;
    status = status ? status : pragma(s, "PRAGMA incremental_vacuum(1000)");
    status = status ? status : pragma(s, "PRAGMA analysis_limit = 1000; PRAGMA optimize");
    if (status == AIC_OK) {
        /* With readers about, the journal is emptied another time. */
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return status;
}

const struct sql_driver sqlite_driver = {
    .dialect = SQL_SQLITE,
    .migrations = sql_migrations_sqlite,
    .open = open_file,
    .close = close_file,
    .interrupt = interrupt,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .run = run,
    .script = script,
    .lock = lock,
    .now = now,
    .inspect = inspect,
    .maintain = maintain,
};
