/* SPDX-License-Identifier: ISC */
/*
 * Two lines and a row: names of columns, and a JSON object. Whatever the row is, there is a fact
 * that is a JSON object, or a reason; and the same row gives the same id.
 */
#include "cli/import_row.c"
#include "cli/import_source.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void add_columns(struct import_source *source, struct aic_str names)
{
    static const char *const tables[] = {"a_callsession", "a_conversationmessage", "a_callevent"};
    size_t start = 0;
    for (size_t i = 0; i <= names.len; i++) {
        if (i == names.len || names.ptr[i] == ',') {
            for (size_t k = 0; k < 3; k++) {
                import_source_add(source, NULL, aic_str(tables[k]),
                                  (struct aic_str){names.ptr + start, i - start});
            }
            start = i + 1;
        }
    }
}

static void try_row(const struct import_table *table, enum import_kind kind,
                    const struct aic_json *row)
{
    static bool (*const rows[])(const struct import_table *, const struct aic_json *,
                                struct import_fact *) = {NULL, import_message_row,
                                                         import_event_row};
    char first[UUID_TEXT] = "";
    struct import_fact fact = {.call = {.call_id = "019b8d99-6900-7000-8000-000000000001"}};
    aic_buf_init(&fact.columns, 1 << 20);
    for (int twice = 0; twice < 2; twice++) {
        bool is_good = kind == IMPORT_CALLS ? import_call_row(table, row, 1, &fact)
                                            : rows[kind](table, row, &fact);
        need(is_good || fact.reason[0]);
        if (is_good) {
            struct aic_json *columns = aic_json_parse(aic_buf_view(&fact.columns), 1 << 20);
            need(aic_json_is_object(columns));
            aic_json_free(columns);
            need(twice == 0 || strcmp(first, fact.id) == 0);
            (void)snprintf(first, sizeof(first), "%s", fact.id);
        }
    }
    aic_buf_finish(&fact.columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str input = {(const char *)data, size};
    const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
    char problem[400];
    struct import_source source = {.has_prefix = false};
    if (!end) {
        int64_t at_us = 0;
        (void)import_time(input, &at_us);
        return 0;
    }
    add_columns(&source, (struct aic_str){input.ptr, (size_t)(end - input.ptr)});
    (void)import_source_finish(&source, problem, sizeof(problem));
    struct aic_json *row =
        aic_json_parse((struct aic_str){end + 1, (size_t)(input.ptr + size - end - 1)}, 0);
    for (int kind = 0; row && kind < IMPORT_TABLES; kind++) {
        try_row(&source.tables[kind], (enum import_kind)kind, row);
    }
    aic_json_free(row);
    return 0;
}
