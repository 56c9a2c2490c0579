/* SPDX-License-Identifier: ISC */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H
/*
 * What was dropped or refused, by name: cells of metrics.h from METRICS_LOSSES on, for health.
 */
#include "base/metrics.h"

/* The order is that of counters.c. */
enum counter {
    COUNTER_UNHEARD_BLOCKS = 0, /* of callers' sound that a recogniser did not take */
    COUNTER_UNSAID_MS = 1,      /* of the agent's sound that did not fit */
    COUNTER_LOST_MARKS = 2,     /* that the carrier did not send back */
    COUNTER_NO_ROOM = 3,        /* rings turned away, and dials */
    COUNTER_PER_CALLER = 4,
    COUNTER_VIEWERS_SLOW = 5, /* of live calls, who did not read what they were sent */
    COUNTER_VIEWERS_DENIED = 6,
    COUNTER_VIEWERS_TOO_MANY = 7,
    COUNTER_NEWS_LOST = 8, /* gaps in what workers tell each other of calls */
    COUNTER_REQUESTS = 9,  /* the first of refused requests, by reason */
    COUNTERS = METRICS_LOSS_KINDS
};

void counter_add(enum counter counter, uint64_t amount);
/* A refused request; a reason that has no counter of its own counts as "other". */
void counter_refuse(const char *reason);
/* "sound", "calls", "viewers" or "requests", and its name in there. */
const char *counter_group(enum counter counter);
const char *counter_name(enum counter counter);

#endif
