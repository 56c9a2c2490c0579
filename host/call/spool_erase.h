/* SPDX-License-Identifier: ISC */
#ifndef CALL_SPOOL_ERASE_H
#define CALL_SPOOL_ERASE_H
/* What waits in spools, or was set aside there, of calls that are being erased. */
#include "base/uuid.h"

/* Whose facts go. */
struct spool_erase {
    const char *number; /* also the calls that only the spool knows; NULL = none */
    const char (*call_ids)[UUID_TEXT];
    size_t count;
};

/*
 * Deletes them from all files of the folder, while workers use those or not. Wishes not to be
 * called, consents and the audit stay: the storage keeps them without the number. AIC_ERROR_IO: a
 * file can not be written; `error` (at least 256 bytes) says which. Blocks.
 */
int32_t spool_erase(const char *folder, const struct spool_erase *what, uint64_t *removed,
                    char *error, size_t error_bytes);

#endif
