/* SPDX-License-Identifier: ISC */
#ifndef CALL_JOURNAL_H
#define CALL_JOURNAL_H
/*
 * Where a call's facts go: into the worker's spool in the server (spool.h), into memory in tests.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct journal_fact {
    const char *table;
    const char *id;      /* UUID text */
    const char *call_id; /* UUID text, "" = none */
    uint64_t revision;
    struct aic_str columns; /* JSON object */
};

struct journal {
    /*
     * Takes a fact; everything is copied. A durable one is committed and synced before `done(data,
     * status)` is called on the loop; others follow within 100 ms and `done` may be NULL.
     */
    void (*write)(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                  void (*done)(void *data, int32_t status), void *data);
    /* Facts that are written later, when a file is closed; until then it must not be destroyed. */
    size_t promised;
};

#endif
