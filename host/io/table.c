/* SPDX-License-Identifier: ISC */
#include "io/table.h"

#include <aicaller/abi.h>
#include <sys/random.h>

enum { FIRST_SIZE = 64 };

/* FNV-1a from a seed, with a last mix because only the low bits choose the slot. */
static uint64_t hash_of(const struct table *table, const char *key)
{
    uint64_t hash = table->seed ^ 0xcbf29ce484222325u;
    for (const char *c = key; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 29);
}

int32_t table_init(struct table *table)
{
    *table = (struct table){.size = FIRST_SIZE};
    if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0) {
        table->seed = (uint64_t)(uintptr_t)table;
    }
    table->slots = calloc(table->size, sizeof(struct table_entry *));
    return table->slots ? AIC_OK : AIC_ERROR_MEMORY;
}

void table_finish(struct table *table, void (*release)(struct table_entry *entry))
{
    for (size_t i = 0; table->slots && i < table->size; i++) {
        while (table->slots[i]) {
            struct table_entry *entry = table->slots[i];
            table->slots[i] = entry->next;
            release(entry);
        }
    }
    free(table->slots);
    *table = (struct table){0};
}

struct table_entry *table_find(const struct table *table, const char *key)
{
    uint64_t hash = hash_of(table, key);
    struct table_entry *entry = table->slots[hash & (table->size - 1)];
    while (entry && (entry->hash != hash || strcmp(entry->key, key) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static void insert(struct table *table, struct table_entry *entry)
{
    struct table_entry **slot = &table->slots[entry->hash & (table->size - 1)];
    entry->next = *slot;
    *slot = entry;
}

/* Without memory the chains just get longer. */
static void grow(struct table *table)
{
    struct table bigger = {.size = table->size * 2, .count = table->count, .seed = table->seed};
    bigger.slots = calloc(bigger.size, sizeof(struct table_entry *));
    if (!bigger.slots) {
        return;
    }
    for (size_t i = 0; i < table->size; i++) {
        while (table->slots[i]) {
            struct table_entry *entry = table->slots[i];
            table->slots[i] = entry->next;
            insert(&bigger, entry);
        }
    }
    free(table->slots);
    *table = bigger;
}

void table_add(struct table *table, struct table_entry *entry)
{
    if (table->count >= table->size) {
        grow(table);
    }
    entry->hash = hash_of(table, entry->key);
    insert(table, entry);
    table->count++;
}

void table_remove(struct table *table, struct table_entry *entry)
{
    struct table_entry **at = &table->slots[entry->hash & (table->size - 1)];
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    table->count--;
}

struct table_entry *table_next(const struct table *table, const struct table_entry *entry)
{
    if (entry && entry->next) {
        return entry->next;
    }
    size_t slot = entry ? (entry->hash & (table->size - 1)) + 1 : 0;
    while (slot < table->size && !table->slots[slot]) {
        slot++;
    }
    return slot < table->size ? table->slots[slot] : NULL;
}
