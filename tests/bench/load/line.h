/* SPDX-License-Identifier: ISC */
#ifndef LOAD_LINE_H
#define LOAD_LINE_H
/*
 * Connections of the load generator: HTTP requests that come in or go out, and WebSockets made of
 * either. Everything is on 127.0.0.1, without TLS. A line frees itself after `closed`.
 */
#include "buf.h"
#include "io/http_head.h"
#include "io/ws_reader.h"
#include "load/pump.h"

struct line;

struct line_events {
    /* The answer to a request of ours, whole; not called for one that opened a WebSocket. */
    void (*answered)(void *data, struct line *line, int32_t status, struct aic_str body);
    /* Our WebSocket is open. */
    void (*opened)(void *data, struct line *line);
    void (*message)(void *data, struct line *line, bool is_text, struct aic_str message);
    void (*closed)(void *data, struct line *line);
};

/* A request has come, whole: answer it, now or later, or make a WebSocket of it. */
typedef void (*line_asked)(void *data, struct line *line, const struct http_head *head,
                           struct aic_str body);

struct line_port {
    struct pump *pump;
    struct pump_watch watch;
    line_asked asked;
    void *data;
};

void line_listen(struct line_port *at, struct pump *pump, int port, line_asked asked, void *data);

/* Sends a whole request to a port. */
struct line *line_ask(struct pump *pump, int port, struct aic_str request,
                      const struct line_events *events, void *data);

/* Who hears of what happens to a line that came in. */
void line_own(struct line *line, const struct line_events *events, void *data);
/* What a line was given with these events; NULL: other events, or none. */
void *line_data(const struct line *line, const struct line_events *events);
void line_upgrade(struct line *line, const struct http_head *head);
void line_send(struct line *line, struct aic_str bytes);
void line_send_text(struct line *line, struct aic_str message);
/* A close frame with this code, and then the end. */
void line_close(struct line *line, int code);
/* The end; `closed` is not called any more. */
void line_drop(struct line *line);

#endif
