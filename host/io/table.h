/* SPDX-License-Identifier: ISC */
#ifndef IO_TABLE_H
#define IO_TABLE_H
/* A hash table by text. Entries are embedded first in their owner's struct, which also holds the
 * key; the table never allocates or frees them. */
#include <stddef.h>
#include <stdint.h>

struct table_entry {
    struct table_entry *next;
    uint64_t hash;
    const char *key;
};

struct table {
    struct table_entry **slots;
    size_t size; /* a power of two */
    size_t count;
    uint64_t seed; /* so that nobody outside can choose keys that collide */
};

/* A negative status when out of memory. */
int32_t table_init(struct table *table);
/* Calls `release` for every entry, then frees the slots. Accepts a zeroed table. */
void table_finish(struct table *table, void (*release)(struct table_entry *entry));

struct table_entry *table_find(const struct table *table, const char *key);
/* The key must be set, and new. */
void table_add(struct table *table, struct table_entry *entry);
void table_remove(struct table *table, struct table_entry *entry);
/* Walks over all: NULL gives the first. Only the entry just given may be removed, and after the
 * next was asked for. */
struct table_entry *table_next(const struct table *table, const struct table_entry *entry);

#endif
