/* SPDX-License-Identifier: ISC */
#include "sqlcore/core.h"

#include <sodium.h>
#include <string.h>

/*
 * schema_migrations is not part of a numbered file, because it must be there before the first. Its
 * types are those that both databases know.
 */
static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                   "version BIGINT NOT NULL PRIMARY KEY, "
                                   "name TEXT NOT NULL, "
                                   "checksum TEXT NOT NULL, "
                                   "applied_at TEXT NOT NULL)";

struct standing {
    struct sqlcore *core;
    int64_t current;
    const struct sql_migration *changed; /* one that was altered after it was applied */
    bool has_gap;
};

struct migrate {
    void (*step)(void *data, int64_t version, const char *name);
    void *data;
};

static void checksum(const struct sql_migration *file, char to[SQL_HASH_TEXT + 1])
{
    unsigned char hash[SQL_HASH_TEXT / 2];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)file->text, file->bytes,
                             NULL, 0);
    (void)sodium_bin2hex(to, SQL_HASH_TEXT + 1, hash, sizeof(hash));
}

static int32_t take_version(void *data, uint32_t index, const struct sql_value *values,
                            uint32_t count)
{
    (void)index;
    (void)count;
    struct standing *standing = data;
    int64_t version = values[0].integer;
    standing->has_gap = standing->has_gap || version != standing->current + 1;
    standing->current = version;
    const struct sql_driver *driver = standing->core->driver;
    for (const struct sql_migration *file = driver->migrations; file->name; file++) {
        char expected[SQL_HASH_TEXT + 1];
        checksum(file, expected);
        if (file->version == version && !aic_str_equal(values[1].text, expected)) {
            standing->changed = file;
        }
    }
    return 0;
}

static int32_t stand(struct sqlcore *core, int64_t *current)
{
    uint32_t owner = SQL_OWNER_NONE;
    *current = 0;
    int32_t status = core->driver->inspect(core, &owner);
    if (status || owner == SQL_OWNER_NONE) {
        return status;
    }
    if (owner == SQL_OWNER_OTHER) {
        return sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "the database holds tables of another program: give aicaller one of its "
                        "own");
    }
    struct standing standing = {.core = core};
    status = sql_fetch(core, "SELECT version, checksum FROM schema_migrations ORDER BY version",
                       NULL, 0, take_version, &standing);
    *current = standing.current;
    if (status == AIC_OK && standing.changed) {
        return sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "migration %lld (%s) of this program is not the one that the database "
                        "has: install the version that made the database, or restore a backup",
                        (long long)standing.changed->version, standing.changed->name);
    }
    if (status == AIC_OK && standing.has_gap) {
        return sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "schema_migrations has a gap before version %lld: restore a backup",
                        (long long)standing.current);
    }
    return status;
}

static int64_t latest_of(const struct sqlcore *core)
{
    int64_t latest = 0;
    for (const struct sql_migration *file = core->driver->migrations; file->name; file++) {
        latest = file->version;
    }
    return latest;
}

static int32_t list_pending(struct sqlcore *core, int64_t current, struct aic_str *pending)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 1 << 18);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '[');
    for (const struct sql_migration *file = core->driver->migrations; file->name; file++) {
        if (file->version > current) {
            aic_json_open(&w, '{');
            aic_json_member_int(&w, "version", file->version);
            aic_json_member_text(&w, "name", file->name);
            aic_json_close(&w, '}');
        }
    }
    aic_json_close(&w, ']');
    *pending = sql_arena_copy(&core->kept, aic_buf_view(&buf));
    bool failed = buf.failed || !pending->ptr;
    aic_buf_finish(&buf);
    return failed ? sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory")
                  : AIC_OK;
}

int32_t sqlcore_migration(void *self, struct aic_migration *status, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct aic_migration full = {.size = status->size, .latest = latest_of(core)};
    int32_t result = sqlcore_enter(core);
    result = result ? result : stand(core, &full.current);
    result = result ? result : list_pending(core, full.current, &full.pending);
    memcpy(status, &full, status->size < sizeof(full) ? status->size : sizeof(full));
    return sqlcore_leave(core, result, error);
}

static int32_t apply(struct sqlcore *core, const struct sql_migration *file)
{
    char sum[SQL_HASH_TEXT + 1];
    char now[SQL_TIME_TEXT + 1];
    int64_t ms = 0;
    checksum(file, sum);
    int32_t status = core->driver->script(core, file);
    status = status ? status : core->driver->now(core, &ms);
    if (status) {
        return status;
    }
    sql_time_write(now, ms);
    struct sql_value values[] = {sql_int(file->version), sql_text(aic_str(file->name)),
                                 sql_text(aic_str(sum)), sql_text(aic_str(now))};
    return sql_execute(core,
                       "INSERT INTO schema_migrations (version, name, checksum, applied_at) "
                       "VALUES ($1, $2, $3, $4)",
                       values, 4, NULL);
}

/* What makes this database different from all others. */
static int32_t name_database(struct sqlcore *core)
{
    unsigned char random[16 + 32];
    char id[2 * 16 + 1];
    char key[2 * 32 + 1];
    core->clock->random(core->host, random, sizeof(random));
    (void)sodium_bin2hex(id, sizeof(id), random, 16);
    (void)sodium_bin2hex(key, sizeof(key), random + 16, 32);
    struct sql_value pairs[][2] = {{sql_text(AIC_STR("database_id")), sql_text(aic_str(id))},
                                   {sql_text(AIC_STR("hash_key")), sql_text(aic_str(key))}};
    int32_t status = AIC_OK;
    for (int i = 0; status == AIC_OK && i < 2; i++) {
        status = sql_execute(core,
                             "INSERT INTO database_info (name, value) VALUES ($1, $2) "
                             "ON CONFLICT (name) DO NOTHING",
                             pairs[i], 2, NULL);
    }
    sodium_memzero(random, sizeof(random));
    sodium_memzero(key, sizeof(key));
    return status;
}

static int32_t migrate_all(struct sqlcore *core, void *data)
{
    const struct migrate *migrate = data;
    int64_t current = 0;
    int32_t status = core->driver->lock(core, "migrate", false);
    status = status ? status : stand(core, &current);
    if (status) {
        return status;
    }
    if (current > latest_of(core)) {
        return sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST,
                        "the database has schema %lld and this program knows only up to %lld: "
                        "install a newer aicaller",
                        (long long)current, (long long)latest_of(core));
    }
    status = sql_execute(core, create_table, NULL, 0, NULL);
    for (const struct sql_migration *file = core->driver->migrations;
         status == AIC_OK && file->name; file++) {
        if (file->version <= current) {
            continue;
        }
        if (migrate->step) {
            migrate->step(migrate->data, file->version, file->name);
        }
        status = apply(core, file);
    }
    return status ? status : name_database(core);
}

int32_t sqlcore_migrate(void *self, void (*step)(void *data, int64_t version, const char *name),
                        void *data, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct migrate migrate = {step, data};
    int32_t status = sqlcore_enter(core);
    status = status ? status : sql_transact(core, true, migrate_all, &migrate);
    return sqlcore_leave(core, status, error);
}
