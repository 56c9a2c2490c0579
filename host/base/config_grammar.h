/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_GRAMMAR_H
#define BASE_CONFIG_GRAMMAR_H
/*
 * Checks that the words of a configuration stand in libconfig's order, and says what was expected
 * where they do not. The result names the place of every value, in the order in which a walk
 * through the tree meets them. Pure.
 */
#include "config_scan.h"

struct config_entry {
    struct config_pos pos;            /* of the name, in lists of the value */
    const struct config_token *value; /* its first word */
    const struct config_token *name;  /* NULL in lists */
    size_t sibling;                   /* index + 1 of the setting before it in its group */
};

struct config_outline {
    struct config_entry *list;
    size_t count;
    size_t room;
};

/* AIC_ERROR_CONFIG: a problem was added, the first one only. */
int32_t config_grammar_check(const struct config_tokens *tokens, struct config_outline *outline,
                             struct config_problems *problems);
/* Accepts a zeroed one. */
void config_outline_finish(struct config_outline *outline);

#endif
