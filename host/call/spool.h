/* SPDX-License-Identifier: ISC */
#ifndef CALL_SPOOL_H
#define CALL_SPOOL_H
/*
 * The worker's durable queue of facts, in front of the storage. A thread writes facts to a SQLite
 * file in groups; another moves them into the storage and takes them off the file once they are
 * safe there. Calls wait for neither. While the storage is away the file grows; while the disk is
 * full up to 64 MiB wait in memory.
 *
 * The file is stamped with the identity of the storage that its facts are meant for, and locked by
 * its process. A file whose process died is adopted by another worker.
 */
#include "base/sched.h"
#include "call/journal.h"

struct provider;
struct spool;

struct spool_status {
    uint64_t waiting;   /* facts not yet in the storage */
    uint64_t in_memory; /* of them, bytes that are not yet on the disk */
    uint64_t moved;     /* since the start */
    uint64_t rejected;  /* facts that the storage will never take; kept aside in the file */
    uint64_t dropped;   /* facts lost because disk and memory were full */
    bool disk_is_bad;   /* the file can not be written */
    int64_t
        storage_down_us; /* since when the storage does not take facts, by the wall; 0 = it does */
};

/*
 * Opens folder/name.db, and adopts what dead processes left in the folder. `storage` is an instance
 * for the mover alone, which becomes the spool's; NULL keeps all facts in the file. NULL on
 * failure, with `error` (at least 256 bytes) set.
 */
struct spool *spool_create(struct sched *sched, const char *folder, const char *name,
                           struct provider *storage, char *error, size_t error_bytes);
/* Writes out what waits, gives the mover up to `grace_ms` to empty the file, and closes it. An
 * empty file is removed. */
void spool_destroy(struct spool *spool, int64_t grace_ms);
struct journal *spool_journal(struct spool *spool);
/* Moves the facts of a dead worker's spool. AIC_ERROR_NOT_FOUND: no such file. */
int32_t spool_adopt(struct spool *spool, const char *name);
void spool_status(struct spool *spool, struct spool_status *status);

#endif
