/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_CORE_H
#define IO_WS_CORE_H
/* Inside of ws.h: what incoming and outgoing sockets share. */
#include "io/ws.h"

#include "buf.h"

enum { WS_CLOSE_US = 2000000 }; /* how long a goodbye may take */

struct http_head;

struct ws_ops {
    int32_t (*send)(struct aic_ws *ws, uint8_t opcode, struct aic_str payload);
    uint64_t (*queued)(const struct aic_ws *ws);
    /* A message found no room: ws_core_writable is to be called once there is some. */
    void (*full)(struct aic_ws *ws);
    void (*close)(struct aic_ws *ws, int32_t code, struct aic_str reason);
    void (*drop)(struct aic_ws *ws);
};

/* Embedded first in both kinds. */
struct aic_ws {
    const struct ws_ops *ops;
    aic_ws_handler event;
    void *data;
    uint64_t max_message_bytes;
    uint64_t max_queue_bytes;
    bool is_open;    /* OPEN was told */
    bool is_closing; /* our close frame is on its way: no messages are sent or told any more */
    bool is_over;    /* CLOSED was told, or the owner dropped it */
    bool wants_writable;
    bool is_text;           /* of the message that is coming in */
    struct aic_buf message; /* its fragments so far */
};

void ws_core_init(struct aic_ws *ws, const struct ws_ops *ops);
void ws_core_finish(struct aic_ws *ws);

/* `answer` is what a client's handshake got, else NULL. */
void ws_core_opened(struct aic_ws *ws, const struct http_head *answer);
/* A queue that was full has room again. */
void ws_core_writable(struct aic_ws *ws);
/*
 * A piece of a message. 0, or the code to close with: 1007 text that is no UTF-8, 1009 too large.
 * A message that comes in one piece is not copied.
 */
int32_t ws_core_received(struct aic_ws *ws, struct aic_str piece, bool is_last);

struct ws_end {
    int32_t code; /* close code; 1006 = the connection just ended */
    struct aic_str reason;
    int32_t http_status;
    bool is_ours;      /* we closed it, and it went well: no error is told */
    uint32_t category; /* AIC_CATEGORY_..., or 0: by the code */
    const char *error_code;
    struct aic_str message;
    /* Of a handshake that was refused. */
    const struct http_head *answer; /* NULL = none came */
    struct aic_str body;
    int64_t retry_after_ms; /* 0 = not told */
    struct aic_str request_id;
};

/* Tells CLOSED, once. */
void ws_core_closed(struct aic_ws *ws, const struct ws_end *end);

#endif
