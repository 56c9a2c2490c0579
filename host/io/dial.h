/* SPDX-License-Identifier: ISC */
#ifndef IO_DIAL_H
#define IO_DIAL_H
/*
 * A TCP connection to one of several addresses, in the manner of RFC 8305: where an address fails,
 * or has not answered in 250 ms, the next one is tried besides, and the first that connects wins.
 */
#include <netinet/in.h>

struct dial;
struct loop;

enum { DIAL_ADDRESSES = 8 };

union dial_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/*
 * Tries up to DIAL_ADDRESSES addresses, which are copied. `done` is called once, not before this
 * returns: with the descriptor, non-blocking and the caller's, or with the negative errno of the
 * last address when none answered; the dial is gone then. How long that may take is the caller's to
 * say. NULL when out of memory.
 */
struct dial *dial_start(struct loop *loop, const union dial_address *addresses, size_t count,
                        void (*done)(void *data, int fd), void *data);
/* Nothing is called afterwards. Accepts NULL. */
void dial_stop(struct dial *dial);

#endif
