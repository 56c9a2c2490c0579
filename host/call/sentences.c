/* SPDX-License-Identifier: ISC */
#include "call/sentences.h"

#include "utf8.h"

#include <ctype.h>
#include <string.h>

enum {
    MAX_ANSWER = 64 * 1024,
    MAX_SENTENCE = 300, /* a voice should not wait longer for a full stop */
    FIRST_CLAUSE = 24,  /* characters after which the first answer may be cut at a comma */
    LATER_CLAUSE = 160
};

void sentences_init(struct sentences *s)
{
    aic_buf_init(&s->pending, MAX_ANSWER);
    aic_buf_init(&s->raw, MAX_ANSWER);
    sentences_reset(s);
}

void sentences_finish(struct sentences *s)
{
    aic_buf_finish(&s->pending);
    aic_buf_finish(&s->raw);
}

void sentences_reset(struct sentences *s)
{
    aic_buf_clear(&s->pending);
    aic_buf_clear(&s->raw);
    s->is_first = true;
    s->at_line_start = true;
}

/* Emoji, dingbats, arrows and their joiners: a voice would spell or swallow them. */
static bool is_for_eyes(uint32_t code)
{
    return (code >= 0x2190 && code <= 0x21FF) || (code >= 0x2300 && code <= 0x23FF) ||
           (code >= 0x2500 && code <= 0x27BF) || (code >= 0x2B00 && code <= 0x2BFF) ||
           code == 0x200D || code == 0xFE0F || code == 0x2022 ||
           (code >= 0x1F000 && code <= 0x1FAFF) || (code >= 0xE000 && code <= 0xF8FF);
}

static void add_space(struct sentences *s)
{
    if (s->pending.len > 0 && s->pending.data[s->pending.len - 1] != ' ') {
        aic_buf_char(&s->pending, ' ');
    }
}

static void add_character(struct sentences *s, const char *at, size_t length, uint32_t code)
{
    if (code == '\n') {
        add_space(s);
        s->at_line_start = true;
        return;
    }
    if (code <= ' ' || code == 0xA0) {
        add_space(s);
        return;
    }
    bool mark = code == '*' || code == '`' || code == '_' || code == '~' || is_for_eyes(code);
    bool line_mark = s->at_line_start && (code == '#' || code == '>' || code == '-' || code == '|');
    if (mark || line_mark) {
        return;
    }
    s->at_line_start = false;
    aic_buf_add(&s->pending, at, length);
}

static bool is_closing(unsigned char c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']';
}

/* Words whose full stop does not end a sentence. */
static bool is_abbreviation(struct aic_str word)
{
    static const char *const known[] = {"mr",  "mrs", "ms",     "dr",   "prof", "st",  "no", "vs",
                                        "etc", "eg",  "ie",     "e.g",  "i.e",  "jr",  "sr", "inc",
                                        "ltd", "co",  "approx", "dept", "ext",  "a.m", "p.m"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (aic_str_equal_nocase(word, known[i])) {
            return true;
        }
    }
    return word.len == 1 && isalpha((unsigned char)word.ptr[0]);
}

static struct aic_str word_before(struct aic_str text, size_t end)
{
    size_t begin = end;
    while (begin > 0 && text.ptr[begin - 1] != ' ') {
        begin--;
    }
    return (struct aic_str){text.ptr + begin, end - begin};
}

/* Length of a mark at `at` that ends a sentence, 0 where there is none. */
static size_t sentence_mark(struct aic_str text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];
    if (c == '.' || c == '!' || c == '?') {
        return 1;
    }
    /* The danda of Hindi, and the full stops and marks of Chinese and Japanese. */
    static const char *const others[] = {"\xe0\xa5\xa4", "\xe3\x80\x82", "\xef\xbc\x81",
                                         "\xef\xbc\x9f", "\xe2\x80\xa6"};
    for (size_t i = 0; c >= 0x80 && i < sizeof(others) / sizeof(others[0]); i++) {
        if (text.len - at >= 3 && memcmp(text.ptr + at, others[i], 3) == 0) {
            return 3;
        }
    }
    return 0;
}

/*
 * Where the first sentence of `text` ends, or 0. A full stop counts only with a space behind it
 * (then it is no decimal or address), or at the end of the answer.
 */
static size_t sentence_end(struct aic_str text, bool is_complete)
{
    for (size_t at = 0; at < text.len; at++) {
        size_t mark = sentence_mark(text, at);
        if (mark == 0) {
            continue;
        }
        size_t end = at + mark;
        while (end < text.len &&
               (sentence_mark(text, end) || is_closing((unsigned char)text.ptr[end]))) {
            size_t more = sentence_mark(text, end);
            end += more ? more : 1;
        }
        bool has_space = end < text.len && text.ptr[end] == ' ';
        bool ends = mark == 3 || has_space || (is_complete && end == text.len);
        if (ends && text.ptr[at] == '.' && is_abbreviation(word_before(text, at))) {
            ends = false;
        }
        if (ends) {
            return end;
        }
        at = end - 1;
    }
    return 0;
}

/* Where a clause ends after at least `least` characters, or 0. */
static size_t clause_end(struct aic_str text, size_t least)
{
    for (size_t at = least; at + 1 < text.len; at++) {
        char c = text.ptr[at];
        if ((c == ',' || c == ';' || c == ':') && text.ptr[at + 1] == ' ') {
            return at + 1;
        }
    }
    return 0;
}

size_t sentences_cut(struct aic_str text, size_t limit)
{
    for (size_t at = limit; at > 0; at--) {
        if (text.ptr[at] == ' ') {
            return at;
        }
    }
    return aic_utf8_cut(text, limit);
}

static size_t next_cut(const struct sentences *s, struct aic_str text, bool is_complete)
{
    size_t sentence = sentence_end(text, is_complete);
    size_t clause = clause_end(text, s->is_first ? FIRST_CLAUSE : LATER_CLAUSE);
    if (clause > 0 && (sentence == 0 || clause < sentence)) {
        return clause;
    }
    if (sentence > 0) {
        return sentence;
    }
    return text.len > MAX_SENTENCE ? sentences_cut(text, MAX_SENTENCE) : 0;
}

/* Something a voice can say: a letter or digit of any script. */
static bool has_sound(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || isalnum(c)) {
            return true;
        }
    }
    return false;
}

static struct aic_str trim(struct aic_str text)
{
    while (text.len > 0 && text.ptr[0] == ' ') {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && text.ptr[text.len - 1] == ' ') {
        text.len--;
    }
    return text;
}

static void give(struct sentences *s, size_t bytes, sentences_handler handler, void *data)
{
    struct aic_str sentence = trim((struct aic_str){s->pending.data, bytes});
    if (has_sound(sentence)) {
        s->is_first = false;
        handler(data, sentence);
    }
    aic_buf_drop(&s->pending, bytes);
    while (s->pending.len > 0 && s->pending.data[0] == ' ') {
        aic_buf_drop(&s->pending, 1);
    }
}

static void cut_all(struct sentences *s, bool is_complete, sentences_handler handler, void *data)
{
    size_t cut = next_cut(s, aic_buf_view(&s->pending), is_complete);
    while (cut > 0) {
        give(s, cut, handler, data);
        cut = next_cut(s, aic_buf_view(&s->pending), is_complete);
    }
}

void sentences_push(struct sentences *s, struct aic_str text, sentences_handler handler, void *data)
{
    aic_buf_str(&s->raw, text);
    struct aic_str raw = aic_buf_view(&s->raw);
    raw.len -= aic_utf8_incomplete_tail(raw);
    for (size_t i = 0; i < raw.len;) {
        uint32_t code = 0;
        size_t length = aic_utf8_decode(raw.ptr + i, raw.len - i, &code);
        if (length > 0) {
            add_character(s, raw.ptr + i, length, code);
        }
        i += length ? length : 1;
    }
    aic_buf_drop(&s->raw, raw.len);
    cut_all(s, false, handler, data);
}

void sentences_end(struct sentences *s, sentences_handler handler, void *data)
{
    cut_all(s, true, handler, data);
    if (s->pending.len > 0) {
        give(s, s->pending.len, handler, data);
    }
    sentences_reset(s);
}
