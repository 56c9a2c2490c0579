/* SPDX-License-Identifier: ISC */
#include "net_echo.h"

#include "buf.h"
#include "io/server.h"
#include "io/ws.h"
#include "net_peer.h"
#include "net_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct net_echo net_echo;

const char net_echo_handshake[] =
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void on_closed(const struct aic_ws_event *event)
{
    net_echo.closed++;
    net_echo.ws = NULL;
    net_echo.close_code = event->close_code;
    net_echo.has_error = event->error != NULL;
    net_echo.category = event->error ? event->error->category : 0;
    aic_str_copy(event->close_reason, net_echo.close_reason, sizeof(net_echo.close_reason));
}

static void obey(const struct aic_ws_event *event)
{
    if (aic_str_equal(event->data, "close!")) {
        ws_close(event->ws, 4000, AIC_STR("as you wish"));
    } else if (aic_str_equal(event->data, "drop!")) {
        net_echo.ws = NULL;
        ws_drop(event->ws);
    } else if (event->kind == AIC_WS_EVENT_TEXT) {
        (void)ws_send_text(event->ws, event->data);
    } else {
        (void)ws_send_binary(event->ws, event->data);
    }
}

static void on_event(void *data, const struct aic_ws_event *event)
{
    (void)data;
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        net_echo.opened++;
        net_echo.ws = event->ws;
        break;
    case AIC_WS_EVENT_TEXT:
    case AIC_WS_EVENT_BINARY:
        net_echo.messages++;
        obey(event);
        break;
    case AIC_WS_EVENT_WRITABLE:
        net_echo.writable++;
        break;
    case AIC_WS_EVENT_CLOSED:
        on_closed(event);
        break;
    default:
        break;
    }
}

static int32_t accept_socket(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request, aic_ws_handler *event,
                             void **event_data)
{
    (void)data;
    (void)exchange;
    (void)request;
    *event = on_event;
    *event_data = NULL;
    return AIC_OK;
}

static void create_server(void *data)
{
    (void)data;
    net_echo.server = server_create(net_rig_loop(net_echo.rig), NULL, NULL);
    const struct aic_ws_route route = {.size = sizeof(route),
                                       .path = "/ws",
                                       .accept = accept_socket,
                                       .max_message_bytes = NET_ECHO_MESSAGE_MAX,
                                       .max_queue_bytes = NET_ECHO_QUEUE_MAX};
    if (!net_echo.server || server_add_websocket(net_echo.server, &net_echo, &route) != AIC_OK ||
        server_listen(net_echo.server, net_echo.fd) != AIC_OK) {
        abort();
    }
}

static void destroy_server(void *data)
{
    (void)data;
    server_destroy(net_echo.server);
}

int net_echo_set_up(void **state)
{
    (void)state;
    memset(&net_echo, 0, sizeof(net_echo));
    net_echo.rig = net_rig_start();
    net_echo.fd = net_listen(&net_echo.port);
    net_rig_call(net_echo.rig, create_server, NULL);
    return 0;
}

int net_echo_tear_down(void **state)
{
    (void)state;
    net_rig_call(net_echo.rig, destroy_server, NULL);
    net_rig_stop(net_echo.rig);
    close(net_echo.fd);
    return 0;
}

int net_echo_is_closed(void *data)
{
    (void)data;
    return net_echo.closed > 0;
}

int net_echo_is_idle(void *data)
{
    (void)data;
    return server_connections(net_echo.server) == 0;
}

int net_echo_was_writable(void *data)
{
    (void)data;
    return net_echo.writable > 0;
}

void net_echo_forget(void *data)
{
    (void)data;
    net_echo.opened = net_echo.closed = net_echo.writable = net_echo.messages = 0;
}

int net_echo_open(void)
{
    int fd = net_connect(net_echo.port);
    bool is_sent = net_text(fd, net_echo_handshake);
    char *answer = net_read_until(fd, "\r\n\r\n");
    if (!is_sent || !answer || !strstr(answer, "HTTP/1.1 101 ")) {
        abort();
    }
    free(answer);
    return fd;
}
