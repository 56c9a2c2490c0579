/* SPDX-License-Identifier: ISC */
#include "net_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 20000, CONNECTIONS = 256 };

struct connection {
    struct net_peer *peer;
    int fd;
    int number;
    pthread_t thread;
};

struct net_peer {
    int fd;
    int port;
    void (*serve)(void *data, int fd, int number);
    void *data;
    pthread_t thread;
    atomic_int count;
    struct connection connections[CONNECTIONS];
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "net_peer: %s: %s\n", what, strerror(errno));
    abort();
}

int net_listen(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 511) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        fail("listen");
    }
    *port = ntohs(address.sin_port);
    return fd;
}

int net_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        fail("connect");
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

bool net_write(int fd, const void *bytes, size_t count)
{
    const char *at = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        count -= (size_t)sent;
    }
    return true;
}

bool net_text(int fd, const char *text)
{
    return net_write(fd, text, strlen(text));
}

/* Some bytes; 0 at the end of the stream, -1 when nothing comes. */
static ssize_t read_some(int fd, void *to, size_t count)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    if (poll(&wait, 1, LIMIT_MS) <= 0) {
        return -1;
    }
    ssize_t got = recv(fd, to, count, 0);
    return got < 0 ? 0 : got;
}

bool net_read(int fd, void *to, size_t count)
{
    char *at = to;
    while (count > 0) {
        ssize_t got = read_some(fd, at, count);
        if (got <= 0) {
            return false;
        }
        at += got;
        count -= (size_t)got;
    }
    return true;
}

char *net_read_all(int fd, size_t *count)
{
    size_t length = 0;
    size_t room = 1 << 16;
    char *text = malloc(room + 1);
    for (;;) {
        if (!text) {
            fail("malloc");
        }
        ssize_t got = read_some(fd, text + length, room - length);
        if (got < 0) {
            (void)fprintf(stderr, "net_peer: the stream did not end\n");
            free(text);
            return NULL;
        }
        if (got == 0) {
            text[length] = '\0';
            if (count) {
                *count = length;
            }
            return text;
        }
        length += (size_t)got;
        if (length == room) {
            room *= 2;
            text = realloc(text, room + 1);
        }
    }
}

char *net_read_until(int fd, const char *mark)
{
    size_t want = strlen(mark);
    size_t length = 0;
    size_t room = 1 << 16;
    char *text = malloc(room + 1);
    while (text && length < room && net_read(fd, text + length, 1)) {
        length++;
        text[length] = '\0';
        if (length >= want && memcmp(text + length - want, mark, want) == 0) {
            return text;
        }
    }
    free(text);
    return NULL;
}

bool net_read_end(int fd)
{
    char rest[4096];
    ssize_t got = 0;
    while ((got = read_some(fd, rest, sizeof(rest))) > 0) {
        /* what was still on its way */
    }
    return got == 0;
}

static void *serve_one(void *data)
{
    struct connection *connection = data;
    connection->peer->serve(connection->peer->data, connection->fd, connection->number);
    (void)shutdown(connection->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *data)
{
    struct net_peer *peer = data;
    for (;;) {
        struct pollfd wait = {.fd = peer->fd, .events = POLLIN};
        (void)poll(&wait, 1, -1);
        int fd = accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue;
        }
        int number = atomic_load(&peer->count);
        if (fd < 0 || number == CONNECTIONS) {
            return NULL;
        }
        struct connection *connection = &peer->connections[number];
        *connection = (struct connection){.peer = peer, .fd = fd, .number = number};
        if (pthread_create(&connection->thread, NULL, serve_one, connection) != 0) {
            fail("thread");
        }
        atomic_fetch_add(&peer->count, 1);
    }
}

struct net_peer *net_peer_start(void (*serve)(void *data, int fd, int number), void *data)
{
    struct net_peer *peer = calloc(1, sizeof(*peer));
    if (!peer) {
        fail("malloc");
    }
    peer->serve = serve;
    peer->data = data;
    peer->fd = net_listen(&peer->port);
    if (pthread_create(&peer->thread, NULL, accept_all, peer) != 0) {
        fail("thread");
    }
    return peer;
}

void net_peer_stop(struct net_peer *peer)
{
    (void)shutdown(peer->fd, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    for (int i = 0; i < atomic_load(&peer->count); i++) {
        (void)shutdown(peer->connections[i].fd, SHUT_RDWR);
        pthread_join(peer->connections[i].thread, NULL);
        close(peer->connections[i].fd);
    }
    close(peer->fd);
    free(peer);
}

int net_peer_port(const struct net_peer *peer)
{
    return peer->port;
}

int net_peer_count(struct net_peer *peer)
{
    return atomic_load(&peer->count);
}
