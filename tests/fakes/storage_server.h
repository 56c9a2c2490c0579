/* SPDX-License-Identifier: ISC */
#ifndef FAKES_STORAGE_SERVER_H
#define FAKES_STORAGE_SERVER_H
/* The PostgreSQL cluster of a test program: tests/fakes/postgres as a child. */
#include <stdbool.h>
#include <stddef.h>

/* Starts it at the first call; false when PostgreSQL is not installed. */
bool storage_server_start(void);
/* Makes a new database and writes its URL. */
void storage_server_create(unsigned number, char *url, size_t bytes);
/* Any command of tests/fakes/postgres; its answer is one line. */
void storage_server_ask(const char *command, char *answer, size_t bytes);
/* "down", "up", "freeze", "thaw". */
void storage_server_tell(const char *command);
void storage_server_stop(void);

#endif
