/* SPDX-License-Identifier: ISC */
#include "sqlcore/core.h"

#include "sqlcore/facts.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TRANSACTION_TRIES = 5 };

bool sqlcore_init(struct sqlcore *core, const struct sql_driver *driver,
                  const struct aic_host *host)
{
    *core = (struct sqlcore){.driver = driver, .host = host};
    core->log = host->get_service(host, AIC_SERVICE_LOG);
    core->clock = host->get_service(host, AIC_SERVICE_CLOCK);
    return core->log && core->clock;
}

void sqlcore_finish(struct sqlcore *core)
{
    facts_finish(core);
    sql_arena_finish(&core->kept);
    sodium_memzero(core->hash_key, sizeof(core->hash_key));
}

void sqlcore_log(struct sqlcore *core, uint32_t level, const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length > 0) {
        size_t bytes = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
        core->log->write(core->host, level, (struct aic_str){line, bytes});
    }
}

int32_t sql_fail(struct sqlcore *core, int32_t status, uint32_t category, const char *format, ...)
{
    core->problem = (struct sql_problem){.status = status, .category = category};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(core->problem.message, sizeof(core->problem.message), format, args);
    va_end(args);
    return status;
}

int32_t sqlcore_enter(struct sqlcore *core)
{
    sql_arena_finish(&core->kept);
    core->problem = (struct sql_problem){0};
    return core->driver->open(core);
}

int32_t sqlcore_leave(struct sqlcore *core, int32_t status, struct aic_error *error)
{
    if (!error || error->size < offsetof(struct aic_error, retry_after_ms)) {
        return status;
    }
    const struct sql_problem *problem = &core->problem;
    struct aic_error full = {.size = error->size};
    if (status) {
        bool is_request = status == AIC_ERROR_INVALID || status == AIC_ERROR_NOT_FOUND ||
                          status == AIC_ERROR_TOO_LARGE || status == AIC_ERROR_CANCELLED;
        full.category = problem->category ? problem->category : AIC_CATEGORY_INTERNAL;
        full.scope = is_request ? AIC_SCOPE_REQUEST : AIC_SCOPE_PROVIDER;
        full.retry = problem->retry;
        full.retry_after_ms = problem->retry_after_ms;
        full.code = aic_str(problem->code);
        full.message = aic_str(problem->message);
    }
    memcpy(error, &full, error->size < sizeof(full) ? error->size : sizeof(full));
    return status;
}

int32_t sql_transact(struct sqlcore *core, bool write,
                     int32_t (*work)(struct sqlcore *core, void *data), void *data)
{
    int32_t status = AIC_OK;
    for (int i = 0; i < TRANSACTION_TRIES; i++) {
        core->problem = (struct sql_problem){0};
        status = core->driver->begin(core, write);
        if (status) {
            return status;
        }
        status = work(core, data);
        status = status ? status : core->driver->commit(core);
        if (status == AIC_OK) {
            return AIC_OK;
        }
        /* The rollback may fail as well; what is told is why it was needed. */
        struct sql_problem first = core->problem;
        core->driver->rollback(core);
        core->problem = first;
        if (!core->problem.is_passing) {
            return status;
        }
    }
    return status;
}

int32_t sql_execute(struct sqlcore *core, const char *text, const struct sql_value *values,
                    uint32_t count, int64_t *changes)
{
    struct sql_command command = {
        .text = aic_str(text), .values = values, .value_count = count, .is_fixed = true};
    int32_t status = core->driver->run(core, &command, 1, NULL, NULL);
    if (changes) {
        *changes = status ? 0 : command.changes;
    }
    return status;
}

int32_t sql_fetch(struct sqlcore *core, const char *text, const struct sql_value *values,
                  uint32_t count, sql_row_handler row, void *data)
{
    struct sql_command command = {
        .text = aic_str(text), .values = values, .value_count = count, .is_fixed = true};
    return core->driver->run(core, &command, 1, row, data);
}

struct one {
    struct sql_arena *arena;
    struct sql_value *to;
    bool failed;
};

static int32_t take_one(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    struct one *one = data;
    if (count > 0) {
        *one->to = values[0];
        if (values[0].text.ptr) {
            one->to->text = sql_arena_copy(one->arena, values[0].text);
            one->failed = !one->to->text.ptr;
        }
    }
    return 1;
}

int32_t sql_fetch_one(struct sqlcore *core, const char *text, const struct sql_value *values,
                      uint32_t count, struct sql_arena *arena, struct sql_value *to)
{
    struct one one = {.arena = arena, .to = to};
    *to = sql_null();
    int32_t status = sql_fetch(core, text, values, count, take_one, &one);
    if (status == AIC_OK && one.failed) {
        status = sql_fail(core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    return status;
}

static int32_t load_hash_key(struct sqlcore *core)
{
    struct sql_arena arena = {0};
    struct sql_value text;
    int32_t status = sql_fetch_one(core, "SELECT value FROM database_info WHERE name = 'hash_key'",
                                   NULL, 0, &arena, &text);
    size_t bytes = 0;
    if (status == AIC_OK && (text.type == SQL_NULL ||
                             sodium_hex2bin(core->hash_key, sizeof(core->hash_key), text.text.ptr,
                                            text.text.len, NULL, &bytes, NULL) ||
                             bytes != sizeof(core->hash_key))) {
        status = sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_INTERNAL,
                          "the database has no hash key: run \"aicaller migrate\"");
    }
    core->has_hash_key = status == AIC_OK;
    sql_arena_finish(&arena);
    return status;
}

int32_t sql_hash_number(struct sqlcore *core, struct aic_str number, char to[SQL_HASH_TEXT + 1])
{
    int32_t status = core->has_hash_key ? AIC_OK : load_hash_key(core);
    if (status) {
        return status;
    }
    unsigned char hash[SQL_HASH_TEXT / 2];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)number.ptr, number.len,
                             core->hash_key, sizeof(core->hash_key));
    (void)sodium_bin2hex(to, SQL_HASH_TEXT + 1, hash, sizeof(hash));
    return AIC_OK;
}

int32_t sqlcore_capabilities(void *self, struct aic_storage_caps *caps)
{
    const struct sqlcore *core = self;
    struct aic_storage_caps full = {.size = caps->size, .flags = core->flags};
    memcpy(caps, &full, caps->size < sizeof(full) ? caps->size : sizeof(full));
    return AIC_OK;
}

int32_t sqlcore_open(void *self, struct aic_error *error)
{
    struct sqlcore *core = self;
    return sqlcore_leave(core, sqlcore_enter(core), error);
}

void sqlcore_close(void *self)
{
    struct sqlcore *core = self;
    core->has_hash_key = false;
    core->driver->close(core);
}

void sqlcore_interrupt(void *self)
{
    struct sqlcore *core = self;
    core->driver->interrupt(core);
}

int32_t sqlcore_identity(void *self, char *to, size_t bytes, struct aic_error *error)
{
    struct sqlcore *core = self;
    struct sql_value id = sql_null();
    int32_t status = sqlcore_enter(core);
    if (status == AIC_OK) {
        status = sql_fetch_one(core, "SELECT value FROM database_info WHERE name = 'database_id'",
                               NULL, 0, &core->kept, &id);
    }
    if (status == AIC_OK && id.type == SQL_NULL) {
        status = sql_fail(core, AIC_ERROR_CONFLICT, AIC_CATEGORY_NOT_FOUND,
                          "the database has no identity yet: run \"aicaller migrate\"");
    }
    if (status == AIC_OK && !aic_str_copy(id.text, to, bytes)) {
        status = sql_fail(core, AIC_ERROR_TOO_LARGE, AIC_CATEGORY_BAD_REQUEST,
                          "the identity takes %zu bytes", id.text.len + 1);
    }
    return sqlcore_leave(core, status, error);
}
