/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_STORAGE_H
#define AICALLER_STORAGE_H
/*
 * Role: storage. Called on a pool thread of its own per instance, one operation at a time, and may
 * block; calls never wait for it, because facts go through the host's spool first.
 *
 * A fact is a row that grows: a table, an id, a revision, and columns as a JSON object. Facts of
 * one call arrive from several workers in any order and more than once. So a fact is an upsert that
 * only a higher revision wins, and a call's status only moves forward.
 *
 * Tables, columns, queries and their parameters are described in schema/README.md.
 */
#include <aicaller/abi.h>
#include <aicaller/error.h>

AIC_BEGIN_DECLS

#define AIC_STORAGE "aicaller.storage/1"

enum {
    AIC_STORAGE_SHARED = 1u << 0,  /* several hosts may use one database */
    AIC_STORAGE_NOTIFY = 1u << 1,  /* `notify` wakes `wait` in other processes */
    AIC_STORAGE_FULLTEXT = 1u << 2 /* the query parameter "text" works */
};

struct aic_storage_caps {
    uint32_t size; /* set by the host; the plugin fills what fits */
    uint32_t flags;
};

struct aic_fact {
    uint32_t size;
    uint32_t reserved;      /* 0 */
    struct aic_str table;   /* "calls", "messages", "events" ... */
    struct aic_str id;      /* UUID text; the primary key */
    struct aic_str call_id; /* UUID text; empty where it belongs to no call */
    uint64_t revision;      /* rises with each version of this row */
    struct aic_str columns; /* JSON object; absent columns stay as they are */
};

/* A fact that the database will never take. */
struct aic_fact_rejection {
    uint32_t index;        /* in the batch */
    uint32_t reserved;     /* 0 */
    struct aic_str reason; /* valid until the instance's next operation */
};

struct aic_append_result {
    uint32_t size; /* set by the host */
    uint32_t rejection_count;
    const struct aic_fact_rejection *rejections; /* valid until the instance's next operation */
    uint32_t rejection_size;                     /* sizeof(struct aic_fact_rejection) */
    uint32_t reserved;                           /* 0 */
};

struct aic_migration {
    uint32_t size;          /* set by the host */
    uint32_t reserved;      /* 0 */
    int64_t current;        /* schema version of the database; 0 = empty */
    int64_t latest;         /* that this plugin knows */
    struct aic_str pending; /* JSON array of {"version", "name"}; valid until the next operation */
};

/* Takes one row as a JSON object; a non-zero return stops the query. [pool] */
typedef int32_t (*aic_row_handler)(void *data, struct aic_str row);

struct aic_storage {
    uint32_t size;
    uint32_t reserved; /* 0 */

    /* Fills caps. [main] */
    int32_t (*capabilities)(void *self, struct aic_storage_caps *caps);
    /*
     * Connects. Every operation below connects by itself when it has to, and fails with
     * AIC_ERROR_IO (category NETWORK, AUTH, QUOTA ...) while it cannot. `error`, everywhere, may be
     * NULL; its texts are valid until the instance's next operation. [pool]
     */
    int32_t (*open)(void *self, struct aic_error *error);
    /* Closes the connection; the next operation opens it again. [pool] */
    void (*close)(void *self);
    /* Makes a long operation of another thread return soon; it fails with CANCELLED. [any] */
    void (*interrupt)(void *self);

    /* A text that names the database and no other, as long as it lives: two instances that reach
     * one database give the same. [pool] */
    int32_t (*identity)(void *self, char *to, size_t bytes, struct aic_error *error);
    /* Where the schema stands. [pool] */
    int32_t (*migration)(void *self, struct aic_migration *status, struct aic_error *error);
    /* Brings the schema up to date; calls `step(data, version, name)` before each one. A schema
     * newer than known is AIC_ERROR_CONFLICT. [pool] */
    int32_t (*migrate)(void *self, void (*step)(void *data, int64_t version, const char *name),
                       void *data, struct aic_error *error);

    /*
     * Writes a batch in one transaction: all but the rejected facts are durable on AIC_OK, none
     * otherwise. Writing a fact again changes nothing. [pool]
     */
    int32_t (*append)(void *self, const struct aic_fact *facts, uint32_t count, uint32_t fact_size,
                      struct aic_append_result *result, struct aic_error *error);
    /*
     * Runs a named query ("calls", "call", "messages" ...) with a JSON object of parameters, and
     * gives its rows in order. AIC_ERROR_NOT_FOUND: no such query; AIC_ERROR_INVALID: a parameter
     * makes no sense, `error` says which. [pool]
     */
    int32_t (*query)(void *self, const char *name, struct aic_str params, aic_row_handler row,
                     void *data, struct aic_error *error);

    /*
     * Runs a named change that needs the database's own judgement, atomically, and gives its answer
     * as one row: "job.claim" (take the next job with a lease), "counter.reserve" and
     * "counter.settle" (under a limit), "idempotency.begin" (first use of a key wins), "erase"
     * (everything of one number, leaving a tombstone) ... [pool]
     */
    int32_t (*change)(void *self, const char *name, struct aic_str params, aic_row_handler row,
                      void *data, struct aic_error *error);

    /* Optional from here on. */

    /* Wakes who waits on a channel, also on other hosts; `payload` under 4 KiB. [pool] */
    int32_t (*notify)(void *self, const char *channel, struct aic_str payload,
                      struct aic_error *error);
    /* Waits at most `timeout_ms` for notifications on the channels and hands each to `row` as
     * {"channel", "payload"}. Called on a thread and an instance of its own. [pool] */
    int32_t (*wait)(void *self, const char *const *channels, uint32_t count, int64_t timeout_ms,
                    aic_row_handler row, void *data, struct aic_error *error);
};

AIC_END_DECLS
#endif
