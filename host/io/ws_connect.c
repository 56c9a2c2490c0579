/* SPDX-License-Identifier: ISC */
/*
 * From a URL to a TCP connection: the name is looked up, its addresses are dialled. The
 * certificates of authorities are read meanwhile, by the first that needs them.
 */
#include "io/wire_trust.h"
#include "io/ws_client.h"
#include "io/ws_core.h"
#include "io/ws_socket.h"

enum {
    CONNECT_MS = 3000,
    PING_MS = 5000,
    MESSAGE_BYTES = 16 * 1024 * 1024,
    QUEUE_BYTES = 1024 * 1024,
    HEADERS_MAX = 16 * 1024
};

static void is_late(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    char text[WS_TARGET_HOST + 32];
    (void)snprintf(text, sizeof(text), "no connection to %s in time", client->target.name);
    ws_client_end_early(client, AIC_CATEGORY_TIMEOUT, "connect_timeout", text);
}

static void on_dialled(void *data, int fd)
{
    struct ws_client *client = data;
    client->dial = NULL;
    if (fd < 0) {
        char text[WS_TARGET_HOST + 96];
        (void)snprintf(text, sizeof(text), "no connection to %s: %s", client->target.name,
                       strerror(-fd));
        ws_client_fail(client, AIC_CATEGORY_NETWORK, "connect", text);
        return;
    }
    client->fd = fd;
    if (!client->wants_trust && !client->trust_is_ready) {
        ws_client_begin_handshake(client);
    }
}

static void on_found(void *data, const struct ws_found *found)
{
    struct ws_client *client = data;
    client->lookup = NULL;
    if (found->count > 0) {
        client->dial =
            dial_start(client->engine->loop, found->addresses, found->count, on_dialled, client);
        if (!client->dial) {
            ws_client_fail(client, AIC_CATEGORY_NETWORK, "connect", "out of memory");
        }
    } else if (found->is_refused) {
        ws_client_fail(client, AIC_CATEGORY_PERMISSION, "address",
                       "this address may not be reached");
    } else {
        ws_client_fail(client, AIC_CATEGORY_NETWORK, "resolve", "the name could not be resolved");
    }
}

static bool is_of_the_handshake(struct aic_str name)
{
    static const char prefix[] = "sec-websocket-";
    if (name.len < sizeof(prefix) - 1) {
        return false;
    }
    name.len = sizeof(prefix) - 1;
    return aic_str_equal_nocase(name, prefix);
}

static int32_t add_line(struct aic_buf *to, struct aic_str name, struct aic_str value)
{
    if (!http_header_is_sendable(name, value) || is_of_the_handshake(name)) {
        return AIC_ERROR_INVALID;
    }
    aic_buf_str(to, name);
    aic_buf_text(to, ": ");
    aic_buf_str(to, value);
    aic_buf_text(to, "\r\n");
    return to->failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}

static int32_t add_headers(struct ws_client *client, const struct aic_ws_connect *params)
{
    const char *base = (const char *)params->headers;
    const char *agent = client->engine->user_agent;
    bool has_agent = false;
    aic_buf_init(&client->headers, HEADERS_MAX);
    for (uint32_t i = 0; i < params->header_count; i++) {
        const struct aic_header *header =
            (const struct aic_header *)(const void *)(base + (size_t)i * params->header_size);
        int32_t status = add_line(&client->headers, header->name, header->value);
        if (status != AIC_OK) {
            return status;
        }
        has_agent = has_agent || aic_str_equal_nocase(header->name, "user-agent");
    }
    return agent && !has_agent ? add_line(&client->headers, AIC_STR("User-Agent"), aic_str(agent))
                               : AIC_OK;
}

static int32_t take_params(struct ws_client *client, const struct aic_ws_connect *params)
{
    if (params->subprotocol) {
        if (!http_header_is_sendable(AIC_STR("x"), aic_str(params->subprotocol))) {
            return AIC_ERROR_INVALID;
        }
        client->subprotocol = aic_str_dup(aic_str(params->subprotocol));
        if (!client->subprotocol) {
            return AIC_ERROR_MEMORY;
        }
    }
    int32_t status = ws_target_parse(params->url, &client->target);
    if (status == AIC_OK) {
        status = add_headers(client, params);
    }
    uint8_t nonce[WS_NONCE_BYTES];
    sched_random(client->engine->sched, nonce, sizeof(nonce));
    ws_handshake_key(nonce, client->request.key);
    client->request.target = &client->target;
    client->request.subprotocol = client->subprotocol;
    client->request.headers = aic_buf_view(&client->headers);
    aic_buf_init(&client->answer, WS_ANSWER_HEAD_BYTES + WS_SCRATCH_BYTES);
    return status;
}

static struct aic_ws *create_socket(struct ws_client *client, const struct aic_ws_connect *params)
{
    const struct ws_socket_options options = {
        .sched = client->engine->sched,
        .max_message_bytes =
            params->max_message_bytes > 0 ? params->max_message_bytes : MESSAGE_BYTES,
        .max_queue_bytes = params->max_queue_bytes > 0 ? params->max_queue_bytes : QUEUE_BYTES,
        .ping_us =
            params->ping_ms < 0 ? 0 : (params->ping_ms > 0 ? params->ping_ms : PING_MS) * 1000,
        .mask_room = &client->engine->mask_room,
        .released = ws_client_released,
        .released_data = client};
    struct aic_ws *ws = ws_socket_create(&options);
    if (ws) {
        ws->ops = &ws_client_connecting_ops;
    }
    return ws;
}

/* The name and, where they are not there yet, the authorities. */
static int32_t begin(struct ws_client *client, int64_t connect_ms)
{
    struct ws_engine *engine = client->engine;
    int64_t deadline_us = sched_now(engine->sched) + connect_ms * 1000;
    client->timer = sched_timer_start(engine->sched, deadline_us, is_late, client);
    client->lookup =
        ws_lookup_start(engine->loop, &client->target, &client->rules, on_found, client);
    client->wants_trust = client->target.is_tls && !wire_trust_context(engine->trust);
    bool is_good =
        client->timer && client->lookup && (!client->wants_trust || wire_trust_load(engine->trust));
    return is_good ? AIC_OK : AIC_ERROR_MEMORY;
}

int32_t ws_connect(struct ws_engine *engine, const struct aic_ws_connect *params,
                   const struct http_rules *rules, aic_ws_handler event, void *data,
                   struct aic_ws **ws)
{
    struct ws_client *client = calloc(1, sizeof(*client));
    if (!client) {
        return AIC_ERROR_MEMORY;
    }
    client->engine = engine;
    client->fd = -1;
    client->rules = rules ? *rules : (struct http_rules){0};
    client->next = engine->clients;
    client->where = &engine->clients;
    if (client->next) {
        client->next->where = &client->next;
    }
    engine->clients = client;
    int32_t status = take_params(client, params);
    if (status == AIC_OK) {
        client->ws = create_socket(client, params);
        status = client->ws
                     ? begin(client, params->connect_ms > 0 ? params->connect_ms : CONNECT_MS)
                     : AIC_ERROR_MEMORY;
    }
    if (status != AIC_OK) {
        ws_socket_discard(client->ws);
        ws_client_destroy(client);
        return status;
    }
    ws_socket_set_handler(client->ws, event, data);
    *ws = client->ws;
    return AIC_OK;
}
