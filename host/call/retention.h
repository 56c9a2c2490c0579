/* SPDX-License-Identifier: ISC */
#ifndef CALL_RETENTION_H
#define CALL_RETENTION_H
/*
 * What is older than it may be goes: rows in slices, so that nobody waits long for the database,
 * and the files of recordings. One worker of each host looks; of all hosts on one database the one
 * that gets the job deletes rows, and each its own files. The files of an erasure that could not be
 * deleted at once go likewise.
 */
#include "base/sched.h"
#include "base/settings.h"

struct retention;
struct storage;

enum { RETENTION_CLASSES = 11 };

struct retention_rules {
    int64_t every_us;
    int64_t keep_us[RETENTION_CLASSES]; /* by the order of the table; 0 = for ever */
};

struct retention_settings {
    struct sched *sched;
    struct storage *storage;
    const char *recordings_dir;
    const struct retention_rules *rules;
};

extern const struct settings_table retention_table;
void retention_load(struct retention_rules *rules, const struct settings *settings,
                    struct config_problems *problems);

/* Begins to look from time to time. NULL without memory. What is in the settings is borrowed. */
struct retention *retention_create(const struct retention_settings *settings);
/* Nothing is asked any more, but answers may still come. Accepts NULL. */
void retention_stop(struct retention *retention);
/* After the storage has given its last answer. Accepts NULL. */
void retention_destroy(struct retention *retention);

#endif
