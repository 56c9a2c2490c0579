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

static void write_tsvector_hits(struct sql_text *text, const struct calls_filter *filter,
                                int64_t limit)
{
    sql_add(text, "SELECT m.call_id FROM messages m WHERE m.words @@ ");
    write_tsquery(text, filter);
    sql_add(text, " ORDER BY m.message_id DESC LIMIT ");
    sql_bind(text, sql_int(limit));
}

void calls_write_hits(struct sql_text *text, const struct calls_filter *filter, int64_t limit)
{
    if (filter->dialect == SQL_PGSQL) {
        write_tsvector_hits(text, filter, limit);
    } else {
        write_fts5_hits(text, filter, limit);
    }
}

void calls_write_has_text(struct sql_text *text, const struct calls_filter *filter)
{
    if (filter->dialect == SQL_PGSQL) {
        sql_add(text,
                "EXISTS (SELECT 1 FROM messages m WHERE m.call_id = k.call_id AND m.words @@ ");
        write_tsquery(text, filter);
        sql_add(text, ")");
        return;
    }
    sql_add(text, "EXISTS (SELECT 1 FROM messages m WHERE m.call_id = k.call_id AND EXISTS "
                  "(SELECT 1 FROM messages_fts WHERE rowid = m.seq AND messages_fts MATCH ");
    sql_bind(text, sql_text(aic_str(filter->match)));
    sql_add(text, "))");
}
