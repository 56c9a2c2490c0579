/* SPDX-License-Identifier: ISC */
#ifndef IO_WIRE_TLS_H
#define IO_WIRE_TLS_H
/*
 * TLS of a wire: OpenSSL between it and its socket. 1.2 with AEAD ciphers or 1.3, nothing else;
 * ALPN is http/1.1. On the port, a certificate that changes on disk is picked up by itself; what a
 * connection of ours trusts is in wire_trust.h.
 */
#include <aicaller/abi.h>
#include <stdbool.h>
#include <sys/types.h>

struct ssl_ctx_st;
struct wire_tls;     /* certificate and settings, of a port */
struct wire_tls_end; /* one connection's */

/* NULL when the files can not be used; the log says why. */
struct wire_tls *wire_tls_create(const char *cert_file, const char *key_file);
void wire_tls_destroy(struct wire_tls *tls);
/* Looks whether the files have changed. Call now and then. */
void wire_tls_refresh(struct wire_tls *tls);

/* What to do before the same call may be made again. */
enum wire_tls_want {
    WIRE_TLS_DONE = 0,
    WIRE_TLS_READ = 1,  /* wait until the socket is readable */
    WIRE_TLS_WRITE = 2, /* wait until it is writable */
    WIRE_TLS_END = 3,   /* the peer has said goodbye */
    WIRE_TLS_ERROR = 4
};

/* NULL when out of memory. The socket stays the caller's. */
struct wire_tls_end *wire_tls_accept(struct wire_tls *tls, int fd);
/* The same for a connection of ours to `name`, a host or an address, which the peer's certificate
 * must bear. */
struct wire_tls_end *wire_tls_connect(struct ssl_ctx_st *context, const char *name, int fd);
/* Accepts NULL. */
void wire_tls_free(struct wire_tls_end *end);
enum wire_tls_want wire_tls_handshake(struct wire_tls_end *end);
/* DONE: *got or *sent bytes went through, at least one. */
enum wire_tls_want wire_tls_read(struct wire_tls_end *end, char *to, size_t bytes, size_t *got);
enum wire_tls_want wire_tls_write(struct wire_tls_end *end, const char *from, size_t bytes,
                                  size_t *sent);
/* What went wrong, after an ERROR; empty when the connection just broke. */
const char *wire_tls_problem(const struct wire_tls_end *end);
/* Says goodbye, without waiting for the peer's. */
void wire_tls_goodbye(struct wire_tls_end *end);

#endif
