/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_DICT_H
#define SPHINX_DICT_H
/*
 * The pronouncing dictionary of a language model: only its words, with all their pronunciations.
 * They are taken from the operator's own entries, then from the packaged dictionary; what neither
 * has is guessed (g2p.h). Pure.
 *
 * Entries are lines "word W ER D", further ways to say a word "word(2) ...".
 */
#include "lm.h"

struct sphinx_dict_sources {
    struct aic_str own;      /* the operator's entries; they replace the packaged ones */
    struct aic_str packaged; /* sorted or not */
};

/* Appends the entries for the words of `lm`. `guessed` gets the guessed ones, "word W ER D" with a
 * comma between; what could not even be guessed stands there with "left out". */
int32_t sphinx_dict_build(const struct sphinx_dict_sources *sources, const struct sphinx_lm *lm,
                          struct aic_buf *entries, struct aic_buf *guessed);

/* Number of the first line that is no entry of the English model's sounds; 0 when all are good.
 * Empty lines and lines that begin with # are fine. */
uint32_t sphinx_dict_check(struct aic_str entries);

#endif
