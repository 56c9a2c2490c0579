/* SPDX-License-Identifier: ISC */
#ifndef LOAD_PUMP_H
#define LOAD_PUMP_H
/*
 * The loop of the load generator: descriptors and timers on one thread. Timers are exact to some
 * microseconds, which the loop under test does not need to be: the measuring program must not be
 * what is measured.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pump_timer {
    int64_t at_us;
    size_t place; /* in the heap, from 1; 0 = not set */
    void (*fire)(void *data);
    void *data;
};

struct pump_watch {
    int fd;
    void (*ready)(void *data, uint32_t events); /* EPOLLIN ... */
    void *data;
};

struct pump {
    int epoll_fd;
    struct pump_timer **heap; /* soonest first */
    size_t count;
    size_t capacity;
    bool is_over;
    void (*fired_late)(void *data, int64_t late_us); /* of every timer */
    void *late_data;
};

int64_t pump_now_us(void);

void pump_init(struct pump *pump);
void pump_finish(struct pump *pump);
/* Until is_over is set. */
void pump_run(struct pump *pump);

/* Sets a timer, or sets it anew. */
void pump_set(struct pump *pump, struct pump_timer *timer, int64_t at_us);
void pump_stop(struct pump *pump, struct pump_timer *timer);

void pump_add(struct pump *pump, struct pump_watch *watch, uint32_t events);
void pump_change(struct pump *pump, struct pump_watch *watch, uint32_t events);
void pump_remove(struct pump *pump, struct pump_watch *watch);

/* Ends the process: a measuring program that has trouble measures nothing. */
_Noreturn void pump_die(const char *what);

#endif
