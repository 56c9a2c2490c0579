/* SPDX-License-Identifier: ISC */
#include "web/history_query.h"

#include "web/query.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[] = {"page",   "per_page", "status", "direction", "number",
                                    "agent",  "since",    "until",  "text",      "after",
                                    "before", "last",     "format"};
static const char *const filters[] = {"direction", "number", "agent", "since", "until", "text"};
static const char *const forms[] = {"json", "csv", NULL};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool has(const struct history_query *query, const char *name)
{
    return params_get(&query->params, name).len > 0;
}

static bool read_place(struct history_query *query)
{
    struct params *params = &query->params;
    bool is_last = false;
    if (!params_number(params, "page", 1, HISTORY_PAGE_MAX, &query->page) ||
        !params_number(params, "per_page", 1, HISTORY_PER_PAGE_MAX, &query->per_page) ||
        !params_bool(params, "last", &is_last)) {
        return false;
    }
    bool after = has(query, "after");
    bool before = has(query, "before");
    if (has(query, "page") + after + before + is_last > 1) {
        return params_fail(params,
                           after    ? "after"
                           : before ? "before"
                                    : "last",
                           "only one of page, after, before and last can be given");
    }
    query->place = after     ? HISTORY_AFTER
                   : before  ? HISTORY_BEFORE
                   : is_last ? HISTORY_LAST
                             : HISTORY_PAGE;
    return true;
}

/* A table is the whole list. */
static bool read_form(struct history_query *query)
{
    static const char *const places[] = {"page", "per_page", "after", "before", "last"};
    if (!params_choice(&query->params, "format", forms)) {
        return false;
    }
    query->is_csv = aic_str_equal(params_get(&query->params, "format"), "csv");
    for (size_t i = 0; query->is_csv && i < COUNT(places); i++) {
        if (has(query, places[i])) {
            return params_fail(&query->params, places[i],
                               "with format=csv all calls come at once, without pages");
        }
    }
    return true;
}

bool history_query_read(struct history_query *query, struct aic_str text)
{
    struct params *params = &query->params;
    *query = (struct history_query){.page = 1, .per_page = HISTORY_PER_PAGE};
    if (!params_read(params, text, names, COUNT(names))) {
        return false;
    }
    int64_t wall_us = 0;
    params_restore_plus(params, "number", 0);
    query->has_text = has(query, "text");
    return params_time(params, "since", &wall_us) && params_time(params, "until", &wall_us) &&
           read_place(query) && read_form(query);
}

void history_query_finish(struct history_query *query)
{
    params_finish(&query->params);
}

static void write_statuses(struct aic_json_writer *w, struct aic_str list)
{
    aic_json_key(w, "status");
    aic_json_open(w, '[');
    for (;;) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t length = comma ? (size_t)(comma - list.ptr) : list.len;
        aic_json_put(w, (struct aic_str){list.ptr, length});
        if (!comma) {
            break;
        }
        list.ptr += length + 1;
        list.len -= length + 1;
    }
    aic_json_close(w, ']');
}

void history_query_write_filters(const struct history_query *query, struct aic_json_writer *w)
{
    if (has(query, "status")) {
        write_statuses(w, params_get(&query->params, "status"));
    }
    for (size_t i = 0; i < COUNT(filters); i++) {
        if (has(query, filters[i])) {
            aic_json_member(w, filters[i], params_get(&query->params, filters[i]));
        }
    }
}

void history_query_write_place(const struct history_query *query, struct aic_json_writer *w)
{
    if (query->place == HISTORY_PAGE) {
        aic_json_member_int(w, "page", query->page);
        aic_json_member_int(w, "per_page", query->per_page);
        return;
    }
    if (query->place == HISTORY_LAST) {
        aic_json_member_bool(w, "last", true);
    } else {
        const char *way = query->place == HISTORY_AFTER ? "after" : "before";
        aic_json_member(w, way, params_get(&query->params, way));
    }
    aic_json_member_int(w, "per_page", query->per_page + 1);
}

/* Links */

static void put_param(struct aic_buf *to, const char *name, struct aic_str value)
{
    aic_buf_printf(to, "&%s=", name);
    query_encode(value, to);
}

/* The same calls; which part of them is for the caller to add. */
static void begin_link(const struct history_query *query, struct aic_buf *to)
{
    aic_buf_printf(to, "%s</calls/call-history/?per_page=%" PRId64, to->len ? ", " : "",
                   query->per_page);
    if (has(query, "status")) {
        put_param(to, "status", params_get(&query->params, "status"));
    }
    for (size_t i = 0; i < COUNT(filters); i++) {
        if (has(query, filters[i])) {
            put_param(to, filters[i], params_get(&query->params, filters[i]));
        }
    }
}

/* By page where pages are read, so that a reader's place has a number; else by cursor. */
static void put_step(const struct history_query *query, const char *rel, int64_t page,
                     struct aic_str cursor, struct aic_buf *to)
{
    bool is_next = strcmp(rel, "next") == 0;
    begin_link(query, to);
    if (query->place == HISTORY_PAGE) {
        aic_buf_printf(to, "&page=%" PRId64, page);
    } else {
        put_param(to, is_next ? "after" : "before", cursor);
    }
    aic_buf_printf(to, ">; rel=\"%s\"", rel);
}

void history_query_link(const struct history_query *query, const struct history_around *around,
                        struct aic_buf *to)
{
    begin_link(query, to);
    aic_buf_text(to, ">; rel=\"first\"");
    if (around->has_previous) {
        put_step(query, "prev", query->page - 1, around->previous, to);
    }
    if (around->has_next) {
        put_step(query, "next", query->page + 1, around->next, to);
    }
    begin_link(query, to);
    aic_buf_text(to, "&last=true>; rel=\"last\"");
}
