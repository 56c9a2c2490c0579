/* SPDX-License-Identifier: ISC */
#ifndef CALL_SPOOL_MOVER_H
#define CALL_SPOOL_MOVER_H
/*
 * The thread that carries facts from spool files into the storage: its own worker's file all the
 * time, and those of dead workers until they are empty.
 */
#include "call/spool.h"
#include "call/spool_file.h"
#include "plugin/provider.h"

struct spool_mover;

/* Takes over `storage`, which may be NULL: then nothing moves. */
struct spool_mover *spool_mover_create(const char *folder, const char *path,
                                       struct provider *storage, char *error, size_t error_bytes);
/* Goes on for up to `grace_ms` until the worker's file is empty. Accepts NULL. */
void spool_mover_destroy(struct spool_mover *mover, int64_t grace_ms);
/* There is something new. From any thread. */
void spool_mover_wake(struct spool_mover *mover);
int32_t spool_mover_adopt(struct spool_mover *mover, const char *name);
void spool_mover_status(struct spool_mover *mover, struct spool_status *status);

#endif
