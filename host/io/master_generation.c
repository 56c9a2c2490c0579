/* SPDX-License-Identifier: ISC */
#include "io/master_private.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>

static int64_t in_ms(const struct master *master, int64_t ms)
{
    return master->now_us + ms * 1000;
}

struct generation *generation_current(const struct master *master)
{
    struct generation *generation = master->generations;
    while (generation && generation->state != GENERATION_CURRENT) {
        generation = generation->next;
    }
    return generation;
}

/* The sockets of the current generation if they are what is asked for; else new ones. */
static int32_t open_listeners(const struct master *master, struct generation *generation,
                              char why[LISTENER_WHY])
{
    const struct generation *current = generation_current(master);
    const struct master_settings *settings = &generation->settings;
    const struct listeners *same = NULL;
    if (master->activated.count > 0) {
        same = &master->activated;
    } else if (current && current->settings.port == settings->port &&
               strcmp(current->settings.listen, settings->listen) == 0) {
        same = &current->listeners;
    }
    if (!same) {
        return listeners_open(&generation->listeners, settings->listen, settings->port, why);
    }
    int32_t status = listeners_copy(&generation->listeners, same);
    if (status != AIC_OK) {
        (void)snprintf(why, LISTENER_WHY, "no file descriptors are left (see \"ulimit -n\")");
    }
    return status;
}

static int64_t wanted_workers(const struct master *master, const struct master_settings *settings)
{
    int64_t workers = master->options->workers >= 0 ? master->options->workers : settings->workers;
    if (workers == 0) {
        workers = sysconf(_SC_NPROCESSORS_ONLN);
    }
    if (workers < 1) {
        return 1;
    }
    return workers < MASTER_WORKERS ? workers : MASTER_WORKERS;
}

struct generation *generation_create(struct master *master, struct master_check *check,
                                     char why[LISTENER_WHY])
{
    struct generation *generation = calloc(1, sizeof(*generation));
    if (!generation) {
        (void)snprintf(why, LISTENER_WHY, "no memory is left");
        return NULL;
    }
    generation->state = GENERATION_STARTING;
    generation->settings = check->settings;
    generation->settings.workers = wanted_workers(master, &check->settings);
    if (open_listeners(master, generation, why) != AIC_OK) {
        free(generation);
        return NULL;
    }
    generation->binary_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (generation->binary_fd < 0) {
        (void)snprintf(why, LISTENER_WHY, "the program can not be opened: %s", strerror(errno));
        listeners_close(&generation->listeners);
        free(generation);
        return NULL;
    }
    generation->number = ++master->last_generation;
    generation->config_fd = check->config_fd;
    generation->plugin_count = check->plugin_count;
    memcpy(generation->plugins, check->plugins, sizeof(generation->plugins));
    check->config_fd = -1;
    check->plugin_count = 0;
    generation->next = master->generations;
    master->generations = generation;
    return generation;
}

void generation_free(struct master *master, struct generation *generation)
{
    struct generation **at = &master->generations;
    while (*at && *at != generation) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = generation->next;
    }
    listeners_close(&generation->listeners);
    (void)close(generation->binary_fd);
    (void)close(generation->config_fd);
    for (size_t i = 0; i < generation->plugin_count; i++) {
        (void)close(generation->plugins[i].fd);
    }
    free(generation);
}

int32_t generation_start(struct master *master, struct generation *generation)
{
    generation->began_us = master->now_us;
    generation->deadline_us = in_ms(master, READY_LIMIT_MS);
    for (int64_t i = 0; i < generation->settings.workers; i++) {
        int32_t status = worker_start(master, generation);
        if (status != AIC_OK) {
            return status;
        }
    }
    return AIC_OK;
}

/* Frees a generation without workers that nobody wants any more. */
static void free_if_done(struct master *master, struct generation *generation)
{
    if (generation->state == GENERATION_DRAINING && workers_count(master, generation) == 0) {
        log_info("master", "a generation has left", LOG_I("generation", generation->number));
        generation_free(master, generation);
    }
}

static void for_workers(struct master *master, const struct generation *generation,
                        void (*act)(struct master *master, int worker))
{
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid > 0 && master->workers[i].generation == generation) {
            act(master, i);
        }
    }
}

void generation_abandon(struct master *master, struct generation *generation)
{
    generation->state = GENERATION_DRAINING;
    generation->deadline_us = 0;
    for_workers(master, generation, worker_kill);
    free_if_done(master, generation);
}

static void open_worker(struct master *master, int worker)
{
    hub_set_open(master->hub, worker, true);
}

static void drain_worker(struct master *master, int worker)
{
    hub_set_open(master->hub, worker, false);
    hub_tell(master->hub, worker, FRAME_DRAIN);
}

void generation_promote(struct master *master, struct generation *generation)
{
    struct generation *before = generation_current(master);
    generation->state = GENERATION_CURRENT;
    generation->deadline_us = 0;
    for_workers(master, generation, open_worker);
    atomic_store(&master->shm->generation, generation->number);
    log_setup((enum log_format)generation->settings.log_format,
              (uint32_t)generation->settings.log_level);
    if (before) {
        before->state = GENERATION_DRAINING;
        before->restart_at_us = 0;
        before->deadline_us = in_ms(master, before->settings.drain_timeout_ms);
        for_workers(master, before, drain_worker);
        /* New connections go to the new generation alone; where the address has changed, nobody
         * listens on the old one. */
        listeners_close(&before->listeners);
        free_if_done(master, before);
    }
}

static void plan_restart(struct master *master, struct generation *generation)
{
    int64_t pause_ms = restart_limit_death(&generation->restarts, master->now_us);
    int64_t at_us = in_ms(master, pause_ms);
    if (generation->restart_at_us < at_us) {
        generation->restart_at_us = at_us;
    }
    if (pause_ms > 0) {
        log_error("master", "workers die one after the other; the next one starts after a pause",
                  LOG_I("generation", generation->number), LOG_I("pause_ms", pause_ms));
    }
}

void generation_lost_worker(struct master *master, struct generation *generation, bool by_accident)
{
    if (by_accident && generation->state == GENERATION_STARTING) {
        reload_fail(master, AIC_ERROR_IO,
                    "a worker of the new generation ended before it was ready",
                    (struct aic_str){NULL, 0});
        return; /* which frees the generation */
    }
    if (by_accident && generation->state == GENERATION_CURRENT && master->phase != MASTER_ENDING) {
        plan_restart(master, generation);
    }
    free_if_done(master, generation);
}

/* Starts what is missing of the current generation. */
static void refill(struct master *master, struct generation *generation)
{
    generation->restart_at_us = 0;
    while ((int64_t)workers_count(master, generation) < generation->settings.workers) {
        int32_t status = worker_start(master, generation);
        if (status != AIC_OK) {
            log_error("master", "a worker could not be started; the next try is in a second",
                      LOG_I("generation", generation->number), LOG_I("status", status));
            generation->restart_at_us = in_ms(master, 1000);
            (void)master_due(master, generation->restart_at_us);
            return;
        }
        master->restarts++;
    }
}

static void end_worker(struct master *master, int worker)
{
    worker_stop(master, worker, LEAVE_GRACE_MS);
}

void generations_tick(struct master *master)
{
    struct generation *next;
    for (struct generation *generation = master->generations; generation; generation = next) {
        next = generation->next;
        if (generation->state == GENERATION_CURRENT && master->phase != MASTER_ENDING &&
            master_due(master, generation->restart_at_us)) {
            refill(master, generation);
        }
        if (generation->state == GENERATION_DRAINING &&
            master_due(master, generation->deadline_us)) {
            log_warn("master", "drain_timeout has passed; a generation is stopped with its calls",
                     LOG_I("generation", generation->number));
            generation->deadline_us = 0;
            for_workers(master, generation, end_worker);
        }
    }
}
