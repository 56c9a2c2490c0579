/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_READ_H
#define BASE_CONFIG_READ_H
/* Reads a regular file whole, never waiting for one that is none. */
#include "buf.h"

#include <stdbool.h>
#include <sys/stat.h>

/* Appends the content to `to`, within its maximum, and tells what kind of file it was. On failure
 * *why is a text for the operator, such as "No such file or directory". */
int32_t config_read(const char *path, struct aic_buf *to, struct stat *info, const char **why);
/* Whether others than owner and group may read the file. */
bool config_read_is_exposed(const struct stat *info);
/* The same, or its group may write it: no place for a secret. */
bool config_read_is_open(const struct stat *info);

#endif
