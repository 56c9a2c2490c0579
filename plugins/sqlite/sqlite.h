/* SPDX-License-Identifier: ISC */
#ifndef SQLITE_SQLITE_H
#define SQLITE_SQLITE_H
/* One provider instance: one connection to one file. */
#include "sqlcore/core.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

enum { SQLITE_CACHED = 96 };

/* A prepared statement, found again by its text. */
struct cached {
    char *text;
    size_t bytes;
    sqlite3_stmt *statement;
    uint64_t used; /* when last, in uses */
};

struct sqlite_storage {
    struct sqlcore core;
    const char *path;
    int64_t timeout_ms; /* that a lock of another process is waited for */
    int64_t cache_bytes;
    bool is_full_sync;
    bool is_read_only; /* somebody else's file */
    sqlite3 *db;
    pthread_mutex_t guard; /* of `db`, between interrupt and close */
    atomic_bool is_interrupted;
    int64_t waited_ms; /* by this statement, for locks */
    struct cached cached[SQLITE_CACHED];
    uint64_t uses;
};

extern const struct sql_driver sqlite_driver;
extern const struct sql_migration sql_migrations_sqlite[];

static inline struct sqlite_storage *sqlite_of(struct sqlcore *core)
{
    return (struct sqlite_storage *)core;
}

/* Tells what SQLite said. */
int32_t sqlite_problem(struct sqlite_storage *s, int code);

/* connection.c */
int32_t sqlite_connect(struct sqlite_storage *s);
void sqlite_disconnect(struct sqlite_storage *s);

/* statements.c: a statement ready for its values; it stays in the cache. */
int32_t sqlite_prepare(struct sqlite_storage *s, struct aic_str text, sqlite3_stmt **statement);
void sqlite_drop_statements(struct sqlite_storage *s);

#endif
