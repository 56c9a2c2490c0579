/* SPDX-License-Identifier: ISC */
#ifndef IO_LOOP_H
#define IO_LOOP_H
/*
 * A thread's event loop: libuv's, with curl on it. Implements base/sched.h with one heap of timers,
 * and owns the pool of speech threads.
 */
#include "base/sched.h"

#include <stdbool.h>

struct loop;
struct uv_loop_s;

struct loop_options {
    int pool_threads; /* 0 = one per core */
};

/* NULL options are the defaults; NULL on failure. Broken pipes do not end the process afterwards.
 */
struct loop *loop_create(const struct loop_options *options);
/* Everything that lives on it is closed before. Lanes that are open are closed and waited for, what
 * was posted is run, timers are forgotten; runs it until empty, then frees it. Accepts NULL. */
void loop_destroy(struct loop *loop);
/* Runs until loop_stop, on the calling thread, which is the loop's thread from then on. */
void loop_run(struct loop *loop);
/* Makes loop_run return soon. From any thread, not from signal handlers. */
void loop_stop(struct loop *loop);

struct sched *loop_sched(struct loop *loop);
/* For the files of io/ only. */
struct uv_loop_s *loop_uv(struct loop *loop);

/* Watches a descriptor for reading; NULL on failure. The descriptor becomes non-blocking. An error
 * or end-of-file counts as readable. */
struct loop_watch;
struct loop_watch *loop_watch_start(struct loop *loop, int fd, void (*readable)(void *data),
                                    void *data);
/* Stops watching; the descriptor stays open and may be closed at once. Accepts NULL. */
void loop_watch_stop(struct loop_watch *watch);

/* Delivers a signal on the loop. */
struct loop_signal;
struct loop_signal *loop_signal_start(struct loop *loop, int number,
                                      void (*caught)(void *data, int number), void *data);
void loop_signal_stop(struct loop_signal *watch);

/* Worst delay of a timer since the last call, in microseconds: how busy the loop is. */
int64_t loop_lag_us(struct loop *loop);

#endif
