/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_PEER_H
#define FAKES_NET_PEER_H
/*
 * The other end of a real socket on 127.0.0.1, for tests of io/: bytes as the test writes them,
 * good or bad. Every wait has a limit of some seconds, after which the test fails.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A listening peer with a thread per connection. */
struct net_peer;

/* `serve(data, fd, number)` runs on a thread of its own for each connection (number 0, 1, ...) and
 * the descriptor is closed after it. */
struct net_peer *net_peer_start(void (*serve)(void *data, int fd, int number), void *data);
/* Ends all connections and joins the threads. */
void net_peer_stop(struct net_peer *peer);
int net_peer_port(const struct net_peer *peer);
/* Connections that came so far. */
int net_peer_count(struct net_peer *peer);

/* A non-blocking listening socket on a free port of 127.0.0.1. */
int net_listen(int *port);
/* Connects to 127.0.0.1; blocking. */
int net_connect(int port);
/* False when the other side is gone. */
bool net_write(int fd, const void *bytes, size_t count);
bool net_text(int fd, const char *text);
/* Exactly `count` bytes; false at the end of the stream or when nothing comes. */
bool net_read(int fd, void *to, size_t count);
/* Until the stream ends; the bytes, terminated, to be freed. */
char *net_read_all(int fd, size_t *count);
/* Until `mark` has come, as a terminated heap text; NULL at the end of the stream before it. */
char *net_read_until(int fd, const char *mark);
/* Waits until the other side has closed. */
bool net_read_end(int fd);

#endif
