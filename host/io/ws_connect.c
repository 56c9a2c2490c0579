/* SPDX-License-Identifier: ISC */
/*
 * From a URL to an open socket: the name is looked up, its addresses are tried one after the other
 * within the deadline, the handshake is shaken.
 */
#include "io/http_address.h"
#include "io/ws_client_parts.h"

enum {
    CONNECT_MS = 3000,
    PING_MS = 5000,
    MESSAGE_BYTES = 16 * 1024 * 1024,
    QUEUE_BYTES = 1024 * 1024,
    QUEUE_MAX = 64 * 1024 * 1024,
    HEADERS_MAX = 16 * 1024
};

/* Connecting */

static void try_next(struct ws_client *client);

static void address_is_late(void *data)
{
    struct ws_client *client = data;
    client->timer = NULL;
    if (sched_now(client->sched) < client->deadline_us &&
        client->next_address < client->found.count) {
        ws_engine_kill(client->engine, client->wsi);
        client->wsi = NULL;
        try_next(client);
        return;
    }
    char text[160];
    (void)snprintf(text, sizeof(text), "no connection to %s in time", client->target.name);
    ws_client_fail(client, AIC_CATEGORY_TIMEOUT, "connect_timeout", text);
}

/* Each address gets an equal share of the time that is left. */
static void try_next(struct ws_client *client)
{
    char address[HTTP_ADDRESS_TEXT];
    http_address_text(&client->found.addresses[client->next_address].any, address);
    const struct ws_engine_target target = {.address = address,
                                            .host = client->target.host,
                                            .path = client->target.path,
                                            .subprotocol = client->subprotocol,
                                            .port = client->target.port,
                                            .is_tls = client->target.is_tls};
    int64_t left_us = client->deadline_us - sched_now(client->sched);
    int64_t addresses = (int64_t)(client->found.count - client->next_address);
    client->next_address++;
    ws_client_set_timer(client, sched_now(client->sched) + left_us / addresses, address_is_late);
    client->in_open = true;
    client->open_failed = false;
    bool is_open = ws_engine_open(client->engine, &target, client, &client->wsi);
    client->in_open = false;
    if (client->open_failed || !is_open) {
        client->wsi = NULL;
        ws_client_failed(client, 0, "the connection failed at once", (struct aic_str){"", 0});
    }
}

static void on_found(void *data, const struct ws_found *found)
{
    struct ws_client *client = data;
    client->lookup = NULL;
    client->found = *found;
    if (found->count > 0) {
        try_next(client);
    } else if (found->is_refused) {
        ws_client_fail(client, AIC_CATEGORY_PERMISSION, "address",
                       "this address may not be reached");
    } else if (found->is_unreachable) {
        ws_client_fail(client, AIC_CATEGORY_NETWORK, "connect",
                       "there is no route to this address");
    } else {
        ws_client_fail(client, AIC_CATEGORY_NETWORK, "resolve", "the name could not be resolved");
    }
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

static void judge_failure(struct ws_end *how, int32_t status, const char *text)
{
    *how = (struct ws_end){.code = 1006};
    if (status != 0 && status != 101) {
        how->http_status = status;
        how->category = category_of_status(status);
        how->error_code = "refused";
    } else if (strstr(text, "SSL") || strstr(text, "tls") || strstr(text, "cert")) {
        how->category = AIC_CATEGORY_TLS;
        how->error_code = "tls";
    } else if (status == 101 || strncmp(text, "HS:", 3) == 0) {
        how->category = AIC_CATEGORY_PROTOCOL;
        how->error_code = "protocol";
    } else {
        how->category = AIC_CATEGORY_NETWORK;
        how->error_code = "connect";
    }
}

void ws_client_failed(struct ws_client *client, int32_t status, const char *text,
                      struct aic_str vendor_text)
{
    if (client->in_open) {
        client->open_failed = true; /* ws_engine_open tells it to its caller */
        return;
    }
    client->wsi = NULL;
    struct ws_end how;
    judge_failure(&how, status, text);
    if (how.category == AIC_CATEGORY_NETWORK && client->next_address < client->found.count) {
        try_next(client);
        return;
    }
    char refusal[40];
    (void)snprintf(refusal, sizeof(refusal), "refused with HTTP status %d", (int)status);
    how.message = vendor_text.len > 0 ? vendor_text : aic_str(how.http_status ? refusal : text);
    ws_client_end(client, &how);
}

struct aic_str ws_client_headers(const struct ws_client *client)
{
    return aic_buf_view(&client->headers);
}

/* Start */

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
    const char *agent = ws_engine_user_agent(client->engine);
    bool has_agent = false;
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
    client->core.max_message_bytes =
        params->max_message_bytes > 0 ? params->max_message_bytes : MESSAGE_BYTES;
    client->core.max_queue_bytes =
        params->max_queue_bytes > 0 ? params->max_queue_bytes : QUEUE_BYTES;
    client->ping_us = (params->ping_ms == 0 ? PING_MS : params->ping_ms) * 1000;
    aic_buf_init(&client->headers, HEADERS_MAX);
    aic_buf_init(&client->queue, QUEUE_MAX);
    if (params->subprotocol) {
        if (!http_header_is_sendable(AIC_STR("x"), aic_str(params->subprotocol))) {
            return AIC_ERROR_INVALID;
        }
        client->subprotocol = aic_str_dup(aic_str(params->subprotocol));
        if (!client->subprotocol) {
            return AIC_ERROR_MEMORY;
        }
    }
    int32_t status = ws_target_parse(params->url, ws_engine_path_max(), &client->target);
    return status == AIC_OK ? add_headers(client, params) : status;
}

int32_t ws_connect(struct ws_engine *engine, const struct aic_ws_connect *params,
                   const struct http_rules *rules, aic_ws_handler event, void *data,
                   struct aic_ws **ws)
{
    struct ws_client *client = calloc(1, sizeof(*client));
    if (!client) {
        return AIC_ERROR_MEMORY;
    }
    ws_core_init(&client->core, &ws_client_ops);
    client->core.event = event;
    client->core.data = data;
    client->engine = engine;
    client->sched = ws_engine_sched(engine);
    client->rules = rules ? *rules : (struct http_rules){0};
    ws_engine_link(engine, &client->core, &client->link);
    int32_t status = take_params(client, params);
    if (status == AIC_OK) {
        client->lookup = ws_lookup_start(engine, &client->target, &client->rules, on_found, client);
        status = client->lookup ? AIC_OK : AIC_ERROR_MEMORY;
    }
    if (status != AIC_OK) {
        ws_drop(&client->core);
        return status;
    }
    int64_t connect_ms = params->connect_ms > 0 ? params->connect_ms : CONNECT_MS;
    client->deadline_us = sched_now(client->sched) + connect_ms * 1000;
    ws_client_set_timer(client, client->deadline_us, address_is_late);
    *ws = &client->core;
    return AIC_OK;
}
