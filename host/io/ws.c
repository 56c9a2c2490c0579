/* SPDX-License-Identifier: ISC */
#include "io/ws.h"

#include "io/http_head.h"
#include "io/ws_core.h"
#include "io/ws_frame.h"
#include "utf8.h"

enum { FRAME_BYTES = 16 }; /* what a message costs in the queue besides its own bytes */

void ws_core_init(struct aic_ws *ws, const struct ws_ops *ops)
{
    *ws = (struct aic_ws){.ops = ops};
}

void ws_core_finish(struct aic_ws *ws)
{
    aic_buf_finish(&ws->message);
}

static void tell(struct aic_ws *ws, struct aic_ws_event event)
{
    if (!ws->is_over) {
        event.size = sizeof(event);
        event.ws = ws;
        ws->event(ws->data, &event);
    }
}

/* Adds the headers of a client's answer. */
static void add_headers(struct aic_ws_event *event, const struct http_head *answer)
{
    if (answer) {
        event->headers = answer->headers;
        event->header_count = answer->header_count;
        event->header_size = sizeof(answer->headers[0]);
    }
}

void ws_core_opened(struct aic_ws *ws, const struct http_head *answer)
{
    struct aic_ws_event event = {.kind = AIC_WS_EVENT_OPEN};
    add_headers(&event, answer);
    aic_buf_init(&ws->message, (size_t)ws->max_message_bytes);
    ws->is_open = true;
    tell(ws, event);
}

void ws_core_writable(struct aic_ws *ws)
{
    if (ws->wants_writable && !ws->is_closing) {
        ws->wants_writable = false;
        tell(ws, (struct aic_ws_event){.kind = AIC_WS_EVENT_WRITABLE});
    }
}

static int32_t tell_message(struct aic_ws *ws, struct aic_str whole)
{
    if (ws->is_text && !aic_utf8_valid(whole)) {
        return 1007;
    }
    if (!ws->is_closing) {
        tell(ws, (struct aic_ws_event){
                     .kind = ws->is_text ? AIC_WS_EVENT_TEXT : AIC_WS_EVENT_BINARY, .data = whole});
    }
    return 0;
}

int32_t ws_core_received(struct aic_ws *ws, struct aic_str piece, bool is_last)
{
    if (piece.len > ws->max_message_bytes || ws->message.len > ws->max_message_bytes - piece.len) {
        return 1009;
    }
    if (is_last && ws->message.len == 0) {
        return tell_message(ws, piece);
    }
    if (aic_buf_str(&ws->message, piece) != AIC_OK) {
        return 1009;
    }
    if (!is_last) {
        return 0;
    }
    /* Taken out first: what is told may end the socket. */
    struct aic_buf whole = ws->message;
    aic_buf_init(&ws->message, (size_t)ws->max_message_bytes);
    int32_t code = tell_message(ws, aic_buf_view(&whole));
    aic_buf_finish(&whole);
    return code;
}

static uint32_t category_of(int32_t code)
{
    switch (code) {
    case 1002:
    case 1003:
    case 1007:
        return AIC_CATEGORY_PROTOCOL;
    case 1008:
        return AIC_CATEGORY_PERMISSION;
    case 1009:
        return AIC_CATEGORY_BAD_REQUEST;
    case 1011:
        return AIC_CATEGORY_SERVER;
    case 1012:
    case 1013:
        return AIC_CATEGORY_OVERLOADED;
    default:
        return AIC_CATEGORY_NETWORK;
    }
}

static uint32_t retry_of(const struct ws_end *end)
{
    if (end->retry_after_ms > 0) {
        return AIC_RETRY_AFTER;
    }
    return end->category == AIC_CATEGORY_PERMISSION ? AIC_RETRY_NEVER : AIC_RETRY_NONE;
}

void ws_core_closed(struct aic_ws *ws, const struct ws_end *end)
{
    if (ws->is_over) {
        return;
    }
    struct aic_str message = end->message.len > 0 ? end->message : end->reason;
    const struct aic_error error = {
        .size = sizeof(error),
        .category = end->category ? end->category : category_of(end->code),
        .scope = AIC_SCOPE_SESSION,
        .retry = retry_of(end),
        .retry_after_ms = end->retry_after_ms,
        .http_status = end->http_status,
        .close_code = end->code,
        .output_started = ws->is_open,
        .code = aic_str(end->error_code ? end->error_code : "closed"),
        .message = message.len > 0 ? message : AIC_STR("the connection ended"),
        .request_id = end->request_id,
    };
    struct aic_ws_event event = {.size = sizeof(event),
                                 .kind = AIC_WS_EVENT_CLOSED,
                                 .ws = ws,
                                 .data = end->body,
                                 .error = end->is_ours ? NULL : &error,
                                 .close_code = end->code,
                                 .http_status = end->http_status,
                                 .close_reason = end->reason};
    add_headers(&event, end->answer);
    ws->is_over = true;
    ws->is_open = false;
    ws->event(ws->data, &event);
}

static int32_t send_message(struct aic_ws *ws, uint8_t opcode, struct aic_str payload)
{
    if (!ws->is_open || ws->is_closing || ws->is_over) {
        return AIC_ERROR_CLOSED;
    }
    if (payload.len > ws->max_queue_bytes) {
        return AIC_ERROR_TOO_LARGE;
    }
    uint64_t queued = ws->ops->queued(ws);
    if (queued > 0 && queued + payload.len + FRAME_BYTES > ws->max_queue_bytes) {
        ws->wants_writable = true;
        ws->ops->full(ws);
        return AIC_ERROR_BUSY;
    }
    return ws->ops->send(ws, opcode, payload);
}

int32_t ws_send_text(struct aic_ws *ws, struct aic_str text)
{
    return send_message(ws, WS_TEXT, text);
}

int32_t ws_send_binary(struct aic_ws *ws, struct aic_str bytes)
{
    return bytes.len == 0 ? AIC_ERROR_INVALID : send_message(ws, WS_BINARY, bytes);
}

uint64_t ws_queued_bytes(const struct aic_ws *ws)
{
    return ws->ops->queued(ws);
}

void ws_close(struct aic_ws *ws, int32_t code, struct aic_str reason)
{
    if (ws->is_closing || ws->is_over) {
        return;
    }
    reason.len = aic_utf8_cut(reason, WS_CONTROL_BYTES - 2);
    ws->ops->close(ws, ws_close_is_valid(code) ? code : 1000, reason);
}

void ws_drop(struct aic_ws *ws)
{
    if (ws && !ws->is_over) {
        ws->is_over = true;
        ws->ops->drop(ws);
    }
}
