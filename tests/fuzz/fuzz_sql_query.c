/* SPDX-License-Identifier: ISC */
/*
 * Parameters of every query and change, run on a real SQLite file. Input: the operation's number
 * modulo their count, in two bytes, then the JSON. Whatever it says, the answer is rows or an error
 * that blames the caller; a statement that SQLite can not read would be INTERNAL.
 */
#include "fake_host.h"

#include "sqlcore/change.h"
#include "sqlcore/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct aic_plugin *aicaller_plugin_sqlite(void);

static void *db;
static char path[64];
static size_t queries;
static size_t changes;

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static void set_up(void)
{
    static struct fake_setting settings[] = {{"path", path}, {"sync", "normal"}, {NULL, NULL}};
    const struct aic_plugin *plugin = aicaller_plugin_sqlite();
    (void)snprintf(path, sizeof(path), "/dev/shm/aicaller-fuzz-%d.db", (int)getpid());
    remove_files();
    (void)atexit(remove_files);
    struct fake_host *fake = fake_host_create(vsched_create(1));
    if (fake_provider_create(fake, plugin, settings, &db) != AIC_OK ||
        sqlcore_migrate(db, NULL, NULL, NULL) != AIC_OK) {
        abort();
    }
    while (sql_query_at(queries)) {
        queries++;
    }
    while (sql_change_at(changes)) {
        changes++;
    }
}

static int32_t take_row(void *data, struct aic_str row)
{
    (void)data;
    struct aic_json *json = aic_json_parse(row, SQL_ROW_MAX);
    if (!aic_json_is_object(json)) {
        abort();
    }
    aic_json_free(json);
    return 0;
}

static int32_t run(size_t number, struct aic_str params)
{
    if (number < queries) {
        return sqlcore_query(db, sql_query_at(number)->name, params, take_row, NULL, NULL);
    }
    return sqlcore_change(db, sql_change_at(number - queries)->name, params, take_row, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!db) {
        set_up();
    }
    if (size < 2) {
        return 0;
    }
    size_t number = ((size_t)data[0] << 8 | data[1]) % (queries + changes);
    int32_t status = run(number, (struct aic_str){(const char *)data + 2, size - 2});
    if (status != AIC_OK && status != AIC_ERROR_INVALID && status != AIC_ERROR_CONFLICT) {
        (void)fprintf(stderr, "operation %zu: status %d\n", number, status);
        abort();
    }
    return 0;
}
