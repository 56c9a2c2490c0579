/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_RINGS_H
#define TWILIO_RINGS_H
/*
 * Which calls have rung. Twilio's signatures carry no time: a request that somebody has recorded
 * stays good for ever. So a call rings once. What comes again within a minute, and before the call
 * has begun to talk or is over, is Twilio asking again and gets the same answer, with the same
 * token in it; later it is a replay. No I/O, no clock.
 */
#include "buf.h"

enum { TWILIO_RING_SID_BYTES = 65 };

struct twilio_rings {
    struct twilio_ring *list; /* a circle; NULL before the first */
    size_t next;
};

enum twilio_rung { TWILIO_RINGS_FIRST, TWILIO_RINGS_AGAIN, TWILIO_RINGS_REPLAYED };

/* Notes that a call rings. With AGAIN *answer is what it was told, NULL if it has not been told. */
enum twilio_rung twilio_rings_note(struct twilio_rings *rings, struct aic_str call_sid,
                                   int64_t now_us, const char **answer);
/* What a call that rings is told. Copied. */
void twilio_rings_answer(struct twilio_rings *rings, struct aic_str call_sid,
                         struct aic_str answer);
/* A call talks, or is over: it does not ring any more. */
void twilio_rings_close(struct twilio_rings *rings, struct aic_str call_sid);
void twilio_rings_finish(struct twilio_rings *rings);

#endif
