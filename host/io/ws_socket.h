/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_SOCKET_H
#define IO_WS_SOCKET_H
/* A WebSocket on a wire, of either side, from the moment its handshake was accepted. */
#include <aicaller/websocket.h>
#include <stdbool.h>

struct aic_buf;
struct http_head;
struct sched;
struct wire;

struct ws_socket_options {
    struct sched *sched;
    uint64_t max_message_bytes;
    uint64_t max_queue_bytes;
    int64_t ping_us;           /* how often to ask whether the peer is there; 0 = never */
    struct aic_buf *mask_room; /* of a client, which masks what it sends; NULL = a server */
    /* The socket is over: the wire is its owner's again, to be destroyed where `at_once`, else to
     * be finished. */
    void (*released)(void *data, bool at_once);
    void *released_data;
};

/* NULL when out of memory. `event` is called from the start on. */
struct aic_ws *ws_socket_create(const struct ws_socket_options *options);
void ws_socket_set_handler(struct aic_ws *core, aic_ws_handler event, void *data);
/* Of a socket that was not started. Accepts NULL. */
void ws_socket_discard(struct aic_ws *core);
void *ws_socket_owner(const struct aic_ws *core);
/* Takes over the events of the wire, tells OPEN, then what the bytes hold that came with the
 * handshake; `answer` is the one that a client got, else NULL. To be called once; the socket may be
 * over when it returns. */
void ws_socket_start(struct aic_ws *core, struct wire *wire, const struct http_head *answer,
                     char *bytes, size_t count);

#endif
