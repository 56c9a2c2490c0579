/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_SERVER_H
#define IO_WS_SERVER_H
/* A WebSocket that came to our port, from the moment its handshake was accepted. */
#include <aicaller/websocket.h>
#include <stdbool.h>

struct sched;
struct wire;

struct ws_server_options {
    struct sched *sched;
    struct wire *wire; /* whose events it takes over at the start */
    uint64_t max_message_bytes;
    uint64_t max_queue_bytes;
    /* The socket is over: the wire is its owner's again, to be destroyed where `at_once`, else to
     * be finished. */
    void (*released)(void *data, bool at_once);
    void *released_data;
};

/* NULL when out of memory. */
struct aic_ws *ws_server_create(const struct ws_server_options *options);
/* Of a socket that was not started. */
void ws_server_discard(struct aic_ws *core);
/* Tells OPEN, then what the bytes hold that came with the handshake. To be called once, after the
 * answer to the handshake was written; the socket may be over when it returns. */
void ws_server_start(struct aic_ws *core, aic_ws_handler event, void *data, char *bytes,
                     size_t count);

#endif
