/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_VOCABULARY_H
#define SPHINX_VOCABULARY_H
/* Distinct words, numbered from 0 in the order of their coming. */
#include "buf.h"

struct sphinx_vocabulary {
    struct aic_buf text; /* the words, one behind the other */
    uint32_t *begin;     /* where each begins; begin[count] is where the last one ends */
    uint32_t count;
    uint32_t max;
    uint32_t *slots; /* open addressing: number + 1, 0 = free */
    uint32_t slot_count;
};

/* Prepares an empty one for at most `max` words. */
void sphinx_vocabulary_init(struct sphinx_vocabulary *v, uint32_t max);
/* Accepts a zeroed one. */
void sphinx_vocabulary_finish(struct sphinx_vocabulary *v);
/* The number of `word`, which is added where it is new. */
int32_t sphinx_vocabulary_add(struct sphinx_vocabulary *v, struct aic_str word, uint32_t *number);
/* False where it is not there. */
bool sphinx_vocabulary_find(const struct sphinx_vocabulary *v, struct aic_str word,
                            uint32_t *number);
/* Borrowed until the next add. */
struct aic_str sphinx_vocabulary_word(const struct sphinx_vocabulary *v, uint32_t number);

#endif
