/* SPDX-License-Identifier: ISC */
#ifndef IO_WIRE_TRUST_H
#define IO_WIRE_TRUST_H
/*
 * Whom TLS connections of ours trust: certificates of authorities, which take tens of milliseconds
 * and some megabytes to read. So they are read when somebody first wants them, on a thread of
 * libuv's, and then shared by all connections of the loop.
 */
#include <stdbool.h>

struct loop;
struct ssl_ctx_st;
struct wire_trust;

/* `loaded` is called on the loop after wire_trust_load, also when it failed. `ca_file` NULL: the
 * system's authorities. NULL when out of memory. */
struct wire_trust *wire_trust_create(struct loop *loop, const char *ca_file,
                                     void (*loaded)(void *data), void *data);
/* Nothing is called afterwards. Accepts NULL. */
void wire_trust_destroy(struct wire_trust *trust);
/* NULL while nothing was loaded. */
struct ssl_ctx_st *wire_trust_context(const struct wire_trust *trust);
/* Begins to load, unless that is under way; after a failure it is tried again. False when out of
 * memory: nothing will be called. */
bool wire_trust_load(struct wire_trust *trust);

#endif
