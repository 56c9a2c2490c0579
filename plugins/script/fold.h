/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_FOLD_H
#define SCRIPT_FOLD_H
/*
 * Text as it is compared: lower case, without diacritics, apostrophes and punctuation, words
 * separated by one space. Vowel signs of Indian scripts stay; the nukta goes, candrabindu counts as
 * anusvara and their digits as ASCII's.
 */
#include "buf.h"

/* Appends the folded text to `to`. Bytes that are not UTF-8 separate words. */
void script_fold(struct aic_buf *to, struct aic_str text);

/* Appends a POSIX expression with its non-ASCII letters folded, so that it can match folded text.
 */
void script_fold_regex(struct aic_buf *to, struct aic_str expression);

/* Takes the next word off the front of a folded text; length 0 at its end. */
struct aic_str script_fold_next(struct aic_str *folded);

#endif
