/* SPDX-License-Identifier: ISC */
#include "fake_net.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    return aic_str_dup(aic_str(text));
}

static char *header_lines(const struct aic_header *headers, uint32_t count)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 1u << 16);
    for (uint32_t i = 0; i < count; i++) {
        aic_buf_printf(&buf, "%.*s: %.*s\n", (int)headers[i].name.len, headers[i].name.ptr,
                       (int)headers[i].value.len, headers[i].value.ptr);
    }
    return aic_buf_detach(&buf);
}

/* HTTP */

static int32_t http_start(const struct aic_host *host, const struct aic_http_request *params,
                          void (*event)(void *data, const struct aic_http_event *event), void *data,
                          struct aic_http **request)
{
    struct fake_host *fake = fake_of(host);
    struct aic_http *r = fake_alloc(sizeof(*r));
    *r = (struct aic_http){.fake = fake,
                           .method = copy(params->method),
                           .url = copy(params->url),
                           .headers = header_lines(params->headers, params->header_count),
                           .body = aic_str_dup(params->body),
                           .body_bytes = params->body.len,
                           .flags = params->flags,
                           .connect_ms = params->connect_ms,
                           .first_byte_ms = params->first_byte_ms,
                           .idle_ms = params->idle_ms,
                           .total_ms = params->total_ms,
                           .event = event,
                           .data = data};
    struct aic_http **end = &fake->requests;
    while (*end) {
        end = &(*end)->next;
    }
    *end = r;
    fake->request_count++;
    *request = r;
    return AIC_OK;
}

static void http_cancel(const struct aic_host *host, struct aic_http *request)
{
    (void)host;
    if (!request) {
        return;
    }
    if (request->ended) {
        fake_fail("cancel of %s, which has ended", request->url);
    }
    request->ended = true;
    request->cancelled = true;
}

static void http_warm(const struct aic_host *host, const char *url)
{
    (void)url;
    fake_of(host)->warmed++;
}

const struct aic_http_service fake_http_service = {
    .size = sizeof(fake_http_service),
    .start = http_start,
    .cancel = http_cancel,
    .warm = http_warm,
};

struct aic_http *fake_http_pending(struct fake_host *fake)
{
    struct aic_http *request = fake->requests;
    while (request && request->ended) {
        request = request->next;
    }
    return request;
}

size_t fake_http_count(const struct fake_host *fake)
{
    return fake->request_count;
}

size_t fake_http_warmed(const struct fake_host *fake)
{
    return fake->warmed;
}

static void http_event(struct aic_http *request, struct aic_http_event event)
{
    if (request->ended) {
        return;
    }
    event.size = sizeof(event);
    if (event.kind == AIC_HTTP_EVENT_DONE || event.kind == AIC_HTTP_EVENT_ERROR) {
        request->ended = true;
    }
    request->event(request->data, &event);
}

/* Splits "name: value\n" lines in place of a copy. */
static uint32_t split_headers(char *lines, struct aic_header *headers, uint32_t max)
{
    uint32_t count = 0;
    for (char *line = lines; *line && count < max;) {
        size_t length = strcspn(line, "\n");
        char *colon = memchr(line, ':', length);
        if (colon) {
            size_t name = (size_t)(colon - line);
            size_t skip = colon[1] == ' ' ? 2 : 1;
            headers[count++] =
                (struct aic_header){{line, name}, {colon + skip, length - name - skip}};
        }
        line += length + (line[length] == '\n');
    }
    return count;
}

void fake_http_headers(struct aic_http *request, int32_t status, const char *headers)
{
    struct aic_header list[32];
    char *lines = copy(headers ? headers : "");
    uint32_t count = split_headers(lines, list, 32);
    http_event(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_HEADERS,
                                                .status = status,
                                                .headers = list,
                                                .header_count = count,
                                                .header_size = sizeof(list[0]),
                                                .ttfb_us = 1000});
    free(lines);
}

void fake_http_data(struct aic_http *request, struct aic_str bytes)
{
    http_event(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_DATA, .data = bytes});
}

void fake_http_sse(struct aic_http *request, const char *name, struct aic_str data)
{
    http_event(request, (struct aic_http_event){
                            .kind = AIC_HTTP_EVENT_SSE, .name = aic_str(name), .data = data});
}

void fake_http_done(struct aic_http *request)
{
    http_event(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_DONE});
}

void fake_http_fail(struct aic_http *request, uint32_t category)
{
    fake_http_fail_as(request, category, "");
}

void fake_http_fail_as(struct aic_http *request, uint32_t category, const char *code)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = category,
                              .code = aic_str(code),
                              .message = AIC_STR("made by the test")};
    http_event(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_ERROR, .error = &error});
}

void fake_http_reply(struct aic_http *request, int32_t status, const char *headers,
                     const char *body)
{
    fake_http_headers(request, status, headers);
    if (body && body[0]) {
        fake_http_data(request, aic_str(body));
    }
    fake_http_done(request);
}

/* WebSocket */

static struct aic_ws *new_socket(struct fake_host *fake, const char *url, aic_ws_handler event,
                                 void *data)
{
    struct aic_ws *ws = fake_alloc(sizeof(*ws));
    *ws = (struct aic_ws){
        .fake = fake, .next = fake->sockets, .url = copy(url), .event = event, .data = data};
    aic_buf_init(&ws->sent, 1u << 24);
    aic_buf_init(&ws->binary, 1u << 24);
    fake->sockets = ws;
    fake->socket_count++;
    return ws;
}

static int32_t ws_connect(const struct aic_host *host, const struct aic_ws_connect *params,
                          aic_ws_handler event, void *data, struct aic_ws **ws)
{
    *ws = new_socket(fake_of(host), params->url, event, data);
    (*ws)->headers = header_lines(params->headers, params->header_count);
    (*ws)->subprotocol = params->subprotocol ? copy(params->subprotocol) : NULL;
    return AIC_OK;
}

static int32_t ready_to_send(const struct aic_ws *ws)
{
    if (ws->ended) {
        fake_fail("send on %s, which has ended", ws->url);
    }
    if (!ws->open || ws->closing) {
        return AIC_ERROR_CLOSED;
    }
    return ws->refuse_sends ? AIC_ERROR_BUSY : AIC_OK;
}

static int32_t ws_send_text(const struct aic_host *host, struct aic_ws *ws, struct aic_str text)
{
    (void)host;
    int32_t status = ready_to_send(ws);
    if (status == AIC_OK) {
        if (!aic_utf8_valid(text)) {
            fake_fail("text message is not UTF-8");
        }
        aic_buf_str(&ws->sent, text);
        aic_buf_char(&ws->sent, '\n');
        ws->text_count++;
    }
    return status;
}

static int32_t ws_send_binary(const struct aic_host *host, struct aic_ws *ws, struct aic_str bytes)
{
    (void)host;
    if (bytes.len == 0) {
        return AIC_ERROR_INVALID;
    }
    int32_t status = ready_to_send(ws);
    if (status == AIC_OK) {
        aic_buf_str(&ws->binary, bytes);
        ws->binary_count++;
    }
    return status;
}

static uint64_t ws_queued_bytes(const struct aic_host *host, const struct aic_ws *ws)
{
    (void)host;
    return ws->queued;
}

static void ws_close(const struct aic_host *host, struct aic_ws *ws, int32_t code,
                     struct aic_str reason)
{
    (void)host;
    (void)reason;
    if (ws->ended) {
        fake_fail("close of %s, which has ended", ws->url);
    }
    ws->closing = true;
    ws->close_code = code;
}

static void ws_drop(const struct aic_host *host, struct aic_ws *ws)
{
    (void)host;
    if (!ws) {
        return;
    }
    if (ws->ended) {
        fake_fail("drop of %s, which has ended", ws->url);
    }
    ws->ended = true;
    ws->open = false;
}

const struct aic_websocket_service fake_ws_service = {
    .size = sizeof(fake_ws_service),
    .connect = ws_connect,
    .send_text = ws_send_text,
    .send_binary = ws_send_binary,
    .queued_bytes = ws_queued_bytes,
    .close = ws_close,
    .drop = ws_drop,
};

struct aic_ws *fake_ws_current(struct fake_host *fake)
{
    struct aic_ws *ws = fake->sockets;
    while (ws && ws->ended) {
        ws = ws->next;
    }
    return ws;
}

size_t fake_ws_count(const struct fake_host *fake)
{
    return fake->socket_count;
}

static void ws_event(struct aic_ws *ws, struct aic_ws_event event)
{
    if (ws->ended) {
        return;
    }
    event.size = sizeof(event);
    event.ws = ws;
    if (event.kind == AIC_WS_EVENT_CLOSED) {
        ws->ended = true;
        ws->open = false;
    }
    ws->event(ws->data, &event);
}

void fake_ws_open(struct aic_ws *ws)
{
    ws->open = true;
    ws_event(ws, (struct aic_ws_event){.kind = AIC_WS_EVENT_OPEN});
}

void fake_ws_text(struct aic_ws *ws, const char *text)
{
    ws_event(ws, (struct aic_ws_event){.kind = AIC_WS_EVENT_TEXT, .data = aic_str(text)});
}

void fake_ws_binary(struct aic_ws *ws, const void *bytes, size_t count)
{
    ws_event(ws, (struct aic_ws_event){.kind = AIC_WS_EVENT_BINARY, .data = {bytes, count}});
}

void fake_ws_closed(struct aic_ws *ws, int32_t code, const char *reason, int32_t http_status)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = AIC_CATEGORY_NETWORK,
                              .close_code = code,
                              .http_status = http_status,
                              .message = aic_str(reason)};
    ws_event(ws, (struct aic_ws_event){.kind = AIC_WS_EVENT_CLOSED,
                                       .close_code = code,
                                       .close_reason = aic_str(reason),
                                       .http_status = http_status,
                                       .error = ws->closing ? NULL : &error});
}

char *fake_ws_take_text(struct aic_ws *ws)
{
    char *text = aic_str_dup(aic_buf_view(&ws->sent));
    aic_buf_clear(&ws->sent);
    return text;
}

/* Routes */

static int32_t add_http(const struct aic_host *host, const struct aic_http_route *route)
{
    struct fake_host *fake = fake_of(host);
    if (fake->http_route_count == FAKE_ROUTES) {
        return AIC_ERROR_BUSY;
    }
    fake->http_routes[fake->http_route_count++] = *route;
    return AIC_OK;
}

static int32_t add_websocket(const struct aic_host *host, const struct aic_ws_route *route)
{
    struct fake_host *fake = fake_of(host);
    if (fake->ws_route_count == FAKE_ROUTES) {
        return AIC_ERROR_BUSY;
    }
    fake->ws_routes[fake->ws_route_count++] = *route;
    return AIC_OK;
}

static struct aic_str header(const struct aic_host *host, struct aic_exchange *exchange,
                             const char *name)
{
    (void)host;
    for (uint32_t i = 0; i < exchange->header_count; i++) {
        if (aic_str_equal_nocase(exchange->headers[i].name, name)) {
            return exchange->headers[i].value;
        }
    }
    return (struct aic_str){"", 0};
}

static int32_t respond(const struct aic_host *host, struct aic_exchange *exchange,
                       const struct aic_response *response)
{
    (void)host;
    if (exchange->answered) {
        fake_fail("an exchange was answered twice");
    }
    exchange->answered = true;
    exchange->status = response->status;
    aic_str_copy(aic_str(response->content_type), exchange->content_type,
                 sizeof(exchange->content_type));
    aic_buf_str(&exchange->body, response->body);
    return AIC_OK;
}

static const char *public_url(const struct aic_host *host)
{
    return fake_of(host)->public_url;
}

const struct aic_route_service fake_route_service = {
    .size = sizeof(fake_route_service),
    .add_http = add_http,
    .add_websocket = add_websocket,
    .header = header,
    .respond = respond,
    .public_url = public_url,
};

void fake_route_set_public_url(struct fake_host *fake, const char *url)
{
    fake->public_url = url;
}

/* A route's path with or without its closing slash; "*" at its end matches any rest. */
static bool path_matches(const char *route, const char *path)
{
    size_t length = strlen(route);
    if (length > 0 && route[length - 1] == '*') {
        return strncmp(route, path, length - 1) == 0;
    }
    size_t given = strlen(path);
    length -= length > 1 && route[length - 1] == '/';
    given -= given > 1 && path[given - 1] == '/';
    return length == given && memcmp(route, path, length) == 0;
}

static void begin_exchange(struct fake_host *fake, const struct aic_header *headers,
                           uint32_t header_count, struct aic_exchange *exchange)
{
    *exchange =
        (struct aic_exchange){.fake = fake, .headers = headers, .header_count = header_count};
    aic_buf_init(&exchange->body, 1u << 20);
}

void fake_route_request(struct fake_host *fake, uint32_t method, const char *path,
                        const char *query, const struct aic_header *headers, uint32_t header_count,
                        struct aic_str body, struct aic_exchange *exchange)
{
    begin_exchange(fake, headers, header_count, exchange);
    struct aic_request request = {.size = sizeof(request),
                                  .method = method,
                                  .path = aic_str(path),
                                  .query = aic_str(query ? query : ""),
                                  .body = body,
                                  .peer = AIC_STR("192.0.2.1")};
    for (size_t i = 0; i < fake->http_route_count; i++) {
        const struct aic_http_route *route = &fake->http_routes[i];
        if ((route->methods & method) && path_matches(route->path, path) &&
            route->handle(route->data, exchange, &request) != AIC_ERROR_NOT_FOUND) {
            return;
        }
    }
    exchange->answered = true;
    exchange->status = 404;
}

struct aic_ws *fake_route_accept(struct fake_host *fake, const char *path,
                                 const struct aic_header *headers, uint32_t header_count,
                                 struct aic_exchange *exchange)
{
    begin_exchange(fake, headers, header_count, exchange);
    struct aic_request request = {.size = sizeof(request),
                                  .method = AIC_METHOD_GET,
                                  .path = aic_str(path),
                                  .peer = AIC_STR("192.0.2.1"),
                                  .is_websocket = 1};
    exchange->status = 404;
    for (size_t i = 0; i < fake->ws_route_count; i++) {
        const struct aic_ws_route *route = &fake->ws_routes[i];
        if (!path_matches(route->path, path)) {
            continue;
        }
        aic_ws_handler event = NULL;
        void *data = NULL;
        int32_t status = route->accept(route->data, exchange, &request, &event, &data);
        if (status == AIC_OK) {
            exchange->status = 101;
            return new_socket(fake, path, event, data);
        }
        exchange->status = 403;
        if (status != AIC_ERROR_NOT_FOUND) {
            return NULL;
        }
    }
    return NULL;
}

struct aic_ws *fake_route_upgrade(struct fake_host *fake, const char *path,
                                  const struct aic_header *headers, uint32_t header_count,
                                  struct aic_exchange *exchange)
{
    struct aic_ws *ws = fake_route_accept(fake, path, headers, header_count, exchange);
    if (ws) {
        fake_ws_open(ws);
    }
    return ws;
}

void fake_exchange_finish(struct aic_exchange *exchange)
{
    aic_buf_finish(&exchange->body);
}

void fake_net_finish(struct fake_host *fake)
{
    while (fake->requests) {
        struct aic_http *request = fake->requests;
        if (!request->ended) {
            fake_fail("request %s was left open", request->url);
        }
        fake->requests = request->next;
        free(request->method);
        free(request->url);
        free(request->headers);
        free(request->body);
        free(request);
    }
    while (fake->sockets) {
        struct aic_ws *ws = fake->sockets;
        if (!ws->ended) {
            fake_fail("socket %s was left open", ws->url);
        }
        fake->sockets = ws->next;
        free(ws->url);
        free(ws->headers);
        free(ws->subprotocol);
        aic_buf_finish(&ws->sent);
        aic_buf_finish(&ws->binary);
        free(ws);
    }
}
