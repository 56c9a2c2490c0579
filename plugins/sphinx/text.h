/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_TEXT_H
#define SPHINX_TEXT_H
/*
 * From a phrase as people write it to the words that are heard: lower case, no punctuation, numbers
 * and times spelled out. "Dr. Lee, 10:30 a.m. on the 3rd" becomes "doctor lee ten thirty a.m. on
 * the third". Pure. What the recogniser can not say (other scripts, symbols) is left out.
 */
#include "buf.h"

enum { SPHINX_WORD_BYTES = 48 }; /* longest word that is kept */

/* Appends the words of `phrase` with one space between them; nothing where there is no word.
 * A failure (memory, maximum) sticks in `words`. */
void sphinx_text_normalise(struct aic_str phrase, struct aic_buf *words);

/* Takes the next word off the front of *rest (words with single spaces); false at the end. */
bool sphinx_text_word(struct aic_str *rest, struct aic_str *word);

#endif
