/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_BOOK_H
#define SPHINX_BOOK_H
/*
 * What anybody may say on the telephone: yes and no, days, times, numbers, greetings, asking again.
 * It is the whole language model of a call without hints, and a faint background of all others.
 */
#include <aicaller/abi.h>

/* Takes a phrase in normalised words, and how often it is heard compared to others (up to 1). */
typedef int32_t (*sphinx_book_add)(void *data, struct aic_str phrase, float weight);

/* Calls `add` for each phrase; stops at the first that fails and returns what it returned. */
int32_t sphinx_book_phrases(sphinx_book_add add, void *data);

#endif
