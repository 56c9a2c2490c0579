/* SPDX-License-Identifier: ISC */
/*
 * Two facts about one row, cut from the input at a zero byte: reading, merging in both orders, and
 * the text of the revisions there and back. Then the same bytes as a time, an id and a search.
 */
#include "sqlcore/row.h"
#include "sqlcore/words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_one(struct sql_row *row, const char *table, uint64_t revision,
                     struct aic_str columns, struct sql_arena *arena, struct aic_json **document)
{
    static const char id[] = "019b8d99-6900-7000-8000-000000000001";
    char reason[SQL_REASON];
    struct aic_fact fact = {.size = sizeof(fact),
                            .table = aic_str(table),
                            .id = aic_str(id),
                            .call_id = aic_str(id),
                            .revision = revision,
                            .columns = columns};
    return sql_row_read(row, &fact, arena, document, reason) == AIC_OK;
}

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void expect_same(const struct sql_row *a, const struct sql_row *b)
{
    need(a->revision == b->revision);
    for (uint32_t i = 0; i < a->table->column_count; i++) {
        need(sql_value_compare(&a->values[i], &b->values[i]) == 0);
        need(i == 0 || a->values[i].type == SQL_NULL || a->revisions[i] == b->revisions[i]);
    }
}

static void round_trip(const struct sql_row *row, struct sql_arena *arena)
{
    bool failed = false;
    struct sql_value text = sql_row_revisions(row, arena, &failed);
    struct sql_row again = *row;
    sql_row_set_revisions(&again, row->revision,
                          text.type == SQL_NULL ? (struct aic_str){NULL, 0} : text.text);
    need(!failed);
    expect_same(row, &again);
}

static void read_others(struct aic_str text)
{
    int64_t ms = 0;
    char time[SQL_TIME_TEXT + 1];
    if (sql_time_read(text, &ms)) {
        int64_t again = 0;
        sql_time_write(time, ms);
        need(sql_time_read((struct aic_str){time, SQL_TIME_TEXT}, &again) && again == ms);
    }
    (void)sql_uuid_time_ms(text);
    struct sql_words words;
    struct aic_buf match;
    aic_buf_init(&match, 1 << 16);
    sql_words_read(&words, text);
    sql_words_fts5(&words, &match);
    size_t quotes = 0;
    for (size_t i = 0; i < match.len; i++) {
        quotes += match.data[i] == '"';
    }
    need(quotes == (size_t)words.count * 2 || match.failed);
    aic_buf_finish(&match);
    struct sql_row row = {.table = sql_table_find(AIC_STR("calls"))};
    sql_row_set_revisions(&row, 7, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tables[] = {"calls", "messages", "events", "consents", "audit"};
    if (size < 3) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 3, size - 3};
    const char *zero = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
    struct aic_str first = {text.ptr, zero ? (size_t)(zero - text.ptr) : text.len};
    struct aic_str second = {zero ? zero + 1 : "{}", zero ? text.len - first.len - 1 : 2};
    const char *table = tables[data[0] % 5];
    struct sql_arena arena = {0};
    struct aic_json *documents[2] = {NULL, NULL};
    struct sql_row a;
    struct sql_row b;
    bool good = read_one(&a, table, data[1] % 4, first, &arena, &documents[0]);
    good = read_one(&b, table, data[2] % 4, second, &arena, &documents[1]) && good;
    if (good) {
        struct sql_row ab = a;
        struct sql_row ba = b;
        (void)sql_row_merge(&ab, &b);
        (void)sql_row_merge(&ba, &a);
        expect_same(&ab, &ba);
        need(sql_row_merge(&ab, &a) == 0 && sql_row_merge(&ab, &b) == 0);
        need(sql_row_complete(&ab, &arena));
        round_trip(&ab, &arena);
    }
    read_others(text);
    aic_json_free(documents[0]);
    aic_json_free(documents[1]);
    sql_arena_finish(&arena);
    return 0;
}
