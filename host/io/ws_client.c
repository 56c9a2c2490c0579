/* SPDX-License-Identifier: ISC */
/* From a TCP connection to an open socket, and all ends but those of an open one. */
#include "io/ws_client.h"

#include "io/wire.h"
#include "io/wire_tls.h"
#include "io/wire_trust.h"
#include "io/ws_core.h"
#include "io/ws_socket.h"

enum { REQUEST_MAX = 32 * 1024, STALL_US = 15000000 };

/* Ending */

/* Takes everything back that could still call us about the network. */
static void hang_up(struct ws_client *client)
{
    sched_timer_stop(client->engine->sched, client->timer);
    client->timer = NULL;
    ws_lookup_stop(client->lookup);
    client->lookup = NULL;
    dial_stop(client->dial);
    client->dial = NULL;
    wire_destroy(client->wire);
    client->wire = NULL;
    if (client->fd >= 0) {
        (void)close(client->fd);
        client->fd = -1;
    }
    client->wants_trust = false;
    client->trust_is_ready = false;
}

void ws_client_destroy(struct ws_client *client)
{
    hang_up(client);
    *client->where = client->next;
    if (client->next) {
        client->next->where = client->where;
    }
    ws_target_finish(&client->target);
    aic_buf_finish(&client->headers);
    aic_buf_finish(&client->answer);
    free(client->subprotocol);
    free(client);
}

/* It never came to be. The client is gone before somebody is told. */
static void end(struct ws_client *client, const struct ws_end *how)
{
    struct aic_ws *ws = client->ws;
    struct aic_buf answer = client->answer; /* what is told points into it */
    client->answer = (struct aic_buf){.data = NULL};
    ws_client_destroy(client);
    ws_core_closed(ws, how);
    ws_socket_discard(ws);
    aic_buf_finish(&answer);
}

void ws_client_fail(struct ws_client *client, uint32_t category, const char *code, const char *text)
{
    const struct ws_end how = {
        .code = 1006, .category = category, .error_code = code, .message = aic_str(text)};
    end(client, &how);
}

static uint32_t category_of_status(int32_t status)
{
    switch (status) {
    case 401:
        return AIC_CATEGORY_AUTH;
    case 402:
        return AIC_CATEGORY_QUOTA;
    case 403:
        return AIC_CATEGORY_PERMISSION;
    case 404:
        return AIC_CATEGORY_NOT_FOUND;
    case 429:
        return AIC_CATEGORY_RATE_LIMIT;
    case 503:
        return AIC_CATEGORY_OVERLOADED;
    default:
        return status >= 500 ? AIC_CATEGORY_SERVER : AIC_CATEGORY_BAD_REQUEST;
    }
}

static struct aic_str first_of(const struct http_head *head, const char *const *names)
{
    struct aic_str value = {"", 0};
    for (; *names && value.len == 0; names++) {
        value = http_head_find(head, *names);
    }
    return value;
}

static void tell_refusal(struct ws_client *client, const struct ws_answer *answer)
{
    /* Vendors say in a header why they refuse a handshake, and what their support asks for. */
    static const char *const reasons[] = {"dg-error", "x-error", NULL};
    static const char *const ids[] = {"x-request-id", "dg-request-id", "request-id", NULL};
    char text[48];
    (void)snprintf(text, sizeof(text), "refused with HTTP status %d", (int)answer->status);
    struct aic_str reason = first_of(&answer->head, reasons);
    const struct ws_end how = {.code = 1006,
                               .http_status = answer->status,
                               .category = category_of_status(answer->status),
                               .error_code = "refused",
                               .message = reason.len > 0 ? reason : aic_str(text),
                               .answer = &answer->head,
                               .body = answer->body,
                               .retry_after_ms = answer->retry_after_ms,
                               .request_id = first_of(&answer->head, ids)};
    end(client, &how);
}

void ws_client_end_early(struct ws_client *client, uint32_t category, const char *code,
                         const char *text)
{
    struct ws_answer answer;
    ws_handshake_read(&client->request, aic_buf_view(&client->answer), &answer);
    if (answer.kind == WS_ANSWER_MORE && answer.status >= 200) {
        tell_refusal(client, &answer);
    } else {
        ws_client_fail(client, category, code, text);
    }
}

/* Open, and its goodbye */

static void nothing_received(void *data, char *bytes, size_t count)
{
    (void)data;
    (void)bytes;
    (void)count;
}

static void nothing_happened(void *data)
{
    (void)data;
}

static void has_said_goodbye(void *data)
{
    ws_client_destroy(data);
}

static const struct wire_handler goodbye_events = {.received = nothing_received,
                                                   .drained = nothing_happened,
                                                   .ended = nothing_happened,
                                                   .broken = has_said_goodbye};

void ws_client_released(void *data, bool at_once)
{
    struct ws_client *client = data;
    client->ws = NULL;
    if (at_once) {
        ws_client_destroy(client);
    } else {
        wire_set_handler(client->wire, &goodbye_events, client);
        wire_finish(client->wire);
    }
}

static void open_socket(struct ws_client *client, const struct ws_answer *answer)
{
    sched_timer_stop(client->engine->sched, client->timer);
    client->timer = NULL;
    aic_buf_finish(&client->headers);
    struct aic_buf bytes = client->answer; /* the client may be gone when it is used up */
    client->answer = (struct aic_buf){.data = NULL};
    ws_socket_start(client->ws, client->wire, &answer->head, bytes.data + answer->bytes,
                    bytes.len - answer->bytes);
    aic_buf_finish(&bytes);
}

/* The handshake */

static void on_received(void *data, char *bytes, size_t count)
{
    struct ws_client *client = data;
    if (aic_buf_add(&client->answer, bytes, count) != AIC_OK) {
        ws_client_fail(client, AIC_CATEGORY_PROTOCOL, "protocol",
                       "the answer to the handshake is too long");
        return;
    }
    struct ws_answer answer;
    ws_handshake_read(&client->request, aic_buf_view(&client->answer), &answer);
    switch (answer.kind) {
    case WS_ANSWER_OPEN:
        open_socket(client, &answer);
        break;
    case WS_ANSWER_REFUSED:
        tell_refusal(client, &answer);
        break;
    case WS_ANSWER_WRONG:
        ws_client_fail(client, AIC_CATEGORY_PROTOCOL, "protocol", answer.problem);
        break;
    default:
        break;
    }
}

static void on_ended(void *data)
{
    ws_client_end_early(data, AIC_CATEGORY_NETWORK, "connect",
                        "the connection ended before the handshake was answered");
}

static void on_broken(void *data)
{
    struct ws_client *client = data;
    char problem[200];
    bool is_tls = aic_str_copy(aic_str(wire_problem(client->wire)), problem, sizeof(problem)) &&
                  problem[0] != '\0';
    if (is_tls) {
        ws_client_fail(client, AIC_CATEGORY_TLS, "tls", problem);
    } else {
        on_ended(client);
    }
}

static const struct wire_handler handshake_events = {
    .received = on_received, .drained = nothing_happened, .ended = on_ended, .broken = on_broken};

static int32_t write_request(struct ws_client *client)
{
    struct aic_buf text;
    aic_buf_init(&text, REQUEST_MAX);
    ws_handshake_write(&client->request, &text);
    int32_t status = text.failed
                         ? AIC_ERROR_MEMORY
                         : wire_write(client->wire, aic_buf_view(&text), (struct aic_str){"", 0});
    aic_buf_finish(&text);
    return status;
}

void ws_client_begin_handshake(struct ws_client *client)
{
    struct ws_engine *engine = client->engine;
    struct wire_options options = {.loop = engine->loop,
                                   .is_client = true,
                                   .scratch = engine->scratch,
                                   .scratch_bytes = sizeof(engine->scratch),
                                   .stall_us = STALL_US};
    if (client->target.is_tls) {
        options.tls =
            wire_tls_connect(wire_trust_context(engine->trust), client->target.name, client->fd);
    }
    if (!client->target.is_tls || options.tls) {
        client->wire = wire_create(&options, client->fd, &handshake_events, client);
        client->fd = -1;
    }
    if (!client->wire || write_request(client) != AIC_OK) {
        ws_client_fail(client, AIC_CATEGORY_NETWORK, "connect", "the connection failed at once");
    }
}

void ws_client_trusted(struct ws_client *client)
{
    if (!wire_trust_context(client->engine->trust)) {
        ws_client_fail(client, AIC_CATEGORY_TLS, "tls",
                       "the certificates of authorities can not be read");
    } else if (client->fd >= 0) {
        ws_client_begin_handshake(client);
    }
}

/* What the owner may ask for before it is open */

static uint64_t op_queued(const struct aic_ws *ws)
{
    (void)ws;
    return 0;
}

static void is_closed(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    const struct ws_end how = {.code = 1006, .is_ours = true};
    end(client, &how);
}

/* There is nobody to say goodbye to; yet nobody is called from here. */
static void op_close(struct aic_ws *ws, int32_t code, struct aic_str reason)
{
    (void)code;
    (void)reason;
    struct ws_client *client = ws_socket_owner(ws);
    struct sched *sched = client->engine->sched;
    ws->is_closing = true;
    hang_up(client);
    client->timer = sched_timer_start(sched, sched_now(sched), is_closed, client);
}

static void op_drop(struct aic_ws *ws)
{
    ws_client_destroy(ws_socket_owner(ws));
    ws_socket_discard(ws);
}

const struct ws_ops ws_client_connecting_ops = {
    .queued = op_queued, .close = op_close, .drop = op_drop};
