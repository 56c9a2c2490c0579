/* SPDX-License-Identifier: ISC */
#ifndef IO_PEER_H
#define IO_PEER_H
/*
 * One end of a SOCK_SEQPACKET connection that carries frames. Never blocks: what the kernel does
 * not take waits in a bounded queue, and what that does not take is refused and counted.
 */
#include "io/frame.h"

struct peer_waiting;

enum {
    PEER_WAITING_BYTES = 4 << 20 /* how much may wait for a reader that is slow */
};

struct peer {
    int fd; /* -1 = none */
    struct peer_waiting *first;
    struct peer_waiting **end;
    size_t waiting_bytes;
    int64_t waiting_since_us; /* the reader has taken nothing since; 0 when nothing waits */
    uint64_t refused;         /* frames that the full queue did not take */
};

/* Takes over the descriptor. */
void peer_init(struct peer *peer, int fd);
/* Closes it; what waits is lost. Accepts a finished one. */
void peer_finish(struct peer *peer);

/* AIC_ERROR_BUSY: the queue is full; AIC_ERROR_CLOSED: nobody reads any more;
 * AIC_ERROR_TOO_LARGE: the frame is. Nothing was sent then. */
int32_t peer_send(struct peer *peer, const struct frame *frame);
/* Sends what waits. AIC_ERROR_BUSY: some of it still does. */
int32_t peer_flush(struct peer *peer);
/* Queues a frame in the form that frame_write gave it. */
int32_t peer_queue(struct peer *peer, struct aic_str bytes);
/* Calls `each` for every frame that waits, for an upgrade of the master. */
void peer_each_waiting(const struct peer *peer, void (*each)(void *data, struct aic_str bytes),
                       void *data);

/* The next frame, borrowing from `buffer` of FRAME_MAX_BYTES. AIC_ERROR_BUSY: none now;
 * AIC_ERROR_CLOSED: none ever; AIC_ERROR_PROTOCOL: one that is not ours was thrown away. */
int32_t peer_receive(struct peer *peer, char *buffer, struct frame *frame);

#endif
