/* SPDX-License-Identifier: ISC */
#include "io/ws_server.h"

#include "base/sched.h"
#include "io/wire.h"
#include "io/ws_core.h"
#include "io/ws_frame.h"

/* Answers to pings are dropped while this much waits: a peer that asks and does not read gets
 * nothing more. */
enum { PONG_QUEUE = 64 * 1024 };

struct ws_server {
    struct aic_ws core; /* first: a socket is its core */
    struct ws_server_options options;
    struct sched_timer *timer; /* the end of a goodbye */
    int depth;                 /* of our functions on the stack: no free below them */
    bool is_released;

    char head[WS_HEAD_BYTES]; /* of a frame, while it is not complete */
    size_t head_bytes;
    struct ws_frame frame;
    bool in_frame;
    uint64_t frame_at; /* payload bytes that have come */
    bool in_message;   /* fragments have come, the last one has not */
    bool is_deaf;      /* nothing more is read: a close frame came, or nonsense */
    char control[WS_CONTROL_BYTES];
};

static struct ws_server *of(struct aic_ws *core)
{
    return (struct ws_server *)core;
}

static void leave(struct ws_server *ws)
{
    if (--ws->depth == 0 && ws->is_released) {
        ws_core_finish(&ws->core);
        free(ws);
    }
}

/* Gives the wire back. */
static void release(struct ws_server *ws, bool at_once)
{
    if (!ws->is_released) {
        ws->is_released = true;
        sched_timer_stop(ws->options.sched, ws->timer);
        ws->timer = NULL;
        ws->options.released(ws->options.released_data, at_once);
    }
}

static int32_t write_frame(struct ws_server *ws, uint8_t opcode, struct aic_str payload)
{
    char head[WS_HEAD_BYTES];
    size_t length = ws_frame_head(head, opcode, payload.len);
    return wire_write(ws->options.wire, (struct aic_str){head, length}, payload);
}

static void write_close(struct ws_server *ws, int32_t code, struct aic_str reason)
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

/* The peer broke the rules: says why and ends it. */
static void fail(struct ws_server *ws, int32_t code)
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

static void peer_closed(struct ws_server *ws, struct aic_str payload)
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

static void take_control(struct ws_server *ws)
{
    struct aic_str payload = {ws->control, (size_t)ws->frame.bytes};
    if (ws->frame.opcode == WS_CLOSE) {
        peer_closed(ws, payload);
    } else if (ws->frame.opcode == WS_PING && !ws->core.is_closing &&
               wire_queued(ws->options.wire) < PONG_QUEUE) {
        (void)write_frame(ws, WS_PONG, payload);
    }
}

/* Checks a new frame against what came before; 0 or the code to fail with. */
static int32_t begin_frame(struct ws_server *ws)
{
    const struct ws_frame *frame = &ws->frame;
    ws->in_frame = true;
    ws->frame_at = 0;
    if (frame->opcode >= WS_CLOSE) {
        return 0;
    }
    if ((frame->opcode == WS_CONTINUATION) != ws->in_message) {
        return 1002;
    }
    if (frame->opcode != WS_CONTINUATION) {
        ws->core.is_text = frame->opcode == WS_TEXT;
    }
    ws->in_message = !frame->is_final;
    bool fits = frame->bytes <= ws->core.max_message_bytes &&
                ws->core.message.len <= ws->core.max_message_bytes - frame->bytes;
    return fits ? 0 : 1009;
}

/* Takes the head of a frame from the bytes; returns how many it used. */
static size_t take_head(struct ws_server *ws, const char *bytes, size_t count)
{
    size_t before = ws->head_bytes;
    size_t room = sizeof(ws->head) - before;
    size_t more = count < room ? count : room;
    memcpy(ws->head + before, bytes, more);
    int length = ws_frame_parse(ws->head, before + more, &ws->frame);
    if (length == 0) {
        ws->head_bytes += more;
        return more;
    }
    ws->head_bytes = 0;
    int32_t wrong = length < 0 ? 1002 : begin_frame(ws);
    if (wrong != 0) {
        fail(ws, wrong);
        return count;
    }
    return (size_t)length - before;
}

/* Takes payload; returns how many bytes it used. */
static size_t take_payload(struct ws_server *ws, char *bytes, size_t count)
{
    uint64_t left = ws->frame.bytes - ws->frame_at;
    size_t length = left < count ? (size_t)left : count;
    bool ends_frame = left == length;
    ws_frame_mask(bytes, length, ws->frame.mask, ws->frame_at);
    if (ws->frame.opcode >= WS_CLOSE) {
        memcpy(ws->control + ws->frame_at, bytes, length);
    }
    ws->frame_at += length;
    ws->in_frame = !ends_frame;
    if (ws->frame.opcode < WS_CLOSE) {
        int32_t wrong = ws_core_received(&ws->core, (struct aic_str){bytes, length},
                                         ends_frame && ws->frame.is_final);
        if (wrong != 0 && !ws->core.is_over) {
            fail(ws, wrong);
        }
    } else if (ends_frame) {
        take_control(ws);
    }
    return length;
}

static void take(struct ws_server *ws, char *bytes, size_t count)
{
    while (!ws->is_deaf && !ws->is_released && !ws->core.is_over) {
        if (!ws->in_frame) {
            if (count == 0) {
                break;
            }
            size_t used = take_head(ws, bytes, count);
            bytes += used;
            count -= used;
            /* A frame without payload is complete with its head. */
            if (!ws->in_frame || ws->is_deaf || (count == 0 && ws->frame.bytes > 0)) {
                continue;
            }
        } else if (count == 0) {
            break;
        }
        size_t used = take_payload(ws, bytes, count);
        bytes += used;
        count -= used;
    }
}

static void on_received(void *data, char *bytes, size_t count)
{
    struct ws_server *ws = data;
    ws->depth++;
    take(ws, bytes, count);
    leave(ws);
}

static void on_drained(void *data)
{
    struct ws_server *ws = data;
    ws->depth++;
    ws_core_writable(&ws->core);
    leave(ws);
}

/* The connection is gone without a goodbye, or with one that took too long. */
static void cut_off(struct ws_server *ws)
{
    ws->depth++;
    const struct ws_end end = {.code = 1006, .is_ours = ws->core.is_closing};
    ws_core_closed(&ws->core, &end);
    release(ws, true);
    leave(ws);
}

static void on_cut_off(void *data)
{
    cut_off(data);
}

static void goodbye_is_late(void *data)
{
    struct ws_server *ws = data;
    ws->timer = NULL;
    cut_off(ws);
}

static const struct wire_handler wire_events = {
    .received = on_received, .drained = on_drained, .ended = on_cut_off, .broken = on_cut_off};

static int32_t op_send(struct aic_ws *core, uint8_t opcode, struct aic_str payload)
{
    return write_frame(of(core), opcode, payload);
}

static uint64_t op_queued(const struct aic_ws *core)
{
    const struct ws_server *ws = (const struct ws_server *)core;
    return wire_queued(ws->options.wire);
}

static void op_close(struct aic_ws *core, int32_t code, struct aic_str reason)
{
    struct ws_server *ws = of(core);
    core->is_closing = true;
    write_close(ws, code, reason);
    ws->timer = sched_timer_start(ws->options.sched, sched_now(ws->options.sched) + WS_CLOSE_US,
                                  goodbye_is_late, ws);
}

static void op_drop(struct aic_ws *core)
{
    struct ws_server *ws = of(core);
    ws->depth++;
    release(ws, true);
    leave(ws);
}

static void op_full(struct aic_ws *core)
{
    wire_tell_drained(of(core)->options.wire, (size_t)core->max_queue_bytes / 4 + 1);
}

static const struct ws_ops ops = {
    .send = op_send, .queued = op_queued, .full = op_full, .close = op_close, .drop = op_drop};

struct aic_ws *ws_server_create(const struct ws_server_options *options)
{
    struct ws_server *ws = calloc(1, sizeof(*ws));
    if (!ws) {
        return NULL;
    }
    ws_core_init(&ws->core, &ops);
    ws->core.max_message_bytes = options->max_message_bytes;
    ws->core.max_queue_bytes = options->max_queue_bytes;
    ws->options = *options;
    return &ws->core;
}

void ws_server_discard(struct aic_ws *core)
{
    free(core);
}

void ws_server_start(struct aic_ws *core, aic_ws_handler event, void *data, char *bytes,
                     size_t count)
{
    struct ws_server *ws = of(core);
    core->event = event;
    core->data = data;
    wire_set_handler(ws->options.wire, &wire_events, ws);
    ws->depth++;
    ws_core_opened(core);
    take(ws, bytes, count);
    leave(ws);
}
