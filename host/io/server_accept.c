/* SPDX-License-Identifier: ISC */
/*
 * Letting connections in. All workers wait on one accept queue. Each takes one connection per
 * wake-up, and who is more than a few calls ahead of the others steps back for a moment; then it
 * takes one whatever the numbers say, so that stale ones cost 2 ms and never a connection.
 */
#include "base/log.h"
#include "io/http_address.h"
#include "io/loop.h"
#include "io/server_parts.h"
#include "io/wire_tls.h"

#include <errno.h>
#include <sys/socket.h>

enum {
    AHEAD = 4,
    STEP_BACK_US = 2000,
    NO_DESCRIPTORS_US = 100000,
    REFUSED_LOG_US = 10000000,
    TLS_LOOK_US = 60000000
};

static void readable(void *data);

static void pause_accepting(struct server *server, int64_t us, void (*then)(void *data))
{
    loop_watch_stop(server->listen_watch);
    server->listen_watch = NULL;
    server->accept_timer =
        sched_timer_start(server->sched, sched_now(server->sched) + us, then, server);
}

static void resume(void *data)
{
    struct server *server = data;
    server->accept_timer = NULL;
    if (server->is_listening && !server->listen_watch) {
        (void)server_accept_start(server);
    }
}

static void log_refused(struct server *server, const char *why)
{
    int64_t now_us = sched_now(server->sched);
    if (server->refused_logged_us == 0 || now_us - server->refused_logged_us > REFUSED_LOG_US) {
        server->refused_logged_us = now_us;
        log_warn("server", "connections are refused", LOG_S("reason", why),
                 LOG_I("connections", server->conn_count));
    }
}

static void take(struct server *server, int fd, const union server_address *peer)
{
    bool is_counted = !http_address_is_loopback(&peer->any);
    if (is_counted &&
        !peer_table_add(server->peers, &peer->any, server->options.max_connections_per_peer)) {
        log_refused(server, "too many from one address");
        close(fd);
        return;
    }
    if (server->tls && sched_now(server->sched) - server->tls_looked_us > TLS_LOOK_US) {
        server->tls_looked_us = sched_now(server->sched);
        wire_tls_refresh(server->tls);
    }
    server_conn_open(server, fd, peer, is_counted);
}

static void accept_one(struct server *server)
{
    union server_address peer = {.any = {0}};
    socklen_t size = sizeof(peer);
    int fd = accept4(server->listen_fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        take(server, fd, &peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        /* The connection stays in the queue and would wake us for ever. */
        log_refused(server, "no descriptors or memory left");
        pause_accepting(server, NO_DESCRIPTORS_US, resume);
    }
}

static void accept_whatever(void *data)
{
    struct server *server = data;
    server->accept_timer = NULL;
    accept_one(server);
    resume(server);
}

static void readable(void *data)
{
    struct server *server = data;
    if (server->conn_count >= server->options.max_connections) {
        log_refused(server, "too many connections");
        pause_accepting(server, NO_DESCRIPTORS_US, resume);
        return;
    }
    if (server->has_balance && server->balance.own(server->balance.data) >
                                   server->balance.smallest(server->balance.data) + AHEAD) {
        pause_accepting(server, STEP_BACK_US, accept_whatever);
        return;
    }
    accept_one(server);
}

int32_t server_accept_start(struct server *server)
{
    server->listen_watch = loop_watch_start(server->loop, server->listen_fd, readable, server);
    return server->listen_watch ? AIC_OK : AIC_ERROR_IO;
}

void server_accept_stop(struct server *server)
{
    loop_watch_stop(server->listen_watch);
    server->listen_watch = NULL;
    sched_timer_stop(server->sched, server->accept_timer);
    server->accept_timer = NULL;
}
