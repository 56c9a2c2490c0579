/* SPDX-License-Identifier: ISC */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

int32_t deepgram_ring_init(struct deepgram_ring *ring, size_t capacity)
{
    *ring = (struct deepgram_ring){.data = malloc(capacity), .capacity = capacity};
    return ring->data ? AIC_OK : AIC_ERROR_MEMORY;
}

void deepgram_ring_finish(struct deepgram_ring *ring)
{
    free(ring->data);
    ring->data = NULL;
}

void deepgram_ring_push(struct deepgram_ring *ring, const uint8_t *bytes, size_t count)
{
    if (count > ring->capacity) {
        size_t skipped = count - ring->capacity;
        ring->end += (int64_t)skipped;
        bytes += skipped;
        count -= skipped;
    }
    size_t at = (size_t)(ring->end % (int64_t)ring->capacity);
    size_t first = ring->capacity - at < count ? ring->capacity - at : count;
    memcpy(ring->data + at, bytes, first);
    memcpy(ring->data, bytes + first, count - first);
    ring->end += (int64_t)count;
    deepgram_ring_forget(ring, ring->end - (int64_t)ring->capacity);
}

void deepgram_ring_forget(struct deepgram_ring *ring, int64_t before)
{
    if (before > ring->end) {
        before = ring->end;
    }
    if (before > ring->begin) {
        ring->begin = before;
    }
}

struct aic_str deepgram_ring_view(const struct deepgram_ring *ring, int64_t from, size_t max)
{
    size_t at = (size_t)(from % (int64_t)ring->capacity);
    size_t count = from < ring->end ? (size_t)(ring->end - from) : 0;
    count = count < max ? count : max;
    count = count < ring->capacity - at ? count : ring->capacity - at;
    return (struct aic_str){(const char *)ring->data + at, count};
}
