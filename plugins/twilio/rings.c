/* SPDX-License-Identifier: ISC */
#include "rings.h"

#include <stdlib.h>

/* How many are remembered: a day at one call in twenty seconds, an hour at one a second. */
enum { RINGS = 4096 };

static const int64_t again_us = INT64_C(60000000);
static const int64_t forget_us = 24 * INT64_C(3600000000);

struct twilio_ring {
    char call_sid[TWILIO_RING_SID_BYTES];
    int64_t at_us;
    bool is_closed;
    char *answer;
};

static struct twilio_ring *find(const struct twilio_rings *rings, struct aic_str call_sid)
{
    for (size_t i = 0; rings->list && i < RINGS; i++) {
        if (aic_str_equal(call_sid, rings->list[i].call_sid)) {
            return &rings->list[i];
        }
    }
    return NULL;
}

static void forget_answers(struct twilio_rings *rings, int64_t now_us)
{
    for (size_t i = 0; i < RINGS; i++) {
        struct twilio_ring *ring = &rings->list[i];
        if (ring->answer && now_us - ring->at_us > again_us) {
            free(ring->answer);
            ring->answer = NULL;
        }
    }
}

enum twilio_rung twilio_rings_note(struct twilio_rings *rings, struct aic_str call_sid,
                                   int64_t now_us, const char **answer)
{
    *answer = NULL;
    if (!rings->list) {
        rings->list = calloc(RINGS, sizeof(*rings->list));
    }
    struct twilio_ring *ring = find(rings, call_sid);
    if (ring && now_us - ring->at_us <= forget_us) {
        if (ring->is_closed || now_us - ring->at_us > again_us) {
            return TWILIO_RINGS_REPLAYED;
        }
        *answer = ring->answer;
        return TWILIO_RINGS_AGAIN;
    }
    if (!rings->list) {
        return TWILIO_RINGS_FIRST;
    }
    forget_answers(rings, now_us);
    ring = ring ? ring : &rings->list[rings->next++ % RINGS];
    free(ring->answer);
    ring->answer = NULL;
    ring->at_us = now_us;
    ring->is_closed = false;
    (void)aic_str_copy(call_sid, ring->call_sid, sizeof(ring->call_sid));
    return TWILIO_RINGS_FIRST;
}

void twilio_rings_answer(struct twilio_rings *rings, struct aic_str call_sid, struct aic_str answer)
{
    struct twilio_ring *ring = find(rings, call_sid);
    if (ring) {
        free(ring->answer);
        ring->answer = aic_str_dup(answer);
    }
}

void twilio_rings_close(struct twilio_rings *rings, struct aic_str call_sid)
{
    struct twilio_ring *ring = find(rings, call_sid);
    if (ring) {
        ring->is_closed = true;
    }
}

void twilio_rings_finish(struct twilio_rings *rings)
{
    for (size_t i = 0; rings->list && i < RINGS; i++) {
        free(rings->list[i].answer);
    }
    free(rings->list);
    rings->list = NULL;
}
