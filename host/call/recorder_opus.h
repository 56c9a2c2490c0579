/* SPDX-License-Identifier: ISC */
#ifndef CALL_RECORDER_OPUS_H
#define CALL_RECORDER_OPUS_H
/*
 * Sound as Opus in Ogg. Where the libraries were not there at the build there is none of it:
 * recorder_opus_exists tells, and opening gives NULL. [pool]
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct recorder_opus;

bool recorder_opus_exists(void);

/* Pages go to `write` as they are complete, about one a second; it returns 0 or fails the file. */
struct recorder_opus *
recorder_opus_open(uint32_t rate_hz, int (*write)(void *data, const uint8_t *bytes, size_t count),
                   void *data);
/* Frames of 16-bit samples, left and right. 0, or not. */
int recorder_opus_write(struct recorder_opus *opus, const char *frames, size_t count);
/* Writes the rest. Accepts NULL. */
void recorder_opus_close(struct recorder_opus *opus);

/* Reads sound of a file back, at 48 kHz: calls `take` with frames until the end. Two channels. */
int32_t recorder_opus_read(int fd,
                           void (*take)(void *data, const uint8_t *frames, size_t bytes,
                                        uint64_t total_frames),
                           void *data);

#endif
