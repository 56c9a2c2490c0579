/* SPDX-License-Identifier: ISC */
#include "cli/import_calls.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024 };

struct entry {
    char *id; /* NULL = free */
    struct import_call call;
};

struct import_calls {
    struct entry *entries;
    size_t slots; /* a power of two */
    size_t count;
};

static uint64_t hash_of(struct aic_str id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (unsigned char)id.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Where the id is, or would be. */
static struct entry *slot_of(const struct import_calls *calls, struct aic_str id)
{
    size_t at = (size_t)hash_of(id) & (calls->slots - 1);
    while (calls->entries[at].id && !aic_str_equal(id, calls->entries[at].id)) {
        at = (at + 1) & (calls->slots - 1);
    }
    return &calls->entries[at];
}

static bool grow(struct import_calls *calls)
{
    struct import_calls larger = {.slots = calls->slots ? calls->slots * 2 : FIRST_SLOTS,
                                  .count = calls->count};
    larger.entries = calloc(larger.slots, sizeof(*larger.entries));
    if (!larger.entries) {
        return false;
    }
    for (size_t i = 0; i < calls->slots; i++) {
        if (calls->entries[i].id) {
            *slot_of(&larger, aic_str(calls->entries[i].id)) = calls->entries[i];
        }
    }
    free(calls->entries);
    *calls = larger;
    return true;
}

struct import_calls *import_calls_create(void)
{
    struct import_calls *calls = calloc(1, sizeof(*calls));
    if (calls && !grow(calls)) {
        free(calls);
        return NULL;
    }
    return calls;
}

void import_calls_destroy(struct import_calls *calls)
{
    if (!calls) {
        return;
    }
    for (size_t i = 0; i < calls->slots; i++) {
        free(calls->entries[i].id);
    }
    free(calls->entries);
    free(calls);
}

struct import_call *import_calls_put(struct import_calls *calls, struct aic_str id)
{
    if (calls->count * 2 >= calls->slots && !grow(calls)) {
        return NULL;
    }
    struct entry *entry = slot_of(calls, id);
    if (!entry->id) {
        entry->id = aic_str_dup(id);
        calls->count += entry->id != NULL;
    }
    return entry->id ? &entry->call : NULL;
}

struct import_call *import_calls_find(struct import_calls *calls, struct aic_str id)
{
    struct entry *entry = slot_of(calls, id);
    return entry->id ? &entry->call : NULL;
}
