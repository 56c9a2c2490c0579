/* SPDX-License-Identifier: ISC */
/* One connection: collects a head, then a body, and hands them over. */
#include "base/metrics.h"
#include "io/http_address.h"
#include "io/http_peer.h"
#include "io/server_parts.h"
#include "io/wire_tls.h"

static const struct wire_handler conn_events;

static void set_deadline(struct server_conn *conn, int64_t ms, void (*late)(void *data))
{
    struct sched *sched = conn->server->sched;
    sched_timer_stop(sched, conn->timer);
    conn->timer = sched_timer_start(sched, sched_now(sched) + ms * 1000, late, conn);
}

static void stop_deadline(struct server_conn *conn)
{
    sched_timer_stop(conn->server->sched, conn->timer);
    conn->timer = NULL;
}

static void head_is_late(void *data)
{
    struct server_conn *conn = data;
    conn->timer = NULL;
    if (conn->head.len == 0) {
        /* Browsers open connections on suspicion. */
        server_conn_close(conn);
        return;
    }
    server_conn_refuse(conn, 408, "the request head did not come in time", "");
}

static void body_is_late(void *data)
{
    struct server_conn *conn = data;
    conn->timer = NULL;
    server_conn_refuse(conn, 408, "the request body did not come in time", "");
}

void server_conn_open(struct server *server, int fd, const union server_address *peer,
                      bool is_counted)
{
    struct server_conn *conn = calloc(1, sizeof(*conn));
    struct wire_tls_end *tls = server->tls ? wire_tls_accept(server->tls, fd) : NULL;
    const struct wire_options options = {.loop = server->loop,
                                         .tls = tls,
                                         .scratch = server->scratch,
                                         .scratch_bytes = sizeof(server->scratch),
                                         .stall_us = server->options.stall_ms * 1000};
    struct wire *wire = NULL;
    if (conn && (tls || !server->tls)) {
        wire = wire_create(&options, fd, &conn_events, conn);
    } else {
        wire_tls_free(tls);
        close(fd);
    }
    if (!wire) {
        if (is_counted) {
            peer_table_remove(server->peers, &peer->any);
        }
        free(conn);
        return;
    }
    conn->server = server;
    conn->wire = wire;
    conn->peer = *peer;
    conn->is_counted = is_counted;
    conn->state = SERVER_HEAD;
    aic_buf_init(&conn->head, HTTP_HEAD_BYTES);
    conn->next = server->conns;
    conn->where = &server->conns;
    if (conn->next) {
        conn->next->where = &conn->next;
    }
    server->conns = conn;
    server->conn_count++;
    set_deadline(conn, server->options.header_ms, head_is_late);
}

void server_conn_close(struct server_conn *conn)
{
    struct server *server = conn->server;
    struct aic_exchange *exchange = conn->exchange;
    stop_deadline(conn);
    *conn->where = conn->next;
    if (conn->next) {
        conn->next->where = conn->where;
    }
    server->conn_count--;
    if (conn->is_counted) {
        peer_table_remove(server->peers, &conn->peer.any);
    }
    enum server_state state = conn->state;
    wire_destroy(conn->wire);
    aic_buf_finish(&conn->head);
    free(conn);
    if (!exchange) {
        return;
    }
    exchange->conn = NULL;
    if (exchange->is_streaming) {
        server_stream_closed(exchange);
    } else if (state != SERVER_PENDING) {
        server_exchange_free(exchange); /* nobody has seen it */
    }
}

void server_conn_take_wire(struct server_conn *conn)
{
    wire_set_handler(conn->wire, &conn_events, conn);
}

void server_conn_finish(struct server_conn *conn)
{
    stop_deadline(conn);
    conn->state = SERVER_ENDING;
    wire_finish(conn->wire);
}

void server_conn_refuse(struct server_conn *conn, int32_t status, const char *detail,
                        const char *header)
{
    struct aic_buf text;
    struct aic_buf body;
    aic_buf_init(&text, 4096);
    aic_buf_init(&body, 4096);
    metrics_count_http(status);
    server_write_problem(&body, status, NULL, detail);
    aic_buf_printf(&text,
                   "HTTP/1.1 %d %s\r\nConnection: close\r\n%s"
                   "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
                   (int)status, server_reason(status), header, body.len);
    if (!(conn->exchange && conn->exchange->head.is_head)) {
        aic_buf_str(&text, aic_buf_view(&body));
    }
    (void)wire_write(conn->wire, aic_buf_view(&text), (struct aic_str){NULL, 0});
    aic_buf_finish(&text);
    aic_buf_finish(&body);
    server_exchange_free(conn->exchange);
    conn->exchange = NULL;
    server_conn_finish(conn);
}

/* Reading */

static void take_body(struct server_conn *conn, const char *bytes, size_t count)
{
    struct aic_exchange *exchange = conn->exchange;
    uint64_t left = exchange->body_bytes - exchange->body.len;
    size_t take = left < count ? (size_t)left : count;
    if (aic_buf_add(&exchange->body, bytes, take) != AIC_OK) {
        server_conn_refuse(conn, 500, "out of memory", "");
        return;
    }
    /* What comes behind the body is a further request, and not answered: see wire_finish. */
    if (exchange->body.len == exchange->body_bytes) {
        stop_deadline(conn);
        conn->state = SERVER_PENDING;
        server_dispatch(conn);
    }
}

static bool is_upgrade(const struct http_head *head)
{
    return http_head_has_word(head, "upgrade", "websocket") &&
           http_head_has_word(head, "connection", "upgrade");
}

static void expect_body(struct server_conn *conn, const char *bytes, size_t count)
{
    struct aic_exchange *exchange = conn->exchange;
    aic_buf_init(&exchange->body, (size_t)exchange->body_bytes);
    conn->state = SERVER_BODY;
    set_deadline(conn, conn->server->options.body_ms, body_is_late);
    if (http_head_has_word(&exchange->head, "expect", "100-continue") &&
        !exchange->head.is_http_1_0 && count == 0 && exchange->body_bytes > 0) {
        (void)wire_write(conn->wire, AIC_STR("HTTP/1.1 100 Continue\r\n\r\n"),
                         (struct aic_str){NULL, 0});
    }
    take_body(conn, bytes, count);
}

static void request_begins(struct server_conn *conn, char *bytes, size_t count)
{
    struct aic_exchange *exchange = conn->exchange;
    const struct http_head *head = &exchange->head;
    int32_t status = http_head_parse(aic_buf_view(&exchange->head_text), &exchange->head);
    if (status == 0) {
        status = http_head_body(head, &exchange->body_bytes);
    }
    if (status != 0) {
        server_conn_refuse(conn, status, NULL, "");
        return;
    }
    http_peer_text(head, &conn->peer.any, (const char *const *)conn->server->trusted,
                   exchange->peer);
    exchange->is_https =
        conn->server->tls != NULL ||
        http_peer_forwards_https(head, &conn->peer.any, (const char *const *)conn->server->trusted);
    if (is_upgrade(head)) {
        stop_deadline(conn);
        server_dispatch_upgrade(conn, bytes, count);
        return;
    }
    char header[160];
    uint64_t max_body_bytes = 0;
    status = server_dispatch_check(conn, &max_body_bytes, header, sizeof(header));
    if (status == 0 && exchange->body_bytes > max_body_bytes) {
        status = 413;
    }
    if (status == 0 && http_head_count(head, "expect") > 0 &&
        !http_head_has_word(head, "expect", "100-continue")) {
        status = 417;
    }
    if (status != 0) {
        server_conn_refuse(conn, status, NULL, header);
        return;
    }
    expect_body(conn, bytes, count);
}

static void take_head(struct server_conn *conn, char *bytes, size_t count)
{
    size_t before = conn->head.len;
    size_t room = HTTP_HEAD_BYTES - before;
    size_t more = count < room ? count : room;
    if (aic_buf_add(&conn->head, bytes, more) != AIC_OK) {
        server_conn_refuse(conn, 500, "out of memory", "");
        return;
    }
    size_t length = http_head_length(aic_buf_view(&conn->head), before);
    if (!http_head_may_begin(conn->head.data[0])) {
        server_conn_refuse(conn, 400, "this is not HTTP; does the client speak TLS?", "");
        return;
    }
    if (length == 0) {
        if (conn->head.len == HTTP_HEAD_BYTES) {
            server_conn_refuse(conn, 431, "the request head is larger than 16 KiB", "");
        }
        return;
    }
    struct aic_exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange) {
        server_conn_refuse(conn, 500, "out of memory", "");
        return;
    }
    exchange->server = conn->server;
    exchange->conn = conn;
    exchange->head_text = conn->head;
    exchange->head_text.len = length;
    aic_buf_init(&conn->head, HTTP_HEAD_BYTES);
    conn->exchange = exchange;
    size_t used = length - before;
    request_begins(conn, bytes + used, count - used);
}

static void on_received(void *data, char *bytes, size_t count)
{
    struct server_conn *conn = data;
    if (conn->state == SERVER_HEAD) {
        take_head(conn, bytes, count);
    } else if (conn->state == SERVER_BODY) {
        take_body(conn, bytes, count);
    } else {
        conn->dropped += count;
        if (conn->dropped > SERVER_DROPPED_MAX) {
            server_conn_close(conn);
        }
    }
}

static void on_drained(void *data)
{
    struct server_conn *conn = data;
    if (conn->exchange && conn->exchange->is_streaming) {
        server_stream_drained(conn->exchange);
    }
}

static void on_ended(void *data)
{
    struct server_conn *conn = data;
    /* Who has asked and then closed its sending side still wants the answer, but a stream would
     * never learn that nobody listens. */
    bool wants_answer = conn->state == SERVER_PENDING && !conn->exchange->is_streaming;
    if (!wants_answer) {
        server_conn_close(conn);
    }
}

static void on_broken(void *data)
{
    server_conn_close(data);
}

static const struct wire_handler conn_events = {
    .received = on_received, .drained = on_drained, .ended = on_ended, .broken = on_broken};
