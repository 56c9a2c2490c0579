/* SPDX-License-Identifier: ISC */
#include "cli/app_metrics.h"

#include "base/log.h"
#include "base/metrics.h"
#include "cli/app.h"
#include "io/master.h"
#include "io/shm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void map_own(struct app *app)
{
    int fd = shm_create();
    app->shm = fd >= 0 ? shm_map(fd) : NULL;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (app->shm) {
        shm_take(app->shm, 0, getpid(), 1);
        atomic_store(&app->shm->started_wall_us, sched_wall(app->sched));
        app->slot = &app->shm->workers[0];
    }
}

void app_metrics_start(struct app *app)
{
    const struct master_worker *worker = app->options.worker;
    if (worker) {
        app->shm = shm_map(worker->shm_fd);
        app->slot = app->shm ? &app->shm->workers[worker->worker] : NULL;
    } else if (app->options.has_server) {
        map_own(app);
    }
    if (app->slot) {
        metrics_use(app->slot->counters, app->shm->counted);
    }
}

/* Adds what a total has grown by. */
static void follow(uint32_t cell, uint64_t *seen, uint64_t now)
{
    if (now > *seen) {
        metrics_count(cell, now - *seen);
        *seen = now;
    }
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static int64_t resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        (void)!fgets(line, sizeof(line), file);
        (void)fclose(file);
    }
    /* The first number is the address space. */
    const char *resident = strchr(line, ' ');
    return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void sample_spool(struct app *app)
{
    struct spool_status spool;
    spool_status(app->spool, &spool);
    _Atomic int64_t *gauges = app->slot->gauges;
    atomic_store(&gauges[METRICS_SPOOL_FACTS], (int64_t)spool.waiting);
    atomic_store(&gauges[METRICS_SPOOL_MEMORY_BYTES], (int64_t)spool.in_memory);
    atomic_store(&gauges[METRICS_SPOOL_DISK_BAD], spool.disk_is_bad);
    atomic_store(&gauges[METRICS_STORAGE_DOWN_SINCE_US], spool.storage_down_us);
    follow(METRICS_SPOOL_MOVED, &app->seen.moved, spool.moved);
    follow(METRICS_SPOOL_DROPPED, &app->seen.dropped, spool.dropped);
    follow(METRICS_SPOOL_DROPPED + 1, &app->seen.rejected, spool.rejected);
}

void app_metrics_sample(struct app *app)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        follow(METRICS_CPU, &app->seen.user_us, microseconds(usage.ru_utime));
        follow(METRICS_CPU + 1, &app->seen.system_us, microseconds(usage.ru_stime));
    }
    atomic_store(&app->slot->gauges[METRICS_RESIDENT_BYTES], resident_bytes());
    follow(METRICS_LOG_DROPPED, &app->seen.log_lines, log_dropped());
    follow(METRICS_LINK_DROPPED, &app->seen.link_messages, link_dropped(app->link));
    if (app->spool) {
        sample_spool(app);
    }
}

void app_metrics_stop(struct app *app)
{
    metrics_use(NULL, NULL);
    shm_unmap(app->shm);
}
