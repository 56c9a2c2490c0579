/* SPDX-License-Identifier: ISC */
/* GET /calls/call-history/: the calls so far, a page at a time. */
#include "web/history_csv.h"
#include "web/history_query.h"
#include "web/lookup.h"

#include "plugin/storage.h"

#include <stdio.h>

enum {
    CURSOR_TEXT = 80,
    FOUND_MOST = 1000 /* calls that a search for words gives; with as many it need not be counted */
};

struct history {
    struct lookup lookup; /* first */
    struct history_query query;
    struct aic_json *rows; /* of the page; NULL = they did not come yet */
    bool is_counted;
    int64_t total;
    bool is_exact;
};

static void finish(struct lookup *lookup)
{
    struct history *history = (struct history *)lookup;
    aic_json_free(history->rows);
    history_query_finish(&history->query);
}

static void write_cursor(char to[CURSOR_TEXT], const struct aic_json *call)
{
    struct aic_str at = aic_json_get_text(call, "created_at");
    struct aic_str id = aic_json_get_text(call, "call_id");
    to[0] = '\0';
    if (at.len > 0 && id.len > 0) {
        (void)snprintf(to, CURSOR_TEXT, "%.*s,%.*s", (int)at.len, at.ptr, (int)id.len, id.ptr);
    }
}

/* The rows that are shown, of those that came. */
struct shown {
    size_t from;
    size_t to;
};

/* Beside pages one row too many was asked for; it stands where the list goes on. */
static struct shown look_around(const struct history *history, size_t count,
                                struct history_around *around)
{
    const struct history_query *query = &history->query;
    size_t wanted = (size_t)query->per_page;
    size_t kept = count < wanted ? count : wanted;
    bool is_more = count > wanted;
    int64_t seen = query->page * query->per_page;
    switch (query->place) {
    case HISTORY_AFTER:
        around->has_previous = count > 0;
        around->has_next = is_more;
        return (struct shown){0, kept};
    case HISTORY_BEFORE:
    case HISTORY_LAST:
        around->has_previous = is_more;
        around->has_next = query->place == HISTORY_BEFORE && count > 0;
        return (struct shown){count - kept, count};
    case HISTORY_PAGE:
        break;
    }
    around->has_previous = query->page > 1;
    around->has_next = history->is_exact ? seen < history->total : count == wanted;
    return (struct shown){0, count};
}

static void put_cursor(struct aic_json_writer *w, const char *name, bool is_there,
                       struct aic_str cursor)
{
    aic_json_key(w, name);
    if (is_there && cursor.len > 0) {
        aic_json_put(w, cursor);
    } else {
        aic_json_put_null(w);
    }
}

static void write_page(struct history *history)
{
    const struct aic_json *rows = history->rows;
    char first[CURSOR_TEXT];
    char last[CURSOR_TEXT];
    struct history_around around = {.has_next = false};
    struct aic_json_writer *w = &history->lookup.w;
    struct shown shown = look_around(history, aic_json_count(rows), &around);
    write_cursor(first, shown.to > shown.from ? aic_json_at(rows, shown.from) : NULL);
    write_cursor(last, shown.to > shown.from ? aic_json_at(rows, shown.to - 1) : NULL);
    around.previous = aic_str(first);
    around.next = aic_str(last);
    put_cursor(w, "next", around.has_next, around.next);
    put_cursor(w, "previous", around.has_previous, around.previous);
    aic_json_key(w, "calls");
    aic_json_open(w, '[');
    for (size_t i = shown.from; i < shown.to; i++) {
        lookup_write_call(&history->lookup, aic_json_at(rows, i));
    }
    aic_json_close(w, ']');
    history_query_link(&history->query, &around, &history->lookup.link);
}

static void write_head(struct history *history)
{
    const struct history_query *query = &history->query;
    struct aic_json_writer *w = &history->lookup.w;
    aic_json_open(w, '{');
    aic_json_key(w, "page");
    if (query->place == HISTORY_PAGE) {
        aic_json_put_int(w, query->page);
    } else {
        aic_json_put_null(w);
    }
    aic_json_member_int(w, "per_page", query->per_page);
    aic_json_member_int(w, "total", history->total);
    aic_json_member_bool(w, "total_exact", history->is_exact);
    aic_json_member_int(w, "pages", (history->total + query->per_page - 1) / query->per_page);
}

static void page_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error);
static void count_came(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error);

static void ask(struct history *history, const char *what, bool has_place, storage_reply reply)
{
    struct lookup *lookup = &history->lookup;
    struct aic_json_writer w;
    aic_buf_clear(&lookup->params);
    aic_json_writer_init(&w, &lookup->params);
    aic_json_open(&w, '{');
    history_query_write_filters(&history->query, &w);
    if (has_place) {
        history_query_write_place(&history->query, &w);
    }
    aic_json_close(&w, '}');
    lookup_ask(lookup, what, reply);
}

/* Asks for what is still missing. A search for words is done once where that tells its length. */
static void go_on(struct history *history)
{
    if (!history->rows && (history->is_counted || history->query.has_text)) {
        ask(history, "calls", true, page_came);
    } else if (!history->is_counted) {
        ask(history, "calls.count", false, count_came);
    } else {
        write_head(history);
        write_page(history);
        lookup_succeed(&history->lookup);
    }
}

static void page_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct history *history = data;
    if (!lookup_is_good(&history->lookup, status, error)) {
        return;
    }
    history->rows = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    if (!history->rows) {
        lookup_fail(&history->lookup, 503, "storage", "The storage's answer can not be read.");
        return;
    }
    int64_t found = aic_json_get_int(aic_json_at(history->rows, 0), "found", 0);
    if (found >= FOUND_MOST) {
        history->total = FOUND_MOST;
        history->is_counted = true;
    }
    go_on(history);
}

static void count_came(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error)
{
    struct history *history = data;
    if (!lookup_is_good(&history->lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    history->total = aic_json_get_int(aic_json_at(root, 0), "total", 0);
    history->is_exact = aic_json_get_bool(aic_json_at(root, 0), "total_exact", true);
    history->is_counted = true;
    aic_json_free(root);
    go_on(history);
}

static int32_t get_history(struct web *web, const struct visit *visit)
{
    struct history_query query;
    int32_t status = AIC_OK;
    if (!history_query_read(&query, visit->request->query)) {
        status = lookup_refuse(visit, &query.params);
        history_query_finish(&query);
        return status;
    }
    if (query.is_csv) {
        return history_csv(web, visit, &query);
    }
    struct history *history = (struct history *)lookup_begin(web, visit, sizeof(*history));
    if (!history) {
        history_query_finish(&query);
        return AIC_OK;
    }
    history->lookup.finish = finish;
    history->query = query;
    go_on(history);
    return AIC_OK;
}

void history_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/call-history/",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_history});
}
