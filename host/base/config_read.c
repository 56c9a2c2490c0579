/* SPDX-License-Identifier: ISC */
#include "config_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int32_t read_all(int fd, struct aic_buf *to, const char **why)
{
    for (;;) {
        char piece[16384];
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            *why = strerror(errno);
            return AIC_ERROR_IO;
        }
        if (got == 0) {
            return AIC_OK;
        }
        int32_t status = aic_buf_add(to, piece, (size_t)got);
        if (status != AIC_OK) {
            *why = status == AIC_ERROR_TOO_LARGE ? "it is too large; 1 MiB is the limit"
                                                 : strerror(ENOMEM);
            return status;
        }
    }
}

int32_t config_read(const char *path, struct aic_buf *to, struct stat *info, const char **why)
{
    /* Without O_NONBLOCK, opening a pipe would wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, info) != 0) {
        *why = strerror(errno);
        if (fd >= 0) {
            (void)close(fd);
        }
        return AIC_ERROR_IO;
    }
    int32_t status = AIC_ERROR_IO;
    if (S_ISREG(info->st_mode)) {
        status = read_all(fd, to, why);
    } else {
        *why =
            S_ISDIR(info->st_mode) ? "it is a directory, not a file" : "it is not a regular file";
    }
    (void)close(fd);
    return status;
}

bool config_read_is_exposed(const struct stat *info)
{
    return (info->st_mode & 0007) != 0;
}

bool config_read_is_open(const struct stat *info)
{
    return config_read_is_exposed(info) || (info->st_mode & S_IWGRP) != 0;
}
