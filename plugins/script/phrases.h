/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_PHRASES_H
#define SCRIPT_PHRASES_H
/*
 * What callers are expected to say, for a recogniser: the phrases and examples of all intents and
 * slots with their word lists written out. Where that would be too many, each pattern gives an even
 * sample of its phrases, in which every word of its lists occurs.
 */
#include "script.h"

enum { SCRIPT_PHRASES_MAX = 5000 };

/* Calls `add` for at most `max` phrases, always the same ones; returns how many. Phrases with
 * digits are left out: nobody speaks in digits. */
uint32_t script_phrases(const struct script *script, uint32_t max,
                        void (*add)(void *data, struct aic_str phrase), void *data);

#endif
