/* SPDX-License-Identifier: ISC */
#include "call/recorder_file.h"

#include "call/recorder_opus.h"

#include "wav.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FRAME_BYTES = 4 };

static void fail(struct recorder_file *file, int problem)
{
    bool is_full = problem == ENOSPC || problem == EDQUOT || problem == EFBIG;
    if (file->end == RECORDER_WHOLE) {
        file->end = is_full ? RECORDER_DISK_FULL : RECORDER_DISK_ERROR;
    }
}

/* As much as there is room for; the rest makes the file fail. */
static size_t write_most(struct recorder_file *file, const char *data, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t written = write(file->fd, data + done, count - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            fail(file, written < 0 ? errno : EIO);
            break;
        }
        done += (size_t)written;
    }
    return done;
}

static int write_opus(void *data, const uint8_t *bytes, size_t count)
{
    struct recorder_file *file = data;
    if (file->end != RECORDER_WHOLE) {
        return -1;
    }
    if (write_most(file, (const char *)bytes, count) < count) {
        /* Half a page is none; where that stays, players pass over it. */
        (void)!ftruncate(file->fd, (off_t)file->bytes);
        return -1;
    }
    file->bytes += count;
    return 0;
}

static size_t make_header(const struct recorder_file *file, uint8_t header[AIC_WAV_HEADER_MAX],
                          uint64_t bytes)
{
    const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = file->rate_hz, .channels = 2};
    return aic_wav_header(header, format, bytes);
}

static bool has_room(struct recorder_file *file)
{
    struct statvfs disk;
    if (file->min_free_bytes > 0 && fstatvfs(file->fd, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)file->min_free_bytes) {
        fail(file, ENOSPC);
    }
    return file->end == RECORDER_WHOLE;
}

static void open_file(struct recorder_file *file)
{
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    S_IRUSR | S_IWUSR | S_IRGRP);
    if (file->fd < 0) {
        fail(file, errno);
        return;
    }
    if (!has_room(file)) {
        return;
    }
    if (!file->is_opus) {
        uint8_t header[AIC_WAV_HEADER_MAX];
        (void)write_most(file, (const char *)header, make_header(file, header, AIC_WAV_UNKNOWN));
        return;
    }
    file->opus = recorder_opus_open(file->rate_hz, write_opus, file);
    if (!file->opus) {
        fail(file, ENOMEM);
    }
}

void recorder_file_init(struct recorder_file *file)
{
    file->fd = -1;
    file->opus = NULL;
    file->end = RECORDER_WHOLE;
    file->bytes = 0;
}

void recorder_file_write(struct recorder_file *file, const char *frames, size_t bytes)
{
    if (file->end == RECORDER_WHOLE && file->fd < 0) {
        open_file(file);
    }
    if (file->end != RECORDER_WHOLE || !has_room(file)) {
        return;
    }
    if (file->opus) {
        if (recorder_opus_write(file->opus, frames, bytes / FRAME_BYTES) != 0) {
            fail(file, EIO);
        }
        return;
    }
    size_t done = write_most(file, frames, bytes);
    file->bytes += done - done % FRAME_BYTES;
}

/* The length goes into bytes that the file has already, so that a full disk is no matter. */
static void complete_wav(struct recorder_file *file)
{
    uint8_t header[AIC_WAV_HEADER_MAX];
    size_t length = make_header(file, header, file->bytes);
    if (ftruncate(file->fd, (off_t)(length + file->bytes)) != 0 ||
        pwrite(file->fd, header, length, 0) != (ssize_t)length) {
        fail(file, errno);
    }
}

void recorder_file_close(struct recorder_file *file)
{
    if (file->fd < 0) {
        return;
    }
    if (file->is_opus) {
        recorder_opus_close(file->opus);
        file->opus = NULL;
    } else {
        complete_wav(file);
    }
    if (file->bytes == 0) {
        /* There was no room to begin with. */
        (void)unlink(file->path);
    }
    if (close(file->fd) != 0) {
        fail(file, errno);
    }
    file->fd = -1;
}
