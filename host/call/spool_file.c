/* SPDX-License-Identifier: ISC */
#include "call/spool_file.h"

#include "buf.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

struct spool_file {
    sqlite3 *db;
    int lock_fd;
    char lock_path[SPOOL_PATH];
    sqlite3_stmt *insert;
    sqlite3_stmt *select;
    sqlite3_stmt *remove;
};

static const char layout[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS facts (row INTEGER PRIMARY KEY AUTOINCREMENT, fact_table TEXT, "
    "fact_id TEXT, call_id TEXT, revision INTEGER, columns TEXT);"
    "CREATE TABLE IF NOT EXISTS set_aside (row INTEGER PRIMARY KEY, fact_table TEXT, "
    "fact_id TEXT, call_id TEXT, revision INTEGER, columns TEXT, reason TEXT);"
    "CREATE TABLE IF NOT EXISTS stamp (identity TEXT);";

const char *spool_file_error(const struct spool_file *file)
{
    return sqlite3_errmsg(file->db);
}

/* The lock is beside the file: SQLite's own locks would be lost with its file handles. */
static bool take_lock(struct spool_file *file, const char *path)
{
    (void)snprintf(file->lock_path, sizeof(file->lock_path), "%s.lock", path);
    file->lock_fd = open(file->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return file->lock_fd >= 0 && flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0;
}

/* What callers said is for the owner alone; SQLite gives its other files the same mode. Only for
 * the first to open it: a further close would take away the locks that SQLite has. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0) {
        (void)close(fd);
    }
}

static bool prepare(struct spool_file *file)
{
    static const char insert[] = "INSERT INTO facts (fact_table, fact_id, call_id, revision, "
                                 "columns) VALUES (?1, ?2, ?3, ?4, ?5)";
    static const char select[] = "SELECT row, fact_table, fact_id, call_id, revision, columns "
                                 "FROM facts ORDER BY row LIMIT ?1";
    static const char remove[] = "DELETE FROM facts WHERE row <= ?1";
    return sqlite3_prepare_v2(file->db, insert, -1, &file->insert, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(file->db, select, -1, &file->select, NULL) == SQLITE_OK &&
           sqlite3_prepare_v2(file->db, remove, -1, &file->remove, NULL) == SQLITE_OK;
}

struct spool_file *spool_file_open(const char *path, bool takes_lock, char *error,
                                   size_t error_bytes)
{
    struct spool_file *file = calloc(1, sizeof(*file));
    if (!file) {
        (void)snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    file->lock_fd = -1;
    if (takes_lock && !take_lock(file, path)) {
        (void)snprintf(error, error_bytes, "%s is in use by another process", path);
        spool_file_close(file);
        return NULL;
    }
    if (takes_lock) {
        make_private(path);
    }
    int status = sqlite3_open_v2(
        path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (status == SQLITE_OK) {
        (void)sqlite3_busy_timeout(file->db, BUSY_MS);
        status = sqlite3_exec(file->db, layout, NULL, NULL, NULL);
    }
    if (status != SQLITE_OK || !prepare(file)) {
        (void)snprintf(error, error_bytes, "%s: %s", path,
                       file->db ? sqlite3_errmsg(file->db) : "out of memory");
        spool_file_close(file);
        return NULL;
    }
    return file;
}

void spool_file_close(struct spool_file *file)
{
    if (!file) {
        return;
    }
    (void)sqlite3_finalize(file->insert);
    (void)sqlite3_finalize(file->select);
    (void)sqlite3_finalize(file->remove);
    (void)sqlite3_close(file->db);
    if (file->lock_fd >= 0) {
        (void)close(file->lock_fd);
    }
    free(file);
}

void spool_file_unlink(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    char name[SPOOL_PATH + 8];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static int32_t run(struct spool_file *file, const char *sql)
{
    return sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK ? AIC_OK : AIC_ERROR_IO;
}

int32_t spool_file_begin(struct spool_file *file, bool is_synced)
{
    int32_t status =
        run(file, is_synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return status == AIC_OK ? run(file, "BEGIN IMMEDIATE") : status;
}

static void bind_text(sqlite3_stmt *statement, int index, struct aic_str text)
{
    (void)sqlite3_bind_text64(statement, index, text.len ? text.ptr : "", text.len, SQLITE_STATIC,
                              SQLITE_UTF8);
}

int32_t spool_file_add(struct spool_file *file, const struct aic_fact *fact)
{
    bind_text(file->insert, 1, fact->table);
    bind_text(file->insert, 2, fact->id);
    bind_text(file->insert, 3, fact->call_id);
    (void)sqlite3_bind_int64(file->insert, 4, (sqlite3_int64)fact->revision);
    bind_text(file->insert, 5, fact->columns);
    int status = sqlite3_step(file->insert);
    (void)sqlite3_reset(file->insert);
    return status == SQLITE_DONE ? AIC_OK : AIC_ERROR_IO;
}

int32_t spool_file_commit(struct spool_file *file)
{
    return run(file, "COMMIT");
}

void spool_file_rollback(struct spool_file *file)
{
    if (!sqlite3_get_autocommit(file->db)) {
        (void)run(file, "ROLLBACK");
    }
}

/* One row's texts in one block of memory. */
static bool take_row(struct spool_batch *batch, sqlite3_stmt *row)
{
    uint32_t index = batch->count;
    size_t total = 0;
    for (int column = 1; column <= 5; column++) {
        total += column == 4 ? 0 : (size_t)sqlite3_column_bytes(row, column) + 1;
    }
    char *memory = malloc(total);
    if (!memory) {
        return false;
    }
    struct aic_str texts[6];
    char *at = memory;
    for (int column = 1; column <= 5; column++) {
        if (column == 4) {
            continue;
        }
        size_t bytes = (size_t)sqlite3_column_bytes(row, column);
        const unsigned char *text = sqlite3_column_text(row, column);
        if (bytes > 0) {
            memcpy(at, text, bytes);
        }
        at[bytes] = '\0';
        texts[column] = (struct aic_str){at, bytes};
        at += bytes + 1;
    }
    batch->memory[index] = memory;
    batch->rows[index] = sqlite3_column_int64(row, 0);
    batch->facts[index] = (struct aic_fact){.size = sizeof(struct aic_fact),
                                            .table = texts[1],
                                            .id = texts[2],
                                            .call_id = texts[3],
                                            .revision = (uint64_t)sqlite3_column_int64(row, 4),
                                            .columns = texts[5]};
    batch->count++;
    return true;
}

int32_t spool_file_read(struct spool_file *file, struct spool_batch *batch)
{
    batch->count = 0;
    (void)sqlite3_bind_int(file->select, 1, SPOOL_BATCH);
    int status = sqlite3_step(file->select);
    while (status == SQLITE_ROW && take_row(batch, file->select)) {
        status = batch->count < SPOOL_BATCH ? sqlite3_step(file->select) : SQLITE_DONE;
    }
    (void)sqlite3_reset(file->select);
    return status == SQLITE_DONE ? AIC_OK : AIC_ERROR_IO;
}

void spool_batch_finish(struct spool_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        free(batch->memory[i]);
    }
    batch->count = 0;
}

int32_t spool_file_remove(struct spool_file *file, int64_t row)
{
    (void)sqlite3_bind_int64(file->remove, 1, row);
    int status = sqlite3_step(file->remove);
    (void)sqlite3_reset(file->remove);
    return status == SQLITE_DONE ? AIC_OK : AIC_ERROR_IO;
}

int32_t spool_file_set_aside(struct spool_file *file, int64_t row, struct aic_str reason)
{
    static const char sql[] = "INSERT OR REPLACE INTO set_aside SELECT row, fact_table, fact_id, "
                              "call_id, revision, columns, ?2 FROM facts WHERE row = ?1";
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return AIC_ERROR_IO;
    }
    (void)sqlite3_bind_int64(statement, 1, row);
    bind_text(statement, 2, reason);
    int status = sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    return status == SQLITE_DONE ? AIC_OK : AIC_ERROR_IO;
}

static int32_t count_rows(struct spool_file *file, const char *sql, uint64_t *count)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        return AIC_ERROR_IO;
    }
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW) {
        *count = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return status == SQLITE_ROW ? AIC_OK : AIC_ERROR_IO;
}

int32_t spool_file_count(struct spool_file *file, uint64_t *count)
{
    return count_rows(file, "SELECT count(*) FROM facts", count);
}

bool spool_file_is_empty(struct spool_file *file)
{
    uint64_t count = 1;
    return count_rows(file,
                      "SELECT (SELECT count(*) FROM facts) + (SELECT count(*) FROM set_aside)",
                      &count) == AIC_OK &&
           count == 0;
}

int32_t spool_file_stamp(struct spool_file *file, const char *identity, bool *is_same)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(file->db, "SELECT identity FROM stamp", -1, &statement, NULL) !=
        SQLITE_OK) {
        return AIC_ERROR_IO;
    }
    int status = sqlite3_step(statement);
    bool is_stamped = status == SQLITE_ROW;
    if (is_stamped) {
        *is_same = strcmp((const char *)sqlite3_column_text(statement, 0), identity) == 0;
    }
    (void)sqlite3_finalize(statement);
    if (is_stamped || status != SQLITE_DONE) {
        return is_stamped ? AIC_OK : AIC_ERROR_IO;
    }
    *is_same = true;
    if (sqlite3_prepare_v2(file->db, "INSERT INTO stamp VALUES (?1)", -1, &statement, NULL) !=
        SQLITE_OK) {
        return AIC_ERROR_IO;
    }
    bind_text(statement, 1, aic_str(identity));
    status = sqlite3_step(statement);
    (void)sqlite3_finalize(statement);
    return status == SQLITE_DONE ? AIC_OK : AIC_ERROR_IO;
}
