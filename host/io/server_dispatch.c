/* SPDX-License-Identifier: ISC */
/* From a request to the routes that may take it. */
#include "base/log.h"
#include "base/metrics.h"
#include "io/http_peer.h"
#include "io/server_parts.h"
#include "io/ws.h"
#include "io/ws_frame.h"
#include "io/ws_socket.h"

enum { BODY_BYTES = 64 * 1024, MESSAGE_BYTES = 64 * 1024, QUEUE_BYTES = 1024 * 1024 };

static bool matches(const struct server_route *route, struct aic_str path)
{
    if (route->is_prefix) {
        return aic_str_starts(path, route->path) && (!route->exists || route->exists(path));
    }
    if (path.len > 0 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    return aic_str_equal(path, route->path);
}

static uint64_t body_limit(const struct server_route *route)
{
    return route->http.max_body_bytes > 0 ? route->http.max_body_bytes : BODY_BYTES;
}

static void write_allow(uint32_t methods, char *header, size_t header_bytes)
{
    static const struct {
        uint32_t method;
        const char *name;
    } names[] = {{AIC_METHOD_GET, "GET, HEAD"},
                 {AIC_METHOD_POST, "POST"},
                 {AIC_METHOD_PUT, "PUT"},
                 {AIC_METHOD_PATCH, "PATCH"},
                 {AIC_METHOD_DELETE, "DELETE"}};
    struct aic_buf text;
    aic_buf_init(&text, header_bytes - 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (methods & names[i].method) {
            aic_buf_printf(&text, "%s%s", text.len > 0 ? ", " : "Allow: ", names[i].name);
        }
    }
    aic_buf_text(&text, "\r\n");
    (void)aic_str_copy(aic_buf_view(&text), header, header_bytes);
    aic_buf_finish(&text);
}

int32_t server_dispatch_check(struct server_conn *conn, uint64_t *max_body_bytes, char *header,
                              size_t header_bytes)
{
    const struct server *server = conn->server;
    const struct http_head *head = &conn->exchange->head;
    bool has_websocket = false;
    bool is_found = false;
    uint32_t methods = 0;
    header[0] = '\0';
    *max_body_bytes = 0;
    for (size_t i = 0; i < server->route_count; i++) {
        const struct server_route *route = &server->routes[i];
        if (!matches(route, head->path)) {
            continue;
        }
        if (route->is_websocket) {
            has_websocket = true;
            continue;
        }
        methods |= route->http.methods;
        if (route->http.methods & head->method) {
            is_found = true;
            uint64_t limit = body_limit(route);
            *max_body_bytes = limit > *max_body_bytes ? limit : *max_body_bytes;
        }
    }
    if (is_found) {
        return 0;
    }
    if (methods != 0) {
        write_allow(methods, header, header_bytes);
        return 405;
    }
    if (has_websocket) {
        (void)aic_str_copy(AIC_STR("Upgrade: websocket\r\n"), header, header_bytes);
        return 426;
    }
    return 404;
}

static struct aic_request request_of(const struct server_conn *conn)
{
    const struct aic_exchange *exchange = conn->exchange;
    bool is_tls = conn->server->tls != NULL;
    return (struct aic_request){
        .size = sizeof(struct aic_request),
        .method = exchange->head.method,
        .path = exchange->head.path,
        .query = exchange->head.query,
        .body = aic_buf_view(&exchange->body),
        .peer = aic_str(exchange->peer),
        .is_tls = is_tls,
        .is_loopback = http_peer_is_local(&exchange->head, &conn->peer.any, is_tls),
    };
}

void server_dispatch(struct server_conn *conn)
{
    struct server *server = conn->server;
    struct aic_exchange *exchange = conn->exchange;
    const struct aic_request request = request_of(conn);
    int32_t status = 404;
    server_exchange_wait(exchange);
    for (size_t i = 0; i < server->route_count; i++) {
        /* A copy: the handler may change the routes. */
        const struct server_route route = server->routes[i];
        if (route.is_websocket || !(route.http.methods & request.method) ||
            !matches(&route, request.path)) {
            continue;
        }
        if (request.body.len > body_limit(&route)) {
            status = 413;
            continue;
        }
        int32_t result = route.http.handle(route.http.data, exchange, &request);
        if (result == AIC_OK || conn->exchange != exchange) {
            return;
        }
        if (result != AIC_ERROR_NOT_FOUND) {
            log_error("server", "a request was not handled", LOG_T("path", request.path),
                      LOG_I("status", result));
            status = 500;
            break;
        }
    }
    (void)server_problem(exchange, status, NULL, NULL);
}

/* WebSocket */

/* What is wrong with a handshake; 0 for nothing. */
static int32_t check_handshake(const struct aic_exchange *exchange, char accept[WS_ACCEPT_BYTES],
                               const char **detail, const char **header)
{
    const struct http_head *head = &exchange->head;
    *header = "";
    *detail = "the WebSocket handshake is not complete";
    if (!aic_str_equal(head->method_name, "GET") || head->is_http_1_0 || exchange->body_bytes > 0 ||
        http_head_count(head, "http2-settings") > 0 ||
        http_head_count(head, "sec-websocket-key") != 1) {
        return 400;
    }
    if (!aic_str_equal(http_head_find(head, "sec-websocket-version"), "13")) {
        *detail = "only version 13 of the WebSocket protocol is spoken here";
        *header = "Sec-WebSocket-Version: 13\r\n";
        return 426;
    }
    return ws_accept_key(http_head_find(head, "sec-websocket-key"), accept) ? 0 : 400;
}

/* Subprotocols that carriers offer; their streams are the same without. */
static const char *known_subprotocol(struct aic_str offered)
{
    static const char *const known[] = {"audio.twilio.com", "audio.drachtio.org"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (aic_str_equal(offered, known[i])) {
            return known[i];
        }
    }
    return NULL;
}

/* The first of the offered subprotocols that is known, or NULL. */
static const char *choose_subprotocol(const struct http_head *head)
{
    const char *chosen = NULL;
    for (uint32_t i = 0; i < head->header_count && !chosen; i++) {
        struct aic_str list = head->headers[i].value;
        struct aic_str offered = {0};
        if (!aic_str_equal_nocase(head->headers[i].name, "sec-websocket-protocol")) {
            continue;
        }
        while (!chosen && http_list_next(&list, &offered)) {
            chosen = known_subprotocol(offered);
        }
    }
    return chosen;
}

/* The socket has given the wire back. */
static void socket_released(void *data, bool at_once)
{
    struct server_conn *conn = data;
    conn->ws = NULL;
    if (at_once) {
        server_conn_close(conn);
    } else {
        server_conn_take_wire(conn);
        server_conn_finish(conn);
    }
}

static struct aic_ws *create_socket(struct server_conn *conn, const struct aic_ws_route *route)
{
    const struct ws_socket_options options = {
        .sched = conn->server->sched,
        .max_message_bytes = route->max_message_bytes ? route->max_message_bytes : MESSAGE_BYTES,
        .max_queue_bytes = route->max_queue_bytes ? route->max_queue_bytes : QUEUE_BYTES,
        .released = socket_released,
        .released_data = conn};
    return ws_socket_create(&options);
}

static void open_socket(struct server_conn *conn, const char *accept)
{
    const char *subprotocol = choose_subprotocol(&conn->exchange->head);
    char text[256];
    int length = snprintf(text, sizeof(text),
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
                          accept, subprotocol ? "Sec-WebSocket-Protocol: " : "",
                          subprotocol ? subprotocol : "", subprotocol ? "\r\n" : "");
    (void)wire_write(conn->wire, (struct aic_str){text, (size_t)length}, (struct aic_str){NULL, 0});
    server_exchange_free(conn->exchange);
    conn->exchange = NULL;
    conn->state = SERVER_WEBSOCKET;
}

/* Asks the routes; the socket that was accepted, with its handler, or NULL and the status. */
static struct aic_ws *ask_routes(struct server_conn *conn, int32_t *status, aic_ws_handler *event,
                                 void **data)
{
    struct server *server = conn->server;
    struct aic_request request = request_of(conn);
    request.is_websocket = 1;
    *status = 404;
    for (size_t i = 0; i < server->route_count; i++) {
        const struct server_route route = server->routes[i];
        if (!route.is_websocket || !matches(&route, request.path)) {
            continue;
        }
        struct aic_ws *ws = create_socket(conn, &route.websocket);
        if (!ws) {
            *status = 500;
            return NULL;
        }
        *event = NULL;
        int32_t result =
            route.websocket.accept(route.websocket.data, conn->exchange, &request, event, data);
        if (result == AIC_OK && *event) {
            return ws;
        }
        ws_socket_discard(ws);
        /* Where nobody takes it as his it is as much refused as where one says so. */
        *status = result == AIC_OK ? 500 : 403;
        if (result != AIC_ERROR_NOT_FOUND) {
            return NULL;
        }
    }
    return NULL;
}

void server_dispatch_upgrade(struct server_conn *conn, char *bytes, size_t count)
{
    char accept[WS_ACCEPT_BYTES];
    const char *detail = NULL;
    const char *header = NULL;
    int32_t status = check_handshake(conn->exchange, accept, &detail, &header);
    if (status != 0) {
        server_conn_refuse(conn, status, detail, header);
        return;
    }
    aic_ws_handler event = NULL;
    void *data = NULL;
    struct aic_ws *ws = ask_routes(conn, &status, &event, &data);
    if (!ws) {
        server_conn_refuse(conn, status, NULL, "");
        return;
    }
    metrics_count_http(101);
    conn->ws = ws;
    open_socket(conn, accept);
    ws_socket_set_handler(ws, event, data);
    ws_socket_start(ws, conn->wire, NULL, bytes, count);
}
