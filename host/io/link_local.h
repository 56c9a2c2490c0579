/* SPDX-License-Identifier: ISC */
#ifndef IO_LINK_LOCAL_H
#define IO_LINK_LOCAL_H
/* The other end of a line that stays in this process (--single): a hub with one worker. */
#include "io/frame.h"

struct link_local;
struct loop;

/* `deliver` gets what the master would send; never from inside of link_local_send. */
struct link_local *link_local_create(struct loop *loop,
                                     void (*deliver)(void *data, const struct frame *frame),
                                     void *data);
void link_local_destroy(struct link_local *local);
int32_t link_local_send(struct link_local *local, const struct frame *frame);
/* Lets command lines in through a listening socket, which it takes over. */
int32_t link_local_listen(struct link_local *local, int fd);

#endif
