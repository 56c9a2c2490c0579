/* SPDX-License-Identifier: ISC */
#include "sqlcore/query_calls.h"

#include <stdio.h>
#include <string.h>

static void order(struct sql_text *text, const char *alias, bool is_oldest_first)
{
    const char *way = is_oldest_first ? "ASC" : "DESC";
    aic_buf_printf(&text->buf, " ORDER BY %s.created_at %s, %s.call_id %s", alias, way, alias, way);
}

static void equal(struct sql_text *text, const struct sql_args *args, const char *param,
                  const char *condition)
{
    if (sql_arg_has(args, param)) {
        sql_add(text, condition);
        sql_bind(text, sql_arg(args, param));
    }
}

/* The filters that hold in one way only. */
static void write_conditions(struct sql_text *text, const struct calls_filter *filter)
{
    const struct sql_args *args = filter->args;
    equal(text, args, "direction", " AND c.direction = ");
    equal(text, args, "agent", " AND c.agent = ");
    equal(text, args, "provider", " AND c.provider = ");
    equal(text, args, "from", " AND c.from_number = ");
    equal(text, args, "to", " AND c.to_number = ");
    equal(text, args, "since", " AND c.created_at >= ");
    equal(text, args, "until", " AND c.created_at < ");
    if (filter->cursor_time.type != SQL_NULL) {
        sql_add(text, filter->is_oldest_first ? " AND (c.created_at, c.call_id) > ("
                                              : " AND (c.created_at, c.call_id) < (");
        sql_bind(text, filter->cursor_time);
        sql_add(text, ", ");
        sql_bind(text, filter->cursor_id);
        sql_add(text, ")");
    }
}

enum { ANY_SIDE = 0, FROM_SIDE = 1, TO_SIDE = 2 };

static void write_branch(struct sql_text *text, const struct calls_filter *filter, int side,
                         const struct sql_value *status)
{
    struct sql_value number = sql_arg(filter->args, "number");
    sql_add(text, " FROM calls c WHERE 1 = 1");
    if (side != ANY_SIDE) {
        sql_add(text, side == FROM_SIDE ? " AND c.from_number = " : " AND c.to_number = ");
        sql_bind(text, number);
    }
    if (side == TO_SIDE) {
        sql_add(text, " AND c.from_number IS DISTINCT FROM ");
        sql_bind(text, number);
    }
    if (status) {
        sql_add(text, " AND c.status = ");
        sql_bind(text, *status);
    }
    write_conditions(text, filter);
}

struct branches {
    int first_side;
    int last_side;
    const struct sql_value *statuses;
    uint32_t status_count;
    uint32_t count;
};

static struct branches branches_of(const struct calls_filter *filter)
{
    struct branches b = {.first_side = ANY_SIDE, .last_side = ANY_SIDE};
    if (sql_arg_has(filter->args, "number")) {
        b.first_side = FROM_SIDE;
        b.last_side = TO_SIDE;
    }
    b.statuses = sql_arg_list(filter->args, "status", &b.status_count);
    b.count = (uint32_t)(b.last_side - b.first_side + 1) * (b.status_count ? b.status_count : 1);
    return b;
}

/* Every branch, as "SELECT what ..." of its own; each is cut to `limit`. */
static void write_branches(struct sql_text *text, const struct calls_filter *filter,
                           const char *what, bool is_ordered, int64_t limit)
{
    struct branches b = branches_of(filter);
    uint32_t written = 0;
    for (int side = b.first_side; side <= b.last_side; side++) {
        for (uint32_t i = 0; i < (b.status_count ? b.status_count : 1); i++) {
            aic_buf_printf(&text->buf, "%sSELECT * FROM (SELECT %s", written ? " UNION ALL " : "",
                           what);
            write_branch(text, filter, side, b.status_count ? &b.statuses[i] : NULL);
            if (is_ordered) {
                order(text, "c", filter->is_oldest_first);
            }
            sql_add(text, " LIMIT ");
            sql_bind(text, sql_int(limit));
            aic_buf_printf(&text->buf, ") b%u", written++);
        }
    }
}

static void write_page(struct sql_text *text, const struct calls_filter *filter)
{
    sql_add(text, " LIMIT ");
    sql_bind(text, sql_int(filter->limit));
    sql_add(text, " OFFSET ");
    sql_bind(text, sql_int(filter->offset));
}

static void write_plain_keys(struct sql_text *text, const struct calls_filter *filter)
{
    struct branches b = branches_of(filter);
    if (b.count == 1) {
        sql_add(text, "SELECT c.call_id, c.created_at");
        write_branch(text, filter, b.first_side, b.status_count ? &b.statuses[0] : NULL);
        order(text, "c", filter->is_oldest_first);
    } else {
        sql_add(text, "SELECT u.call_id, u.created_at FROM (");
        write_branches(text, filter, "c.call_id, c.created_at", true,
                       filter->limit + filter->offset);
        sql_add(text, ") u");
        order(text, "u", filter->is_oldest_first);
    }
    write_page(text, filter);
}

/*
 * Newest messages first. SQLite passes a call on when it meets its first message, and stops at the
 * limit; PostgreSQL has to be told the order.
 */
static void write_text_first(struct sql_text *text, struct calls_filter *filter)
{
    struct branches b = branches_of(filter);
    sql_add(text, "SELECT u.call_id, u.created_at, count(*) OVER () AS found FROM ("
                  "SELECT DISTINCT c.call_id, c.created_at FROM (");
    (void)calls_write_hits(text, filter);
    sql_add(text, ") h CROSS JOIN calls c WHERE c.call_id = h.call_id");
    struct sql_value number = sql_arg(filter->args, "number");
    if (number.type != SQL_NULL) {
        sql_add(text, " AND (c.from_number = ");
        sql_bind(text, number);
        sql_add(text, " OR c.to_number = ");
        sql_bind(text, number);
        sql_add(text, ")");
    }
    for (uint32_t i = 0; i < b.status_count; i++) {
        sql_add(text, i ? ", " : " AND c.status IN (");
        sql_bind(text, b.statuses[i]);
        sql_add(text, i + 1 == b.status_count ? ")" : "");
    }
    write_conditions(text, filter);
    if (filter->dialect == SQL_PGSQL) {
        order(text, "c", false);
    }
    sql_add(text, " LIMIT ");
    sql_bind(text, sql_int(CALLS_FOUND));
    sql_add(text, ") u");
    order(text, "u", filter->is_oldest_first);
    write_page(text, filter);
}

static void write_text_last(struct sql_text *text, const struct calls_filter *filter)
{
    sql_add(text, "SELECT k.call_id, k.created_at, count(*) OVER () AS found FROM (");
    write_branches(text, filter, "c.call_id, c.created_at", true, CALLS_FEW);
    sql_add(text, ") k WHERE ");
    calls_write_has_text(text, filter);
    order(text, "k", filter->is_oldest_first);
    write_page(text, filter);
}

void calls_write_keys(struct sql_text *text, struct calls_filter *filter, uint32_t search)
{
    if (search == CALLS_TEXT_FIRST) {
        write_text_first(text, filter);
    } else if (search == CALLS_TEXT_LAST) {
        write_text_last(text, filter);
    } else {
        write_plain_keys(text, filter);
    }
}

void calls_write_count(struct sql_text *text, const struct calls_filter *filter, int64_t limit)
{
    sql_add(text, "SELECT count(*) FROM (SELECT 1 FROM (");
    write_branches(text, filter, "1", false, limit);
    sql_add(text, ") u LIMIT ");
    sql_bind(text, sql_int(limit));
    sql_add(text, ") n");
}

void calls_write_list(struct sql_text *text, struct calls_filter *filter, uint32_t search)
{
    sql_add(text, "SELECT");
    sql_add_columns(text, sql_table_find(AIC_STR("calls")), "c", SQL_COLUMN_BIG);
    if (search != CALLS_NO_TEXT) {
        sql_add_field(text, "p.found", "found", SQL_INT);
    }
    sql_add(text, " FROM (");
    calls_write_keys(text, filter, search);
    sql_add(text, ") p JOIN calls c ON c.call_id = p.call_id");
    order(text, "p", false);
}

static int32_t invalid(char problem[200], const char *why)
{
    (void)snprintf(problem, 200, "%s", why);
    return AIC_ERROR_INVALID;
}

/* "2026-11-22T12:17:03.250Z,0193..." */
static bool read_cursor(struct calls_filter *filter, struct sql_args *args, struct aic_str text)
{
    const char *comma = memchr(text.ptr, ',', text.len);
    size_t before = comma ? (size_t)(comma - text.ptr) : 0;
    int64_t ms = 0;
    struct aic_str id = {text.ptr + before + 1, comma ? text.len - before - 1 : 0};
    char *time = sql_arena_take(&args->arena, SQL_TIME_TEXT + 1);
    if (!comma || !time || !sql_time_read((struct aic_str){text.ptr, before}, &ms) ||
        !sql_uuid_valid(id)) {
        return false;
    }
    sql_time_write(time, ms);
    filter->cursor_time = sql_time((struct aic_str){time, SQL_TIME_TEXT});
    filter->cursor_id = sql_uuid(id);
    return true;
}

static int32_t read_place(struct calls_filter *filter, struct sql_args *args, char problem[200])
{
    struct sql_value after = sql_arg(args, "after");
    struct sql_value before = sql_arg(args, "before");
    bool last = sql_arg_bool(args, "last", false);
    int64_t page = sql_arg_int(args, "page", 1);
    int ways = (after.type != SQL_NULL) + (before.type != SQL_NULL) + last + (page > 1);
    if (ways > 1) {
        return invalid(problem, "page, after, before, last: only one of them can be given");
    }
    filter->limit = sql_arg_int(args, "per_page", 20);
    if (page - 1 > CALLS_OFFSET / filter->limit) {
        return invalid(problem, "page: only the first 10000000 calls have page numbers; go on with "
                                "after, read the end with last, or narrow the filters");
    }
    filter->offset = (page - 1) * filter->limit;
    filter->is_oldest_first = last || before.type != SQL_NULL;
    if (after.type != SQL_NULL && !read_cursor(filter, args, after.text)) {
        return invalid(problem, "after: expected created_at,call_id of the last call seen");
    }
    if (before.type != SQL_NULL && !read_cursor(filter, args, before.text)) {
        return invalid(problem, "before: expected created_at,call_id of the first call seen");
    }
    return AIC_OK;
}

/* Whether nothing but the text says which calls are wanted. */
static bool is_text_alone(const struct sql_args *args)
{
    static const char *const others[] = {"status", "direction", "number", "from",  "to",
                                         "agent",  "provider",  "since",  "until", "after"};
    bool alone = !sql_arg_has(args, "before");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        alone = alone && !sql_arg_has(args, others[i]);
    }
    return alone;
}

int32_t calls_filter_read(struct calls_filter *filter, struct sql_args *args, uint32_t dialect,
                          char problem[200])
{
    *filter = (struct calls_filter){.dialect = dialect, .args = args};
    filter->is_text_alone = is_text_alone(args);
    struct sql_value text = sql_arg(args, "text");
    if (text.type != SQL_NULL) {
        sql_words_read(&filter->words, text.text);
        if (filter->words.count == 0) {
            return invalid(problem, "text: there is no word in it to search for");
        }
        struct aic_buf match;
        aic_buf_init(&match, sizeof(filter->match) - 1);
        sql_words_fts5(&filter->words, &match);
        bool fits = !match.failed &&
                    aic_str_copy(aic_buf_view(&match), filter->match, sizeof(filter->match));
        aic_buf_finish(&match);
        if (!fits) {
            return invalid(problem, "text: too long");
        }
    }
    return read_place(filter, args, problem);
}
