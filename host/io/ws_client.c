/* SPDX-License-Identifier: ISC */
/* An outgoing socket that is open: messages both ways, pings, and its end. */
#include "io/ws_client_parts.h"

enum { PINGS_MISSED = 2 };

static struct ws_client *of(struct aic_ws *core)
{
    return (struct ws_client *)core;
}

void ws_client_set_timer(struct ws_client *client, int64_t deadline_us, void (*due)(void *data))
{
    sched_timer_stop(client->sched, client->timer);
    client->timer = sched_timer_start(client->sched, deadline_us, due, client);
}

static void leave(struct ws_client *client)
{
    if (--client->depth > 0 || !client->is_gone) {
        return;
    }
    ws_core_finish(&client->core);
    ws_target_finish(&client->target);
    aic_buf_finish(&client->headers);
    aic_buf_finish(&client->queue);
    free(client->subprotocol);
    free(client);
}

/* Takes everything back that could still call us. The memory goes with `leave`. */
static void let_go(struct ws_client *client)
{
    if (client->is_gone) {
        return;
    }
    client->is_gone = true;
    sched_timer_stop(client->sched, client->timer);
    client->timer = NULL;
    sched_timer_stop(client->sched, client->goodbye);
    client->goodbye = NULL;
    ws_lookup_stop(client->lookup);
    ws_engine_kill(client->engine, client->wsi);
    client->wsi = NULL;
    ws_engine_unlink(&client->link);
}

void ws_client_end(struct ws_client *client, const struct ws_end *how)
{
    client->depth++;
    let_go(client);
    ws_core_closed(&client->core, how);
    leave(client);
}

void ws_client_fail(struct ws_client *client, uint32_t category, const char *code, const char *text)
{
    const struct ws_end how = {
        .code = 1006, .category = category, .error_code = code, .message = aic_str(text)};
    ws_client_end(client, &how);
}

static size_t queued_bytes(const struct ws_client *client)
{
    return client->queue.len - client->queue_at;
}

/* Pings */

static void ping_due(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    if (client->unanswered >= PINGS_MISSED) {
        ws_client_fail(client, AIC_CATEGORY_TIMEOUT, "ping_timeout", "two pings were not answered");
        return;
    }
    client->unanswered++;
    client->ping_waits = true;
    ws_engine_want_write(client->wsi);
    ws_client_set_timer(client, sched_now(client->sched) + client->ping_us, ping_due);
}

void ws_client_ponged(struct ws_client *client)
{
    client->unanswered = 0;
}

void ws_client_established(struct ws_client *client)
{
    if (client->core.is_closing) {
        return; /* too late: the timer that ends it is set */
    }
    client->depth++;
    sched_timer_stop(client->sched, client->timer);
    client->timer = NULL;
    if (client->ping_us > 0) {
        ws_client_set_timer(client, sched_now(client->sched) + client->ping_us, ping_due);
    }
    ws_core_opened(&client->core);
    leave(client);
}

/* Ending */

static void closed(struct ws_client *client, bool is_late)
{
    bool is_ours = client->core.is_closing;
    struct ws_end how = {
        .code = client->peer_code, .reason = client->peer_reason, .is_ours = is_ours};
    if (how.code == 0) {
        /* lws does not show the answer to our goodbye. */
        how.code = is_ours && !is_late ? client->close_code : 1006;
    }
    if (client->has_failed) {
        how = (struct ws_end){.code = client->close_code,
                              .category = AIC_CATEGORY_PROTOCOL,
                              .error_code = "protocol",
                              .message = AIC_STR("a message is too large or no UTF-8")};
    }
    ws_client_end(client, &how);
}

static void goodbye_is_late(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    closed(client, true);
}

static void send_goodbye(void *data)
{
    struct ws_client *client = data;
    client->goodbye = NULL;
    if (queued_bytes(client) == 0 && ws_engine_is_free(client->wsi)) {
        client->said_goodbye = true;
        ws_engine_say_goodbye(client->wsi, client->close_code, client->close_reason);
    } else {
        ws_engine_want_write(client->wsi);
    }
}

/* From the loop itself, as lws may not be inside of a callback. */
static void send_goodbye_soon(struct ws_client *client)
{
    if (client->core.is_closing && !client->goodbye && !client->said_goodbye) {
        client->goodbye =
            sched_timer_start(client->sched, sched_now(client->sched), send_goodbye, client);
    }
}

/* Sends a close frame behind what waits, and gives the peer 2 s to answer it. */
static void begin_goodbye(struct ws_client *client, int32_t code, struct aic_str reason)
{
    if (reason.len > 0) {
        memcpy(client->close_text, reason.ptr, reason.len);
        client->close_reason = (struct aic_str){client->close_text, reason.len};
    }
    client->close_code = code;
    client->ping_waits = false;
    ws_client_set_timer(client, sched_now(client->sched) + WS_CLOSE_US, goodbye_is_late);
    send_goodbye_soon(client);
}

bool ws_client_peer_closed(struct ws_client *client, struct aic_str payload)
{
    struct aic_str reason = {0};
    (void)ws_close_parse(payload, &client->peer_code, &reason);
    if (reason.len > 0 && reason.len <= sizeof(client->peer_text)) {
        memcpy(client->peer_text, reason.ptr, reason.len);
        client->peer_reason = (struct aic_str){client->peer_text, reason.len};
    }
    return true; /* lws answers it */
}

void ws_client_closed(struct ws_client *client)
{
    client->wsi = NULL;
    closed(client, false);
}

/* Reading */

bool ws_client_received(struct ws_client *client, const struct ws_client_piece *piece)
{
    if (client->has_failed) {
        return true; /* waits for the answer to our goodbye only */
    }
    client->depth++;
    client->unanswered = 0; /* who talks is alive */
    if (piece->is_first) {
        client->core.is_text = piece->is_text;
    }
    int32_t wrong = ws_core_received(&client->core, piece->bytes, piece->is_last);
    bool goes_on = !client->is_gone;
    if (wrong != 0 && goes_on && !client->core.is_closing) {
        client->has_failed = true;
        client->core.is_closing = true;
        begin_goodbye(client, wrong, (struct aic_str){"", 0});
    }
    leave(client);
    return goes_on;
}

/* Writing */

static bool write_now(struct ws_client *client, uint8_t opcode, struct aic_str payload)
{
    bool is_good = ws_engine_write(client->engine, client->wsi, opcode, payload);
    client->inside = ws_engine_is_free(client->wsi) ? 0 : payload.len;
    return is_good;
}

static bool write_queued(struct ws_client *client)
{
    struct waiting waiting;
    memcpy(&waiting, client->queue.data + client->queue_at, sizeof(waiting));
    const char *bytes = client->queue.data + client->queue_at + sizeof(waiting);
    bool is_good = write_now(client, waiting.opcode, (struct aic_str){bytes, waiting.bytes});
    client->queue_at += sizeof(waiting) + waiting.bytes;
    if (client->queue_at == client->queue.len) {
        aic_buf_finish(&client->queue);
        client->queue_at = 0;
    } else if (client->queue_at > client->queue.len / 2) {
        aic_buf_drop(&client->queue, client->queue_at);
        client->queue_at = 0;
    }
    return is_good;
}

/* What goes out when the socket takes bytes: a ping first, a goodbye last. */
static bool write_all(struct ws_client *client)
{
    bool is_good = true;
    if (client->ping_waits) {
        client->ping_waits = false;
        is_good = write_now(client, WS_PING, AIC_STR("ping"));
    }
    while (is_good && queued_bytes(client) > 0 && ws_engine_is_free(client->wsi)) {
        is_good = write_queued(client);
    }
    if (is_good && queued_bytes(client) > 0) {
        ws_engine_want_write(client->wsi);
    } else if (is_good) {
        send_goodbye_soon(client);
    }
    return is_good;
}

bool ws_client_writable(struct ws_client *client)
{
    client->depth++;
    client->inside = 0;
    bool is_good = write_all(client);
    if (is_good && queued_bytes(client) + client->inside < client->core.max_queue_bytes / 4 + 1) {
        ws_core_writable(&client->core);
    }
    is_good = is_good && !client->is_gone;
    leave(client);
    return is_good;
}

static void broke(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    ws_client_fail(client, AIC_CATEGORY_NETWORK, "network", "the connection broke");
}

static int32_t op_send(struct aic_ws *core, uint8_t opcode, struct aic_str payload)
{
    struct ws_client *client = of(core);
    if (queued_bytes(client) == 0 && ws_engine_is_free(client->wsi)) {
        if (write_now(client, opcode, payload)) {
            return AIC_OK;
        }
        ws_client_set_timer(client, sched_now(client->sched),
                            broke); /* nobody is called from here */
        return AIC_ERROR_CLOSED;
    }
    const struct waiting waiting = {.bytes = payload.len, .opcode = opcode};
    size_t before = client->queue.len;
    if (aic_buf_add(&client->queue, &waiting, sizeof(waiting)) != AIC_OK ||
        aic_buf_str(&client->queue, payload) != AIC_OK) {
        client->queue.len = before;
        client->queue.failed = false;
        return AIC_ERROR_MEMORY;
    }
    ws_engine_want_write(client->wsi);
    return AIC_OK;
}

static uint64_t op_queued(const struct aic_ws *core)
{
    const struct ws_client *client = (const struct ws_client *)core;
    return queued_bytes(client) + client->inside;
}

static void op_full(struct aic_ws *core)
{
    ws_engine_want_write(of(core)->wsi);
}

static void op_close(struct aic_ws *core, int32_t code, struct aic_str reason)
{
    struct ws_client *client = of(core);
    core->is_closing = true;
    if (core->is_open) {
        begin_goodbye(client, code, reason);
    } else {
        /* There is nobody to say goodbye to; yet nobody is called from here. */
        ws_client_set_timer(client, sched_now(client->sched), goodbye_is_late);
    }
}

static void op_drop(struct aic_ws *core)
{
    struct ws_client *client = of(core);
    client->depth++;
    let_go(client);
    leave(client);
}

const struct ws_ops ws_client_ops = {
    .send = op_send, .queued = op_queued, .full = op_full, .close = op_close, .drop = op_drop};
