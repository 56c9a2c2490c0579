/* SPDX-License-Identifier: ISC */
#ifndef CALL_SENTENCES_H
#define CALL_SENTENCES_H
/*
 * Cuts a model's stream of text into what a voice can say: sentences as soon as they are complete,
 * the first one as short as a clause, so that the caller hears something early. Marks that are
 * meant for eyes (Markdown, emoji, bullets) are taken out. Pure.
 */
#include "buf.h"

struct sentences {
    struct aic_buf pending; /* cleaned text that is not yet a sentence */
    struct aic_buf raw;     /* bytes of a character or mark that may go on */
    bool is_first;
    bool at_line_start;
};

typedef void (*sentences_handler)(void *data, struct aic_str sentence);

void sentences_init(struct sentences *s);
void sentences_finish(struct sentences *s);
/* Begins a new answer. */
void sentences_reset(struct sentences *s);
/* Takes more text; gives every sentence that it completes. */
void sentences_push(struct sentences *s, struct aic_str text, sentences_handler handler,
                    void *data);
/* The answer is complete: gives the rest. */
void sentences_end(struct sentences *s, sentences_handler handler, void *data);

/* Where to cut a text that is longer than `limit` bytes: before its last space, or at least between
 * two characters. */
size_t sentences_cut(struct aic_str text, size_t limit);

#endif
