/* SPDX-License-Identifier: ISC */
/* Whole connections to the port: whatever comes, in two pieces, is survived and leaves nothing. */
#include "io/server.h"

#include "buf.h"
#include "io/loop.h"
#include "io/server_parts.h"
#include "io/ws.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct server *server;

static int32_t handle(void *data, struct aic_exchange *exchange, const struct aic_request *request)
{
    (void)data;
    const struct aic_response response = {
        .size = sizeof(response), .status = 200, .body = request->body};
    return server_respond(exchange, &response);
}

static void on_socket(void *data, const struct aic_ws_event *event)
{
    (void)data;
    if (event->kind == AIC_WS_EVENT_TEXT) {
        (void)ws_send_text(event->ws, event->data);
    } else if (event->kind == AIC_WS_EVENT_BINARY && event->data.len == 1) {
        ws_drop(event->ws);
    } else if (event->kind == AIC_WS_EVENT_BINARY) {
        ws_close(event->ws, 1000, event->data);
    }
}

static int32_t accept_socket(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request, aic_ws_handler *event,
                             void **event_data)
{
    (void)data;
    (void)exchange;
    (void)request;
    *event = on_socket;
    *event_data = NULL;
    return AIC_OK;
}

static void set_up(void)
{
    const struct aic_http_route http = {.size = sizeof(http),
                                        .path = "/*",
                                        .methods = AIC_METHOD_GET | AIC_METHOD_POST,
                                        .handle = handle};
    const struct aic_ws_route socket = {
        .size = sizeof(socket), .path = "/*", .accept = accept_socket};
    loop = loop_create(&(struct loop_options){.pool_threads = 1});
    server = loop ? server_create(loop, NULL, NULL) : NULL;
    if (!server || server_add_http(server, NULL, &http) != AIC_OK ||
        server_add_websocket(server, NULL, &socket) != AIC_OK) {
        abort();
    }
}

static void turn(void)
{
    for (int i = 0; i < 4; i++) {
        (void)uv_run(loop_uv(loop), UV_RUN_NOWAIT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!loop) {
        set_up();
    }
    int pair[2];
    if (size == 0 || size > 40000 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        return 0;
    }
    const union server_address peer = {.v4 = {.sin_family = AF_INET}};
    server_conn_open(server, pair[0], &peer, false);
    size_t cut = data[size - 1] % size;
    (void)!write(pair[1], data, cut);
    turn();
    (void)!write(pair[1], data + cut, size - cut);
    turn();
    close(pair[1]);
    for (int i = 0; i < 100 && server_connections(server) > 0; i++) {
        turn();
    }
    if (server_connections(server) > 0) {
        abort();
    }
    return 0;
}
