/* SPDX-License-Identifier: ISC */
#ifndef IO_SHM_H
#define IO_SHM_H
/*
 * The page of memory that master and workers share: one slot per worker with its heartbeat and
 * numbers, and a few fixed words per provider. Only atomics; a dead worker leaves nothing locked.
 */
#include <aicaller/abi.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    SHM_WORKERS = 128,   /* of all generations together */
    SHM_PROVIDERS = 64,
    SHM_COUNTERS = 4096, /* per worker; base/metrics.h says which is which */
    SHM_NAME = 40
};

struct shm_worker {
    _Atomic int64_t pid; /* 0 = free */
    _Atomic int64_t generation;
    _Atomic int64_t heartbeat; /* rises while the loop turns */
    _Atomic int64_t calls;     /* live ones */
    _Atomic int64_t viewers;
    _Atomic int64_t lag_us; /* worst delay of the loop lately */
    _Atomic uint64_t counters[SHM_COUNTERS];
};

/* A provider's circuit breaker, seen by all workers. Found by name; a slot is never given back. */
struct shm_provider {
    _Atomic uint32_t claimed;
    char name[SHM_NAME];
    _Atomic uint32_t state; /* plugin/breaker.h */
    _Atomic int64_t retry_wall_us;
    _Atomic int64_t failures;
    _Atomic int64_t probe_owner; /* pid of the worker that probes; 0 */
};

struct shm {
    uint32_t magic;
    uint32_t bytes;
    _Atomic int64_t started_wall_us;
    _Atomic int64_t generation; /* the newest that is ready */
    struct shm_worker workers[SHM_WORKERS];
    struct shm_provider providers[SHM_PROVIDERS];
};

/* Makes the segment as a memfd that children inherit; returns its descriptor, or -1. */
int shm_create(void);
/* Maps it; NULL when it is not ours. */
struct shm *shm_map(int fd);
void shm_unmap(struct shm *shm);
/* The slot of a provider's name, claimed if new; NULL when all are taken. */
struct shm_provider *shm_provider(struct shm *shm, const char *name);

#endif
