/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_CLIENT_H
#define IO_WS_CLIENT_H
/* Inside of ws.h: an outgoing socket, as ws_engine.c tells it what happens. */
#include "io/ws.h"

#include <stdbool.h>

struct ws_client;

/* Headers of the handshake, whole lines. */
struct aic_str ws_client_headers(const struct ws_client *client);
void ws_client_established(struct ws_client *client);

struct ws_client_piece {
    struct aic_str bytes;
    bool is_text;
    bool is_first;
    bool is_last;
};

/* The next three: false ends the socket. */
bool ws_client_received(struct ws_client *client, const struct ws_client_piece *piece);
bool ws_client_writable(struct ws_client *client);
/* The payload of the peer's close frame. */
bool ws_client_peer_closed(struct ws_client *client, struct aic_str payload);
void ws_client_ponged(struct ws_client *client);
/* The socket is gone. */
void ws_client_closed(struct ws_client *client);
/* It never came to be; `status` is that of a refusal, or 0. */
void ws_client_failed(struct ws_client *client, int32_t status, const char *text,
                      struct aic_str vendor_text);

#endif
