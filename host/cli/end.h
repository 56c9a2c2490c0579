/* SPDX-License-Identifier: ISC */
#ifndef CLI_END_H
#define CLI_END_H
/* One end of a move: a storage that the configuration names, or any database by its address. */
#include "cli/direct.h"

enum { END_WHAT = 256 };

enum end_use {
    END_READ = 0,   /* a database of ours, to be read */
    END_WRITE = 1,  /* one of ours, made if missing */
    END_FOREIGN = 2 /* somebody else's: a SQLite file is never written to */
};

struct end {
    struct setup *setup; /* of an address; NULL: the configuration's own is used */
    struct direct direct;
    char what[END_WHAT]; /* for messages; no password is in it */
};

/*
 * `name` is a provider, or postgresql://..., or the file of a SQLite database, or env:NAME of one
 * of these. Says why it can not be opened; *status is the exit status then.
 */
bool end_open(struct end *end, const struct conf *conf, const char *name, enum end_use use,
              int *status);
/* Accepts one that was not opened. */
void end_close(struct end *end);

#endif
