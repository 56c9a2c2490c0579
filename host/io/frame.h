/* SPDX-License-Identifier: ISC */
#ifndef IO_FRAME_H
#define IO_FRAME_H
/*
 * One message between the master and a worker or a command line, as bytes and back. Pure.
 *
 * Both ends are on one host, so numbers are in its order; but after an upgrade of the program a new
 * master talks to old workers. So the layout stays, types are never reused, and a reader ignores a
 * type that it does not know.
 */
#include "buf.h"

enum {
    FRAME_VERSION = 1,
    FRAME_NAME_MAX = 128,       /* of call id and kind, without the terminating 0 */
    FRAME_BODY_MAX = 256 << 10, /* what is longer has to be sent in parts */
    FRAME_HEAD_BYTES = 48,
    FRAME_MAX_BYTES = FRAME_HEAD_BYTES + 2 * (FRAME_NAME_MAX + 1) + FRAME_BODY_MAX
};

/* W: from a worker, C: from a command line, M: from the master. */
enum {
    FRAME_NONE = 0,
    FRAME_READY = 1,       /* W: it listens */
    FRAME_CLAIM = 2,       /* W: call_id, body = summary */
    FRAME_UPDATE = 3,      /* W: call_id, body = summary; no answer */
    FRAME_RELEASE = 4,     /* W: call_id; no answer */
    FRAME_TOKEN = 5,       /* W: kind = nonce, number[0] = expiry, wall clock in us */
    FRAME_TAKE = 6,        /* W: kind = bucket, numbers = amount, limit, window in ms */
    FRAME_REQUEST = 7,     /* W C M: call_id, kind, body; number[0] = time-out in ms, 0 = usual */
    FRAME_ANSWER = 8,      /* W M: id of the request, status, body */
    FRAME_ANSWER_PART = 9, /* M: the beginning of a long answer */
    FRAME_PUBLISH = 10,    /* W M: kind = topic, body; number[0] = so many before were lost; id: see
                            * HUB_NEWS */
    FRAME_SUBSCRIBE = 11,  /* W C: kind = how a topic must begin; W: number[0] = 0: no more */
    FRAME_DRAIN = 12,      /* M: replaced by a newer generation */
    FRAME_STOP_NEW_CALLS = 13, /* M: refuse new calls, serve the rest */
    FRAME_STOP = 14,           /* M: end now */
    FRAME_WATCHED = 15         /* M: number[0] = whether anybody reads what is told of calls;
                                * id = the number that the last such message had */
};

struct frame {
    uint16_t type;
    int32_t status;
    uint64_t id; /* of a request, chosen by who asks; comes back in its answer */
    int64_t number[3];
    const char *call_id; /* never NULL after parsing; NULL writes "" */
    const char *kind;
    struct aic_str body;
};

/* The result borrows from `bytes`. AIC_ERROR_PROTOCOL: these are not ours. */
int32_t frame_parse(struct aic_str bytes, struct frame *frame);
/* Writes the fixed beginning; call id and kind (each with its 0) and body follow it.
 * AIC_ERROR_TOO_LARGE: a part of the frame is. */
int32_t frame_head(const struct frame *frame, unsigned char head[FRAME_HEAD_BYTES]);
/* Appends all of a frame. */
int32_t frame_write(const struct frame *frame, struct aic_buf *to);

#endif
