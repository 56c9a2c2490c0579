/* SPDX-License-Identifier: ISC */
#ifndef IO_LISTENER_H
#define IO_LISTENER_H
/* Listening TCP sockets, opened by the master and inherited by workers. */
#include <aicaller/abi.h>

enum { LISTENERS = 8, LISTENER_NAME = 64, LISTENER_WHY = 256 };

struct listeners {
    int fds[LISTENERS];
    size_t count;
};

/*
 * Opens the sockets of `address`: a numeric IPv4 or IPv6 address, "localhost" (both loopbacks), or
 * "*" (all of this machine; "::" is the same). Port 0 takes a free one. On failure `why` is a
 * sentence that says what to do, and nothing is open.
 */
int32_t listeners_open(struct listeners *to, const char *address, int64_t port,
                       char why[LISTENER_WHY]);
/* Further descriptors of the same sockets. */
int32_t listeners_copy(struct listeners *to, const struct listeners *from);
void listeners_close(struct listeners *listeners);
/* "127.0.0.1:8000", "[::1]:8000"; "?" when it is none of ours. */
void listener_name(int fd, char to[LISTENER_NAME]);

#endif
