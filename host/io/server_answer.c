/* SPDX-License-Identifier: ISC */
/* Answers, and the exchanges that wait for them. */
#include "io/server_parts.h"

#include "base/metrics.h"

#include "json.h"

#include <string.h>

enum { HEAD_MAX = 32 * 1024, PROBLEM_MAX = 4096 };

const char *server_reason(int32_t status)
{
    static const struct {
        int32_t status;
        const char *reason;
    } known[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].status == status) {
            return known[i].reason;
        }
    }
    return status < 400 ? "OK" : "Error";
}

static bool is_clean(struct aic_str text, bool is_name)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f || (is_name && (c == ':' || c <= ' '))) {
            return false;
        }
    }
    return !is_name || text.len > 0;
}

static void write_date(struct aic_buf *to, int64_t wall_us)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm)) {
        aic_buf_printf(to, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
                       tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                       tm.tm_sec);
    }
}

/* Headers that frame the message are ours alone. */
static bool is_ours(struct aic_str name)
{
    static const char *const ours[] = {"content-length", "transfer-encoding", "connection",
                                       "content-type", "date"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (aic_str_equal_nocase(name, ours[i])) {
            return true;
        }
    }
    return false;
}

static bool write_headers(struct aic_buf *to, const struct aic_response *response)
{
    const char *base = (const char *)response->headers;
    for (uint32_t i = 0; i < response->header_count; i++) {
        const struct aic_header *header =
            (const struct aic_header *)(const void *)(base + (size_t)i * response->header_size);
        if (!is_clean(header->name, true) || !is_clean(header->value, false) ||
            is_ours(header->name)) {
            return false;
        }
        aic_buf_str(to, header->name);
        aic_buf_text(to, ": ");
        aic_buf_str(to, header->value);
        aic_buf_text(to, "\r\n");
    }
    return true;
}

/* Who came by HTTPS to a server whose address is an HTTPS one shall come that way only. */
static bool wants_https(const struct aic_exchange *exchange)
{
    const char *url = exchange->server->public_url;
    return exchange->is_https && url && strncmp(url, "https://", 8) == 0;
}

bool server_write_head(struct aic_buf *to, const struct aic_exchange *exchange,
                       const struct aic_response *response, int64_t length)
{
    if (response->status < 200 || response->status > 599) {
        return false;
    }
    aic_buf_printf(to, "HTTP/1.1 %d %s\r\nConnection: close\r\n", (int)response->status,
                   server_reason(response->status));
    write_date(to, sched_wall(exchange->server->sched));
    if (wants_https(exchange)) {
        aic_buf_text(to, "Strict-Transport-Security: max-age=31536000\r\n");
    }
    if (response->content_type) {
        if (!is_clean(aic_str(response->content_type), false)) {
            return false;
        }
        aic_buf_printf(to, "Content-Type: %s\r\n", response->content_type);
    }
    if (length >= 0 && response->status != 204 && response->status != 304) {
        aic_buf_printf(to, "Content-Length: %lld\r\n", (long long)length);
    }
    if (!write_headers(to, response)) {
        return false;
    }
    aic_buf_text(to, "\r\n");
    return !to->failed;
}

void server_write_problem(struct aic_buf *to, int32_t status, const char *type, const char *detail)
{
    struct aic_json_writer json;
    aic_json_writer_init(&json, to);
    aic_json_open(&json, '{');
    aic_json_member_text(&json, "type", type ? type : "about:blank");
    aic_json_member_text(&json, "title", server_reason(status));
    aic_json_member_int(&json, "status", status);
    if (detail) {
        aic_json_member_text(&json, "detail", detail);
    }
    aic_json_close(&json, '}');
}

/* Exchanges */

static void link_exchange(struct aic_exchange *exchange)
{
    struct server *server = exchange->server;
    exchange->next = server->exchanges;
    exchange->where = &server->exchanges;
    if (exchange->next) {
        exchange->next->where = &exchange->next;
    }
    server->exchanges = exchange;
}

/* The peer hears 504; the handler may still answer, and then learns that it was too late. */
static void answer_is_late(void *data)
{
    struct aic_exchange *exchange = data;
    struct server_conn *conn = exchange->conn;
    exchange->timer = NULL;
    exchange->conn = NULL;
    if (conn) {
        conn->exchange = NULL;
        server_conn_refuse(conn, 504, "the answer took too long", "");
    }
}

void server_exchange_wait(struct aic_exchange *exchange)
{
    struct server *server = exchange->server;
    link_exchange(exchange);
    exchange->timer = sched_timer_start(server->sched,
                                        sched_now(server->sched) + server->options.answer_ms * 1000,
                                        answer_is_late, exchange);
}

void server_exchange_unlink(struct aic_exchange *exchange)
{
    if (exchange->where) {
        *exchange->where = exchange->next;
        if (exchange->next) {
            exchange->next->where = exchange->where;
        }
        exchange->where = NULL;
        exchange->next = NULL;
    }
    if (exchange->server) {
        sched_timer_stop(exchange->server->sched, exchange->timer);
    }
    exchange->timer = NULL;
}

void server_exchange_free(struct aic_exchange *exchange)
{
    if (exchange) {
        server_exchange_unlink(exchange);
        aic_buf_finish(&exchange->head_text);
        aic_buf_finish(&exchange->body);
        free(exchange);
    }
}

struct aic_str server_header(struct aic_exchange *exchange, const char *name)
{
    return http_head_find(&exchange->head, name);
}

bool server_has_header(const struct aic_exchange *exchange, const char *name)
{
    return http_head_count(&exchange->head, name) > 0;
}

bool server_is_https(const struct aic_exchange *exchange)
{
    return exchange->is_https;
}

static int32_t answer(struct aic_exchange *exchange, const struct aic_response *response)
{
    struct server_conn *conn = exchange->conn;
    if (!conn) {
        server_exchange_free(exchange);
        return AIC_ERROR_CLOSED;
    }
    struct aic_buf head;
    aic_buf_init(&head, HEAD_MAX);
    if (!server_write_head(&head, exchange, response, (int64_t)response->body.len)) {
        aic_buf_finish(&head);
        server_conn_refuse(conn, 500, NULL, "");
        return AIC_ERROR_INVALID;
    }
    metrics_count_http(response->status);
    bool has_body = !exchange->head.is_head && response->status != 204 && response->status != 304;
    struct aic_str body = has_body ? response->body : (struct aic_str){NULL, 0};
    int32_t status = wire_write(conn->wire, aic_buf_view(&head), body);
    aic_buf_finish(&head);
    server_exchange_free(exchange);
    conn->exchange = NULL;
    server_conn_finish(conn);
    return status;
}

int32_t server_respond(struct aic_exchange *exchange, const struct aic_response *response)
{
    return exchange->is_streaming ? AIC_ERROR_INVALID : answer(exchange, response);
}

int32_t server_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                       const char *detail)
{
    struct aic_buf body;
    aic_buf_init(&body, PROBLEM_MAX);
    server_write_problem(&body, status, type, detail);
    const struct aic_response response = {.size = sizeof(response),
                                          .status = status,
                                          .content_type = "application/problem+json",
                                          .body = aic_buf_view(&body)};
    int32_t result = server_respond(exchange, &response);
    aic_buf_finish(&body);
    return result;
}
