/* SPDX-License-Identifier: ISC */
#ifndef IO_HUB_H
#define IO_HUB_H
/*
 * Where the lines of all workers and command lines meet, in the master (with --single in the one
 * process). Keeps the board, passes requests to the owner of a call and answers back, and never
 * looks inside a body. One descriptor, hub_fd, is readable when there is something to do.
 *
 * Topics go to all workers and to the command lines that subscribed. Those that begin with HUB_NEWS
 * are many and often of no interest to anybody: they go to the workers alone that subscribed, they
 * are numbered, one by one and rising also over a new start of the master, and workers are told
 * whether anybody reads them at all.
 *
 * A request ends in exactly one answer: of the other side, AIC_ERROR_NOT_FOUND where nobody owns
 * the call or no worker is there, AIC_ERROR_CLOSED when the other side died, AIC_ERROR_BUSY when it
 * does not read, or AIC_ERROR_TIMEOUT.
 */
#include "io/frame.h"
#include "io/shm.h"

struct board;
struct hub;
struct pack_item;

/* How the topics of calls begin; their id follows. */
#define HUB_NEWS "call."

enum {
    HUB_CLIENTS = 32,    /* command lines at the same time */
    HUB_PENDING = 4096,  /* requests without an answer yet */
    HUB_USUAL_MS = 5000, /* time-out of a request that names none */
    HUB_LONGEST_MS = 120000
};

struct hub_request {
    uint64_t ticket; /* for hub_answer */
    const char *kind;
    struct aic_str body;
    bool from_client;
};

struct hub_handler {
    void (*ready)(void *data, int worker);
    /* A worker's line ended; hub_remove_worker is still to be called. */
    void (*lost)(void *data, int worker);
    /* A request without a call, of any kind but "calls.list". True: hub_answer is or was called;
     * false: it goes to a worker. */
    bool (*request)(void *data, const struct hub_request *request);
    /* The answer to hub_ask. */
    void (*answered)(void *data, uint64_t tag, int32_t status, struct aic_str answer);
    void *data;
};

struct hub *hub_create(const struct hub_handler *handler);
/* Closes all lines; nobody is told. Accepts NULL. */
void hub_destroy(struct hub *hub);
struct board *hub_board(struct hub *hub);

int hub_fd(const struct hub *hub);
/* Handles what has come, a bounded part of it. */
void hub_serve(struct hub *hub);
/* Answers what is overdue; returns when to be called again (INT64_MAX: no need). */
int64_t hub_tick(struct hub *hub, int64_t now_us);

/* Takes over the line of a worker, numbered as its slot in shared memory. */
int32_t hub_add_worker(struct hub *hub, int worker, int fd);
/* The worker of --single: frames for it go to `deliver`, its own come through hub_receive. */
int32_t hub_add_local(struct hub *hub, int worker,
                      void (*deliver)(void *data, const struct frame *frame), void *data);
void hub_receive(struct hub *hub, int worker, const struct frame *frame);
/* Handles what a worker that is gone has still sent. */
void hub_drain_worker(struct hub *hub, int worker);
/* Closes its line. Its calls stay on the board. */
void hub_remove_worker(struct hub *hub, int worker);
/* Whether requests without a call may go to it. */
void hub_set_open(struct hub *hub, int worker, bool is_open);
/* Sends FRAME_DRAIN, FRAME_STOP_NEW_CALLS or FRAME_STOP. */
void hub_tell(struct hub *hub, int worker, uint16_t type);
/* How long a worker has not read what waits for it. */
int64_t hub_blocked_us(const struct hub *hub, int worker, int64_t now_us);
/* Frames that it did not get because too much was waiting. */
uint64_t hub_refused(const struct hub *hub, int worker);

/* Accepts command lines from a listening socket, which it takes over. `admit` accepts one and
 * returns its descriptor, or -1. */
int32_t hub_listen(struct hub *hub, int fd, int (*admit)(int fd));

void hub_answer(struct hub *hub, uint64_t ticket, int32_t status, struct aic_str answer);
/* Asks an open worker something on the caller's own account; false when there is none. */
bool hub_ask(struct hub *hub, const char *kind, struct aic_str body, uint64_t tag, int *worker);

/* Writes lines, requests and board with io/pack.h and lets their descriptors survive an exec;
 * hub_load takes an item back and ignores what is not its own. */
void hub_save(const struct hub *hub, struct aic_buf *to);
void hub_load(struct hub *hub, const struct pack_item *item, int (*admit)(int fd));

#endif
