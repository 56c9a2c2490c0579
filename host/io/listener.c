/* SPDX-License-Identifier: ISC */
#include "io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { BACKLOG = 1024 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse(const char *text, uint16_t port, union address *to, socklen_t *bytes)
{
    *to = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    if (inet_pton(AF_INET6, text, &to->v6.sin6_addr) == 1) {
        *bytes = sizeof(to->v6);
        return true;
    }
    *to = (union address){.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
    *bytes = sizeof(to->v4);
    return inet_pton(AF_INET, text, &to->v4.sin_addr) == 1;
}

/* Returns a descriptor, or a negated errno. */
static int open_one(const char *text, uint16_t port, bool only_v6)
{
    union address address;
    socklen_t bytes;
    if (!parse(text, port, &address, &bytes)) {
        return -EINVAL;
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    int yes = 1;
    int v6 = only_v6;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address.any.sa_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6, sizeof(v6));
    }
    if (bind(fd, &address.any, bytes) != 0 || listen(fd, BACKLOG) != 0) {
        int reason = errno;
        (void)close(fd);
        return -reason;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    union address address = {.v6 = {0}};
    socklen_t bytes = sizeof(address);
    if (getsockname(fd, &address.any, &bytes) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static bool lacks_v6(int reason)
{
    return reason == EAFNOSUPPORT || reason == EADDRNOTAVAIL;
}

/* Returns 0 or an errno; fills what it could open. */
static int open_all(struct listeners *to, const char *text, uint16_t port)
{
    bool is_localhost = strcmp(text, "localhost") == 0;
    bool is_all = strcmp(text, "*") == 0 || strcmp(text, "::") == 0;
    int fd = open_one(is_localhost ? "127.0.0.1" : is_all ? "::" : text, port, !is_all);
    if (is_all && lacks_v6(-fd)) {
        fd = open_one("0.0.0.0", port, false);
    }
    if (fd < 0) {
        return -fd;
    }
    to->fds[to->count++] = fd;
    if (!is_localhost) {
        return 0;
    }
    fd = open_one("::1", port_of(fd), true);
    if (fd >= 0) {
        to->fds[to->count++] = fd;
    }
    return fd >= 0 || lacks_v6(-fd) ? 0 : -fd;
}

static const char *advice(int reason)
{
    switch (reason) {
    case EADDRINUSE:
        return "stop what listens there (\"ss -ltnp\" shows it), or change server.port";
    case EACCES:
        return "ports below 1024 need root or CAP_NET_BIND_SERVICE; or change server.port";
    case EADDRNOTAVAIL:
        return "this machine has no such address; change server.listen";
    case EINVAL:
        return "server.listen must be an IPv4 or IPv6 address, \"localhost\" or \"*\"";
    default:
        return "see server.listen and server.port";
    }
}

int32_t listeners_open(struct listeners *to, const char *address, int64_t port,
                       char why[LISTENER_WHY])
{
    *to = (struct listeners){.count = 0};
    if (port < 0 || port > UINT16_MAX) {
        (void)snprintf(why, LISTENER_WHY, "server.port must be from 0 to 65535");
        return AIC_ERROR_CONFIG;
    }
    int reason = open_all(to, address, (uint16_t)port);
    if (reason == 0) {
        return AIC_OK;
    }
    listeners_close(to);
    (void)snprintf(why, LISTENER_WHY, "cannot listen on %.64s port %d: %s; %s", address, (int)port,
                   strerror(reason), advice(reason));
    return AIC_ERROR_IO;
}

int32_t listeners_copy(struct listeners *to, const struct listeners *from)
{
    *to = (struct listeners){.count = 0};
    for (size_t i = 0; i < from->count; i++) {
        int fd = fcntl(from->fds[i], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            listeners_close(to);
            return AIC_ERROR_IO;
        }
        to->fds[to->count++] = fd;
    }
    return AIC_OK;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        (void)close(listeners->fds[i]);
    }
    listeners->count = 0;
}

void listener_name(int fd, char to[LISTENER_NAME])
{
    union address address = {.v6 = {0}};
    socklen_t bytes = sizeof(address);
    char text[INET6_ADDRSTRLEN] = "?";
    (void)snprintf(to, LISTENER_NAME, "?");
    if (getsockname(fd, &address.any, &bytes) != 0) {
        return;
    }
    if (address.any.sa_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
        (void)snprintf(to, LISTENER_NAME, "[%s]:%d", text, ntohs(address.v6.sin6_port));
    } else if (address.any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
        (void)snprintf(to, LISTENER_NAME, "%s:%d", text, ntohs(address.v4.sin_port));
    }
}
