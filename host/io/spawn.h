/* SPDX-License-Identifier: ISC */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H
/*
 * Starting a program with a few descriptors and nothing else of ours: no signal mask, no handlers,
 * no other descriptor, and none of the words in the environment that were meant for us alone.
 */
#include <aicaller/abi.h>
#include <stdbool.h>
#include <sys/types.h>

struct spawn {
    const char *path;
    char *const *argv;   /* ends with NULL */
    const char *fd_name; /* environment variable that tells the child a descriptor; NULL */
    int fd;              /* its value; inherited as well */
    const int *fds;      /* inherited under the same numbers; closed on exec here */
    size_t fd_count;
    bool deaf; /* ignores what is meant for the parent: TERM, INT, HUP, QUIT, USR1, USR2 */
};

/* Returns the child's id, or -1. A path that can not be executed ends the child with 127. */
pid_t spawn_start(const struct spawn *spawn);

/* Lets a descriptor survive the next exec. */
void spawn_keep(int fd);
/* Lets none but 0, 1 and 2 survive it. */
void spawn_keep_none(void);
/* The number in an environment variable, which is then removed; -1 when there is none. The
 * descriptor is closed on exec again. */
int spawn_inherited(const char *fd_name);
/* The environment without our own words, with `NAME=number` added; freed with one free. NULL
 * without memory. */
char **spawn_environment(const char *fd_name, int fd);

#endif
