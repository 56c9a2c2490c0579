/* SPDX-License-Identifier: ISC */
/* Full text search in the two databases. */
#include "sqlcore/query_calls.h"

enum { CALL_MS = 86400000 }; /* no call is longer */

/* The words as a tsquery: each one a phrase, all of them joined. */
static void write_tsquery(struct sql_text *text, const struct calls_filter *filter)
{
    for (uint32_t i = 0; i < filter->words.count; i++) {
        sql_add(text, i ? " && phraseto_tsquery('simple', " : "(phraseto_tsquery('simple', ");
        sql_bind(text, sql_text(filter->words.words[i]));
        sql_add(text, ")");
    }
    sql_add(text, ")");
}

/* Messages are numbered by their time, so that the times of a call bound them. */
static void write_seq_bounds(struct sql_text *text, const struct calls_filter *filter)
{
    int64_t ms = 0;
    struct sql_value since = sql_arg(filter->args, "since");
    struct sql_value until = sql_arg(filter->args, "until");
    if (since.type != SQL_NULL && sql_time_read(since.text, &ms)) {
        sql_add(text, " AND rowid >= ");
        sql_bind(text, sql_int(ms - CALL_MS));
    }
    if (until.type != SQL_NULL && sql_time_read(until.text, &ms)) {
        sql_add(text, " AND rowid <= ");
        sql_bind(text, sql_int(ms + CALL_MS));
    }
}

static void write_fts5_hits(struct sql_text *text, const struct calls_filter *filter, int64_t limit)
{
    sql_add(text, "SELECT m.call_id FROM (SELECT rowid AS seq FROM messages_fts "
                  "WHERE messages_fts MATCH ");
    sql_bind(text, sql_text(aic_str(filter->match)));
    write_seq_bounds(text, filter);
    sql_add(text, " ORDER BY rowid DESC LIMIT ");
    sql_bind(text, sql_int(limit));
    sql_add(text, ") f CROSS JOIN messages m WHERE m.seq = f.seq");
}

/*
 * Spans of time from the newest message back, as the beginnings of ids that they share: short ones
 * first, then ever longer ones, sixteen of a kind at most. `newest` and `oldest` are the first 8
 * digits of an id.
 */
void calls_write_spans(struct aic_buf *to, uint32_t newest, uint32_t oldest)
{
    int digits = 8;
    uint32_t span = newest;
    for (;;) {
        aic_buf_printf(to, "%s'~%0*x'", to->len ? " " : "", digits, span);
        if (span <= oldest >> 4 * (8 - digits)) {
            return;
        }
        if (digits > 3 && span % 16 == 0) {
            span >>= 4;
            digits--;
        }
        span--;
    }
}

static uint32_t digits_of(int64_t ms)
{
    return ms < 0 ? 0 : (uint32_t)((uint64_t)ms >> 16);
}

static void write_tsvector_hits(struct sql_text *text, struct calls_filter *filter, int64_t limit)
{
    int64_t ms = 0;
    struct aic_buf spans;
    struct sql_value since = sql_arg(filter->args, "since");
    bool has_since = since.type != SQL_NULL && sql_time_read(since.text, &ms);
    aic_buf_init(&spans, sizeof(filter->spans) - 1);
    calls_write_spans(&spans, digits_of(filter->newest_ms), has_since ? digits_of(ms) : 0);
    (void)aic_str_copy(aic_buf_view(&spans), filter->spans, sizeof(filter->spans));
    text->buf.failed = text->buf.failed || spans.failed;
    aic_buf_finish(&spans);
    sql_add(text, "SELECT w.call_id FROM unnest(string_to_array(");
    sql_bind(text, sql_text(aic_str(filter->spans)));
    sql_add(text, ", ' ')) s(span) CROSS JOIN LATERAL (SELECT DISTINCT m.call_id FROM messages m "
                  "WHERE message_words(m.message_id, m.content) @@ (");
    write_tsquery(text, filter);
    sql_add(text, " && s.span::tsquery) ORDER BY m.call_id DESC) w LIMIT ");
    sql_bind(text, sql_int(limit));
}

int64_t calls_write_hits(struct sql_text *text, struct calls_filter *filter)
{
    if (filter->dialect == SQL_PGSQL) {
        int64_t limit = filter->is_text_alone ? CALLS_LOOKED_ALONE : CALLS_LOOKED;
        write_tsvector_hits(text, filter, limit);
        return limit;
    }
    write_fts5_hits(text, filter, MESSAGES_LOOKED);
    return MESSAGES_LOOKED;
}

void calls_write_has_text(struct sql_text *text, const struct calls_filter *filter)
{
    if (filter->dialect == SQL_PGSQL) {
        sql_add(text, "EXISTS (SELECT 1 FROM messages m WHERE m.call_id = k.call_id "
                      "AND message_words(m.message_id, m.content) @@ ");
        write_tsquery(text, filter);
        sql_add(text, ")");
        return;
    }
    sql_add(text, "EXISTS (SELECT 1 FROM messages m WHERE m.call_id = k.call_id AND EXISTS "
                  "(SELECT 1 FROM messages_fts WHERE rowid = m.seq AND messages_fts MATCH ");
    sql_bind(text, sql_text(aic_str(filter->match)));
    sql_add(text, "))");
}
