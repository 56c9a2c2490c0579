/* SPDX-License-Identifier: ISC */
#include "call/spool_erase.h"

#include "call/spool_file.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { BUSY_MS = 5000 };

static const char begin[] = "PRAGMA secure_delete = ON;"
                            "BEGIN IMMEDIATE;"
                            "CREATE TEMP TABLE gone (call_id TEXT PRIMARY KEY);";
static const char find[] =
    "INSERT OR IGNORE INTO gone SELECT call_id FROM (SELECT fact_table, call_id, columns FROM "
    "facts "
    "UNION ALL SELECT fact_table, call_id, columns FROM set_aside) WHERE fact_table = 'calls' AND "
    "CASE WHEN json_valid(columns) THEN json_extract(columns, '$.from_number') = ?1 OR "
    "json_extract(columns, '$.to_number') = ?1 ELSE FALSE END";
static const char add[] = "INSERT OR IGNORE INTO gone VALUES (?1)";
static const char of_calls[] = "WHERE fact_table IN ('calls', 'messages', 'events', 'turns', "
                               "'usage', 'recordings') AND call_id IN (SELECT call_id FROM gone)";

static int run_with(sqlite3 *db, const char *text, const char *value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    code = code ? code : sqlite3_bind_text(statement, 1, value, -1, SQLITE_STATIC);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
    }
    (void)sqlite3_finalize(statement);
    return code;
}

static int delete_from(sqlite3 *db, const char *table, uint64_t *removed)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "DELETE FROM %s %s", table, of_calls);
    int code = sqlite3_exec(db, text, NULL, NULL, NULL);
    *removed += code == SQLITE_OK ? (uint64_t)sqlite3_changes(db) : 0;
    return code;
}

static int erase(sqlite3 *db, const struct spool_erase *what, uint64_t *removed)
{
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    int code = sqlite3_exec(db, begin, NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < what->count; i++) {
        code = run_with(db, add, what->call_ids[i]);
    }
    if (code == SQLITE_OK && what->number) {
        code = run_with(db, find, what->number);
    }
    code = code ? code : delete_from(db, "facts", removed);
    code = code ? code : delete_from(db, "set_aside", removed);
    code = code ? code : sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    /* The words leave the log of the file, too, unless a worker reads it right now. */
    if (code == SQLITE_OK) {
        (void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return code;
}

static bool is_spool(const char *name)
{
    size_t length = strlen(name);
    return length > 3 && strcmp(name + length - 3, ".db") == 0;
}

int32_t spool_erase(const char *folder, const struct spool_erase *what, uint64_t *removed,
                    char *error, size_t error_bytes)
{
    DIR *entries = opendir(folder);
    int32_t status = entries || errno == ENOENT ? AIC_OK : AIC_ERROR_IO;
    *removed = 0;
    for (struct dirent *entry = entries ? readdir(entries) : NULL; entry && status == AIC_OK;
         entry = readdir(entries)) {
        char path[SPOOL_PATH + 256];
        sqlite3 *db = NULL;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (!is_spool(entry->d_name)) {
            continue;
        }
        int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        code = code ? code : erase(db, what, removed);
        /* A worker that ends removes its file when that is empty. */
        if (code != SQLITE_OK && code != SQLITE_CANTOPEN) {
            (void)snprintf(error, error_bytes, "%s: %s", path,
                           db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
            status = AIC_ERROR_IO;
        }
        (void)sqlite3_close(db);
    }
    if (entries) {
        (void)closedir(entries);
    }
    return status;
}
