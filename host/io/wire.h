/* SPDX-License-Identifier: ISC */
#ifndef IO_WIRE_H
#define IO_WIRE_H
/*
 * A TCP connection of either side: bytes both ways, with or without TLS, never blocking. What the
 * socket does not take at once waits in a queue; whoever writes looks at wire_queued first.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct wire;
struct loop;
struct wire_tls_end;

struct wire_handler {
    /* Bytes have come; they may be changed in place. */
    void (*received)(void *data, char *bytes, size_t count);
    /* Once after wire_tell_drained. */
    void (*drained)(void *data);
    /* The peer sends no more; writing may go on. Not called when `broken` is. */
    void (*ended)(void *data);
    /* It is over, for whatever reason but wire_destroy: the wire is still to be destroyed. */
    void (*broken)(void *data);
};

struct wire_options {
    struct loop *loop;
    struct wire_tls_end *tls; /* NULL = plain; taken, also when it fails */
    bool is_client;           /* of TLS, which has the first word */
    char *scratch;            /* room to read into, shared by the wires of a loop */
    size_t scratch_bytes;
    int64_t stall_us; /* how long a peer may take nothing of what waits */
};

/* Takes the descriptor, also when it fails (NULL). */
struct wire *wire_create(const struct wire_options *options, int fd,
                         const struct wire_handler *handler, void *data);
/* Closes at once; nothing is called afterwards. From anywhere, also inside its functions. Accepts
 * NULL. */
void wire_destroy(struct wire *wire);
/* Hands events to somebody else from now on. */
void wire_set_handler(struct wire *wire, const struct wire_handler *handler, void *data);
/* Asks for `drained` as soon as less than `below` bytes wait, of a queue that is not empty. */
void wire_tell_drained(struct wire *wire, size_t below);

/* Writes `head` and `body` as one; either may be empty. AIC_ERROR_CLOSED after wire_finish or when
 * broken; AIC_ERROR_MEMORY. Never calls the handler. */
int32_t wire_write(struct wire *wire, struct aic_str head, struct aic_str body);
/* Bytes that wait. */
size_t wire_queued(const struct wire *wire);
/* What TLS complained of; empty when the connection just broke, and without TLS. */
const char *wire_problem(const struct wire *wire);
/* Sends what waits, says goodbye, and drops for up to 2 s what the peer still sends, so that the
 * last words reach it; then `broken`. */
void wire_finish(struct wire *wire);

#endif
