/* SPDX-License-Identifier: ISC */
#ifndef IO_MASTER_H
#define IO_MASTER_H
/*
 * The process that users start: it owns signals, listening sockets, the control socket and the
 * shared memory, starts workers and watches them. It has no plugin code and parses nothing that
 * comes from outside; what it must know of a configuration a throw-away child tells it.
 *
 * It starts its own program with one of two words before the arguments of its options:
 *   MASTER_CHECK_WORD   reads the configuration, loads the plugins, answers with master_check_send
 *   MASTER_WORKER_WORD  learns what it is from master_worker_read, serves, tells link_ready
 *
 * HUP reloads, TERM drains and stops, a second TERM or INT stops now, USR2 goes over to the program
 * that now lies at `binary` without changing the process. A worker ignores all of these.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

#define MASTER_CHECK_WORD  "--check-child"
#define MASTER_WORKER_WORD "--worker"

enum {
    MASTER_WORKERS = 64, /* of one generation */
    MASTER_PLUGINS = 64,
    MASTER_PATH = 512,
    MASTER_CONFIG_BYTES = 16 << 20,
    MASTER_PROBLEM_BYTES = 64 << 10,
    MASTER_HEARTBEAT_LIMIT_MS = 5000,
    MASTER_SPOOL_NAME = 64,
    MASTER_LISTENERS = 8
};

struct master_options {
    const char *binary;       /* for USR2: path of the program */
    char *const *argv;        /* for USR2: how it was started; ends with NULL */
    const char *const *extra; /* behind the word of a child ("-c", path); ends with NULL */
    const char *config_path;  /* for messages */
    int workers;              /* instead of the configuration's; -1 = as configured */
};

/* Runs until told to stop. Returns the exit status of the program: 0, 1, or 78 for a configuration
 * that is refused, after its problems went to standard error. */
int master_run(const struct master_options *options);

/* The few settings that the master needs itself. */
struct master_settings {
    char listen[64]; /* see io/listener.h */
    int64_t port;    /* 0 = any free one */
    int64_t workers; /* 0 = one per core */
    int64_t drain_timeout_ms;
    int64_t heartbeat_limit_ms; /* 0 = MASTER_HEARTBEAT_LIMIT_MS */
    char state_dir[MASTER_PATH];
    int64_t log_format; /* enum log_format */
    int64_t log_level;  /* AIC_LOG_... */
};

/* A plugin's file, kept open so that the check child and every worker of a generation load the same
 * bytes. It stays open while the plugin is loaded: two plugins under one number would be taken for
 * one. */
struct master_plugin {
    char name[MASTER_PATH]; /* as the check child called it */
    int fd;                 /* load "/proc/self/fd/<fd>" */
};

/* What the check child found. */
struct master_check {
    bool is_good;
    struct aic_str problems; /* lines for people; of a good configuration: warnings */
    struct master_settings settings;
    struct aic_str config; /* resolved; only for sending */
    int config_fd;         /* the same, sealed; only after parsing */
    struct master_plugin plugins[MASTER_PLUGINS];
    size_t plugin_count;
};

/* In the check child: sends the answer over the inherited line, once. Problems are cut to
 * MASTER_PROBLEM_BYTES. AIC_ERROR_CLOSED: this is no check child. */
int32_t master_check_send(const struct master_check *check);

/* What a worker was born with. */
struct master_worker {
    int worker; /* its slot in shared memory */
    int64_t generation;
    char spool[MASTER_SPOOL_NAME]; /* its own: state_dir/spool/<spool>.db, never used before */
    char state_dir[MASTER_PATH];
    int link_fd; /* for link_create */
    int shm_fd;  /* for shm_map */
    int listen_fds[MASTER_LISTENERS];
    size_t listen_count;
    struct master_plugin plugins[MASTER_PLUGINS];
    size_t plugin_count;
    struct aic_str config; /* the resolved configuration, mapped for good */
};

/* In a worker: AIC_ERROR_CLOSED when the master did not start this process. Every descriptor is
 * closed on exec again. */
int32_t master_worker_read(struct master_worker *worker);

#endif
