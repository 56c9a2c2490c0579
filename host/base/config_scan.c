/* SPDX-License-Identifier: ISC */
#include "config_scan.h"

#include "buf.h"
#include "config_number.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct bracket {
    char mark;
    struct config_pos pos;
};

struct scan {
    const char *at;
    const char *end;
    struct config_pos pos; /* of `at` */
    struct config_tokens *tokens;
    struct config_problems *problems;
    struct bracket open[CONFIG_DEPTH_MAX];
    size_t depth;
    struct config_pos long_text; /* the last one that runs over several lines */
    bool is_broken;              /* the rest was swallowed: what it may have closed is unknown */
    bool is_out_of_memory;
};

int32_t config_tokens_add(struct config_tokens *tokens, const struct config_token *token)
{
    if (tokens->count == tokens->room) {
        size_t room = tokens->room ? tokens->room * 2 : 256;
        struct config_token *list = realloc(tokens->list, room * sizeof(*list));
        if (!list) {
            return AIC_ERROR_MEMORY;
        }
        tokens->list = list;
        tokens->room = room;
    }
    tokens->list[tokens->count++] = *token;
    return AIC_OK;
}

void config_tokens_finish(struct config_tokens *tokens)
{
    free(tokens->list);
    *tokens = (struct config_tokens){.list = NULL};
}

static bool is_any(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool starts(const struct scan *s, const char *text)
{
    return aic_str_starts((struct aic_str){s->at, (size_t)(s->end - s->at)}, text);
}

/* Columns count characters, as editors do. */
static void advance(struct scan *s, size_t bytes)
{
    for (; bytes > 0 && s->at < s->end; bytes--, s->at++) {
        if (*s->at == '\n') {
            s->pos.line++;
            s->pos.column = 1;
        } else if (((unsigned char)*s->at & 0xC0u) != 0x80u) {
            s->pos.column++;
        }
    }
}

static void skip_line(struct scan *s)
{
    while (s->at < s->end && *s->at != '\n') {
        advance(s, 1);
    }
}

static void skip_comment(struct scan *s)
{
    struct config_pos opened = s->pos;
    advance(s, 2);
    while (s->at < s->end && !starts(s, "*/")) {
        advance(s, 1);
    }
    if (s->at == s->end) {
        config_problem_add(s->problems, opened, "this comment is never closed; end it with */");
        s->is_broken = true;
    }
    advance(s, 2);
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end) {
        if (is_any(*s->at, " \t\r\n\f")) {
            advance(s, 1);
        } else if (*s->at == '#' || starts(s, "//")) {
            skip_line(s);
        } else if (starts(s, "/*")) {
            skip_comment(s);
        } else {
            return;
        }
    }
}

static void add(struct scan *s, enum config_token_kind kind, struct config_pos pos,
                struct aic_str text)
{
    struct config_token token = {.kind = kind, .pos = pos, .text = text};
    if (config_tokens_add(s->tokens, &token) != AIC_OK) {
        s->is_out_of_memory = true;
        s->at = s->end;
    }
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/*
 * Passes the escape at `at`. Those that versions of libconfig read differently are refused with
 * all the unknown ones, so that a file means the same everywhere.
 */
static void scan_escape(struct scan *s)
{
    struct config_pos pos = s->pos;
    size_t left = (size_t)(s->end - s->at);
    if (left >= 2 && is_any(s->at[1], "nrtf\\\"")) {
        advance(s, 2);
    } else if (left >= 4 && is_any(s->at[1], "xX") && is_hex_digit(s->at[2]) &&
               is_hex_digit(s->at[3])) {
        if (s->at[2] == '0' && s->at[3] == '0') {
            config_problem_add(s->problems, pos, "a text can not hold the character \\x00");
        }
        advance(s, 4);
    } else {
        config_problem_add(s->problems, pos,
                           "unknown escape; known are \\n \\r \\t \\f \\\" \\xHH, and \\\\ for a "
                           "backslash itself");
        advance(s, 1);
    }
}

/* A lost quote shows only where the quotes run out, which may be much later. */
static void report_open_text(struct scan *s, struct config_pos opened)
{
    s->is_broken = true;
    if (s->long_text.line > 0) {
        config_problem_add(s->problems, opened,
                           "this text is never closed; its second quote is missing, or that of "
                           "the text that begins in line %d, column %d",
                           s->long_text.line, s->long_text.column);
    } else {
        config_problem_add(s->problems, opened,
                           "this text is never closed; its second quote is missing");
    }
}

static void scan_string(struct scan *s)
{
    struct config_pos opened = s->pos;
    const char *first = s->at;
    bool is_text = true;
    advance(s, 1);
    while (s->at < s->end && *s->at != '"') {
        if (*s->at == '\\') {
            scan_escape(s);
            continue;
        }
        size_t bytes = *s->at ? aic_utf8_sequence(s->at, (size_t)(s->end - s->at)) : 0;
        if (bytes == 0 && is_text) {
            config_problem_add(s->problems, s->pos,
                               "byte 0x%02x is not UTF-8 text; save the file as UTF-8",
                               (unsigned)(unsigned char)*s->at);
            is_text = false;
        }
        advance(s, bytes > 0 ? bytes : 1);
    }
    if (s->at == s->end) {
        report_open_text(s, opened);
        return;
    }
    if (s->pos.line > opened.line) {
        s->long_text = opened;
    }
    advance(s, 1);
    add(s, CONFIG_TOKEN_STRING, opened, (struct aic_str){first, (size_t)(s->at - first)});
}

static void scan_name(struct scan *s)
{
    struct config_pos pos = s->pos;
    struct aic_str text = {s->at, 0};
    while (s->at < s->end && (is_letter(*s->at) || is_digit(*s->at) || is_any(*s->at, "-_*"))) {
        advance(s, 1);
    }
    text.len = (size_t)(s->at - text.ptr);
    bool is_bool = aic_str_equal_nocase(text, "true") || aic_str_equal_nocase(text, "false");
    add(s, is_bool ? CONFIG_TOKEN_BOOL : CONFIG_TOKEN_NAME, pos, text);
}

static void scan_number(struct scan *s)
{
    struct config_pos pos = s->pos;
    struct aic_str text = {s->at, 0};
    while (s->at < s->end && (is_letter(*s->at) || is_digit(*s->at) || is_any(*s->at, "+-._"))) {
        advance(s, 1);
    }
    text.len = (size_t)(s->at - text.ptr);
    int shown = text.len > 40 ? 40 : (int)text.len;
    switch (config_number_classify(text)) {
    case CONFIG_NUMBER_INT:
        add(s, CONFIG_TOKEN_INT, pos, text);
        break;
    case CONFIG_NUMBER_INT64:
        add(s, CONFIG_TOKEN_INT64, pos, text);
        break;
    case CONFIG_NUMBER_FLOAT:
        add(s, CONFIG_TOKEN_FLOAT, pos, text);
        break;
    case CONFIG_NUMBER_NEEDS_L:
        config_problem_add(s->problems, pos, "%.*s is beyond 32 bits; write %.*sL", shown, text.ptr,
                           shown, text.ptr);
        break;
    case CONFIG_NUMBER_TOO_LARGE:
        config_problem_add(s->problems, pos, "%.*s is beyond what 64 bits can hold", shown,
                           text.ptr);
        break;
    default:
        config_problem_add(s->problems, pos,
                           "\"%.*s\" is no number; a name begins with a letter, and text stands "
                           "in quotes",
                           shown, text.ptr);
        break;
    }
}

static void scan_include(struct scan *s)
{
    struct config_pos pos = s->pos;
    static const char word[] = "@include";
    if (starts(s, word)) {
        advance(s, sizeof(word) - 1);
        while (s->at < s->end && is_any(*s->at, " \t")) {
            advance(s, 1);
        }
        if (starts(s, "\"")) {
            advance(s, 1);
            struct aic_str path = {s->at, 0};
            while (s->at < s->end && *s->at != '\0' && !is_any(*s->at, "\"\n")) {
                advance(s, 1);
            }
            path.len = (size_t)(s->at - path.ptr);
            if (starts(s, "\"") && path.len > 0) {
                advance(s, 1);
                add(s, CONFIG_TOKEN_INCLUDE, pos, path);
                return;
            }
        }
    }
    config_problem_add(s->problems, pos, "expected @include \"file\"");
    skip_line(s);
}

static char closing_of(char mark)
{
    return mark == '{' ? '}' : mark == '(' ? ')' : ']';
}

static void scan_mark(struct scan *s)
{
    char mark = *s->at;
    if (is_any(mark, "{([")) {
        if (s->depth == CONFIG_DEPTH_MAX) {
            config_problem_add(s->problems, s->pos, "nested deeper than %d levels",
                               CONFIG_DEPTH_MAX);
            s->is_broken = true;
            s->at = s->end;
            return;
        }
        s->open[s->depth++] = (struct bracket){mark, s->pos};
    } else if (is_any(mark, "})]")) {
        if (s->depth == 0) {
            config_problem_add(s->problems, s->pos, "this \"%c\" closes nothing; remove it", mark);
        } else {
            struct bracket opened = s->open[--s->depth];
            if (closing_of(opened.mark) != mark) {
                config_problem_add(s->problems, s->pos,
                                   "expected \"%c\" for the \"%c\" in line %d, column %d, not "
                                   "\"%c\"",
                                   closing_of(opened.mark), opened.mark, opened.pos.line,
                                   opened.pos.column, mark);
            }
        }
    }
    add(s, CONFIG_TOKEN_MARK, s->pos, (struct aic_str){s->at, 1});
    advance(s, 1);
}

/* One report for a run of characters that can not stand here. */
static void scan_stray(struct scan *s)
{
    size_t bytes = *s->at ? aic_utf8_sequence(s->at, (size_t)(s->end - s->at)) : 0;
    const char *advice = "text stands in double quotes";
    if (bytes == 0 || (unsigned char)*s->at < 0x20 || *s->at == 0x7F) {
        config_problem_add(s->problems, s->pos, "byte 0x%02x can not stand here; %s",
                           (unsigned)(unsigned char)*s->at, advice);
    } else {
        config_problem_add(s->problems, s->pos, "\"%.*s\" can not stand here; %s", (int)bytes,
                           s->at, advice);
    }
    do {
        advance(s, 1);
    } while (s->at < s->end && !is_any(*s->at, " \t\r\n\f\"={}()[];,:"));
}

static void scan_token(struct scan *s)
{
    char c = *s->at;
    if (c == '"') {
        scan_string(s);
    } else if (is_letter(c) || c == '*') {
        scan_name(s);
    } else if (is_digit(c) || is_any(c, "+-.")) {
        scan_number(s);
    } else if (c == '@') {
        scan_include(s);
    } else if (is_any(c, "=:;,{}()[]")) {
        scan_mark(s);
    } else {
        scan_stray(s);
    }
}

int32_t config_scan(const char *file, struct aic_str text, struct config_tokens *tokens,
                    struct config_problems *problems)
{
    struct scan s = {.at = text.ptr,
                     .end = text.ptr ? text.ptr + text.len : text.ptr,
                     .pos = {.file = file, .line = 1, .column = 1},
                     .tokens = tokens,
                     .problems = problems};
    size_t errors = problems->errors;
    if (starts(&s, "\xef\xbb\xbf")) {
        config_problem_add(problems, s.pos,
                           "the file begins with a byte order mark; save it as UTF-8 without one");
        s.at += 3;
    }
    for (skip_blanks(&s); s.at < s.end; skip_blanks(&s)) {
        scan_token(&s);
    }
    for (size_t i = 0; i < s.depth && !s.is_broken; i++) {
        config_problem_add(problems, s.open[i].pos, "this \"%c\" is never closed; add \"%c\"",
                           s.open[i].mark, closing_of(s.open[i].mark));
    }
    if (s.is_out_of_memory) {
        return AIC_ERROR_MEMORY;
    }
    return problems->errors > errors ? AIC_ERROR_CONFIG : AIC_OK;
}
