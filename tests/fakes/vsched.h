/* SPDX-License-Identifier: ISC */
#ifndef FAKES_VSCHED_H
#define FAKES_VSCHED_H
/*
 * Virtual time: implements base/sched.h without threads. The clock jumps from one timer to the
 * next; pool jobs run in between while it stands still. Wall time starts at 2026-01-05 10:00 UTC, a
 * Monday; random bytes come from a seed.
 */
#include "base/sched.h"

struct vsched;

struct vsched *vsched_create(uint64_t seed);
/* Fails the test when timers or lanes were left behind. */
void vsched_destroy(struct vsched *v);
struct sched *vsched_sched(struct vsched *v);
/* Runs everything that is due within the next `us` of virtual time. */
void vsched_run(struct vsched *v, int64_t us);
/* Runs until `done(data)` or `us` have passed; returns whether it became true. */
bool vsched_run_until(struct vsched *v, int64_t us, bool (*done)(void *data), void *data);
/* Lets pool jobs take this much virtual time instead of none. */
void vsched_set_pool_cost(struct vsched *v, int64_t us);
/* Lets time pass without running anything, as a loop that is kept busy does. */
void vsched_stall(struct vsched *v, int64_t us);
/* Moves wall time alone, as an administrator does. */
void vsched_shift_wall(struct vsched *v, int64_t us);
size_t vsched_timers(const struct vsched *v);

#endif
