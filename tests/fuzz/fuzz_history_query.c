/* SPDX-License-Identifier: ISC */
/* What a client sends as the query of the history, the links made from it, and fields of a table.
 * A link must read back as the same question; a header must stay a header. */
#include "web/history_csv.h"
#include "web/history_query.h"
#include "web/lookup.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_question(const struct history_query *query, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    history_query_write_filters(query, &w);
    aic_json_close(&w, '}');
    struct aic_json *root = aic_json_parse(aic_buf_view(to), 0);
    if (!to->failed && !aic_json_is_object(root)) {
        abort();
    }
    aic_json_free(root);
}

static void check_link(const struct history_query *query, const struct aic_buf *question)
{
    const struct history_around around = {.has_next = false};
    struct history_query again;
    struct aic_buf link;
    struct aic_buf same;
    aic_buf_init(&link, 64 * 1024);
    aic_buf_init(&same, 64 * 1024);
    history_query_link(query, &around, &link);
    const char *from = link.data ? strchr(link.data, '?') : NULL;
    const char *to = from ? strchr(from, '>') : NULL;
    if (!link.failed) {
        for (size_t i = 0; i < link.len; i++) {
            if (link.data[i] < ' ' || link.data[i] > '~') {
                abort();
            }
        }
        if (!to ||
            !history_query_read(&again, (struct aic_str){from + 1, (size_t)(to - from - 1)})) {
            abort();
        }
        write_question(&again, &same);
        if (strcmp(same.data, question->data) != 0) {
            abort();
        }
        history_query_finish(&again);
    }
    aic_buf_finish(&link);
    aic_buf_finish(&same);
}

static void check_field(struct aic_str text)
{
    struct aic_buf field;
    aic_buf_init(&field, 64 * 1024);
    history_csv_field(&field, text);
    if (field.len > 0 && !field.failed && memchr("=@\t\r", field.data[0], 4)) {
        abort();
    }
    if (field.len > 0) {
        lookup_hide_number(field.data, field.len);
        lookup_hide_numbers(field.data, field.len);
    }
    aic_buf_finish(&field);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct history_query query;
    check_field(text);
    if (history_query_read(&query, text)) {
        struct aic_buf question;
        aic_buf_init(&question, 64 * 1024);
        write_question(&query, &question);
        if (!query.is_csv) {
            check_link(&query, &question);
        }
        aic_buf_finish(&question);
    } else if (query.params.detail[0] == '\0') {
        abort();
    }
    history_query_finish(&query);
    return 0;
}
