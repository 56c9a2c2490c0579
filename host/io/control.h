/* SPDX-License-Identifier: ISC */
#ifndef IO_CONTROL_H
#define IO_CONTROL_H
/*
 * The socket in state_dir through which the command line talks to a running server, in the frames
 * of io/frame.h. Its clients are the hub's. Only the server's own user and root are let in.
 */
#include <aicaller/abi.h>

#define CONTROL_SOCKET "control.sock"

/* Makes the listening socket in the folder of `dir_fd`, in the place of one that a dead server left
 * (the caller holds the folder's lock). Returns its descriptor, or -1 with errno. */
int control_listen(int dir_fd);
/* Accepts one client; -1 when there is none or it is not allowed. */
int control_admit(int listen_fd);
void control_unlink(int dir_fd);

#endif
