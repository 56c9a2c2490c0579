/* SPDX-License-Identifier: ISC */
#ifndef IO_POOL_H
#define IO_POOL_H
/*
 * Threads for work that blocks or computes, and the lanes that keep a client's jobs in order; the
 * contract is aicaller/pool.h. Only loop.c uses it: what a job has to say comes back over the
 * loop's queue of posts, so that it stays in order with what the job itself has posted.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct pool;
struct sched_lane;

/* Something that waits for the loop; embedded, so that handing it over can not fail. */
struct pool_post {
    struct pool_post *next;
    void (*run)(struct pool_post *post);
};

/* `deliver` is called from any thread and has to run the post on the loop. */
struct pool *pool_create(int threads, void (*deliver)(void *data, struct pool_post *post),
                         void *data);
/* Every lane is gone before. Joins the threads. Accepts NULL. */
void pool_destroy(struct pool *pool);
/* Lanes that are open or closing. */
size_t pool_lanes(const struct pool *pool);
/* Closes the lanes that nobody closed. */
void pool_close_lanes(struct pool *pool);
/* Whether this is one of its threads. */
bool pool_is_here(const struct pool *pool);

struct sched_lane *pool_lane_open(struct pool *pool);
int32_t pool_lane_run(struct sched_lane *lane, void (*work)(void *data),
                      void (*done)(void *data, int32_t status), void *data);
void pool_lane_close(struct sched_lane *lane, void (*closed)(void *data), void *data);

#endif
