/* SPDX-License-Identifier: ISC */
#ifndef CALL_RECORDINGS_H
#define CALL_RECORDINGS_H
/*
 * The folder of recordings. A file is called by the id of its call and its own: of a path that the
 * storage gives, nothing but the name counts, so that no row can lead anywhere else. All of it
 * blocks. [pool]
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { RECORDINGS_NAME = 128 };

/* The name at the end of a path; false when no recording is called so. */
bool recordings_name(struct aic_str path, char name[RECORDINGS_NAME]);
/* Opens for reading: a descriptor of an ordinary file, AIC_ERROR_NOT_FOUND or AIC_ERROR_IO. */
int recordings_open(const char *folder, const char *name);
/* AIC_OK: it is deleted; AIC_ERROR_NOT_FOUND: it is not here; AIC_ERROR_IO: it is, and stays. */
int32_t recordings_delete(const char *folder, const char *name);
/* Deletes what was last written before `wall_us`; at most `most` files. */
int32_t recordings_delete_older(const char *folder, int64_t wall_us, uint64_t most,
                                uint64_t *deleted);

#endif
