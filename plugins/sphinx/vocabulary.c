/* SPDX-License-Identifier: ISC */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 4 << 20, FIRST_SLOTS = 256 };

static uint32_t hash(struct aic_str word)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < word.len; i++) {
        h = (h ^ (unsigned char)word.ptr[i]) * 16777619u;
    }
    return h;
}

/* The slot of a word, or the free one where it belongs. */
static uint32_t *slot_of(const struct sphinx_vocabulary *v, struct aic_str word)
{
    uint32_t mask = v->slot_count - 1;
    for (uint32_t i = hash(word) & mask;; i = (i + 1) & mask) {
        if (v->slots[i] == 0) {
            return &v->slots[i];
        }
        struct aic_str other = sphinx_vocabulary_word(v, v->slots[i] - 1);
        if (other.len == word.len && memcmp(other.ptr, word.ptr, word.len) == 0) {
            return &v->slots[i];
        }
    }
}

/* Twice the slots, at most half of them used. */
static int32_t grow(struct sphinx_vocabulary *v)
{
    uint32_t slot_count = v->slot_count > 0 ? v->slot_count * 2 : FIRST_SLOTS;
    uint32_t *begin = realloc(v->begin, (slot_count / 2 + 1) * sizeof(*begin));
    if (!begin) {
        return AIC_ERROR_MEMORY;
    }
    v->begin = begin;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots) {
        return AIC_ERROR_MEMORY;
    }
    free(v->slots);
    v->slots = slots;
    v->slot_count = slot_count;
    v->begin[v->count] = (uint32_t)v->text.len;
    for (uint32_t i = 0; i < v->count; i++) {
        *slot_of(v, sphinx_vocabulary_word(v, i)) = i + 1;
    }
    return AIC_OK;
}

void sphinx_vocabulary_init(struct sphinx_vocabulary *v, uint32_t max)
{
    *v = (struct sphinx_vocabulary){.max = max};
    aic_buf_init(&v->text, MAX_TEXT_BYTES);
}

void sphinx_vocabulary_finish(struct sphinx_vocabulary *v)
{
    aic_buf_finish(&v->text);
    free(v->begin);
    free(v->slots);
    *v = (struct sphinx_vocabulary){.max = 0};
}

int32_t sphinx_vocabulary_add(struct sphinx_vocabulary *v, struct aic_str word, uint32_t *number)
{
    if (sphinx_vocabulary_find(v, word, number)) {
        return AIC_OK;
    }
    if (v->count >= v->max) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (v->count + 1 > v->slot_count / 2) {
        int32_t status = grow(v);
        if (status < 0) {
            return status;
        }
    }
    uint32_t *slot = slot_of(v, word);
    int32_t status = aic_buf_str(&v->text, word);
    if (status < 0) {
        return status;
    }
    *number = v->count++;
    *slot = *number + 1;
    v->begin[v->count] = (uint32_t)v->text.len;
    return AIC_OK;
}

bool sphinx_vocabulary_find(const struct sphinx_vocabulary *v, struct aic_str word,
                            uint32_t *number)
{
    uint32_t *slot = v->slot_count > 0 ? slot_of(v, word) : NULL;
    if (!slot || *slot == 0) {
        return false;
    }
    *number = *slot - 1;
    return true;
}

struct aic_str sphinx_vocabulary_word(const struct sphinx_vocabulary *v, uint32_t number)
{
    return (struct aic_str){v->text.data + v->begin[number],
                            v->begin[number + 1] - v->begin[number]};
}
