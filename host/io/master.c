/* SPDX-License-Identifier: ISC */
#include "io/master_private.h"

#include "base/log.h"

#include "io/board.h"
#include "io/control.h"
#include "io/notify.h"
#include "io/now.h"
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum {
    IDLE_US = 1000000,
    SETTLE_US = 100000, /* for workers to hear that calls are refused */
    EXTEND_US = 5000000,
    STATUS_US = 1000000
};

char **master_child_argv(const struct master *master, const char *word)
{
    const struct master_options *options = master->options;
    size_t count = 0;
    while (options->extra[count]) {
        count++;
    }
    char **argv = calloc(count + 3, sizeof(*argv));
    if (argv) {
        /* Copied, as nobody writes into the words and exec wants them without const. */
        argv[0] = options->argv[0];
        memcpy(&argv[1], &word, sizeof(word));
        memcpy(&argv[2], options->extra, count * sizeof(*argv));
    }
    return argv;
}

static void hub_ready(void *data, int worker)
{
    worker_ready(data, worker);
}

static void hub_lost(void *data, int worker)
{
    worker_lost(data, worker);
}

static bool hub_asked(void *data, const struct hub_request *request)
{
    return admin_request(data, request);
}

static void hub_answered(void *data, uint64_t tag, int32_t status, struct aic_str answer)
{
    (void)answer;
    bequest_answered(data, tag, status);
}

static void reap(struct master *master)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        /* As process 1 of a container it also gets those that nobody knows. */
        (void)(reload_reaped(master, pid, status) || worker_reaped(master, pid, status));
    }
}

void master_end(struct master *master, int exit_status, int64_t grace_ms)
{
    if (master->phase == MASTER_RUNNING) {
        notify_send("STOPPING=1");
    }
    if (master->phase != MASTER_ENDING) {
        master->phase = MASTER_ENDING;
        master->exit_status = exit_status;
    }
    if (master->reload.state != RELOAD_NONE) {
        reload_cancel(master);
    }
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid > 0) {
            worker_stop(master, i, grace_ms);
        }
    }
}

static void drain(struct master *master)
{
    const struct generation *current = generation_current(master);
    if (!current) {
        master_end(master, 0, STOP_GRACE_MS);
        return;
    }
    master->phase = MASTER_DRAINING;
    master->drain_from_us = master->now_us + SETTLE_US;
    master->drain_until_us = master->now_us + current->settings.drain_timeout_ms * 1000;
    master->extend_at_us = master->now_us;
    atomic_store(&master->shm->is_stopping, 1);
    if (master->reload.state != RELOAD_NONE) {
        reload_cancel(master);
    }
    log_info("master", "stopping when the last call has ended; a second TERM stops now",
             LOG_I("calls", shm_calls(master->shm)),
             LOG_I("drain_timeout_ms", current->settings.drain_timeout_ms));
    notify_send("STOPPING=1");
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid > 0) {
            hub_tell(master->hub, i, FRAME_STOP_NEW_CALLS);
        }
    }
}

static void end_drain_if_due(struct master *master)
{
    if (master->phase != MASTER_DRAINING) {
        return;
    }
    if (master_due(master, master->extend_at_us)) {
        notify_send("EXTEND_TIMEOUT_USEC=%d", 4 * EXTEND_US);
        master->extend_at_us = master->now_us + EXTEND_US;
        (void)master_due(master, master->extend_at_us);
    }
    bool is_late = master_due(master, master->drain_until_us);
    bool has_settled = master_due(master, master->drain_from_us);
    bool has_calls = shm_calls(master->shm) > 0 || board_calls(hub_board(master->hub)) > 0 ||
                     bequests_wait(master);
    if (is_late && has_calls) {
        log_warn("master", "drain_timeout has passed; the remaining calls are ended",
                 LOG_I("calls", shm_calls(master->shm)));
    }
    if (is_late || (has_settled && !has_calls)) {
        master_end(master, 0, LEAVE_GRACE_MS);
    } else if (has_settled) {
        /* Calls are counted in shared memory, which wakes nobody. */
        (void)master_due(master, master->now_us + SETTLE_US);
    }
}

static void handle_signal(struct master *master, int number)
{
    if (number == SIGHUP) {
        reload_ask(master, 0);
    } else if (number == SIGUSR2) {
        reload_ask_upgrade(master);
    } else if (number == SIGTERM && master->phase == MASTER_RUNNING) {
        drain(master);
    } else if (number == SIGTERM || number == SIGINT) {
        log_info("master", "stopping now", LOG_I("calls", shm_calls(master->shm)));
        master_end(master, 0, STOP_GRACE_MS);
    } else if (number == SIGCHLD) {
        reap(master);
    }
}

static void read_signals(struct master *master)
{
    struct signalfd_siginfo info;
    while (read(master->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        handle_signal(master, (int)info.ssi_signo);
    }
}

static void tell_status(struct master *master)
{
    if (!master_due(master, master->status_at_us)) {
        return;
    }
    char status[sizeof(master->status)];
    (void)snprintf(status, sizeof(status), "%s, generation %lld, %zu workers, %lld calls",
                   master->phase == MASTER_RUNNING ? "running" : "stopping",
                   (long long)atomic_load(&master->shm->generation), workers_count(master, NULL),
                   (long long)shm_calls(master->shm));
    if (strcmp(status, master->status) != 0 && master->reload.state == RELOAD_NONE) {
        memcpy(master->status, status, sizeof(status));
        notify_send("STATUS=%s", status);
    }
    master->status_at_us = master->now_us + STATUS_US;
    (void)master_due(master, master->status_at_us);
}

static void feed_watchdog(struct master *master)
{
    if (master_due(master, master->watchdog_at_us)) {
        notify_send("WATCHDOG=1");
        master->watchdog_at_us = master->now_us + notify_watchdog_us();
        (void)master_due(master, master->watchdog_at_us);
    }
}

/* Does all that is due; master->next_us tells when it wants to be called again. */
static void tick(struct master *master)
{
    master->now_us = now_us();
    master->next_us = master->now_us + IDLE_US;
    reload_tick(master);
    generations_tick(master);
    workers_tick(master);
    bequests_tick(master);
    (void)master_due(master, hub_tick(master->hub, master->now_us));
    end_drain_if_due(master);
    tell_status(master);
    feed_watchdog(master);
}

static void wait_and_serve(struct master *master)
{
    struct pollfd fds[] = {{.fd = master->signal_fd, .events = POLLIN},
                           {.fd = hub_fd(master->hub), .events = POLLIN},
                           {.fd = master->reload.check.fd, .events = POLLIN}};
    int64_t wait_us = master->next_us - now_us();
    int ready = poll(fds, 3, wait_us > 0 ? (int)((wait_us + 999) / 1000) : 0);
    master->now_us = now_us();
    if (ready <= 0) {
        return;
    }
    if (fds[2].revents && fds[2].fd == master->reload.check.fd) {
        check_read(&master->reload.check);
    }
    if (fds[1].revents) {
        hub_serve(master->hub);
    }
    if (fds[0].revents) {
        read_signals(master);
    }
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    /* One that is ignored would never come, and a parent may have left it so. */
    (void)signal(SIGCHLD, SIG_DFL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* So that no socket ever becomes somebody's standard output. */
static void open_standard_fds(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd < 3);
    if (fd >= 3) {
        (void)close(fd);
    }
}

static int32_t start_fresh(struct master *master)
{
    master->started_wall_us = now_wall_us();
    master->activated.count = (size_t)notify_listen_fds(master->activated.fds, LISTENERS);
    if (master->activated.count > 0) {
        log_info("master", "the service manager listens for us; server.listen and port are unused",
                 LOG_I("sockets", master->activated.count));
    }
    master->shm_fd = shm_create();
    master->shm = master->shm_fd >= 0 ? shm_map(master->shm_fd) : NULL;
    if (!master->shm) {
        return AIC_ERROR_MEMORY;
    }
    atomic_store(&master->shm->started_wall_us, master->started_wall_us);
    reload_begin(master, RELOAD_FIRST);
    return AIC_OK;
}

static int32_t start_upgraded(struct master *master, int state_fd)
{
    int32_t status = upgrade_restore(master, state_fd);
    if (status != AIC_OK) {
        return status;
    }
    const struct master_settings *settings = &generation_current(master)->settings;
    log_setup((enum log_format)settings->log_format, (uint32_t)settings->log_level);
    log_info("master", "the new program has taken over", LOG_S("version", AICALLER_VERSION),
             LOG_I("workers", workers_count(master, NULL)));
    reload_begin(master, RELOAD_UPGRADED);
    reap(master);
    return AIC_OK;
}

static int32_t start(struct master *master)
{
    static const struct hub_handler handler = {
        .ready = hub_ready, .lost = hub_lost, .request = hub_asked, .answered = hub_answered};
    struct hub_handler mine = handler;
    mine.data = master;
    int state_fd = spawn_inherited(MASTER_UPGRADE_FD);
    master->phase = MASTER_RUNNING;
    master->state_dir = (struct state_dir){.fd = -1, .lock_fd = -1};
    master->shm_fd = -1;
    master->now_us = now_us();
    master->heartbeat_at_us = master->now_us;
    master->heartbeat_was_us = master->now_us;
    master->status_at_us = master->now_us;
    master->watchdog_at_us = notify_watchdog_us() > 0 ? master->now_us : 0;
    check_init(&master->reload.check);
    master->signal_fd = open_signals();
    master->hub = hub_create(&mine);
    if (master->signal_fd < 0 || !master->hub) {
        return AIC_ERROR_MEMORY;
    }
    return state_fd >= 0 ? start_upgraded(master, state_fd) : start_fresh(master);
}

static void finish(struct master *master)
{
    check_finish(&master->reload.check);
    if (master->state_dir.fd >= 0) {
        control_unlink(master->state_dir.fd);
    }
    hub_destroy(master->hub);
    bequests_free(master);
    while (master->generations) {
        generation_free(master, master->generations);
    }
    listeners_close(&master->activated);
    shm_unmap(master->shm);
    if (master->shm_fd >= 0) {
        (void)close(master->shm_fd);
    }
    if (master->signal_fd >= 0) {
        (void)close(master->signal_fd);
    }
    state_dir_close(&master->state_dir);
    free(master);
}

int master_run(const struct master_options *options)
{
    open_standard_fds();
    struct master *master = calloc(1, sizeof(*master));
    if (!master) {
        return 1;
    }
    master->options = options;
    int32_t status = start(master);
    if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller: the server could not be started (%d)\n", (int)status);
        finish(master);
        return 1;
    }
    do {
        tick(master);
        wait_and_serve(master);
    } while (master->phase != MASTER_ENDING || workers_count(master, NULL) > 0);
    int exit_status = master->exit_status;
    if (exit_status == 0) {
        log_info("master", "stopped", LOG_I("restarts", master->restarts));
    }
    finish(master);
    return exit_status;
}
