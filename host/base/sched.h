/* SPDX-License-Identifier: ISC */
#ifndef BASE_SCHED_H
#define BASE_SCHED_H
/*
 * The one view that calls have of time and threads: a clock, timers, posting, and lanes of pool
 * work. The real one is io/loop.h; tests bring a virtual one in which an hour passes in
 * milliseconds and time stands still while a pool job runs.
 *
 * All functions are for the loop thread, except sched_post, sched_now and sched_wall.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct sched;
struct sched_timer;
struct sched_lane;

struct sched_ops {
    int64_t (*now_us)(struct sched *sched);
    int64_t (*wall_us)(struct sched *sched);
    void (*random)(struct sched *sched, void *to, size_t bytes);
    struct sched_timer *(*timer_start)(struct sched *sched, int64_t deadline_us,
                                       void (*fire)(void *data), void *data);
    void (*timer_stop)(struct sched *sched, struct sched_timer *timer);
    int32_t (*post)(struct sched *sched, void (*run)(void *data), void *data);
    struct sched_lane *(*lane_open)(struct sched *sched);
    int32_t (*lane_run)(struct sched *sched, struct sched_lane *lane, void (*work)(void *data),
                        void (*done)(void *data, int32_t status), void *data);
    void (*lane_close)(struct sched *sched, struct sched_lane *lane, void (*closed)(void *data),
                       void *data);
    bool (*is_loop_thread)(struct sched *sched);
    bool (*is_pool_thread)(struct sched *sched);
};

/* Embedded first in an implementation. */
struct sched {
    const struct sched_ops *ops;
};

/* Monotonic microseconds. */
static inline int64_t sched_now(struct sched *sched)
{
    return sched->ops->now_us(sched);
}

/* Microseconds since 1970-01-01 UTC. */
static inline int64_t sched_wall(struct sched *sched)
{
    return sched->ops->wall_us(sched);
}

static inline void sched_random(struct sched *sched, void *to, size_t bytes)
{
    sched->ops->random(sched, to, bytes);
}

/* Fires once at `deadline_us`, or on the next turn if that has passed. NULL when out of memory.
 * The handle is dead once it fired or was stopped. */
static inline struct sched_timer *sched_timer_start(struct sched *sched, int64_t deadline_us,
                                                    void (*fire)(void *data), void *data)
{
    return sched->ops->timer_start(sched, deadline_us, fire, data);
}

/* Accepts NULL. */
static inline void sched_timer_stop(struct sched *sched, struct sched_timer *timer)
{
    sched->ops->timer_stop(sched, timer);
}

/* Runs a function on the loop soon, in order of posting. AIC_ERROR_CLOSED while shutting down:
 * it will not run. From any thread. */
static inline int32_t sched_post(struct sched *sched, void (*run)(void *data), void *data)
{
    return sched->ops->post(sched, run, data);
}

/* See aicaller/pool.h, whose service this is. */
static inline struct sched_lane *sched_lane_open(struct sched *sched)
{
    return sched->ops->lane_open(sched);
}

static inline int32_t sched_lane_run(struct sched *sched, struct sched_lane *lane,
                                     void (*work)(void *data),
                                     void (*done)(void *data, int32_t status), void *data)
{
    return sched->ops->lane_run(sched, lane, work, done, data);
}

static inline void sched_lane_close(struct sched *sched, struct sched_lane *lane,
                                    void (*closed)(void *data), void *data)
{
    sched->ops->lane_close(sched, lane, closed, data);
}

#endif
