/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_THINK_H
#define OPENAI_THINK_H
/*
 * Parts the thoughts that some models write into their text, as in "<think>...</think>", from what
 * is to be spoken. Tags may be cut anywhere between two pieces of text. Pure.
 */
#include "buf.h"

/* Takes text that is to be spoken, or a thought; whole UTF-8 characters if they came so. */
struct openai_think_sink {
    void *data;
    void (*text)(void *data, struct aic_str text);
    void (*thought)(void *data, struct aic_str text);
};

enum { OPENAI_TAG_BYTES = 16 };

struct openai_think {
    bool is_inside;              /* a thought */
    bool trims;                  /* blanks that follow a thought are no text */
    char held[OPENAI_TAG_BYTES]; /* the beginning of what may become a tag */
    size_t held_bytes;
};

/* A zeroed struct is a new one. */
void openai_think_push(struct openai_think *think, struct aic_str text,
                       const struct openai_think_sink *sink);
/* The text is complete: what looked like the beginning of a tag was none. */
void openai_think_end(struct openai_think *think, const struct openai_think_sink *sink);

#endif
