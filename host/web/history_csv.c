/* SPDX-License-Identifier: ISC */
#include "web/history_csv.h"

#include "web/lookup.h"

#include "plugin/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURSOR_TEXT = 80, MAX_PIECE = 1000 * 1024, MAX_PARAMS = 64 * 1024 };

/* Name of a column, and of the storage's. */
static const char *const columns[][2] = {
    {"call_id", "call_id"},       {"call_sid", "call_sid"},       {"provider", "provider"},
    {"direction", "direction"},   {"from", "from_number"},        {"to", "to_number"},
    {"agent", "agent"},           {"status", "status"},           {"end_reason", "end_reason"},
    {"created_at", "created_at"}, {"started_at", "started_at"},   {"answered_at", "answered_at"},
    {"ended_at", "ended_at"},     {"duration_s", "duration_s"},   {"cost", "cost"},
    {"language", "language"},     {"answered_by", "answered_by"},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), FROM_COLUMN = 4, TO_COLUMN = 5 };

/* One table on its way. It is freed when no answer of the storage is awaited and the exchange is
 * over. */
struct table {
    struct held held; /* first */
    struct history_query query;
    struct aic_buf piece; /* rows that were not taken yet */
    char cursor[CURSOR_TEXT];
    bool hides_numbers;
    bool is_asking;
    bool is_begun; /* the head is sent; from now on there are no problem documents */
    bool is_last;
    bool is_over;
};

static void destroy(struct table *table)
{
    (void)held_end(&table->held);
    history_query_finish(&table->query);
    aic_buf_finish(&table->piece);
    free(table);
}

/* Fields */

static bool is_number(struct aic_str text)
{
    for (size_t i = 1; i < text.len; i++) {
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && text.ptr[i] != '.' && text.ptr[i] != '*') {
            return false;
        }
    }
    return text.len > 1 && (text.ptr[0] == '+' || text.ptr[0] == '-');
}

void history_csv_field(struct aic_buf *to, struct aic_str text)
{
    bool is_formula = text.len > 0 && memchr("=@+-\t\r", text.ptr[0], 6) && !is_number(text);
    bool is_quoted = is_formula;
    for (size_t i = 0; i < text.len; i++) {
        is_quoted = is_quoted || memchr(",\"\r\n\t ", text.ptr[i], 6);
    }
    aic_buf_text(to, is_quoted ? is_formula ? "\"'" : "\"" : "");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            aic_buf_char(to, '"');
        }
        aic_buf_char(to, text.ptr[i]);
    }
    aic_buf_text(to, is_quoted ? "\"" : "");
}

static void put_value(struct table *table, size_t column, const struct aic_json *value)
{
    if (!aic_json_is_string(value)) {
        history_csv_field(&table->piece, value ? aic_json_print(value) : AIC_STR(""));
        return;
    }
    struct aic_buf text;
    aic_buf_init(&text, 64 * 1024);
    aic_buf_str(&text, aic_json_text(value));
    if (table->hides_numbers && text.len > 0 && (column == FROM_COLUMN || column == TO_COLUMN)) {
        lookup_hide_number(text.data, text.len);
    }
    history_csv_field(&table->piece, aic_buf_view(&text));
    aic_buf_finish(&text);
}

static void put_head(struct table *table)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        aic_buf_printf(&table->piece, "%s%s", i > 0 ? "," : "", columns[i][0]);
    }
    aic_buf_text(&table->piece, "\r\n");
}

static void put_row(struct table *table, const struct aic_json *row)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        aic_buf_text(&table->piece, i > 0 ? "," : "");
        put_value(table, i, aic_json_get(row, columns[i][1]));
    }
    aic_buf_text(&table->piece, "\r\n");
}

/* The stream */

static void closed(void *data)
{
    struct table *table = data;
    table->is_over = true;
    (void)held_end(&table->held);
    table->held.web = NULL;
    if (!table->is_asking) {
        destroy(table);
    }
}

static void rows_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error);

static void ask(struct table *table)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, MAX_PARAMS);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    history_query_write_filters(&table->query, &w);
    if (table->cursor[0]) {
        aic_json_member_text(&w, "after", table->cursor);
    }
    aic_json_member_int(&w, "per_page", HISTORY_CSV_ROWS);
    aic_json_close(&w, '}');
    table->is_asking = true;
    storage_query(table->held.web->settings.storage, "calls", aic_buf_view(&params), rows_came,
                  table);
    aic_buf_finish(&params);
}

/* Sends what there is; asks for more when it was taken. */
static void go_on(void *data)
{
    struct table *table = data;
    if (table->is_over || table->is_asking) {
        return;
    }
    int32_t status = server_stream_write(table->held.exchange, aic_buf_view(&table->piece));
    if (status == AIC_ERROR_BUSY) {
        return;
    }
    aic_buf_clear(&table->piece);
    if (status != AIC_OK || table->is_last || !table->held.web) {
        server_stream_end(table->held.exchange);
    } else {
        ask(table);
    }
}

static bool begin_stream(struct table *table)
{
    static const struct aic_header headers[] = {
        {AIC_STR_INIT("cache-control"), AIC_STR_INIT("no-store")},
        {AIC_STR_INIT("x-content-type-options"), AIC_STR_INIT("nosniff")},
        {AIC_STR_INIT("content-disposition"), AIC_STR_INIT("attachment; filename=\"calls.csv\"")},
    };
    static const struct aic_response head = {.size = sizeof(head),
                                             .status = 200,
                                             .content_type = "text/csv; charset=utf-8",
                                             .headers = headers,
                                             .header_count = 3,
                                             .header_size = sizeof(headers[0])};
    const struct server_stream_handler handler = {
        .writable = go_on, .closed = closed, .data = table};
    table->is_begun = true;
    return server_stream_begin(table->held.exchange, &head, -1, &handler) == AIC_OK;
}

static void take_rows(struct table *table, const struct aic_json *rows)
{
    size_t count = aic_json_count(rows);
    const struct aic_json *last = count > 0 ? aic_json_at(rows, count - 1) : NULL;
    struct aic_str at = aic_json_get_text(last, "created_at");
    struct aic_str id = aic_json_get_text(last, "call_id");
    for (size_t i = 0; i < count; i++) {
        put_row(table, aic_json_at(rows, i));
    }
    (void)snprintf(table->cursor, sizeof(table->cursor), "%.*s,%.*s", (int)at.len, at.ptr,
                   (int)id.len, id.ptr);
    table->is_last = count < HISTORY_CSV_ROWS || table->piece.failed;
}

static void rows_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct table *table = data;
    table->is_asking = false;
    if (table->is_over) {
        destroy(table);
        return;
    }
    if (!table->is_begun && (status != AIC_OK || !table->held.web)) {
        if (table->held.web) {
            (void)reply_storage_error(table->held.exchange, status, error);
        }
        destroy(table);
        return;
    }
    if (!table->is_begun) {
        put_head(table);
        if (!begin_stream(table)) {
            destroy(table);
            return;
        }
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    take_rows(table, root);
    aic_json_free(root);
    /* A table that stops in its middle must not look whole. */
    if (status != AIC_OK || table->piece.failed) {
        aic_buf_clear(&table->piece);
        aic_buf_text(&table->piece, "error: the storage does not answer; this table is not whole");
    }
    go_on(table);
}

int32_t history_csv(struct web *web, const struct visit *visit, const struct history_query *query)
{
    struct table *table = web->settings.storage ? calloc(1, sizeof(*table)) : NULL;
    if (!table) {
        struct history_query own = *query;
        history_query_finish(&own);
        return web->settings.storage
                   ? reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.")
                   : reply_problem(visit->exchange, 404, "no-storage", "No storage is configured.");
    }
    held_begin(&table->held, web, visit->exchange);
    table->query = *query;
    table->hides_numbers = visit->hides_numbers;
    aic_buf_init(&table->piece, MAX_PIECE);
    ask(table);
    return AIC_OK;
}
