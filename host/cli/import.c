/* SPDX-License-Identifier: ISC */
#include "cli/import.h"

#include "cli/cli.h"
#include "cli/end.h"
#include "cli/import_calls.h"
#include "cli/progress.h"

#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 500,
    ROWS_BYTES = 256 << 20,
    COLUMNS_BYTES = 8 << 20,
    PARAMS_BYTES = 64 * 1024,
    TOLD = 20, /* rows that are told one by one */
    AFTER = 300
};

struct counted {
    uint64_t read;
    uint64_t taken;
    uint64_t skipped;
    uint64_t noted;
};

struct import {
    const struct import_options *options;
    struct import_source source;
    struct import_calls *calls;
    struct counted counted[IMPORT_TABLES];
    struct progress progress;
    uint64_t told;
    enum import_kind kind; /* of the table that is read */
    struct import_fact facts[BATCH];
    struct aic_str theirs[BATCH]; /* the ids in the other database */
    size_t count;
    bool is_timing; /* only the times of calls without one are looked for */
    bool failed;
};

static struct import_table *table_of(struct import *import)
{
    return &import->source.tables[import->kind];
}

static void complain(const struct end *end, const struct aic_error *error)
{
    (void)fprintf(stderr, "aicaller migrate: %s: %.*s\n", end->what, (int)error->message.len,
                  error->message.ptr);
}

static void tell_row(struct import *import, struct aic_str id, const char *what, const char *reason)
{
    const char *table = table_of(import)->name;
    if (import->told++ < TOLD) {
        (void)fprintf(stderr, "%s %.*s %s: %s\n", table, (int)id.len, id.ptr, what, reason);
    } else if (import->told == TOLD + 1) {
        (void)fprintf(stderr, "... and more; --skipped FILE writes all of them down\n");
    }
    if (import->options->skipped) {
        struct aic_buf line;
        struct aic_json_writer w;
        aic_buf_init(&line, PARAMS_BYTES);
        aic_json_writer_init(&w, &line);
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "table", table);
        aic_json_member(&w, "id", id);
        aic_json_member_text(&w, "what", what);
        aic_json_member_text(&w, "reason", reason);
        aic_json_close(&w, '}');
        import->failed = import->failed || line.failed ||
                         fprintf(import->options->skipped, "%s\n", line.data) < 0;
        aic_buf_finish(&line);
    }
}

static void skip(struct import *import, struct aic_str id, const char *reason)
{
    import->counted[import->kind].skipped++;
    tell_row(import, id, "is skipped", reason);
}

static void write_facts(struct import *import)
{
    static const char *const tables[IMPORT_TABLES] = {"calls", "messages", "events"};
    struct aic_fact facts[BATCH];
    struct aic_append_result result = {.size = sizeof(result)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    const struct provider *provider = import->options->to->direct.provider;
    for (size_t i = 0; i < import->count; i++) {
        facts[i] = (struct aic_fact){.size = sizeof(facts[i]),
                                     .table = aic_str(tables[import->kind]),
                                     .id = aic_str(import->facts[i].id),
                                     .call_id = aic_str(import->facts[i].call.call_id),
                                     .revision = 1,
                                     .columns = aic_buf_view(&import->facts[i].columns)};
    }
    int32_t status = provider->storage.append(provider->self, facts, (uint32_t)import->count,
                                              sizeof(facts[0]), &result, &error);
    if (status != AIC_OK) {
        complain(import->options->to, &error);
        import->failed = true;
        return;
    }
    for (uint32_t i = 0; i < result.rejection_count; i++) {
        char reason[IMPORT_REASON];
        (void)aic_str_copy(result.rejections[i].reason, reason, sizeof(reason));
        skip(import, import->theirs[result.rejections[i].index], reason);
    }
    import->counted[import->kind].taken += import->count - result.rejection_count;
}

static void finish_batch(struct import *import)
{
    if (import->count > 0 && import->options->to && !import->failed) {
        write_facts(import);
    } else if (!import->options->to) {
        import->counted[import->kind].taken += import->count;
    }
    import->count = 0;
}

static struct aic_str text_of(const struct import_table *table, const struct aic_json *row,
                              enum import_field field)
{
    const char *column = import_column(table, field);
    return column ? aic_json_get_text(row, column) : (struct aic_str){"", 0};
}

/* The earliest time of what belongs to a call stands for one that the call does not have. */
static void take_time(struct import *import, const struct aic_json *row)
{
    const struct import_table *table = table_of(import);
    int64_t at_us = 0;
    struct import_call *call =
        import_time(text_of(table, row, IMPORT_AT), &at_us)
            ? import_calls_put(import->calls, text_of(table, row, IMPORT_SESSION))
            : NULL;
    if (call && (call->at_us == 0 || at_us < call->at_us)) {
        call->at_us = at_us;
    }
}

static bool convert_call(struct import *import, const struct aic_json *row,
                         struct import_fact *fact)
{
    const struct import_table *table = table_of(import);
    struct import_call *call = import_calls_put(import->calls, text_of(table, row, IMPORT_ID));
    if (!call || !import_call_row(table, row, call->at_us, fact)) {
        return false;
    }
    *call = fact->call;
    return true;
}

static bool convert(struct import *import, const struct aic_json *row, struct import_fact *fact)
{
    const struct import_table *table = table_of(import);
    if (import->kind == IMPORT_CALLS) {
        return convert_call(import, row, fact);
    }
    const struct import_call *call =
        import_calls_find(import->calls, text_of(table, row, IMPORT_SESSION));
    if (!call || !call->call_id[0]) {
        (void)snprintf(fact->reason, sizeof(fact->reason), "its call is not there or was skipped");
        return false;
    }
    fact->call = *call;
    return import->kind == IMPORT_MESSAGES ? import_message_row(table, row, fact)
                                           : import_event_row(table, row, fact);
}

static void take_row(struct import *import, const struct aic_json *row)
{
    struct aic_str id = text_of(table_of(import), row, IMPORT_ID);
    struct import_fact *fact = &import->facts[import->count];
    if (import->is_timing) {
        take_time(import, row);
        return;
    }
    import->counted[import->kind].read++;
    if (!convert(import, row, fact)) {
        skip(import, id, fact->reason);
        return;
    }
    if (fact->note[0]) {
        import->counted[import->kind].noted++;
        tell_row(import, id, "is taken", fact->note);
    }
    import->theirs[import->count++] = id;
}

static void write_params(struct import *import, const char *after, struct aic_buf *to)
{
    const struct import_table *table = table_of(import);
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "table", table->name);
    aic_json_member_text(&w, "key", import_column(table, IMPORT_ID));
    aic_json_member_int(&w, "limit", BATCH);
    if (after[0]) {
        aic_json_member_text(&w, "after", after);
    }
    aic_json_key(&w, "columns");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < table->count; i++) {
        aic_json_put(&w, aic_str(table->columns[i]));
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
}

/* Reads rows behind a key and takes them; returns how many there were, -1 on failure. */
static int64_t read_batch(struct import *import, char after[AFTER])
{
    struct aic_buf params;
    struct aic_buf rows;
    int64_t count = -1;
    aic_buf_init(&params, PARAMS_BYTES);
    aic_buf_init(&rows, ROWS_BYTES);
    write_params(import, after, &params);
    if (direct_ask(&import->options->from->direct, false, "foreign.rows", aic_buf_view(&params),
                   &rows)) {
        struct aic_json *root = aic_json_parse(aic_buf_view(&rows), ROWS_BYTES);
        count = (int64_t)aic_json_count(root);
        for (size_t i = 0; i < aic_json_count(root); i++) {
            take_row(import, aic_json_at(root, i));
        }
        struct aic_str last =
            text_of(table_of(import), aic_json_at(root, (size_t)count - 1), IMPORT_ID);
        /* A key that is empty or cut would begin the table again. */
        if (count > 0 && (last.len == 0 || !aic_str_copy(last, after, AFTER))) {
            import->failed = true;
        }
        finish_batch(import);
        aic_json_free(root);
    }
    aic_buf_finish(&params);
    aic_buf_finish(&rows);
    return import->failed ? -1 : count;
}

static bool read_table(struct import *import, enum import_kind kind)
{
    char after[AFTER] = "";
    int64_t count = BATCH;
    uint64_t read = 0;
    import->kind = kind;
    if (!table_of(import)->name[0]) {
        return true;
    }
    progress_begin(&import->progress, import_kind_name(kind));
    while (count == BATCH) {
        count = read_batch(import, after);
        read += count > 0 ? (uint64_t)count : 0;
        progress_tell(&import->progress, read, -1);
    }
    progress_end(&import->progress);
    return count >= 0;
}

static bool find_tables(struct import *import)
{
    struct aic_buf rows;
    aic_buf_init(&rows, ROWS_BYTES);
    bool is_good =
        direct_ask(&import->options->from->direct, false, "foreign.columns", AIC_STR("{}"), &rows);
    if (is_good) {
        char problem[IMPORT_REASON + 2 * IMPORT_NAME];
        struct aic_json *root = aic_json_parse(aic_buf_view(&rows), ROWS_BYTES);
        for (size_t i = 0; i < aic_json_count(root); i++) {
            const struct aic_json *row = aic_json_at(root, i);
            import_source_add(&import->source, import->options->prefix,
                              aic_json_get_text(row, "table"), aic_json_get_text(row, "column"));
        }
        aic_json_free(root);
        is_good = import_source_finish(&import->source, problem, sizeof(problem))[0] == '\0';
        if (!is_good) {
            (void)fprintf(stderr, "aicaller migrate: %s: %s\n", import->options->from->what,
                          problem);
        }
    }
    aic_buf_finish(&rows);
    return is_good;
}

static void print_result(const struct import *import)
{
    bool as_json = import->options->as_json;
    bool is_dry = !import->options->to;
    if (as_json) {
        (void)printf("{\"dry_run\":%s", is_dry ? "true" : "false");
    }
    for (int kind = 0; kind < IMPORT_TABLES; kind++) {
        const struct counted *counted = &import->counted[kind];
        const struct import_table *table = &import->source.tables[kind];
        const char *name = import_kind_name((enum import_kind)kind);
        if (as_json) {
            (void)printf(",\"%s\":{\"read\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"skipped\":%" PRIu64
                         ",\"noted\":%" PRIu64 "}",
                         name, counted->read, counted->taken, counted->skipped, counted->noted);
        } else if (table->name[0]) {
            (void)printf("%-9s %10" PRIu64 " read from %s, %" PRIu64 " %s, %" PRIu64 " skipped\n",
                         name, counted->read, table->name, counted->taken,
                         is_dry ? "would be imported" : "imported", counted->skipped);
        } else {
            (void)printf("%-9s there is no such table\n", name);
        }
    }
    (void)fputs(as_json ? "}\n" : "", stdout);
}

static bool read_all(struct import *import)
{
    bool is_good = find_tables(import);
    if (is_good && !import_column(&import->source.tables[IMPORT_CALLS], IMPORT_AT)) {
        import->is_timing = true;
        is_good = read_table(import, IMPORT_MESSAGES) && read_table(import, IMPORT_EVENTS);
        import->is_timing = false;
    }
    return is_good && read_table(import, IMPORT_CALLS) && read_table(import, IMPORT_MESSAGES) &&
           read_table(import, IMPORT_EVENTS);
}

int import_run(const struct import_options *options)
{
    struct import *import = calloc(1, sizeof(*import));
    int status = EXIT_FAILED;
    if (!import || !(import->calls = import_calls_create())) {
        free(import);
        return EXIT_FAILED;
    }
    import->options = options;
    for (size_t i = 0; i < BATCH; i++) {
        aic_buf_init(&import->facts[i].columns, COLUMNS_BYTES);
    }
    if (read_all(import)) {
        print_result(import);
        status = EXIT_GOOD;
    }
    for (size_t i = 0; i < BATCH; i++) {
        aic_buf_finish(&import->facts[i].columns);
    }
    import_calls_destroy(import->calls);
    free(import);
    return status;
}
