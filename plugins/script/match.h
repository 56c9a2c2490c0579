/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_MATCH_H
#define SCRIPT_MATCH_H
/*
 * Finds a script's patterns in what somebody said. Pure: words in, findings out. A sentence longer
 * than SCRIPT_MATCH_WORDS is judged by its end, where people say what they want.
 */
#include "buf.h"
#include "script.h"

enum { SCRIPT_MATCH_WORDS = 63, SCRIPT_MATCH_BYTES = 2000 };

struct script_match {
    const struct script *script;
    struct aic_buf folded; /* the words as one text, for expressions */
    uint32_t words[SCRIPT_MATCH_WORDS];
    uint32_t count;
    /* Per list and first word: the set of places, as bits, where an entry of the list ends. */
    uint64_t *ends;
};

int32_t script_match_init(struct script_match *match, const struct script *script,
                          struct aic_str said);
/* Accepts a zeroed match. */
void script_match_finish(struct script_match *match);

/* True if the words fulfil what an intent asks for. */
bool script_match_intent(const struct script_match *match, const struct script_intent *intent);

/* How near the words come to an intent's examples: 0 to 1. Words that many intents share count
 * little. */
float script_match_likeness(const struct script_match *match, const struct script_intent *intent);

/*
 * A slot's value in the words: the longest finding, and of equals the last. `asked` lets its
 * `asked` list count as well. Appends to `value`; false where nothing is found.
 */
bool script_match_slot(const struct script_match *match, const struct script_slot *slot, bool asked,
                       struct aic_buf *value);

#endif
