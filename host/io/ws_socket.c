/* SPDX-License-Identifier: ISC */
#include "io/ws_socket.h"

#include "base/sched.h"
#include "io/wire.h"
#include "io/ws_core.h"
#include "io/ws_reader.h"

enum {
    /* Answers to pings are dropped while this much waits: a peer that asks and does not read gets
     * nothing more. */
    PONG_QUEUE = 64 * 1024,
    PINGS_MISSED = 2,
    MASKS = 64,                /* drawn at a time */
    MASK_ROOM_KEPT = 64 * 1024 /* after a message that needed more */
};

struct ws_socket {
    struct aic_ws core; /* first: a socket is its core */
    struct ws_socket_options options;
    struct wire *wire;
    struct ws_reader reader;
    struct sched_timer *timer; /* the next ping, later the end of a goodbye */
    int depth;                 /* of our functions on the stack: no free below them */
    bool is_released;
    bool is_deaf;   /* nothing more is read: a close frame came, or nonsense */
    int unanswered; /* pings */
    uint8_t masks[MASKS][4];
    size_t masks_left;
};

static struct ws_socket *of(struct aic_ws *core)
{
    return (struct ws_socket *)core;
}

static void leave(struct ws_socket *ws)
{
    if (--ws->depth == 0 && ws->is_released) {
        ws_core_finish(&ws->core);
        free(ws);
    }
}

static void set_timer(struct ws_socket *ws, int64_t us, void (*due)(void *data))
{
    struct sched *sched = ws->options.sched;
    sched_timer_stop(sched, ws->timer);
    ws->timer = sched_timer_start(sched, sched_now(sched) + us, due, ws);
}

/* Gives the wire back. */
static void release(struct ws_socket *ws, bool at_once)
{
    if (!ws->is_released) {
        ws->is_released = true;
        sched_timer_stop(ws->options.sched, ws->timer);
        ws->timer = NULL;
        ws->options.released(ws->options.released_data, at_once);
    }
}

/* Writing */

static const uint8_t *next_mask(struct ws_socket *ws)
{
    if (ws->masks_left == 0) {
        sched_random(ws->options.sched, ws->masks, sizeof(ws->masks));
        ws->masks_left = MASKS;
    }
    return ws->masks[--ws->masks_left];
}

static int32_t write_masked(struct ws_socket *ws, uint8_t opcode, struct aic_str payload)
{
    char head[WS_HEAD_BYTES];
    const uint8_t *mask = next_mask(ws);
    size_t length = ws_frame_head(head, opcode, payload.len, mask);
    struct aic_buf *room = ws->options.mask_room;
    aic_buf_clear(room);
    if (aic_buf_str(room, payload) != AIC_OK) {
        return AIC_ERROR_MEMORY;
    }
    ws_frame_mask(room->data, room->len, mask, 0);
    int32_t status = wire_write(ws->wire, (struct aic_str){head, length}, aic_buf_view(room));
    if (room->cap > MASK_ROOM_KEPT) {
        aic_buf_finish(room);
    }
    return status;
}

static int32_t write_frame(struct ws_socket *ws, uint8_t opcode, struct aic_str payload)
{
    if (ws->options.mask_room) {
        return write_masked(ws, opcode, payload);
    }
    char head[WS_HEAD_BYTES];
    size_t length = ws_frame_head(head, opcode, payload.len, NULL);
    return wire_write(ws->wire, (struct aic_str){head, length}, payload);
}

static void write_close(struct ws_socket *ws, int32_t code, struct aic_str reason)
{
    char payload[WS_CONTROL_BYTES];
    size_t length = 0;
    if (code != 1005) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)code;
        length = 2;
        if (reason.len > 0) {
            memcpy(payload + 2, reason.ptr, reason.len);
            length += reason.len;
        }
    }
    (void)write_frame(ws, WS_CLOSE, (struct aic_str){payload, length});
}

/* Ending */

/* The peer broke the rules: says why and ends it. */
static void fail(struct ws_socket *ws, int32_t code)
{
    ws->is_deaf = true;
    if (!ws->core.is_closing) {
        write_close(ws, code, (struct aic_str){"", 0});
    }
    const struct ws_end end = {.code = code,
                               .category = AIC_CATEGORY_PROTOCOL,
                               .error_code = "protocol",
                               .message = AIC_STR("the peer broke the WebSocket protocol")};
    ws_core_closed(&ws->core, &end);
    release(ws, false);
}

static void peer_closed(struct ws_socket *ws, struct aic_str payload)
{
    int32_t code = 0;
    struct aic_str reason = {0};
    int32_t wrong = ws_close_parse(payload, &code, &reason);
    if (wrong != 0) {
        fail(ws, wrong);
        return;
    }
    ws->is_deaf = true;
    bool is_ours = ws->core.is_closing;
    if (!is_ours) {
        write_close(ws, code, (struct aic_str){"", 0});
    }
    const struct ws_end end = {.code = code, .reason = reason, .is_ours = is_ours};
    ws_core_closed(&ws->core, &end);
    release(ws, false);
}

/* The connection is over without a whole goodbye. */
static void cut_off(struct ws_socket *ws, const struct ws_end *end)
{
    ws->depth++;
    ws_core_closed(&ws->core, end);
    release(ws, true);
    leave(ws);
}

static void on_cut_off(void *data)
{
    struct ws_socket *ws = data;
    const struct ws_end end = {.code = 1006, .is_ours = ws->core.is_closing};
    cut_off(ws, &end);
}

static void goodbye_is_late(void *data)
{
    struct ws_socket *ws = data;
    ws->timer = NULL;
    on_cut_off(ws);
}

static void ping_due(void *data)
{
    struct ws_socket *ws = data;
    ws->timer = NULL;
    if (ws->unanswered >= PINGS_MISSED) {
        const struct ws_end end = {.code = 1006,
                                   .category = AIC_CATEGORY_TIMEOUT,
                                   .error_code = "ping_timeout",
                                   .message = AIC_STR("two pings were not answered")};
        cut_off(ws, &end);
        return;
    }
    ws->unanswered++;
    (void)write_frame(ws, WS_PING, AIC_STR("ping"));
    set_timer(ws, ws->options.ping_us, ping_due);
}

/* Reading */

static void take_control(struct ws_socket *ws, const struct ws_piece *piece)
{
    if (piece->opcode == WS_CLOSE) {
        peer_closed(ws, piece->bytes);
    } else if (piece->opcode == WS_PING && !ws->core.is_closing &&
               wire_queued(ws->wire) < PONG_QUEUE) {
        (void)write_frame(ws, WS_PONG, piece->bytes);
    }
}

static void take_piece(struct ws_socket *ws, const struct ws_piece *piece)
{
    int32_t wrong = piece->kind == WS_PIECE_WRONG ? piece->code : 0;
    if (piece->kind == WS_PIECE_CONTROL) {
        take_control(ws, piece);
    } else if (piece->kind == WS_PIECE_DATA) {
        ws->core.is_text = piece->is_text;
        wrong = ws_core_received(&ws->core, piece->bytes, piece->is_last);
    }
    if (wrong != 0 && !ws->core.is_over) {
        fail(ws, wrong);
    }
}

static void take(struct ws_socket *ws, char *bytes, size_t count)
{
    ws->unanswered = 0; /* who talks is alive */
    struct ws_piece piece = {.kind = WS_PIECE_DATA};
    while (piece.kind != WS_PIECE_NONE && !ws->is_deaf && !ws->is_released && !ws->core.is_over) {
        size_t used = ws_reader_next(&ws->reader, bytes, count, &piece);
        bytes += used;
        count -= used;
        take_piece(ws, &piece);
    }
}

static void on_received(void *data, char *bytes, size_t count)
{
    struct ws_socket *ws = data;
    ws->depth++;
    take(ws, bytes, count);
    leave(ws);
}

static void on_drained(void *data)
{
    struct ws_socket *ws = data;
    ws->depth++;
    ws_core_writable(&ws->core);
    leave(ws);
}

static const struct wire_handler wire_events = {
    .received = on_received, .drained = on_drained, .ended = on_cut_off, .broken = on_cut_off};

/* What its owner asks for */

static int32_t op_send(struct aic_ws *core, uint8_t opcode, struct aic_str payload)
{
    return write_frame(of(core), opcode, payload);
}

static uint64_t op_queued(const struct aic_ws *core)
{
    return wire_queued(((const struct ws_socket *)core)->wire);
}

static void op_close(struct aic_ws *core, int32_t code, struct aic_str reason)
{
    struct ws_socket *ws = of(core);
    core->is_closing = true;
    write_close(ws, code, reason);
    set_timer(ws, WS_CLOSE_US, goodbye_is_late);
}

static void op_drop(struct aic_ws *core)
{
    struct ws_socket *ws = of(core);
    ws->depth++;
    release(ws, true);
    leave(ws);
}

static void op_full(struct aic_ws *core)
{
    wire_tell_drained(of(core)->wire, (size_t)core->max_queue_bytes / 4 + 1);
}

static const struct ws_ops ops = {
    .send = op_send, .queued = op_queued, .full = op_full, .close = op_close, .drop = op_drop};

/* Life */

struct aic_ws *ws_socket_create(const struct ws_socket_options *options)
{
    struct ws_socket *ws = calloc(1, sizeof(*ws));
    if (!ws) {
        return NULL;
    }
    ws_core_init(&ws->core, &ops);
    ws->core.max_message_bytes = options->max_message_bytes;
    ws->core.max_queue_bytes = options->max_queue_bytes;
    ws->options = *options;
    ws_reader_init(&ws->reader, options->mask_room == NULL, options->max_message_bytes);
    return &ws->core;
}

void ws_socket_set_handler(struct aic_ws *core, aic_ws_handler event, void *data)
{
    core->event = event;
    core->data = data;
}

void ws_socket_discard(struct aic_ws *core)
{
    free(core);
}

void *ws_socket_owner(const struct aic_ws *core)
{
    return ((const struct ws_socket *)core)->options.released_data;
}

void ws_socket_start(struct aic_ws *core, struct wire *wire, const struct http_head *answer,
                     char *bytes, size_t count)
{
    struct ws_socket *ws = of(core);
    core->ops = &ops;
    ws->wire = wire;
    wire_set_handler(wire, &wire_events, ws);
    ws->depth++;
    if (ws->options.ping_us > 0) {
        set_timer(ws, ws->options.ping_us, ping_due);
    }
    ws_core_opened(core, answer);
    take(ws, bytes, count);
    leave(ws);
}
