/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_RING_H
#define SPHINX_RING_H
/* The last sound of a call with its media time, so that an utterance can begin in the past. */
#include <aicaller/audio.h>
#include <stdbool.h>

struct sphinx_ring {
    struct aic_format format;
    uint8_t *sound;
    size_t capacity;
    size_t next; /* where the next byte goes */
    size_t filled;
    int64_t end_us; /* media time of the end of the last block */
};

/* Keeps `us` of sound of an uncompressed format. False out of memory. */
bool sphinx_ring_init(struct sphinx_ring *ring, struct aic_format format, int64_t us);
void sphinx_ring_finish(struct sphinx_ring *ring);
/* A block that begins at `time_us`, or behind the last one where that is -1. */
void sphinx_ring_push(struct sphinx_ring *ring, const uint8_t *sound, size_t bytes,
                      int64_t time_us);
/* Bytes since media time `from_us`, as far back as they go; whole samples. */
size_t sphinx_ring_since(const struct sphinx_ring *ring, int64_t from_us);
/* Copies the last `bytes`, at most what is there. */
void sphinx_ring_copy(const struct sphinx_ring *ring, size_t bytes, uint8_t *to);
int64_t sphinx_ring_duration_us(const struct sphinx_ring *ring, size_t bytes);
size_t sphinx_ring_bytes(const struct sphinx_ring *ring, int64_t us);

#endif
