/* SPDX-License-Identifier: ISC */
#ifndef CALL_SPOOL_FILE_H
#define CALL_SPOOL_FILE_H
/*
 * One spool file: SQLite in WAL mode, rows in order of arrival. Blocking; each handle belongs to
 * one thread. All functions but open return AIC_OK or AIC_ERROR_IO, with the reason in
 * spool_file_error.
 */
#include <aicaller/storage.h>
#include <stdbool.h>

struct spool_file;

enum { SPOOL_BATCH = 500, SPOOL_PATH = 4096 };

/* A batch read from the file; freed with spool_batch_finish. */
struct spool_batch {
    struct aic_fact facts[SPOOL_BATCH];
    int64_t rows[SPOOL_BATCH]; /* numbers in the file */
    uint32_t count;
    char *memory[SPOOL_BATCH]; /* what the facts point into */
};

/* Opens or makes a file. With `takes_lock` its lock is held as long as it is open; a second handle
 * of the same process does without. NULL with `error` set. */
struct spool_file *spool_file_open(const char *path, bool takes_lock, char *error,
                                   size_t error_bytes);
void spool_file_close(struct spool_file *file);
/* Removes a file and what SQLite and we keep beside it. */
void spool_file_unlink(const char *path);
const char *spool_file_error(const struct spool_file *file);

/* Writes several facts as one transaction; `is_synced` forces it to the disk itself. */
int32_t spool_file_begin(struct spool_file *file, bool is_synced);
int32_t spool_file_add(struct spool_file *file, const struct aic_fact *fact);
int32_t spool_file_commit(struct spool_file *file);
void spool_file_rollback(struct spool_file *file);

/* The next facts in order, at most SPOOL_BATCH. */
int32_t spool_file_read(struct spool_file *file, struct spool_batch *batch);
void spool_batch_finish(struct spool_batch *batch);
/* Takes rows off up to and including `row`; the rejected ones are put aside with their reasons. */
int32_t spool_file_remove(struct spool_file *file, int64_t row);
int32_t spool_file_set_aside(struct spool_file *file, int64_t row, struct aic_str reason);
int32_t spool_file_count(struct spool_file *file, uint64_t *count);
/* Compares the stamp, or sets it on an unstamped file. */
int32_t spool_file_stamp(struct spool_file *file, const char *identity, bool *is_same);
/* Whether nothing at all is left in it, nothing set aside either. */
bool spool_file_is_empty(struct spool_file *file);

#endif
