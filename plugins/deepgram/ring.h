/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_RING_H
#define DEEPGRAM_RING_H
/*
 * The latest sound of a session, by its place in all of it: what must be heard again on a new
 * connection. Full, it forgets the oldest. Pure.
 */
#include <aicaller/abi.h>

struct deepgram_ring {
    uint8_t *data;
    size_t capacity;
    int64_t begin; /* the oldest byte that is kept */
    int64_t end;   /* of all that was pushed */
};

/* AIC_ERROR_MEMORY. */
int32_t deepgram_ring_init(struct deepgram_ring *ring, size_t capacity);
void deepgram_ring_finish(struct deepgram_ring *ring);
void deepgram_ring_push(struct deepgram_ring *ring, const uint8_t *bytes, size_t count);
/* Forgets what lies before a place. */
void deepgram_ring_forget(struct deepgram_ring *ring, int64_t before);
/* Bytes from a place on, as many as lie together, at most `max`; empty at the end. The place is not
 * before `begin`. */
struct aic_str deepgram_ring_view(const struct deepgram_ring *ring, int64_t from, size_t max);

#endif
