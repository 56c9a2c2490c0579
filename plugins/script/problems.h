/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_PROBLEMS_H
#define SCRIPT_PROBLEMS_H
/* What is wrong with a script file: collected to the end, so that one run shows all of it. */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { SCRIPT_PROBLEMS_SHOWN = 40 };

struct script_problems {
    const char *file; /* as shown */
    /* Takes one finished line; `level` is AIC_LOG_ERROR or AIC_LOG_WARN. */
    void (*report)(void *data, uint32_t level, struct aic_str line);
    void *data;
    uint32_t count; /* errors; warnings do not count */
};

/* "file:line: what"; line 0 leaves the number out. */
void script_problem(struct script_problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void script_warning(struct script_problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells how many errors were left out. */
void script_problems_end(struct script_problems *problems);

/* Finds the known name that a wrong one was probably meant to be. */
struct script_guess {
    const char *wrong;
    const char *best;
    size_t distance;
};

void script_guess_init(struct script_guess *guess, const char *wrong);
void script_guess_try(struct script_guess *guess, const char *known);
/* Writes "; did you mean "x"?" or nothing. */
const char *script_guess_text(const struct script_guess *guess, char *to, size_t bytes);

#endif
