/* SPDX-License-Identifier: ISC */
#ifndef FAKES_STORAGE_KIT_H
#define FAKES_STORAGE_KIT_H
/*
 * Runs the same cases on every database: SQLite in a file of a temporary folder, PostgreSQL in a
 * cluster of its own that tests/fakes/postgres starts once for the program. Every case gets an
 * empty database with the current schema.
 */
#include "fake_host.h"

#include <stdbool.h>

struct kit {
    const char *backend; /* "sqlite" or "pgsql" */
    const struct aic_plugin *plugin;
    const struct aic_storage *storage;
    char place[512];  /* the file, or the URL */
    char folder[256]; /* for files of this case */
    void *db;         /* the first instance */
    struct kit_instance *instances;
    struct aic_buf rows;    /* of the last query, a line each */
    struct aic_error error; /* of the last operation */
    char *reason;           /* of the last rejection */
    uint32_t rejections;    /* of the last batch */
    uint32_t rejected;      /* index of the first of them */
};

struct kit_case {
    const char *sentence;
    void (*run)(struct kit *kit);
    const char *only; /* NULL = every backend */
};

/* Runs all cases on all backends; returns what main returns. */
int kit_main(const char *suite, const struct kit_case *cases, size_t count);

/* One more connection to the same database. */
void *kit_connect(struct kit *kit);
/* The same with an empty database that has no schema yet, at kit->db. */
void kit_start_empty(struct kit *kit);
/* Disconnects and forgets all instances. */
void kit_disconnect(struct kit *kit);
/* What the instance logged. */
const char *kit_log(struct kit *kit, void *db);

/* UUIDs for tests: version 7, of 2026-01-05 10:00 and `n` milliseconds. */
const char *kit_id(unsigned n);

struct aic_fact kit_fact(const char *table, const char *id, const char *call_id, uint64_t revision,
                         const char *columns);
int32_t kit_append(struct kit *kit, void *db, const struct aic_fact *facts, uint32_t count);
/* Appends one fact and expects it to be taken. */
void kit_put(struct kit *kit, const char *table, const char *id, const char *call_id,
             uint64_t revision, const char *columns);

/* The rows as text, a line each; the query must work. Valid until the next. */
const char *kit_query(struct kit *kit, void *db, const char *name, const char *params);
size_t kit_count(struct kit *kit, const char *name, const char *params);
/* The answer of a change that must work. */
const char *kit_change(struct kit *kit, void *db, const char *name, const char *params);
/* For what may fail: the status; kit->error says why. */
int32_t kit_try_query(struct kit *kit, void *db, const char *name, const char *params);
int32_t kit_try_change(struct kit *kit, void *db, const char *name, const char *params);
/* Whether the last error's message contains a text. */
bool kit_error_says(const struct kit *kit, const char *text);

/* Formats a text that lives until the case ends. */
const char *kit_text(struct kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs SQL past the plugin; the first column of its rows, with spaces in between. */
const char *kit_raw(struct kit *kit, const char *sql);
/* An empty database brought to a schema by hand, as an older program left it. */
void kit_start_at(struct kit *kit, int version);
/* The text of a file, terminated, to be freed; its length unless `bytes` is NULL. */
char *kit_read_file(const char *path, size_t *bytes);

#endif
