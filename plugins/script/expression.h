/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_EXPRESSION_H
#define SCRIPT_EXPRESSION_H
/*
 * Extended POSIX expressions of a script. Refused is what costs time or memory out of proportion:
 * references back, and repetitions whose counts multiply beyond a thousand.
 */
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_EXPRESSION_MAX = 300, SCRIPT_GROUPS_MAX = 9 };

/* Compiles; 0, or a negative status with the reason in `why`. */
int32_t script_expression_compile(const char *text, regex_t *regex, char *why, size_t why_bytes);

#endif
