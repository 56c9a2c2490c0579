/* SPDX-License-Identifier: ISC */
#ifndef CLI_MOVE_H
#define CLI_MOVE_H
/*
 * Everything of one database into another, table by table, a thousand rows at a time. Every row may
 * be written twice, so that a move which was broken off goes on: where it stood lies in
 * state_dir/move.json. At the end counts and contents are compared.
 */
#include "cli/direct.h"

struct end;

/* Returns the exit status, after saying what happened. */
int move_run(struct end *from, struct end *to, const char *state_dir, bool as_json);

#endif
