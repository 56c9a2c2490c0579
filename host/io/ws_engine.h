/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_ENGINE_H
#define IO_WS_ENGINE_H
/*
 * Inside of ws.h: the only file that knows libwebsockets. What its callbacks say becomes a call of
 * ws_client.h; what a socket wants goes through the few guarded functions here. The guards, for
 * 4.1.6, each of which fails silently:
 *
 *   - A write while lws still holds part of an earlier one corrupts the stream, so nothing is
 *     written then: see ws_engine_write.
 *   - A write longer than tx_packet_size is always cut in two and held, so that is set large.
 *   - To end a socket from outside its callbacks needs a wake-up of lws besides: ws_engine_kill.
 *   - Names are resolved on the loop, so only numeric addresses are passed in.
 *   - When connect() fails at once, a libuv handle stays behind for ever, and with it the loop:
 *     ws_engine_is_reachable asks the routes first.
 *   - The request line is cut at 2048 bytes.
 *   - Debian's build closes twice in a row after a callback that returned -1, so that the close
 *     frame which was asked for is never sent: see ws_engine_say_goodbye.
 *   - The context must be destroyed twice with turns of the loop in between, else it stays.
 */
#include "io/ws.h"

#include <stdbool.h>

struct lws;
struct sched;
struct sockaddr;
struct ws_client;

struct ws_engine_target {
    const char *address; /* numeric */
    const char *host;    /* name, with a port that is not the usual one: Host, SNI, certificate */
    const char *path;    /* with the query */
    const char *subprotocol; /* NULL = none */
    uint16_t port;
    bool is_tls;
};

struct sched *ws_engine_sched(struct ws_engine *engine);
struct uv_loop_s *ws_engine_uv(struct ws_engine *engine);
const char *ws_engine_user_agent(const struct ws_engine *engine);
/* The longest path that a handshake can ask for. */
size_t ws_engine_path_max(void);
/* Whether there is a route to an address at all. */
bool ws_engine_is_reachable(const struct sockaddr *address);

/* Begins to connect; false when that failed at once: then ws_client_failed may have been called. */
bool ws_engine_open(struct ws_engine *engine, const struct ws_engine_target *target,
                    struct ws_client *client, struct lws **wsi);
/* Ends a socket soon, without a word and without a further call of ws_client.h. Accepts NULL. */
void ws_engine_kill(struct ws_engine *engine, struct lws *wsi);
/* Whether lws holds nothing back, so that ws_engine_write may be called. */
bool ws_engine_is_free(struct lws *wsi);
/* Writes a whole message, a ping or a close frame, by its opcode of ws_frame.h. False: the socket
 * is broken. */
bool ws_engine_write(struct ws_engine *engine, struct lws *wsi, uint8_t opcode,
                     struct aic_str payload);
/* Sends a close frame, waits for its answer and ends; ws_client_closed follows. Only while
 * ws_engine_is_free, and never from inside of what lws calls. Nothing may be written afterwards. */
void ws_engine_say_goodbye(struct lws *wsi, int32_t code, struct aic_str reason);
/* ws_client_writable will be called. */
void ws_engine_want_write(struct lws *wsi);

/* The list of its sockets, so that it can drop them. */
struct ws_engine_link {
    struct ws_engine_link *next;
    struct ws_engine_link **where; /* what points to it */
    struct aic_ws *ws;
};

void ws_engine_link(struct ws_engine *engine, struct aic_ws *ws, struct ws_engine_link *link);
void ws_engine_unlink(struct ws_engine_link *link);

#endif
