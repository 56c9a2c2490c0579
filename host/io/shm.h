/* SPDX-License-Identifier: ISC */
#ifndef IO_SHM_H
#define IO_SHM_H
/*
 * The memory that master and workers share: one slot per worker with its heartbeat and numbers, and
 * a few fixed words per provider. Only atomics; a dead worker leaves nothing locked. Slots are
 * given and taken by the master alone.
 */
#include "base/metrics.h"

#include <aicaller/abi.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    SHM_WORKERS = 128, /* of all generations together */
    SHM_PROVIDERS = 64,
    SHM_COUNTERS = METRICS_CELLS, /* per worker; base/metrics.h says which is which */
    SHM_NAME = 40
};

struct shm_worker {
    _Atomic int64_t pid; /* 0 = free */
    _Atomic int64_t generation;
    _Atomic int64_t heartbeat; /* rises twice a second or more while the loop turns */
    _Atomic int64_t calls;     /* live ones */
    _Atomic int64_t waiting;   /* calls that have no sound yet */
    _Atomic int64_t viewers;
    _Atomic int64_t lag_us; /* worst delay of the loop lately */
    _Atomic int64_t gauges[METRICS_GAUGES];
    _Atomic uint64_t counters[SHM_COUNTERS];
};

/* A provider's circuit breaker, seen by all workers. Found by name; a slot is never given back. */
struct shm_provider {
    _Atomic uint64_t key;   /* a hash of the name; 0 = free */
    char name[SHM_NAME];    /* for people */
    _Atomic uint32_t state; /* plugin/breaker.h */
    _Atomic int64_t retry_wall_us;
    _Atomic int64_t failures;
    _Atomic int64_t probe_owner; /* pid of the worker that probes; 0 */
};

struct shm {
    uint64_t magic;
    uint64_t bytes;
    _Atomic int64_t started_wall_us;
    _Atomic int64_t generation;  /* the newest that is ready */
    _Atomic int64_t is_stopping; /* 1 after TERM: health answers "draining" */
    _Atomic uint64_t releases;   /* odd while counts move to counters_gone */
    /* What workers that are gone had counted: a total is this and the workers' together. */
    _Atomic uint64_t counters_gone[SHM_COUNTERS];
    struct shm_worker workers[SHM_WORKERS];
    struct shm_provider providers[SHM_PROVIDERS];
    struct metrics_name counted[METRICS_PROVIDERS]; /* whom counters tell apart */
};

/* Makes the memory as a memfd that children inherit; returns its descriptor, or -1. */
int shm_create(void);
/* Maps it; NULL when it is not ours. */
struct shm *shm_map(int fd);
void shm_unmap(struct shm *shm);

/* A free slot for a worker of `generation`; -1 when all are taken. It counts as taken once its pid
 * is set. */
int shm_find_free(const struct shm *shm);
void shm_take(struct shm *shm, int worker, int64_t pid, int64_t generation);
/* Frees a slot, keeping its counters in counters_gone. */
void shm_release(struct shm *shm, int worker);
/* What all workers that there ever were have counted; it never falls. */
void shm_totals(const struct shm *shm, uint64_t totals[SHM_COUNTERS]);
/* Calls of all workers together. */
int64_t shm_calls(const struct shm *shm);
/* The fewest calls that a live worker of `generation` has; 0 when it has none. */
int64_t shm_fewest_calls(const struct shm *shm, int64_t generation);

/* The slot of a provider's name, claimed if new; NULL when all are taken. */
struct shm_provider *shm_provider(struct shm *shm, const char *name);

#endif
