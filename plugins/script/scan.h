/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_SCAN_H
#define SCRIPT_SCAN_H
/*
 * Looks over the text of a script before libconfig sees it. libconfig ends the process where an
 * @include names a folder, wraps large numbers silently, and calls every mistake "syntax error" at
 * the place where it noticed; this finds the common mistakes where they were made.
 */
#include "problems.h"

/* Reports what is wrong; true when libconfig may read the text. `text` is terminated as well. */
bool script_scan(struct aic_str text, struct script_problems *problems);

/* The length of line `line` of `text` without blanks around it, *begin set to its first byte;
 * 0 where there is none. For showing what libconfig did not like. */
size_t script_scan_line(struct aic_str text, int line, const char **begin);

#endif
