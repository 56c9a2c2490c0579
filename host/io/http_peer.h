/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_PEER_H
#define IO_HTTP_PEER_H
/* Who is asking: what a request's address and headers say, and how far they are believed. Pure. */
#include "io/http_address.h"

struct http_head;

/*
 * Whether a request comes from this machine and through no proxy: peer and Host are loopback, no
 * header of a proxy, and no Origin but our own. A page of another site that a browser on this
 * machine shows, or a name that was bent to 127.0.0.1, fails here.
 */
bool http_peer_is_local(const struct http_head *head, const struct sockaddr *peer, bool is_tls);

/* The client's address: the connection's, or where that is a trusted proxy, the last address of
 * X-Forwarded-For that is none. */
void http_peer_text(const struct http_head *head, const struct sockaddr *peer,
                    const char *const *trusted, char to[HTTP_ADDRESS_TEXT]);

/* Whether a trusted proxy says that the client spoke TLS with it: X-Forwarded-Proto of the one
 * nearest to us. */
bool http_peer_forwards_https(const struct http_head *head, const struct sockaddr *peer,
                              const char *const *trusted);

#endif
