/* SPDX-License-Identifier: ISC */
#ifndef FAKES_FAKE_NET_H
#define FAKES_FAKE_NET_H
/* Inside of the fake host: what fake_host.c and fake_net.c share. */
#include "fake_host.h"

struct fake_config {
    struct fake_config *next;
    struct aic_config config;
    const struct aic_plugin *plugin;
    const struct fake_setting *settings;
};

enum { FAKE_ROUTES = 32 };

struct fake_host {
    struct vsched *v;
    struct aic_host host;
    struct aic_buf log;
    struct fake_config *configs;
    struct aic_http *requests; /* oldest first */
    size_t request_count;
    size_t warmed;
    struct aic_ws *sockets; /* newest first */
    size_t socket_count;
    struct aic_http_route http_routes[FAKE_ROUTES];
    size_t http_route_count;
    struct aic_ws_route ws_routes[FAKE_ROUTES];
    size_t ws_route_count;
    const char *public_url;
};

extern const struct aic_http_service fake_http_service;
extern const struct aic_websocket_service fake_ws_service;
extern const struct aic_route_service fake_route_service;

struct fake_host *fake_of(const struct aic_host *host);
void *fake_alloc(size_t bytes);
void fake_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void fake_net_finish(struct fake_host *fake);

#endif
