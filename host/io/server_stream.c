/* SPDX-License-Identifier: ISC */
/* Answers that come in pieces. */
#include "io/server_parts.h"

#include "base/metrics.h"

enum { HEAD_MAX = 32 * 1024 };

int32_t server_stream_begin(struct aic_exchange *exchange, const struct aic_response *head,
                            int64_t length, const struct server_stream_handler *handler)
{
    struct server_conn *conn = exchange->conn;
    if (exchange->is_streaming) {
        return AIC_ERROR_INVALID;
    }
    if (!conn) {
        server_exchange_free(exchange);
        return AIC_ERROR_CLOSED;
    }
    struct aic_buf text;
    aic_buf_init(&text, HEAD_MAX);
    if (!server_write_head(&text, exchange, head, length)) {
        aic_buf_finish(&text);
        server_conn_refuse(conn, 500, NULL, "");
        return AIC_ERROR_INVALID;
    }
    metrics_count_http(head->status);
    (void)wire_write(conn->wire, aic_buf_view(&text), (struct aic_str){NULL, 0});
    aic_buf_finish(&text);
    server_exchange_unlink(exchange);
    exchange->is_streaming = true;
    exchange->stream = *handler;
    exchange->stream_left = length;
    if (exchange->head.is_head) {
        server_conn_finish(conn);
    }
    return AIC_OK;
}

int32_t server_stream_write(struct aic_exchange *exchange, struct aic_str bytes)
{
    struct server_conn *conn = exchange->conn;
    if (!conn || !exchange->is_streaming || conn->state == SERVER_ENDING) {
        return AIC_ERROR_CLOSED;
    }
    bool is_over_length = exchange->stream_left >= 0 && bytes.len > (uint64_t)exchange->stream_left;
    if (is_over_length || bytes.len > SERVER_STREAM_QUEUE) {
        return AIC_ERROR_TOO_LARGE;
    }
    size_t queued = wire_queued(conn->wire);
    if (queued > 0 && queued + bytes.len > SERVER_STREAM_QUEUE) {
        wire_tell_drained(conn->wire, SERVER_STREAM_QUEUE / 4);
        return AIC_ERROR_BUSY;
    }
    int32_t status = wire_write(conn->wire, bytes, (struct aic_str){NULL, 0});
    if (status == AIC_OK && exchange->stream_left >= 0) {
        exchange->stream_left -= (int64_t)bytes.len;
    }
    return status;
}

size_t server_stream_queued(const struct aic_exchange *exchange)
{
    return exchange->conn ? wire_queued(exchange->conn->wire) : 0;
}

void server_stream_end(struct aic_exchange *exchange)
{
    if (exchange->conn && exchange->is_streaming) {
        server_conn_finish(exchange->conn);
    }
}

void server_stream_drained(struct aic_exchange *exchange)
{
    if (exchange->stream.writable) {
        exchange->stream.writable(exchange->stream.data);
    }
}

void server_stream_closed(struct aic_exchange *exchange)
{
    const struct server_stream_handler handler = exchange->stream;
    server_exchange_free(exchange);
    handler.closed(handler.data);
}
