/* SPDX-License-Identifier: ISC */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H
/*
 * The calls of the Python application that stood here before, out of its SQLite or PostgreSQL
 * database. What can not be taken is told row by row, with the reason.
 */
#include "cli/direct.h"

#include <stdio.h>

struct end;

struct import_options {
    struct end *from;
    struct end *to;     /* NULL: nothing is written, only counted */
    const char *prefix; /* of its tables; NULL = to be found */
    FILE *skipped;      /* takes a JSON object per row that is not taken; NULL */
    bool as_json;
};

/* Returns the exit status, after saying what happened. */
int import_run(const struct import_options *options);

#endif
