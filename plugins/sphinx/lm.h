/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_LM_H
#define SPHINX_LM_H
/*
 * A language model from phrases: trigrams with Witten-Bell smoothing, written as ARPA text. What
 * was given as a phrase is expected most, parts of it in another order less, any word of it after
 * any other least. Pure.
 */
#include "buf.h"

enum { SPHINX_LM_MAX_WORDS = 20000, SPHINX_LM_MAX_GRAMS = 400000, SPHINX_LM_MAX_BYTES = 32 << 20 };

struct sphinx_lm;

struct sphinx_lm *sphinx_lm_create(void);
/* Accepts NULL. */
void sphinx_lm_destroy(struct sphinx_lm *lm);
/*
 * Adds one phrase of normalised words (see text.h), as if it had been heard `weight` times.
 * AIC_ERROR_TOO_LARGE: a maximum is reached, the phrase was not added.
 */
int32_t sphinx_lm_add(struct sphinx_lm *lm, struct aic_str words, float weight);
/* The distinct words so far; borrowed until the next add. */
uint32_t sphinx_lm_word_count(const struct sphinx_lm *lm);
struct aic_str sphinx_lm_word(const struct sphinx_lm *lm, uint32_t index);
/* The index of a word; false where it is not in the model. */
bool sphinx_lm_find(const struct sphinx_lm *lm, struct aic_str word, uint32_t *index);
/* Appends the model as ARPA text. AIC_ERROR_INVALID without any phrase. */
int32_t sphinx_lm_write(struct sphinx_lm *lm, struct aic_buf *arpa);

#endif
