/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_H
#define IO_WS_H
/*
 * WebSockets, client and server side alike, as the service in aicaller/websocket.h has them. The
 * one place that writes to an lws socket: a direct write when nothing waits, else a bounded ring.
 */
#include <aicaller/websocket.h>

struct ws_engine;
struct http_rules;

int32_t ws_connect(struct ws_engine *engine, const struct aic_ws_connect *params,
                   const struct http_rules *rules, aic_ws_handler event, void *data,
                   struct aic_ws **ws);
int32_t ws_send_text(struct aic_ws *ws, struct aic_str text);
int32_t ws_send_binary(struct aic_ws *ws, struct aic_str bytes);
uint64_t ws_queued_bytes(const struct aic_ws *ws);
void ws_close(struct aic_ws *ws, int32_t code, struct aic_str reason);
void ws_drop(struct aic_ws *ws);

#endif
