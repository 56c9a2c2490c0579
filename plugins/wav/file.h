/* SPDX-License-Identifier: ISC */
#ifndef WAV_FILE_H
#define WAV_FILE_H
/* Loads a caller's sound. It touches the disk and therefore belongs on a pool thread. */
#include "buf.h"
#include "wav.h"

enum { WAV_FILE_MAX_BYTES = 10 << 20 };

struct wav_file {
    struct aic_wav wav;
    uint8_t *bytes; /* the whole file */
};

/*
 * Loads `path` and checks that it can be a caller. With a folder (absolute; NULL = none) the file
 * must lie below it: relative paths begin there, ".." and symbolic links are refused on the way, so
 * that no path leads out. On failure `why` gets a sentence and *file is left empty. [pool]
 */
int32_t wav_file_load(const char *folder, const char *path, struct wav_file *file,
                      struct aic_buf *why);
/* Frees the sound. Accepts an empty file. [any] */
void wav_file_finish(struct wav_file *file);

/* The sound itself, in the format `wav.format`. [any] */
struct aic_str wav_file_sound(const struct wav_file *file);

#endif
