/* SPDX-License-Identifier: ISC */
#include "io/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

int sealed_create(const char *name, struct aic_str bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -1;
    }
    while (bytes.len > 0) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            (void)close(fd);
            return -1;
        }
        bytes.ptr += wrote;
        bytes.len -= (size_t)wrote;
    }
    if (fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int32_t sealed_map(int fd, size_t max, struct aic_str *bytes)
{
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &info) != 0) {
        return AIC_ERROR_PROTOCOL;
    }
    *bytes = (struct aic_str){"", (size_t)info.st_size};
    if (bytes->len > max) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (bytes->len == 0) {
        return AIC_OK;
    }
    void *memory = mmap(NULL, bytes->len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) {
        return AIC_ERROR_MEMORY;
    }
    bytes->ptr = memory;
    return AIC_OK;
}

void sealed_unmap(struct aic_str bytes)
{
    if (bytes.len > 0) {
        union {
            const char *in;
            void *out;
        } bridge = {.in = bytes.ptr};

        (void)munmap(bridge.out, bytes.len);
    }
}
