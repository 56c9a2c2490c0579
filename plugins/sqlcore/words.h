/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_WORDS_H
#define SQLCORE_WORDS_H
/*
 * What somebody typed into a search box: words, and phrases in double quotes. All of them must
 * occur. What has neither letter nor digit is no word.
 */
#include "buf.h"

enum { SQL_MAX_WORDS = 16 };

struct sql_words {
    struct aic_str words[SQL_MAX_WORDS]; /* borrowed from the text */
    uint32_t count;
};

void sql_words_read(struct sql_words *words, struct aic_str text);
/* As an expression of FTS5, where a quoted string has no special meaning. */
void sql_words_fts5(const struct sql_words *words, struct aic_buf *to);

#endif
