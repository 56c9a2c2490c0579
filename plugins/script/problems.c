/* SPDX-License-Identifier: ISC */
#include "problems.h"

#include "buf.h"

#include <aicaller/log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1000, NAME_MAX_BYTES = 40 };

static void report(struct script_problems *problems, uint32_t level, int line, const char *format,
                   va_list args) __attribute__((format(printf, 4, 0)));

static void report(struct script_problems *problems, uint32_t level, int line, const char *format,
                   va_list args)
{
    struct aic_buf text;
    aic_buf_init(&text, LINE_MAX_BYTES);
    if (line > 0) {
        aic_buf_printf(&text, "%s:%d: ", problems->file, line);
    } else {
        aic_buf_printf(&text, "%s: ", problems->file);
    }
    aic_buf_vprintf(&text, format, args);
    problems->report(problems->data, level, aic_buf_view(&text));
    aic_buf_finish(&text);
}

void script_problem(struct script_problems *problems, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (problems->count++ < SCRIPT_PROBLEMS_SHOWN) {
        report(problems, AIC_LOG_ERROR, line, format, args);
    }
    va_end(args);
}

void script_warning(struct script_problems *problems, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(problems, AIC_LOG_WARN, line, format, args);
    va_end(args);
}

void script_problems_end(struct script_problems *problems)
{
    if (problems->count > SCRIPT_PROBLEMS_SHOWN) {
        script_warning(problems, 0, "%u further errors are not shown",
                       problems->count - SCRIPT_PROBLEMS_SHOWN);
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, replace or swap with their neighbour to make one name of the other. */
static size_t distance(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    size_t d[NAME_MAX_BYTES + 1][NAME_MAX_BYTES + 1];
    if (a_len > NAME_MAX_BYTES || b_len > NAME_MAX_BYTES) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= a_len; i++) {
        for (size_t j = 0; j <= b_len; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] = least(replaced, least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a_len][b_len];
}

void script_guess_init(struct script_guess *guess, const char *wrong)
{
    *guess = (struct script_guess){.wrong = wrong, .distance = SIZE_MAX};
}

void script_guess_try(struct script_guess *guess, const char *known)
{
    size_t d = distance(guess->wrong, known);
    size_t allowed = strlen(guess->wrong) <= 4 ? 1 : 1 + strlen(guess->wrong) / 4;
    if (d <= allowed && d < guess->distance) {
        guess->best = known;
        guess->distance = d;
    }
}

const char *script_guess_text(const struct script_guess *guess, char *to, size_t bytes)
{
    if (bytes == 0) {
        return "";
    }
    to[0] = '\0';
    if (guess->best) {
        (void)snprintf(to, bytes, "; did you mean \"%s\"?", guess->best);
    }
    return to;
}
