/* SPDX-License-Identifier: ISC */
#ifndef IO_MASTER_PRIVATE_H
#define IO_MASTER_PRIVATE_H
/*
 * What the files of the master share. It is one thread with one loop (master.c); every part has a
 * function called on each turn, which does what is due and notes with master_due when it wants to
 * be called again.
 */
#include "io/hub.h"
#include "io/listener.h"
#include "io/master_check.h"
#include "io/restart_limit.h"
#include "io/state_dir.h"

_Static_assert((int)MASTER_LISTENERS == (int)LISTENERS, "one limit, told twice");

enum {
    READY_LIMIT_MS = 15000, /* a generation must be ready by then */
    STOP_GRACE_MS = 5000,   /* between FRAME_STOP and SIGKILL, when told to stop now */
    LEAVE_GRACE_MS = 15000, /* the same after a drain: for last words, and spools to be emptied */
    ABORT_GRACE_MS = 2000,  /* between SIGABRT and SIGKILL */
    RELOAD_TICKETS = 8
};

enum generation_state { GENERATION_STARTING = 1, GENERATION_CURRENT = 2, GENERATION_DRAINING = 3 };

/* What one reading of the configuration led to. It lives as long as one worker of it. */
struct generation {
    struct generation *next;
    int64_t number;
    enum generation_state state;
    struct master_settings settings;
    int binary_fd; /* the program; a worker started again is the same, whatever lies there now */
    int config_fd;
    struct master_plugin plugins[MASTER_PLUGINS];
    size_t plugin_count;
    struct listeners listeners;
    int64_t began_us;
    int64_t deadline_us; /* ready by then; draining: gone by then */
    struct restart_limit restarts;
    int64_t restart_at_us; /* 0 = none is missing */
};

struct worker {
    pid_t pid; /* 0 = a free slot */
    struct generation *generation;
    bool is_ready;
    bool is_stopping; /* told to, so that its end is no accident */
    bool is_aborted;  /* it was stuck */
    int64_t began_us;
    int64_t kill_at_us; /* 0 = not */
    int64_t heartbeat;
    int64_t silent_us; /* for how long the heartbeat has stood still */
    char spool[MASTER_SPOOL_NAME];
};

enum reload_state { RELOAD_NONE = 0, RELOAD_CHECKING = 1, RELOAD_STARTING = 2 };

enum reload_why {
    RELOAD_FIRST = 1,      /* the start of the server */
    RELOAD_ASKED = 2,      /* HUP, or a command line */
    RELOAD_NEW_BINARY = 3, /* USR2: the new program proves itself */
    RELOAD_UPGRADED = 4    /* and now runs, with the workers of the old one */
};

struct tickets {
    uint64_t ids[RELOAD_TICKETS];
    size_t count;
};

struct reload {
    enum reload_state state;
    enum reload_why why;
    struct check check;
    struct generation *generation; /* that is starting */
    int64_t began_us;
    struct tickets tickets; /* command lines that wait for this one */
    bool again;             /* something may have changed since the check began */
    struct tickets again_tickets;
    bool upgrade_asked;
};

enum master_phase {
    MASTER_RUNNING = 1,
    MASTER_DRAINING = 2, /* TERM: no new calls */
    MASTER_ENDING = 3    /* everybody was told to stop */
};

struct bequest;

struct master {
    const struct master_options *options;
    enum master_phase phase;
    int exit_status;
    int signal_fd;
    int64_t now_us;  /* of this turn */
    int64_t next_us; /* the next turn is due then */
    int64_t started_wall_us;

    struct state_dir state_dir;
    struct hub *hub;
    int shm_fd;
    struct shm *shm;
    struct listeners activated; /* handed over by the service manager; none: ours are opened */
    struct worker workers[SHM_WORKERS];
    struct generation *generations;
    int64_t last_generation;
    int64_t last_spool;
    int64_t restarts;
    struct reload reload;
    struct bequest *bequests;
    uint64_t last_bequest;

    int64_t heartbeat_at_us;  /* the next look at them */
    int64_t heartbeat_was_us; /* the last one */
    int64_t drain_until_us;
    int64_t drain_from_us; /* not before all have heard that calls are refused */
    int64_t extend_at_us;
    int64_t status_at_us;
    int64_t watchdog_at_us;
    char status[128];
};

/* Whether a time has come; if not, the next turn is made early enough. 0 never comes. */
static inline bool master_due(struct master *master, int64_t at_us)
{
    if (at_us == 0 || at_us == INT64_MAX) {
        return false;
    }
    if (at_us > master->now_us && at_us < master->next_us) {
        master->next_us = at_us;
    }
    return at_us <= master->now_us;
}

/* master.c: everybody is told to stop and killed after `grace_ms`; the program ends with
 * `exit_status`. */
void master_end(struct master *master, int exit_status, int64_t grace_ms);
/* The arguments of a child; freed with one free. */
char **master_child_argv(const struct master *master, const char *word);

/* master_worker.c */
int32_t worker_start(struct master *master, struct generation *generation);
/* Told again, a shorter grace counts. */
void worker_stop(struct master *master, int slot, int64_t grace_ms);
void worker_kill(struct master *master, int slot);
void worker_ready(struct master *master, int slot);
void worker_lost(struct master *master, int slot);
/* The process has ended; false when it was none of the workers. */
bool worker_reaped(struct master *master, pid_t pid, int wait_status);
void workers_tick(struct master *master);
/* Of a generation, or of all (NULL). */
size_t workers_count(const struct master *master, const struct generation *generation);

/* master_generation.c */
/* Takes the descriptors out of a good answer. NULL: `why` says why. */
struct generation *generation_create(struct master *master, struct master_check *check,
                                     char why[LISTENER_WHY]);
int32_t generation_start(struct master *master, struct generation *generation);
/* Ends one that did not get ready. */
void generation_abandon(struct master *master, struct generation *generation);
/* Makes it the newest; the one before drains. */
void generation_promote(struct master *master, struct generation *generation);
struct generation *generation_current(const struct master *master);
/* A worker of it has ended, by accident or not. */
void generation_lost_worker(struct master *master, struct generation *generation, bool by_accident);
void generations_tick(struct master *master);
void generation_free(struct master *master, struct generation *generation);

/* master_reload.c */
void reload_begin(struct master *master, enum reload_why why);
/* `ticket` 0: nobody waits for the answer. */
void reload_ask(struct master *master, uint64_t ticket);
void reload_ask_upgrade(struct master *master);
/* The check child has ended; false when it was another process. */
bool reload_reaped(struct master *master, pid_t pid, int wait_status);
/* The generation that is starting is ready, or will not be. */
void reload_ready(struct master *master);
/* `status` AIC_ERROR_CONFIG: because of what the configuration says. */
void reload_fail(struct master *master, int32_t status, const char *why, struct aic_str problems);
void reload_tick(struct master *master);
void reload_cancel(struct master *master);

/* master_bequest.c: what a dead worker leaves is given to another one. */
void bequest_worker(struct master *master, int worker);
/* Spools that lie in state_dir without an owner. */
void bequest_orphans(struct master *master);
void bequest_answered(struct master *master, uint64_t tag, int32_t status);
void bequests_tick(struct master *master);
/* Interrupted calls that nobody has taken over yet. */
bool bequests_wait(const struct master *master);
void bequests_save(const struct master *master, struct aic_buf *to);
void bequests_load(struct master *master, const struct pack_item *item);
void bequests_free(struct master *master);

/* master_admin.c: requests that the master answers itself. */
bool admin_request(struct master *master, const struct hub_request *request);

/* master_upgrade.c */
/* Goes over to the new program; returns only when that failed, with the reason. */
const char *upgrade_exec(struct master *master);
/* Takes over what a predecessor left at `fd`. */
int32_t upgrade_restore(struct master *master, int fd);

#endif
