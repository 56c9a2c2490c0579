/* SPDX-License-Identifier: ISC */
#include "io/shm.h"

#include "buf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Changes with the layout, so that no process reads another's numbers wrongly. */
#define SHM_MAGIC 0x61696373686d3034u

int shm_create(void)
{
    int fd = memfd_create("aicaller-shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -1;
    }
    struct shm *shm = MAP_FAILED;
    if (ftruncate(fd, (off_t)sizeof(*shm)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        shm = mmap(NULL, sizeof(*shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (shm == MAP_FAILED) {
        (void)close(fd);
        return -1;
    }
    shm->magic = SHM_MAGIC;
    shm->bytes = sizeof(*shm);
    shm_unmap(shm);
    return fd;
}

struct shm *shm_map(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || info.st_size != (off_t)sizeof(struct shm)) {
        return NULL;
    }
    struct shm *shm = mmap(NULL, sizeof(*shm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shm == MAP_FAILED) {
        return NULL;
    }
    if (shm->magic != SHM_MAGIC || shm->bytes != sizeof(*shm)) {
        shm_unmap(shm);
        return NULL;
    }
    return shm;
}

void shm_unmap(struct shm *shm)
{
    if (shm) {
        (void)munmap(shm, sizeof(*shm));
    }
}

int shm_find_free(const struct shm *shm)
{
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (atomic_load(&shm->workers[i].pid) == 0) {
            return i;
        }
    }
    return -1;
}

void shm_take(struct shm *shm, int worker, int64_t pid, int64_t generation)
{
    struct shm_worker *slot = &shm->workers[worker];
    atomic_store(&slot->generation, generation);
    atomic_store(&slot->pid, pid);
}

void shm_release(struct shm *shm, int worker)
{
    struct shm_worker *slot = &shm->workers[worker];
    (void)atomic_fetch_add(&shm->releases, 1);
    for (int i = 0; i < SHM_COUNTERS; i++) {
        /* Reading first keeps pages that nobody counted in untouched. */
        uint64_t counted = atomic_load_explicit(&slot->counters[i], memory_order_relaxed);
        if (counted != 0) {
            atomic_fetch_add(&shm->counters_gone[i], counted);
            atomic_store(&slot->counters[i], 0);
        }
    }
    (void)atomic_fetch_add(&shm->releases, 1);
    for (int i = 0; i < METRICS_GAUGES; i++) {
        atomic_store(&slot->gauges[i], 0);
    }
    atomic_store(&slot->heartbeat, 0);
    atomic_store(&slot->calls, 0);
    atomic_store(&slot->waiting, 0);
    atomic_store(&slot->viewers, 0);
    atomic_store(&slot->lag_us, 0);
    atomic_store(&slot->generation, 0);
    atomic_store(&slot->pid, 0);
}

static void add_up(const struct shm *shm, uint64_t totals[SHM_COUNTERS])
{
    for (int i = 0; i < SHM_COUNTERS; i++) {
        totals[i] = atomic_load(&shm->counters_gone[i]);
    }
    for (int worker = 0; worker < SHM_WORKERS; worker++) {
        const struct shm_worker *slot = &shm->workers[worker];
        for (int i = 0; atomic_load(&slot->pid) != 0 && i < SHM_COUNTERS; i++) {
            totals[i] += atomic_load_explicit(&slot->counters[i], memory_order_acquire);
        }
    }
}

void shm_totals(const struct shm *shm, uint64_t totals[SHM_COUNTERS])
{
    /* Counts that are just on their way to counters_gone would be seen twice. A master that died
     * over it must not hold up those who read. */
    for (int attempt = 0; attempt < 1000; attempt++) {
        uint64_t before = atomic_load(&shm->releases);
        add_up(shm, totals);
        if (before % 2 == 0 && before == atomic_load(&shm->releases)) {
            return;
        }
    }
}

int64_t shm_calls(const struct shm *shm)
{
    int64_t calls = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        calls += atomic_load(&shm->workers[i].pid) ? atomic_load(&shm->workers[i].calls) : 0;
    }
    return calls;
}

int64_t shm_fewest_calls(const struct shm *shm, int64_t generation)
{
    int64_t fewest = INT64_MAX;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *slot = &shm->workers[i];
        /* Without a heartbeat it is just starting: it takes no calls yet. */
        if (atomic_load(&slot->pid) == 0 || atomic_load(&slot->generation) != generation ||
            atomic_load(&slot->heartbeat) == 0) {
            continue;
        }
        int64_t calls = atomic_load(&slot->calls);
        fewest = calls < fewest ? calls : fewest;
    }
    return fewest == INT64_MAX ? 0 : fewest;
}

static uint64_t key_of(const char *name)
{
    uint64_t key = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++) {
        key = (key ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return key ? key : 1;
}

struct shm_provider *shm_provider(struct shm *shm, const char *name)
{
    uint64_t key = key_of(name);
    for (int i = 0; i < SHM_PROVIDERS; i++) {
        struct shm_provider *provider = &shm->providers[i];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&provider->key, &found, key)) {
            (void)aic_str_copy(aic_str(name), provider->name, sizeof(provider->name));
            return provider;
        }
        if (found == key) {
            return provider;
        }
    }
    return NULL;
}
