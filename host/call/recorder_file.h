/* SPDX-License-Identifier: ISC */
#ifndef CALL_RECORDER_FILE_H
#define CALL_RECORDER_FILE_H
/*
 * The file of a recording, WAV or Opus in Ogg, of two channels. Whatever happens to the disk, what
 * was written before can be played. All of it blocks. [pool]
 */
#include <aicaller/abi.h>
#include <stdbool.h>

/* Why a recording is not as long as its call. */
enum recorder_end {
    RECORDER_WHOLE = 0,
    RECORDER_DISK_FULL = 1,
    RECORDER_DISK_ERROR = 2,
    RECORDER_MAX_SIZE = 3,
    RECORDER_MAX_DURATION = 4
};

struct recorder_opus;

struct recorder_file {
    const char *path; /* borrowed */
    uint32_t rate_hz;
    bool is_opus;
    int64_t min_free_bytes; /* the disk keeps as much room for others */
    /* The file's own. */
    int fd; /* -1: not open */
    struct recorder_opus *opus;
    enum recorder_end end; /* anything but WHOLE: no more is taken */
    uint64_t bytes;        /* of sound, in the file */
};

/* What the file is set up with comes first. */
void recorder_file_init(struct recorder_file *file);
/* Whole frames of 16-bit samples, left and right; the first ones make the file. */
void recorder_file_write(struct recorder_file *file, const char *frames, size_t bytes);
/* Completes it; may be called twice. */
void recorder_file_close(struct recorder_file *file);

#endif
