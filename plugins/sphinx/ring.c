/* SPDX-License-Identifier: ISC */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

static size_t sample_bytes(const struct sphinx_ring *ring)
{
    return ring->format.codec == AIC_CODEC_PCM_S16LE ? 2 : 1;
}

int64_t sphinx_ring_duration_us(const struct sphinx_ring *ring, size_t bytes)
{
    return (int64_t)(bytes / sample_bytes(ring)) * 1000000 / (int64_t)ring->format.rate_hz;
}

size_t sphinx_ring_bytes(const struct sphinx_ring *ring, int64_t us)
{
    return us <= 0 ? 0
                   : (size_t)(us * (int64_t)ring->format.rate_hz / 1000000) * sample_bytes(ring);
}

bool sphinx_ring_init(struct sphinx_ring *ring, struct aic_format format, int64_t us)
{
    *ring = (struct sphinx_ring){.format = format};
    ring->capacity = sphinx_ring_bytes(ring, us);
    ring->sound = malloc(ring->capacity > 0 ? ring->capacity : 1);
    return ring->sound != NULL;
}

void sphinx_ring_finish(struct sphinx_ring *ring)
{
    free(ring->sound);
    ring->sound = NULL;
}

void sphinx_ring_push(struct sphinx_ring *ring, const uint8_t *sound, size_t bytes, int64_t time_us)
{
    int64_t begin_us = time_us >= 0 ? time_us : ring->end_us;
    ring->end_us = begin_us + sphinx_ring_duration_us(ring, bytes);
    if (bytes > ring->capacity) {
        sound += bytes - ring->capacity;
        bytes = ring->capacity;
    }
    size_t first = ring->capacity - ring->next < bytes ? ring->capacity - ring->next : bytes;
    memcpy(ring->sound + ring->next, sound, first);
    memcpy(ring->sound, sound + first, bytes - first);
    ring->next = (ring->next + bytes) % ring->capacity;
    ring->filled = ring->filled + bytes < ring->capacity ? ring->filled + bytes : ring->capacity;
}

size_t sphinx_ring_since(const struct sphinx_ring *ring, int64_t from_us)
{
    int64_t back_us = ring->end_us - from_us;
    int64_t all_us = sphinx_ring_duration_us(ring, ring->filled);
    return sphinx_ring_bytes(ring, back_us < all_us ? back_us : all_us);
}

void sphinx_ring_copy(const struct sphinx_ring *ring, size_t bytes, uint8_t *to)
{
    bytes = bytes < ring->filled ? bytes : ring->filled;
    size_t begin = (ring->next + ring->capacity - bytes) % ring->capacity;
    size_t first = ring->capacity - begin < bytes ? ring->capacity - begin : bytes;
    memcpy(to, ring->sound + begin, first);
    memcpy(to + first, ring->sound, bytes - first);
}
