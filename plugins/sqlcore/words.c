/* SPDX-License-Identifier: ISC */
#include "sqlcore/words.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool has_letter(struct aic_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) {
            return true;
        }
    }
    return false;
}

void sql_words_read(struct sql_words *words, struct aic_str text)
{
    words->count = 0;
    for (size_t i = 0; i < text.len && words->count < SQL_MAX_WORDS;) {
        if (is_space(text.ptr[i])) {
            i++;
            continue;
        }
        bool is_phrase = text.ptr[i] == '"';
        size_t from = is_phrase ? i + 1 : i;
        size_t to = from;
        while (to < text.len && text.ptr[to] != '"' && (is_phrase || !is_space(text.ptr[to]))) {
            to++;
        }
        struct aic_str word = {text.ptr + from, to - from};
        if (has_letter(word)) {
            words->words[words->count++] = word;
        }
        i = is_phrase ? to + 1 : to;
    }
}

void sql_words_fts5(const struct sql_words *words, struct aic_buf *to)
{
    for (uint32_t i = 0; i < words->count; i++) {
        aic_buf_text(to, i ? " \"" : "\"");
        aic_buf_str(to, words->words[i]);
        aic_buf_char(to, '"');
    }
}
