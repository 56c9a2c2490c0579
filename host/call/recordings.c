/* SPDX-License-Identifier: ISC */
#include "call/recordings.h"

#include "base/uuid.h"

#include "buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool recordings_name(struct aic_str path, char name[RECORDINGS_NAME])
{
    for (size_t at = path.len; at > 0; at--) {
        if (path.ptr[at - 1] == '/') {
            path.ptr += at;
            path.len -= at;
            break;
        }
    }
    struct aic_str id = {path.ptr, UUID_TEXT - 1};
    return path.len > id.len && uuid_valid(id) && memchr(path.ptr, '\0', path.len) == NULL &&
           aic_str_copy(path, name, RECORDINGS_NAME);
}

static int open_folder(const char *folder)
{
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int recordings_open(const char *folder, const char *name)
{
    struct stat about;
    int dir = open_folder(folder);
    if (dir < 0) {
        return AIC_ERROR_NOT_FOUND;
    }
    /* A link is not followed, and nobody waits for a pipe. */
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_missing = fd < 0 && (errno == ENOENT || errno == ELOOP);
    (void)close(dir);
    if (fd < 0) {
        return is_missing ? AIC_ERROR_NOT_FOUND : AIC_ERROR_IO;
    }
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        (void)close(fd);
        return AIC_ERROR_NOT_FOUND;
    }
    return fd;
}

int32_t recordings_delete(const char *folder, const char *name)
{
    int dir = open_folder(folder);
    if (dir < 0) {
        return AIC_ERROR_NOT_FOUND;
    }
    int32_t status = unlinkat(dir, name, 0) == 0 ? AIC_OK
                     : errno == ENOENT           ? AIC_ERROR_NOT_FOUND
                                                 : AIC_ERROR_IO;
    (void)close(dir);
    return status;
}

static bool is_older(int dir, const char *name, int64_t wall_us)
{
    char found[RECORDINGS_NAME];
    struct stat about;
    return recordings_name(aic_str(name), found) &&
           fstatat(dir, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode) &&
           (int64_t)about.st_mtim.tv_sec * 1000000 < wall_us;
}

int32_t recordings_delete_older(const char *folder, int64_t wall_us, uint64_t most,
                                uint64_t *deleted)
{
    DIR *entries = opendir(folder);
    int32_t status = entries ? AIC_OK : AIC_ERROR_IO;
    *deleted = 0;
    for (struct dirent *entry = entries ? readdir(entries) : NULL; entry && *deleted < most;
         entry = readdir(entries)) {
        if (!is_older(dirfd(entries), entry->d_name, wall_us)) {
            continue;
        }
        if (unlinkat(dirfd(entries), entry->d_name, 0) == 0) {
            (*deleted)++;
        } else {
            status = AIC_ERROR_IO;
        }
    }
    if (entries) {
        (void)closedir(entries);
    }
    return status;
}
