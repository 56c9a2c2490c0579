/* SPDX-License-Identifier: ISC */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H
/*
 * How far long work has come, on standard error: a bar that moves on a terminal, a line every five
 * seconds elsewhere.
 */
#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* borrowed */
    uint64_t rows;
    int64_t begun_us;
    int64_t told_us;
    bool is_terminal;
    bool was_told;
};

void progress_begin(struct progress *progress, const char *what);
/* `rows` are done, which is this part (0 to 1) of all; below 0: nobody knows. */
void progress_tell(struct progress *progress, uint64_t rows, double part);
/* The last word: so many rows in so much time. */
void progress_end(struct progress *progress);

#endif
