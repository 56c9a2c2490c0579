/* SPDX-License-Identifier: ISC */
#ifndef CALL_PHRASES_H
#define CALL_PHRASES_H
/*
 * Finds fixed phrases in what a caller said, whatever the case and punctuation, in any script:
 * goodbyes, "mhm" and its like. Pure.
 */
#include "buf.h"

/* Appends `text` in lower case with punctuation gone and single spaces between words. */
void phrases_normalise(struct aic_buf *to, struct aic_str text);
/* Words of a normalised text. */
size_t phrases_words(struct aic_str normalised);
/* Whether whole words of `normalised` make up `phrase` (normalised as well). */
bool phrases_contain(struct aic_str normalised, const char *phrase);

/*
 * Whether the caller takes leave, by the built-in English and Hindi phrases and the agent's own
 * (NULL-terminated, may be NULL). "Do not hang up" is no goodbye, nor is the word deep inside a
 * longer sentence.
 */
bool phrases_is_goodbye(struct aic_str text, const char *const *more);
/* Whether it is only a sign of listening: "mhm", "okay", "right", "हाँ". */
bool phrases_is_backchannel(struct aic_str text);

#endif
