/* SPDX-License-Identifier: ISC */
#include "io/master_private.h"

#include "base/log.h"

#include "io/sealed.h"
#include "io/spawn.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { HEARTBEAT_EVERY_US = 500000 };

size_t workers_count(const struct master *master, const struct generation *generation)
{
    size_t count = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct worker *worker = &master->workers[i];
        count += worker->pid > 0 && (!generation || worker->generation == generation);
    }
    return count;
}

static int free_slot(const struct master *master)
{
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid == 0) {
            return i;
        }
    }
    return -1;
}

/* The sealed memory that tells a worker what it is; -1 on failure. */
static int write_beginnings(const struct master *master, const struct generation *generation,
                            int slot, int link_fd)
{
    struct master_worker *born = calloc(1, sizeof(*born));
    if (!born) {
        return -1;
    }
    born->worker = slot;
    born->generation = generation->number;
    born->link_fd = link_fd;
    born->shm_fd = master->shm_fd;
    born->listen_count = generation->listeners.count;
    memcpy(born->listen_fds, generation->listeners.fds, sizeof(born->listen_fds));
    born->plugin_count = generation->plugin_count;
    memcpy(born->plugins, generation->plugins, sizeof(born->plugins));
    memcpy(born->spool, master->workers[slot].spool, sizeof(born->spool));
    memcpy(born->state_dir, generation->settings.state_dir, sizeof(born->state_dir));
    struct aic_buf bytes;
    aic_buf_init(&bytes, MASTER_ANSWER_BYTES);
    master_worker_pack(born, generation->config_fd, &bytes);
    int fd = bytes.failed ? -1 : sealed_create("aicaller-worker", aic_buf_view(&bytes));
    aic_buf_finish(&bytes);
    free(born);
    return fd;
}

static pid_t spawn_worker(const struct master *master, const struct generation *generation,
                          int slot, int link_fd)
{
    int fds[MASTER_LISTENERS + MASTER_PLUGINS + 3];
    size_t count = 0;
    fds[count++] = link_fd;
    fds[count++] = master->shm_fd;
    fds[count++] = generation->config_fd;
    for (size_t i = 0; i < generation->listeners.count; i++) {
        fds[count++] = generation->listeners.fds[i];
    }
    for (size_t i = 0; i < generation->plugin_count; i++) {
        fds[count++] = generation->plugins[i].fd;
    }
    int born_fd = write_beginnings(master, generation, slot, link_fd);
    char **argv = master_child_argv(master, MASTER_WORKER_WORD);
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", generation->binary_fd);
    pid_t pid = -1;
    if (born_fd >= 0 && argv) {
        pid = spawn_start(&(struct spawn){.path = path,
                                          .argv = argv,
                                          .fd_name = MASTER_WORKER_FD,
                                          .fd = born_fd,
                                          .fds = fds,
                                          .fd_count = count,
                                          .deaf = true});
    }
    free(argv);
    if (born_fd >= 0) {
        (void)close(born_fd);
    }
    return pid;
}

int32_t worker_start(struct master *master, struct generation *generation)
{
    int line[2];
    int slot = free_slot(master);
    if (slot < 0) {
        return AIC_ERROR_BUSY;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line) != 0) {
        return AIC_ERROR_IO;
    }
    struct worker *worker = &master->workers[slot];
    *worker = (struct worker){.generation = generation, .began_us = master->now_us};
    (void)snprintf(worker->spool, sizeof(worker->spool), "%llx-%lld",
                   (unsigned long long)(master->started_wall_us / 1000),
                   (long long)++master->last_spool);
    if (hub_add_worker(master->hub, slot, line[0]) != AIC_OK) {
        (void)close(line[0]);
        (void)close(line[1]);
        return AIC_ERROR_IO;
    }
    pid_t pid = spawn_worker(master, generation, slot, line[1]);
    (void)close(line[1]);
    if (pid < 0) {
        hub_remove_worker(master->hub, slot);
        return AIC_ERROR_IO;
    }
    worker->pid = pid;
    shm_take(master->shm, slot, pid, generation->number);
    if (master->phase == MASTER_DRAINING) {
        hub_tell(master->hub, slot, FRAME_STOP_NEW_CALLS);
    }
    return AIC_OK;
}

void worker_stop(struct master *master, int slot, int64_t grace_ms)
{
    struct worker *worker = &master->workers[slot];
    int64_t kill_at_us = master->now_us + grace_ms * 1000;
    if (!worker->is_stopping) {
        worker->is_stopping = true;
        hub_set_open(master->hub, slot, false);
        hub_tell(master->hub, slot, FRAME_STOP);
    }
    if (worker->kill_at_us == 0 || kill_at_us < worker->kill_at_us) {
        worker->kill_at_us = kill_at_us;
    }
}

void worker_kill(struct master *master, int slot)
{
    struct worker *worker = &master->workers[slot];
    worker->is_stopping = true;
    worker->kill_at_us = master->now_us + ABORT_GRACE_MS * INT64_C(1000);
    (void)kill(worker->pid, SIGKILL);
}

void worker_ready(struct master *master, int slot)
{
    struct worker *worker = &master->workers[slot];
    if (worker->pid == 0 || worker->is_ready) {
        return;
    }
    struct generation *generation = worker->generation;
    worker->is_ready = true;
    worker->heartbeat = atomic_load(&master->shm->workers[slot].heartbeat);
    worker->silent_us = 0;
    log_debug("master", "worker is ready", LOG_I("worker", slot), LOG_I("pid", worker->pid),
              LOG_I("generation", generation->number),
              LOG_I("after_ms", (master->now_us - worker->began_us) / 1000));
    if (generation->state == GENERATION_CURRENT && !worker->is_stopping) {
        hub_set_open(master->hub, slot, true);
    } else if (generation->state == GENERATION_STARTING) {
        reload_ready(master);
    }
}

void worker_lost(struct master *master, int slot)
{
    struct worker *worker = &master->workers[slot];
    if (worker->kill_at_us == 0) {
        worker->kill_at_us = master->now_us + STOP_GRACE_MS * INT64_C(1000);
    }
}

static int find_pid(const struct master *master, pid_t pid)
{
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid == pid) {
            return i;
        }
    }
    return -1;
}

static void log_end(const struct master *master, int slot, int wait_status, bool by_accident)
{
    const struct worker *worker = &master->workers[slot];
    char how[64];
    if (WIFSIGNALED(wait_status)) {
        (void)snprintf(how, sizeof(how), "signal %d, %s", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
    } else {
        (void)snprintf(how, sizeof(how), "status %d", WEXITSTATUS(wait_status));
    }
    log_at(by_accident ? AIC_LOG_ERROR : AIC_LOG_INFO, "master",
           by_accident ? "a worker died" : "a worker has left", LOG_I("worker", slot),
           LOG_I("pid", worker->pid), LOG_I("generation", worker->generation->number),
           LOG_S("how", how));
}

bool worker_reaped(struct master *master, pid_t pid, int wait_status)
{
    int slot = find_pid(master, pid);
    if (slot < 0) {
        return false;
    }
    struct worker *worker = &master->workers[slot];
    struct generation *generation = worker->generation;
    /* What it said before it ended still counts: a call that it released is not interrupted. */
    hub_drain_worker(master->hub, slot);
    bool is_wanted = generation->state != GENERATION_DRAINING && !worker->is_stopping;
    bool is_clean = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    bool by_accident = is_wanted || (!is_clean && !worker->is_stopping);
    log_end(master, slot, wait_status, by_accident);
    bequest_worker(master, slot);
    worker->pid = 0;
    hub_remove_worker(master->hub, slot);
    shm_release(master->shm, slot);
    *worker = (struct worker){.pid = 0};
    generation_lost_worker(master, generation, is_wanted);
    return true;
}

static void abort_stuck(struct master *master, int slot, const char *why)
{
    struct worker *worker = &master->workers[slot];
    log_error("master", "a worker is stuck and is ended", LOG_I("worker", slot),
              LOG_I("pid", worker->pid), LOG_I("generation", worker->generation->number),
              LOG_S("why", why));
    worker->is_aborted = true;
    worker->kill_at_us = master->now_us + ABORT_GRACE_MS * INT64_C(1000);
    (void)kill(worker->pid, SIGABRT);
}

/* `passed_us` is what this master saw go by: where it was frozen with all others (a paused
 * container, a suspended machine) nobody is to blame. */
static void watch_heartbeat(struct master *master, int slot, int64_t passed_us)
{
    struct worker *worker = &master->workers[slot];
    int64_t limit_ms = worker->generation->settings.heartbeat_limit_ms;
    int64_t limit_us = 1000 * (limit_ms > 0 ? limit_ms : MASTER_HEARTBEAT_LIMIT_MS);
    int64_t heartbeat = atomic_load(&master->shm->workers[slot].heartbeat);
    if (heartbeat != worker->heartbeat) {
        worker->heartbeat = heartbeat;
        worker->silent_us = 0;
    } else {
        worker->silent_us += passed_us;
    }
    if (worker->silent_us >= limit_us) {
        abort_stuck(master, slot, "its heartbeat stands still");
    } else if (hub_blocked_us(master->hub, slot, master->now_us) >= limit_us) {
        abort_stuck(master, slot, "it does not read its line");
    }
}

static void watch_heartbeats(struct master *master)
{
    if (!master_due(master, master->heartbeat_at_us)) {
        return;
    }
    int64_t passed_us = master->now_us - master->heartbeat_was_us;
    if (passed_us > 2 * HEARTBEAT_EVERY_US) {
        passed_us = 2 * HEARTBEAT_EVERY_US;
    }
    master->heartbeat_was_us = master->now_us;
    master->heartbeat_at_us = master->now_us + HEARTBEAT_EVERY_US;
    (void)master_due(master, master->heartbeat_at_us);
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct worker *worker = &master->workers[i];
        if (worker->pid > 0 && worker->is_ready && !worker->is_aborted && !worker->is_stopping) {
            watch_heartbeat(master, i, passed_us);
        }
    }
}

/* One started again for a generation that works; of a new one the generation's deadline counts. */
static void watch_start(struct master *master, int slot)
{
    const struct worker *worker = &master->workers[slot];
    if (worker->is_ready || worker->is_aborted || worker->is_stopping ||
        worker->generation->state == GENERATION_STARTING) {
        return;
    }
    if (master_due(master, worker->began_us + READY_LIMIT_MS * INT64_C(1000))) {
        abort_stuck(master, slot, "it does not get ready");
    }
}

void workers_tick(struct master *master)
{
    watch_heartbeats(master);
    for (int i = 0; i < SHM_WORKERS; i++) {
        struct worker *worker = &master->workers[i];
        if (worker->pid > 0) {
            watch_start(master, i);
        }
        if (worker->pid > 0 && master_due(master, worker->kill_at_us)) {
            worker->kill_at_us = master->now_us + ABORT_GRACE_MS * INT64_C(1000);
            (void)master_due(master, worker->kill_at_us);
            (void)kill(worker->pid, SIGKILL);
        }
    }
}
