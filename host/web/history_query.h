/* SPDX-License-Identifier: ISC */
#ifndef WEB_HISTORY_QUERY_H
#define WEB_HISTORY_QUERY_H
/* What GET /calls/call-history/ was asked for, and the questions and links that follow. Pure. */
#include "web/params.h"

#include "json.h"

enum { HISTORY_PER_PAGE = 20, HISTORY_PER_PAGE_MAX = 200, HISTORY_PAGE_MAX = 10000000 };

enum { HISTORY_CSV_ROWS = 500 }; /* that are asked for at once */

/* Which part of the list. */
enum history_place { HISTORY_PAGE, HISTORY_AFTER, HISTORY_BEFORE, HISTORY_LAST };

struct history_query {
    struct params params;
    enum history_place place;
    int64_t page;
    int64_t per_page;
    bool has_text; /* words are searched for */
    bool is_csv;
};

/* False when something is wrong: `params` tells what. history_query_finish follows in any case. */
bool history_query_read(struct history_query *query, struct aic_str text);
void history_query_finish(struct history_query *query);

/* Members of the storage's parameters: which calls, */
void history_query_write_filters(const struct history_query *query, struct aic_json_writer *w);
/* and which part of them. Beside a page one more row is asked for, which tells whether the list
 * goes on. */
void history_query_write_place(const struct history_query *query, struct aic_json_writer *w);

/* What is around the rows that were found. */
struct history_around {
    bool has_next;
    bool has_previous;
    struct aic_str next; /* cursors; empty = none */
    struct aic_str previous;
};

/* The Link header of RFC 8288: first, prev, next, last, as far as they are there. */
void history_query_link(const struct history_query *query, const struct history_around *around,
                        struct aic_buf *to);

#endif
