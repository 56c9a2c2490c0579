/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_H
#define IO_WS_H
/*
 * WebSockets, client and server side alike, as the service in aicaller/websocket.h has them: a
 * direct write when nothing waits, else a bounded queue. Both run on a wire once they are open
 * (ws_socket.c); outgoing ones are brought up by ws_connect.c.
 */
#include <aicaller/websocket.h>

struct ws_engine;
struct http_rules;
struct loop;

struct ws_engine_options {
    const char *ca_file;    /* NULL = the system's */
    const char *user_agent; /* "aicaller/0.1.0"; NULL = none */
};

/* What the outgoing sockets of a loop share; one per process is enough. NULL on failure. */
struct ws_engine *ws_engine_create(struct loop *loop, const struct ws_engine_options *options);
/* Drops all outgoing sockets (no events). Never from inside of an event. Accepts NULL. */
void ws_engine_destroy(struct ws_engine *engine);

/*
 * As aic_websocket_service.connect. AIC_ERROR_INVALID: the URL, a header or the subprotocol is not
 * acceptable; AIC_ERROR_UNSUPPORTED: neither ws nor wss. What `rules` points to is borrowed until
 * the socket is over; NULL = no rules.
 *
 * CLOSED before OPEN says more in `error->code`: "address" (refused by the rules), "resolve",
 * "connect", "tls", "connect_timeout", "refused" (see http_status) or "protocol".
 */
int32_t ws_connect(struct ws_engine *engine, const struct aic_ws_connect *params,
                   const struct http_rules *rules, aic_ws_handler event, void *data,
                   struct aic_ws **ws);
/* AIC_ERROR_TOO_LARGE: longer than the whole queue may be. */
int32_t ws_send_text(struct aic_ws *ws, struct aic_str text);
int32_t ws_send_binary(struct aic_ws *ws, struct aic_str bytes);
uint64_t ws_queued_bytes(const struct aic_ws *ws);
void ws_close(struct aic_ws *ws, int32_t code, struct aic_str reason);
/* Accepts NULL. */
void ws_drop(struct aic_ws *ws);

#endif
