/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_ENV_H
#define PLUGIN_ENV_H
/*
 * What the services given to plugins are made of. Where a part is NULL (no port in a test, no
 * network in the check child) the services that need it are absent.
 */
#include "base/sched.h"

#include <aicaller/abi.h>

struct http_client;
struct ws_engine;
struct server;
struct shm;

struct plugin_env {
    struct sched *sched;
    struct http_client *http;
    struct ws_engine *ws;
    struct server *server;
    struct shm *shm;        /* breakers shared by all workers; NULL: each its own */
    const char *public_url; /* "" = none */
    /* Takes the warnings and errors that a plugin writes while it is created; NULL: they go to the
     * log. */
    void (*complained)(void *data, uint32_t level, struct aic_str text);
    void *complained_data;
};

#endif
