/* SPDX-License-Identifier: ISC */
#ifndef CLI_APP_WORKER_H
#define CLI_APP_WORKER_H
/* A worker's side of its master: heartbeats, draining, requests of other workers. */
#include "cli/app.h"
#include "io/server.h"

/* The line to the master, or one that ends here. */
struct link *app_worker_link(struct app *app);
/* Hooks for the calls of a server: their number is shared with the other workers. */
struct calls_hooks app_worker_hooks(struct app *app);
/* Which worker takes the next connection depends on how many calls each has. */
struct server_balance app_worker_balance(struct app *app);
/* Begins to accept on the inherited sockets, and tells the master so. */
int32_t app_worker_start(struct app *app);

#endif
