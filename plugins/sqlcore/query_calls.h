/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_QUERY_CALLS_H
#define SQLCORE_QUERY_CALLS_H
/*
 * The list of calls. First the keys of the wanted rows are found with indexes alone, then the rows
 * are fetched. A filter that may hold in several ways (a number as caller or as called, one of
 * several statuses) becomes one ordered branch for each, so that each has an index to walk.
 */
#include "sqlcore/query.h"
#include "sqlcore/words.h"

enum {
    CALLS_EXACT = 10000,       /* rows that are counted */
    CALLS_FOUND = 1000,        /* calls that a full text search gives */
    MESSAGES_LOOKED = 20000,   /* messages that it looks at in SQLite */
    CALLS_LOOKED = 5000,       /* calls that it looks at in PostgreSQL */
    CALLS_LOOKED_ALONE = 2000, /* the same when there is no other filter */
    CALLS_FEW = 200,           /* calls that are rather searched one by one */
    CALLS_OFFSET = 10000000,   /* rows that can be skipped by a page number */
    CALLS_PAGE = 1000
};

struct calls_filter {
    uint32_t dialect;
    const struct sql_args *args;
    struct sql_words words;
    char match[SQL_MAX_WORDS * 4 + 500]; /* the words for FTS5 */
    struct sql_value cursor_time;        /* SQL_NULL = none */
    struct sql_value cursor_id;
    char spans[2000];  /* of time, as the index of PostgreSQL has them */
    int64_t newest_ms; /* time of the newest message that can matter */
    bool is_text_alone;
    bool is_oldest_first;
    int64_t limit;
    int64_t offset;
};

/* Understands the parameters. AIC_ERROR_INVALID with `problem`. */
int32_t calls_filter_read(struct calls_filter *filter, struct sql_args *args, uint32_t dialect,
                          char problem[200]);

/* How the text is searched. */
enum {
    CALLS_NO_TEXT = 0,
    CALLS_TEXT_FIRST = 1, /* newest messages with the words, then the other filters */
    CALLS_TEXT_LAST = 2   /* the other filters leave few calls; each is looked into */
};

/* "SELECT call_id, created_at" of the wanted calls, in order, with limit and offset; of a search
 * for text also `found`, how many there are without those. */
void calls_write_keys(struct sql_text *text, struct calls_filter *filter, uint32_t search);
/* Counts the calls that all filters but the text leave, up to `limit`. */
void calls_write_count(struct sql_text *text, const struct calls_filter *filter, int64_t limit);
/* The whole statement of the list; its rows have `found` where a text is searched for. */
void calls_write_list(struct sql_text *text, struct calls_filter *filter, uint32_t search);

/* Text search of one database, in query_text.c. Selects the call_id of what has the words, newest
 * first, up to a limit, which it returns. */
int64_t calls_write_hits(struct sql_text *text, struct calls_filter *filter);
void calls_write_spans(struct aic_buf *to, uint32_t newest, uint32_t oldest);
/* The condition that call k has a message with the words. */
void calls_write_has_text(struct sql_text *text, const struct calls_filter *filter);

#endif
