/* SPDX-License-Identifier: ISC */
#ifndef IO_STATE_DIR_H
#define IO_STATE_DIR_H
/* The folder server.state_dir: made if missing, locked by one server at a time. */
#include <aicaller/abi.h>

enum { STATE_DIR_WHY = 512 };

struct state_dir {
    int fd;      /* the folder; -1 = not open */
    int lock_fd; /* aicaller.pid in it: locked, with our process id */
};

/*
 * Makes, opens and locks the folder, and spool/ in it. On failure `why` is a sentence that says
 * what to do: AIC_ERROR_BUSY: another server runs on it; AIC_ERROR_IO; AIC_ERROR_DENIED: anybody
 * may write there.
 */
int32_t state_dir_open(struct state_dir *dir, const char *path, char why[STATE_DIR_WHY]);
/* Gives the lock back. Accepts one that is not open. */
void state_dir_close(struct state_dir *dir);

#endif
