/* SPDX-License-Identifier: ISC */
#ifndef IO_NOW_H
#define IO_NOW_H
/* The machine's clocks, for what runs without a loop (and so without base/sched.h). */
#include <stdint.h>
#include <time.h>

static inline int64_t now_of_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t now_us(void)
{
    return now_of_us(CLOCK_MONOTONIC);
}

static inline int64_t now_wall_us(void)
{
    return now_of_us(CLOCK_REALTIME);
}

#endif
