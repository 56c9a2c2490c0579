/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H
/*
 * One log line as bytes. Pure: no clock, no descriptor. Every text in it is masked, made valid
 * UTF-8 and escaped, so that a value can neither break out of its place nor end the line.
 */
#include "log.h"
#include "mask.h"

enum { LOG_LINE_MAX = 8192 }; /* with its line feed */

struct log_line {
    int64_t wall_us;
    uint32_t level;
    bool has_priority; /* begins with the priority that journald reads, "<6>" */
    bool is_cut;       /* the message lost its end already */
    const char *area;
    struct aic_str message;
    const struct log_field *fields; /* up to a NULL key; may be NULL. Keys are plain words */
    int worker;                     /* -1 for none */
    int generation;
    uint64_t dropped; /* lines lost since the last one that went through */
};

/*
 * Writes the line with its line feed; returns its length. What does not fit is left out, and the
 * line says so with truncated=true; it is whole JSON all the same.
 */
size_t log_line_format(char to[LOG_LINE_MAX], enum log_format format,
                       const struct mask_secrets *secrets, const struct log_line *line);

#endif
