/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_G2P_H
#define SPHINX_G2P_H
/*
 * Guesses how unknown words are pronounced, by analogy: each letter is spoken as it is in those
 * dictionary words that have the same letters around it. Give the unknown words, then the whole
 * dictionary, then ask. Words without a vowel are spelled. Pure.
 *
 * Tried on words of the English dictionary itself, each with its own entry left out, about nine of
 * ten sounds are right (tests/unit/test_sphinx_g2p.c); good enough for a recogniser to catch most
 * names, no replacement for an entry.
 */
#include "buf.h"

enum { SPHINX_G2P_MAX_WORDS = 1000 };

struct sphinx_g2p;

struct sphinx_g2p *sphinx_g2p_create(void);
/* Accepts NULL. */
void sphinx_g2p_destroy(struct sphinx_g2p *g2p);
/* Adds an unknown word of letters a to z and apostrophes, which are passed over. Before the first
 * `learn`. AIC_ERROR_TOO_LARGE beyond the maximum. */
int32_t sphinx_g2p_ask(struct sphinx_g2p *g2p, struct aic_str text);
/* Shows an entry of the dictionary: "word", "W ER D". What can not serve as a pattern is ignored.
 */
void sphinx_g2p_learn(struct sphinx_g2p *g2p, struct aic_str text, struct aic_str sounds);
/* Appends the sounds of asked word `index`; AIC_ERROR_NOT_FOUND where there is no idea. */
int32_t sphinx_g2p_answer(const struct sphinx_g2p *g2p, uint32_t index, struct aic_buf *to);

/* Whether every sound of "W ER D" is one of the 39 of the English dictionary. */
bool sphinx_g2p_valid(struct aic_str sounds);

#endif
