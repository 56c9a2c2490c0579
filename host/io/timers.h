/* SPDX-License-Identifier: ISC */
#ifndef IO_TIMERS_H
#define IO_TIMERS_H
/*
 * The timers of one loop: a heap by deadline, then by order of start. It knows no clock; loop.c
 * drives it in passes. A timer that is started during a pass belongs to a later one, whatever its
 * deadline, so that no timer can keep the others, or the sockets, from their turn.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched_timer;

struct timers {
    struct sched_timer **heap;
    size_t count;
    size_t cap;
    struct sched_timer *spare; /* freed ones, to be used again */
    size_t spare_count;
    uint64_t started;
    int64_t pass_us; /* time of the current or last pass */
    bool in_pass;
};

struct timers_due {
    int64_t deadline_us;
    void (*fire)(void *data);
    void *data;
};

void timers_init(struct timers *timers);
/* Forgets timers that have not fired. */
void timers_finish(struct timers *timers);
/* NULL when out of memory. The handle is dead once the timer was popped or removed. */
struct sched_timer *timers_add(struct timers *timers, int64_t deadline_us, void (*fire)(void *data),
                               void *data);
void timers_remove(struct timers *timers, struct sched_timer *timer);
/* The next deadline; false when there is none. */
bool timers_first(const struct timers *timers, int64_t *deadline_us);
bool timers_is_first(const struct timers *timers, const struct sched_timer *timer);

void timers_begin_pass(struct timers *timers, int64_t now_us);
/* Takes the next timer that was due when the pass began; false when there is none left. */
bool timers_pop_due(struct timers *timers, struct timers_due *due);
void timers_end_pass(struct timers *timers);

#endif
