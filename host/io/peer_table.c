/* SPDX-License-Identifier: ISC */
#include "io/peer_table.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { BUCKETS = 1024 };

struct peer {
    struct peer *next;
    uint64_t key;
    bool is_v6;
    uint32_t count;
};

struct peer_table {
    uint64_t seed;
    struct peer *buckets[BUCKETS];
};

struct peer_table *peer_table_create(uint64_t seed)
{
    struct peer_table *table = calloc(1, sizeof(*table));
    if (table) {
        table->seed = seed;
    }
    return table;
}

void peer_table_destroy(struct peer_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (table->buckets[i]) {
            struct peer *peer = table->buckets[i];
            table->buckets[i] = peer->next;
            free(peer);
        }
    }
    free(table);
}

static bool is_mapped(const struct in6_addr *address)
{
    return IN6_IS_ADDR_V4MAPPED(address);
}

/* What stands for the peer; whether it is an IPv6 network. */
static bool key_of(const struct sockaddr *peer, uint64_t *key)
{
    *key = 0;
    if (peer->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;
        bool is_v4 = is_mapped(&v6->sin6_addr);
        memcpy(key, v6->sin6_addr.s6_addr + (is_v4 ? 12 : 0), is_v4 ? 4 : 8);
        return !is_v4;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    memcpy(key, &v4->sin_addr, 4);
    return false;
}

/* Where the pointer to a peer is, or would be. */
static struct peer **find(struct peer_table *table, uint64_t key, bool is_v6)
{
    uint64_t hash = (key ^ table->seed) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
    hash *= table->seed | 1;
    struct peer **at = &table->buckets[(hash >> 48) % BUCKETS];
    while (*at && ((*at)->key != key || (*at)->is_v6 != is_v6)) {
        at = &(*at)->next;
    }
    return at;
}

bool peer_table_add(struct peer_table *table, const struct sockaddr *peer, uint32_t max)
{
    uint64_t key = 0;
    bool is_v6 = key_of(peer, &key);
    struct peer **at = find(table, key, is_v6);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        if (!*at) {
            return false;
        }
        (*at)->key = key;
        (*at)->is_v6 = is_v6;
    }
    if ((*at)->count >= max) {
        return false;
    }
    (*at)->count++;
    return true;
}

void peer_table_remove(struct peer_table *table, const struct sockaddr *peer)
{
    uint64_t key = 0;
    bool is_v6 = key_of(peer, &key);
    struct peer **at = find(table, key, is_v6);
    if (*at && --(*at)->count == 0) {
        struct peer *empty = *at;
        *at = empty->next;
        free(empty);
    }
}
