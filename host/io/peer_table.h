/* SPDX-License-Identifier: ISC */
#ifndef IO_PEER_TABLE_H
#define IO_PEER_TABLE_H
/* Counts connections per peer: IPv4 by address, IPv6 by /64, as those are given to one customer. */
#include <stdbool.h>
#include <stdint.h>

struct peer_table;
struct sockaddr;

/* `seed` is random, so that nobody can choose addresses that collide. NULL when out of memory. */
struct peer_table *peer_table_create(uint64_t seed);
void peer_table_destroy(struct peer_table *table);
/* Counts one more, unless there are `max`; false then, and when out of memory. */
bool peer_table_add(struct peer_table *table, const struct sockaddr *peer, uint32_t max);
/* Takes back what peer_table_add counted. */
void peer_table_remove(struct peer_table *table, const struct sockaddr *peer);

#endif
