/* SPDX-License-Identifier: ISC */
#include "pgsql.h"

#include <string.h>
#include <unistd.h>

static int32_t open_connection(struct sqlcore *core)
{
    return pgsql_connect(pgsql_of(core));
}

static void close_connection(struct sqlcore *core)
{
    pgsql_disconnect(pgsql_of(core));
}

static void interrupt(struct sqlcore *core)
{
    struct pgsql_storage *s = pgsql_of(core);
    uint64_t one = 1;
    atomic_store(&s->is_interrupted, true);
    /* A full counter has woken the waiter already. */
    (void)!write(s->wake, &one, sizeof(one));
}

static int32_t say(struct sqlcore *core, struct aic_str text)
{
    struct sql_command command = {.text = text};
    return pgsql_run(core, &command, 1, NULL, NULL);
}

static int32_t begin(struct sqlcore *core, bool write)
{
    return say(core, write ? AIC_STR("BEGIN")
                           : AIC_STR("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
}

static int32_t commit(struct sqlcore *core)
{
    return say(core, AIC_STR("COMMIT"));
}

/* A connection that can not even do that is not worth keeping. */
static void rollback(struct sqlcore *core)
{
    struct pgsql_storage *s = pgsql_of(core);
    atomic_store(&s->is_interrupted, false);
    if (s->connection && say(core, AIC_STR("ROLLBACK")) != AIC_OK) {
        pgsql_disconnect(s);
    }
}

static int32_t lock(struct sqlcore *core, const char *name, bool shared)
{
    struct sql_value value = sql_text(aic_str(name));
    if (strcmp(name, "migrate") == 0) {
        /* An index of a large table takes its time. */
        pgsql_of(core)->has_no_limit = true;
        int32_t status = say(core, AIC_STR("SET LOCAL statement_timeout = 0"));
        if (status) {
            return status;
        }
    }
    return sql_execute(
        core,
        shared ? "SELECT pg_advisory_xact_lock_shared(hashtextextended('aicaller ' || $1, 0))"
               : "SELECT pg_advisory_xact_lock(hashtextextended('aicaller ' || $1, 0))",
        &value, 1, NULL);
}

static int32_t take_number(void *data, uint32_t index, const struct sql_value *values,
                           uint32_t count)
{
    (void)index;
    int64_t *to = data;
    for (uint32_t i = 0; i < count; i++) {
        to[i] = values[i].integer;
    }
    return 0;
}

static int32_t now(struct sqlcore *core, int64_t *ms)
{
    return sql_fetch(core, "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
                     NULL, 0, take_number, ms);
}

/* Other programs may have tables beside ours, but none of our names. */
static int32_t inspect(struct sqlcore *core, uint32_t *owner)
{
    int64_t counts[2] = {0, 0};
    int32_t status = sql_fetch(
        core,
        "SELECT count(*) FILTER (WHERE tablename IN ('schema_migrations', 'database_info')), "
        "count(*) FILTER (WHERE tablename IN ('schema_migrations', 'database_info', 'calls', "
        "'messages', 'events', 'turns', 'usage', 'recordings', 'consents', 'do_not_call', "
        "'audit', 'tombstones', 'erasures', 'jobs', 'reservations', 'idempotency', 'tokens', "
        "'users', 'sessions', 'api_keys')) FROM pg_tables WHERE schemaname = current_schema()",
        NULL, 0, take_number, counts);
    *owner = counts[0] == 2 ? SQL_OWNER_US : counts[1] > 0 ? SQL_OWNER_OTHER : SQL_OWNER_NONE;
    return status;
}

const struct sql_driver pgsql_driver = {
    .dialect = SQL_PGSQL,
    .migrations = sql_migrations_pgsql,
    .open = open_connection,
    .close = close_connection,
    .interrupt = interrupt,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .run = pgsql_run,
    .script = pgsql_script,
    .lock = lock,
    .now = now,
    .inspect = inspect,
};
