/* SPDX-License-Identifier: ISC */
#include "file.h"

#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A FIFO must not hold up the open, nor a terminal become ours. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* The part of an absolute path that lies below `folder`; NULL when it does not. */
static const char *below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') {
        length--;
    }
    if (strncmp(folder, path, length) != 0 || (length > 1 && path[length] != '/')) {
        return NULL;
    }
    return path + length;
}

/* Opens the first component of `*path` in a folder and moves on; -1 with errno. Closes `folder`. */
static int open_step(int folder, const char **path)
{
    char name[256];
    size_t length = strcspn(*path, "/");
    const char *rest = *path + length;
    rest += strspn(rest, "/");
    int fd = -1;
    if (!aic_str_copy((struct aic_str){*path, length}, name, sizeof(name))) {
        errno = ENAMETOOLONG;
    } else if (strcmp(name, "..") == 0) {
        errno = EXDEV;
    } else if (*rest) {
        fd = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } else {
        fd = openat(folder, name, OPEN_FLAGS | O_NOFOLLOW);
    }
    int error = errno;
    (void)close(folder);
    errno = error;
    *path = rest;
    return fd;
}

static int open_below(const char *folder, const char *path)
{
    if (path[0] == '/') {
        path = below(folder, path);
        if (!path) {
            errno = EXDEV;
            return -1;
        }
    }
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    path += strspn(path, "/");
    do {
        if (fd < 0) {
            return -1;
        }
        fd = open_step(fd, &path);
    } while (*path);
    return fd;
}

static int32_t say_open_error(int error, struct aic_buf *why)
{
    if (error == EXDEV) {
        aic_buf_text(why, "is outside the folder that callers are taken from");
        return AIC_ERROR_DENIED;
    }
    if (error == ELOOP) {
        aic_buf_text(why, "is a symbolic link, which is not followed below the callers' folder");
        return AIC_ERROR_DENIED;
    }
    if (error == ENOENT) {
        aic_buf_text(why, "does not exist");
        return AIC_ERROR_NOT_FOUND;
    }
    if (error == ENOTDIR) {
        aic_buf_text(why, "is not there: part of its path is a file or a symbolic link");
        return AIC_ERROR_NOT_FOUND;
    }
    aic_buf_printf(why, "can not be opened: %s", strerrordesc_np(error));
    return error == EACCES ? AIC_ERROR_DENIED : AIC_ERROR_IO;
}

/* Reads what there is, at most `size` bytes; a file that shrinks meanwhile is simply shorter. */
static int32_t read_all(int fd, uint8_t *to, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t count = read(fd, to + *got, size - *got);
        if (count == 0) {
            return AIC_OK;
        }
        if (count < 0 && errno != EINTR) {
            return AIC_ERROR_IO;
        }
        *got += count > 0 ? (size_t)count : 0;
    }
    return AIC_OK;
}

static int32_t load(int fd, struct wav_file *file, struct aic_buf *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        aic_buf_text(why, "is not a file");
        return AIC_ERROR_INVALID;
    }
    if (info.st_size > WAV_FILE_MAX_BYTES) {
        aic_buf_printf(why, "has %lld bytes; a caller may have %d", (long long)info.st_size,
                       WAV_FILE_MAX_BYTES);
        return AIC_ERROR_TOO_LARGE;
    }
    size_t size = 0;
    file->bytes = malloc((size_t)info.st_size + 1);
    if (!file->bytes) {
        aic_buf_text(why, "needs more memory than there is");
        return AIC_ERROR_MEMORY;
    }
    if (read_all(fd, file->bytes, (size_t)info.st_size, &size) != AIC_OK) {
        aic_buf_printf(why, "can not be read: %s", strerrordesc_np(errno));
        return AIC_ERROR_IO;
    }
    /* The whole file is here, so its problem is in `wav` whatever the parser returns. */
    (void)aic_wav_parse((struct aic_str){(const char *)file->bytes, size}, size, &file->wav);
    return aic_wav_is_caller(&file->wav, why) ? AIC_OK : AIC_ERROR_PROTOCOL;
}

int32_t wav_file_load(const char *folder, const char *path, struct wav_file *file,
                      struct aic_buf *why)
{
    *file = (struct wav_file){.bytes = NULL};
    aic_buf_char(why, '"');
    aic_utf8_clean(why, aic_str(path));
    aic_buf_text(why, "\" ");
    int fd = folder ? open_below(folder, path) : open(path, OPEN_FLAGS);
    int32_t status = fd < 0 ? say_open_error(errno, why) : load(fd, file, why);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (status != AIC_OK) {
        wav_file_finish(file);
    }
    return status;
}

void wav_file_finish(struct wav_file *file)
{
    free(file->bytes);
    *file = (struct wav_file){.bytes = NULL};
}

struct aic_str wav_file_sound(const struct wav_file *file)
{
    if (!file->bytes) {
        return (struct aic_str){"", 0};
    }
    return (struct aic_str){(const char *)file->bytes + file->wav.data_offset,
                            (size_t)file->wav.data_bytes};
}
