/* SPDX-License-Identifier: ISC */
#include "buf.h"
#include "config.h"
#include "json.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX = 100,   /* further ones are only counted */
    TEXT_MAX = 1024,  /* of one problem */
    WORD_MAX = 64,    /* longer ones are no slip of a finger */
    NEAREST_EDITS = 2 /* a slip is one edit or two */
};

/* One block holds both texts, so that a problem outlives the configuration it was found in. */
static bool store(struct config_problem *problem, const char *text)
{
    const char *file = problem->pos.file ? problem->pos.file : "";
    size_t text_bytes = strlen(text) + 1;
    size_t file_bytes = strlen(file) + 1;
    problem->text = malloc(text_bytes + file_bytes);
    if (!problem->text) {
        return false;
    }
    memcpy(problem->text, text, text_bytes);
    memcpy(problem->text + text_bytes, file, file_bytes);
    problem->pos.file = problem->text + text_bytes;
    return true;
}

/* A problem is one line of whole characters, whatever it quotes. */
static void make_one_line(char *text)
{
    size_t length = strlen(text);
    text[length - aic_utf8_incomplete_tail((struct aic_str){text, length})] = '\0';
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            *text = ' ';
        }
    }
}

static void add(struct config_problems *problems, struct config_pos pos, bool is_warning,
                const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void add(struct config_problems *problems, struct config_pos pos, bool is_warning,
                const char *format, va_list args)
{
    /* An error counts even where there is no room to keep it. */
    problems->errors += is_warning ? 0 : 1;
    if (problems->count == LIST_MAX) {
        return;
    }
    struct config_problem *list =
        realloc(problems->list, (problems->count + 1) * sizeof(*problems->list));
    if (!list) {
        return;
    }
    problems->list = list;
    char text[TEXT_MAX];
    (void)vsnprintf(text, sizeof(text), format, args);
    make_one_line(text);
    struct config_problem problem = {.pos = pos, .is_warning = is_warning};
    if (store(&problem, text)) {
        list[problems->count++] = problem;
    }
}

void config_problem_add(struct config_problems *problems, struct config_pos pos, const char *format,
                        ...)
{
    va_list args;
    va_start(args, format);
    add(problems, pos, false, format, args);
    va_end(args);
}

void config_warning_add(struct config_problems *problems, struct config_pos pos, const char *format,
                        ...)
{
    va_list args;
    va_start(args, format);
    add(problems, pos, true, format, args);
    va_end(args);
}

static void print_json(const struct config_problems *problems, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->list[i];
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "file", problem->pos.file);
        aic_json_member_int(&w, "line", problem->pos.line);
        aic_json_member_int(&w, "column", problem->pos.column);
        aic_json_member_text(&w, "text", problem->text);
        aic_json_member_text(&w, "severity", problem->is_warning ? "warning" : "error");
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
}

static void print_line(const struct config_problem *problem, struct aic_buf *to)
{
    if (*problem->pos.file) {
        aic_buf_text(to, problem->pos.file);
        if (problem->pos.line > 0) {
            aic_buf_printf(to, ":%d:%d", problem->pos.line, problem->pos.column);
        }
        aic_buf_text(to, ": ");
    }
    aic_buf_printf(to, "%s%s\n", problem->is_warning ? "warning: " : "", problem->text);
}

void config_problems_print(const struct config_problems *problems, bool as_json, struct aic_buf *to)
{
    if (as_json) {
        print_json(problems, to);
        return;
    }
    size_t errors = 0;
    for (size_t i = 0; i < problems->count; i++) {
        print_line(&problems->list[i], to);
        errors += problems->list[i].is_warning ? 0 : 1;
    }
    if (problems->errors > errors) {
        aic_buf_printf(to, "and %zu more errors\n", problems->errors - errors);
    }
}

void config_problems_finish(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->list[i].text);
    }
    free(problems->list);
    *problems = (struct config_problems){.list = NULL};
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `a` out of `b`, ignoring
 * case (Damerau and Levenshtein, in the variant that edits no place twice). */
static size_t edits_between(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > WORD_MAX || b_len > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i - 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            bool is_same = lower(a[i - 1]) == lower(b[j - 1]);
            now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + (is_same ? 0 : 1));
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1])) {
                now[j] = least(now[j], rows[(i - 2) % 3][j - 2] + 1);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

const char *config_nearest(const char *word, const char *const *candidates)
{
    /* Of a word of three letters only one may be wrong. */
    size_t limit = least(NEAREST_EDITS, strlen(word) / 2);
    const char *nearest = NULL;
    for (; candidates && *candidates; candidates++) {
        size_t edits = edits_between(word, *candidates);
        if (edits <= limit && (!nearest || edits < edits_between(word, nearest))) {
            nearest = *candidates;
        }
    }
    return nearest;
}
