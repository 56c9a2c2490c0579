/* SPDX-License-Identifier: ISC */
#include "io/server.h"

#include "io/loop.h"
#include "io/server_parts.h"
#include "io/wire_tls.h"
#include "io/ws.h"

#include <sys/resource.h>

enum { ROUTES_MAX = 1024, SPARE_DESCRIPTORS = 64 };

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static bool copy_trusted(struct server *server, const char *const *networks)
{
    size_t count = 0;
    while (networks && networks[count]) {
        count++;
    }
    server->trusted = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; server->trusted && i < count; i++) {
        server->trusted[i] = aic_str_dup(aic_str(networks[i]));
        if (!server->trusted[i]) {
            return false;
        }
    }
    return server->trusted != NULL;
}

/* The last descriptors are for vendors, files and the way out. */
static uint32_t connections_allowed(int64_t wanted)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        int64_t most = (int64_t)(limit.rlim_cur / 10 * 9) - SPARE_DESCRIPTORS;
        wanted = most < wanted ? most : wanted;
    }
    return (uint32_t)(wanted > 1 ? wanted : 1);
}

static bool copy_options(struct server *server, const struct server_options *options)
{
    server->options = (struct server_options){
        .header_ms = or_default(options->header_ms, 5000),
        .body_ms = or_default(options->body_ms, 10000),
        .answer_ms = or_default(options->answer_ms, 10000),
        .stall_ms = or_default(options->stall_ms, 10000),
        .max_connections = connections_allowed(or_default(options->max_connections, 4096)),
        .max_connections_per_peer = (uint32_t)or_default(options->max_connections_per_peer, 64),
    };
    if (options->public_url && options->public_url[0]) {
        struct aic_str url = aic_str(options->public_url);
        while (url.len > 0 && url.ptr[url.len - 1] == '/') {
            url.len--;
        }
        server->public_url = aic_str_dup(url);
        if (!server->public_url) {
            return false;
        }
    }
    return copy_trusted(server, options->trusted_proxies);
}

struct server *server_create(struct loop *loop, const struct server_options *options,
                             const struct server_balance *balance)
{
    static const struct server_options defaults;
    options = options ? options : &defaults;
    struct server *server = calloc(1, sizeof(*server));
    if (!server) {
        return NULL;
    }
    server->loop = loop;
    server->sched = loop_sched(loop);
    server->listen_fd = -1;
    uint64_t seed = 0;
    sched_random(server->sched, &seed, sizeof(seed));
    server->peers = peer_table_create(seed);
    bool is_good = server->peers && copy_options(server, options);
    if (is_good && options->tls_cert && options->tls_cert[0]) {
        server->tls = wire_tls_create(options->tls_cert, options->tls_key ? options->tls_key : "");
        is_good = server->tls != NULL;
    }
    if (!is_good) {
        server_destroy(server);
        return NULL;
    }
    if (balance) {
        server->balance = *balance;
        server->has_balance = true;
    }
    return server;
}

static void close_conns(struct server *server)
{
    struct server_conn *next = NULL;
    for (struct server_conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        if (conn->ws) {
            ws_drop(conn->ws); /* closes the connection too */
        } else {
            server_conn_close(conn);
        }
    }
}

void server_destroy(struct server *server)
{
    if (!server) {
        return;
    }
    server_stop_listening(server);
    while (server->conns) {
        close_conns(server);
    }
    while (server->exchanges) {
        struct aic_exchange *exchange = server->exchanges;
        server_exchange_unlink(exchange);
        exchange->server = NULL;
    }
    while (server->route_count > 0) {
        free(server->routes[--server->route_count].path);
    }
    free(server->routes);
    peer_table_destroy(server->peers);
    wire_tls_destroy(server->tls);
    for (char **network = server->trusted; network && *network; network++) {
        free(*network);
    }
    free(server->trusted);
    free(server->public_url);
    free(server);
}

int32_t server_listen(struct server *server, int fd)
{
    server->listen_fd = fd;
    server->is_listening = true;
    return server_accept_start(server);
}

void server_stop_listening(struct server *server)
{
    server->is_listening = false;
    server_accept_stop(server);
}

uint32_t server_connections(const struct server *server)
{
    return server->conn_count;
}

const char *server_public_url(const struct server *server)
{
    return server->public_url;
}

/* Routes */

/* Makes room for one more and fills in what both kinds share. */
static struct server_route *add_route(struct server *server, const void *owner, const char *path)
{
    if (!path || path[0] != '/' || server->route_count == ROUTES_MAX) {
        return NULL;
    }
    struct server_route *routes =
        realloc(server->routes, (server->route_count + 1) * sizeof(*routes));
    if (!routes) {
        return NULL;
    }
    server->routes = routes;
    struct aic_str text = aic_str(path);
    bool is_prefix = text.ptr[text.len - 1] == '*';
    if (is_prefix || text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    struct server_route *route = &routes[server->route_count];
    *route =
        (struct server_route){.owner = owner, .path = aic_str_dup(text), .is_prefix = is_prefix};
    if (!route->path) {
        return NULL;
    }
    server->route_count++;
    return route;
}

int32_t server_add_http(struct server *server, const void *owner,
                        const struct aic_http_route *route)
{
    return server_add_http_where(server, owner, route, NULL);
}

int32_t server_add_http_where(struct server *server, const void *owner,
                              const struct aic_http_route *route,
                              bool (*exists)(struct aic_str path))
{
    if (!AIC_HAS(struct aic_http_route, route, handle)) {
        return AIC_ERROR_INVALID;
    }
    struct server_route *new = add_route(server, owner, route->path);
    if (!new) {
        return AIC_ERROR_INVALID;
    }
    new->http = *route;
    new->exists = exists;
    return AIC_OK;
}

int32_t server_add_websocket(struct server *server, const void *owner,
                             const struct aic_ws_route *route)
{
    if (!AIC_HAS(struct aic_ws_route, route, accept)) {
        return AIC_ERROR_INVALID;
    }
    struct server_route *new = add_route(server, owner, route->path);
    if (!new) {
        return AIC_ERROR_INVALID;
    }
    new->is_websocket = true;
    new->websocket = *route;
    return AIC_OK;
}

void server_remove_owner(struct server *server, const void *owner)
{
    size_t kept = 0;
    for (size_t i = 0; i < server->route_count; i++) {
        if (server->routes[i].owner == owner) {
            free(server->routes[i].path);
        } else {
            server->routes[kept++] = server->routes[i];
        }
    }
    server->route_count = kept;
}
