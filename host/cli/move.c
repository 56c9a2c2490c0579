/* SPDX-License-Identifier: ISC */
#include "cli/move.h"

#include "base/timefmt.h"
#include "base/uuid.h"
#include "cli/cli.h"
#include "cli/end.h"
#include "cli/move_book.h"
#include "cli/progress.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 1000, BATCH_BYTES = 256 << 20, ROWS_BYTES = 2 << 20, SAVE_S = 1 };

struct move {
    struct end *from;
    struct end *to;
    struct move_book book;
    struct progress progress;
    double newest_ms; /* of the calls there are */
    double oldest_ms;
    time_t saved_at;
    char hash_key[128];
};

/* Rows of one batch, as they came, one behind the other. */
struct batch {
    struct aic_buf text;
    size_t starts[BATCH + 1];
    size_t count;
};

static void complain(const struct end *end, const struct aic_error *error)
{
    (void)fprintf(stderr, "aicaller migrate: %s: %.*s\n", end->what, (int)error->message.len,
                  error->message.ptr);
}

static int32_t take_row(void *data, struct aic_str row)
{
    struct batch *batch = data;
    if (batch->count == BATCH || aic_buf_str(&batch->text, row) != AIC_OK) {
        return AIC_ERROR_TOO_LARGE;
    }
    batch->starts[++batch->count] = batch->text.len;
    return AIC_OK;
}

static struct aic_str row_at(const struct batch *batch, size_t index)
{
    size_t start = batch->starts[index];
    return (struct aic_str){batch->text.data + start, batch->starts[index + 1] - start};
}

static bool ask(struct end *end, const char *query, struct aic_str params, struct batch *batch)
{
    const struct provider *provider = end->direct.provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    aic_buf_clear(&batch->text);
    batch->count = 0;
    int32_t status =
        provider->storage.query(provider->self, query, params, take_row, batch, &error);
    if (status == AIC_OK && batch->text.failed) {
        (void)fprintf(stderr, "aicaller migrate: %s: a batch is too large for the memory\n",
                      end->what);
        return false;
    }
    if (status != AIC_OK) {
        complain(end, &error);
    }
    return status == AIC_OK;
}

static bool change(struct end *end, const char *name, struct aic_str params)
{
    const struct provider *provider = end->direct.provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.change(provider->self, name, params, NULL, NULL, &error);
    if (status != AIC_OK) {
        complain(end, &error);
    }
    return status == AIC_OK;
}

static bool dump(struct end *end, const char *table, const char *after, size_t limit,
                 struct batch *batch)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 4096);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "table", table);
    if (after[0]) {
        aic_json_member_text(&w, "after", after);
    }
    aic_json_member_int(&w, "limit", (int64_t)limit);
    aic_json_close(&w, '}');
    bool is_good = !params.failed && ask(end, "dump", aic_buf_view(&params), batch);
    aic_buf_finish(&params);
    return is_good;
}

/* The key of the batch's last row. */
static bool take_key(const struct batch *batch, const char *column, char to[MOVE_KEY])
{
    struct aic_json *row = aic_json_parse(row_at(batch, batch->count - 1), BATCH_BYTES);
    struct aic_str key = aic_json_get_text(row, column);
    bool is_good = key.len > 0 && aic_str_copy(key, to, MOVE_KEY);
    aic_json_free(row);
    return is_good;
}

/* The two parts of a dumped fact: its columns, and the revision that stands behind them. */
static bool split_fact(struct aic_str row, struct aic_buf *columns, uint64_t *revision)
{
    static const char mark[] = ",\"revision\":";
    size_t length = sizeof(mark) - 1;
    size_t digits = row.len > 1 ? row.len - 1 : 0;
    while (digits > 0 && row.ptr[digits - 1] >= '0' && row.ptr[digits - 1] <= '9') {
        digits--;
    }
    if (digits <= length || memcmp(row.ptr + digits - length, mark, length) != 0) {
        return false;
    }
    *revision = strtoull(row.ptr + digits, NULL, 10);
    aic_buf_add(columns, row.ptr, digits - length);
    aic_buf_char(columns, '}');
    return true;
}

static bool append_facts(struct move *move, const struct move_table *table,
                         const struct aic_fact *facts, size_t count)
{
    const struct provider *provider = move->to->direct.provider;
    struct aic_append_result result = {.size = sizeof(result)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.append(provider->self, facts, (uint32_t)count,
                                              sizeof(facts[0]), &result, &error);
    if (status != AIC_OK) {
        complain(move->to, &error);
    }
    for (uint32_t i = 0; status == AIC_OK && i < result.rejection_count; i++) {
        const struct aic_fact_rejection *rejection = &result.rejections[i];
        struct aic_str id = facts[rejection->index].id;
        (void)fprintf(stderr, "aicaller migrate: %s %.*s is refused: %.*s\n", table->name,
                      (int)id.len, id.ptr, (int)rejection->reason.len, rejection->reason.ptr);
    }
    return status == AIC_OK && result.rejection_count == 0;
}

static bool append_batch(struct move *move, const struct move_table *table,
                         const struct batch *batch)
{
    struct aic_fact *facts = calloc(BATCH, sizeof(*facts));
    size_t *starts = calloc(BATCH + 1, sizeof(*starts));
    struct aic_buf columns;
    bool is_good = facts && starts;
    aic_buf_init(&columns, BATCH_BYTES);
    for (size_t i = 0; is_good && i < batch->count; i++) {
        struct aic_str row = row_at(batch, i);
        const char *id = row.len > 0 ? memchr(row.ptr, ':', row.len) : NULL;
        is_good = id && row.ptr + row.len - id > UUID_TEXT + 1 &&
                  split_fact(row, &columns, &facts[i].revision);
        facts[i].size = sizeof(facts[i]);
        facts[i].table = aic_str(table->name);
        facts[i].id = (struct aic_str){id ? id + 2 : "", UUID_TEXT - 1};
        starts[i + 1] = columns.len;
    }
    for (size_t i = 0; is_good && i < batch->count; i++) {
        facts[i].columns = (struct aic_str){columns.data + starts[i], starts[i + 1] - starts[i]};
    }
    is_good = is_good && !columns.failed && append_facts(move, table, facts, batch->count);
    aic_buf_finish(&columns);
    free(starts);
    free(facts);
    return is_good;
}

/* Loads rows from `first` on, as many as go into one change; returns how many, 0 on failure. */
static size_t load_some(struct move *move, const struct move_table *table,
                        const struct batch *batch, size_t first)
{
    struct aic_buf params;
    size_t i = first;
    aic_buf_init(&params, BATCH_BYTES);
    aic_buf_printf(&params, "{\"table\":\"%s\",\"rows\":[", table->name);
    while (i < batch->count && (i == first || params.len < ROWS_BYTES)) {
        aic_buf_text(&params, i > first ? "," : "");
        aic_buf_str(&params, row_at(batch, i));
        i++;
    }
    aic_buf_text(&params, "]}");
    bool is_good = !params.failed && change(move->to, "load", aic_buf_view(&params));
    aic_buf_finish(&params);
    return is_good ? i - first : 0;
}

static bool write_batch(struct move *move, const struct move_table *table,
                        const struct batch *batch)
{
    if (table->is_appended) {
        return append_batch(move, table, batch);
    }
    size_t done = 0;
    while (done < batch->count) {
        size_t loaded = load_some(move, table, batch, done);
        if (loaded == 0) {
            return false;
        }
        done += loaded;
    }
    return true;
}

/* How far a key is, by the time in it; below 0 where it has none. */
static double part_of(const struct move *move, const char *key)
{
    char digits[13];
    if (strlen(key) != UUID_TEXT - 1 || move->newest_ms <= move->oldest_ms) {
        return -1;
    }
    (void)snprintf(digits, sizeof(digits), "%.8s%.4s", key, key + 9);
    double part = ((double)strtoull(digits, NULL, 16) - move->oldest_ms) /
                  (move->newest_ms - move->oldest_ms);
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static bool save(struct move *move, bool now)
{
    time_t seconds = time(NULL);
    if (!now && seconds - move->saved_at < SAVE_S) {
        return true;
    }
    move->saved_at = seconds;
    return move_book_write(&move->book);
}

static bool copy_table(struct move *move, struct move_table *table, struct batch *batch)
{
    progress_begin(&move->progress, table->name);
    while (!table->is_done) {
        if (!dump(move->from, table->name, table->after, BATCH, batch)) {
            return false;
        }
        table->is_done = batch->count < BATCH;
        if (batch->count > 0 &&
            (!write_batch(move, table, batch) || !take_key(batch, table->key, table->after))) {
            return false;
        }
        for (size_t i = 0; i < batch->count; i++) {
            move_sum_add(&table->sum, row_at(batch, i));
        }
        if (!save(move, table->is_done)) {
            return false;
        }
        progress_tell(&move->progress, table->sum.rows, part_of(move, table->after));
    }
    progress_end(&move->progress);
    return true;
}

static bool check_table(struct move *move, struct move_table *table, struct batch *batch)
{
    char what[MOVE_NAME + 8];
    char after[MOVE_KEY] = "";
    (void)snprintf(what, sizeof(what), "check %s", table->name);
    progress_begin(&move->progress, what);
    do {
        if (!dump(move->to, table->name, after, BATCH, batch) ||
            (batch->count > 0 && !take_key(batch, table->key, after))) {
            return false;
        }
        for (size_t i = 0; i < batch->count; i++) {
            move_sum_add(&table->found, row_at(batch, i));
        }
        progress_tell(&move->progress, table->found.rows, part_of(move, after));
    } while (batch->count == BATCH);
    progress_end(&move->progress);
    return true;
}

/* A value of the one row that a query gives. */
static bool ask_text(struct end *end, const char *query, const char *params, const char *key,
                     char *to, size_t bytes)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    bool is_good = false;
    if (batch) {
        aic_buf_init(&batch->text, ROWS_BYTES);
        is_good = ask(end, query, aic_str(params), batch);
        struct aic_json *row =
            batch->count > 0 ? aic_json_parse(row_at(batch, 0), ROWS_BYTES) : NULL;
        (void)aic_str_copy(aic_json_get_text(row, key), to, bytes);
        aic_json_free(row);
        aic_buf_finish(&batch->text);
    }
    free(batch);
    return is_good;
}

static bool read_hash_key(struct end *end, struct batch *batch, char to[128])
{
    to[0] = '\0';
    bool is_good = ask(end, "database", AIC_STR("{}"), batch);
    for (size_t i = 0; is_good && i < batch->count; i++) {
        struct aic_json *row = aic_json_parse(row_at(batch, i), ROWS_BYTES);
        if (aic_str_equal(aic_json_get_text(row, "name"), "hash_key")) {
            (void)aic_str_copy(aic_json_get_text(row, "value"), to, 128);
        }
        aic_json_free(row);
    }
    return is_good && to[0];
}

static bool list_tables(struct move *move, struct batch *batch)
{
    struct move_book *book = &move->book;
    if (!ask(move->from, "tables", AIC_STR("{}"), batch)) {
        return false;
    }
    for (size_t i = 0; i < batch->count && i < MOVE_TABLES; i++) {
        struct move_table *table = &book->tables[book->count++];
        struct aic_json *row = aic_json_parse(row_at(batch, i), ROWS_BYTES);
        (void)aic_str_copy(aic_json_get_text(row, "table"), table->name, MOVE_NAME);
        (void)aic_str_copy(aic_json_get_text(row, "key"), table->key, MOVE_NAME);
        table->is_appended = aic_str_equal(aic_json_get_text(row, "change"), "append");
        aic_json_free(row);
    }
    return book->count == batch->count;
}

/* When the calls were, for the bar. */
static bool read_span(struct move *move)
{
    char oldest[TIME_TEXT] = "";
    char newest[TIME_TEXT] = "";
    int64_t first_us = 0;
    int64_t last_us = 0;
    bool is_good =
        ask_text(move->from, "calls", "{\"per_page\":1}", "created_at", newest, sizeof(newest)) &&
        ask_text(move->from, "calls", "{\"per_page\":1,\"last\":true}", "created_at", oldest,
                 sizeof(oldest));
    if (time_parse(aic_str(oldest), &first_us) && time_parse(aic_str(newest), &last_us)) {
        move->oldest_ms = (double)first_us / 1000;
        move->newest_ms = (double)last_us / 1000;
    }
    return is_good;
}

static bool has_schema(struct end *end)
{
    const struct provider *provider = end->direct.provider;
    struct aic_migration migration = {.size = sizeof(migration)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    if (provider->storage.migration(provider->self, &migration, &error) != AIC_OK) {
        complain(end, &error);
        return false;
    }
    if (migration.current == 0) {
        (void)fprintf(stderr, "aicaller migrate: %s: this database is empty\n", end->what);
    } else if (migration.current < migration.latest) {
        (void)fprintf(stderr,
                      "aicaller migrate: %s: its schema is %lld and this program's is %lld: bring "
                      "it up to date first, with \"aicaller migrate\" and its own configuration\n",
                      end->what, (long long)migration.current, (long long)migration.latest);
    }
    return migration.current == migration.latest;
}

static bool set_up(struct end *end)
{
    const struct provider *provider = end->direct.provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.migrate(provider->self, NULL, NULL, &error);
    if (status != AIC_OK) {
        complain(end, &error);
    }
    return status == AIC_OK;
}

static bool identify(struct end *end, char to[MOVE_IDENTITY])
{
    const struct provider *provider = end->direct.provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.identity(provider->self, to, MOVE_IDENTITY, &error);
    if (status != AIC_OK) {
        complain(end, &error);
    }
    return status == AIC_OK;
}

/* The first table of the target that has a row; NULL when it is empty. */
static bool find_filled(struct move *move, struct batch *batch, const char **filled)
{
    *filled = NULL;
    for (size_t i = 0; i < move->book.count && !*filled; i++) {
        if (!dump(move->to, move->book.tables[i].name, "", 1, batch)) {
            return false;
        }
        *filled = batch->count > 0 ? move->book.tables[i].name : NULL;
    }
    return true;
}

/* The target takes the source's hash key, and by that is known when a move goes on. One that has
 * another key and is not empty belongs to somebody. */
static bool adopt(struct move *move, struct batch *batch)
{
    char own[128];
    const char *filled = NULL;
    if (!read_hash_key(move->from, batch, move->hash_key) || !read_hash_key(move->to, batch, own)) {
        return false;
    }
    if (strcmp(own, move->hash_key) == 0) {
        return true;
    }
    if (!find_filled(move, batch, &filled)) {
        return false;
    }
    if (filled) {
        (void)fprintf(stderr,
                      "aicaller migrate: %s: this database is not empty (%s) and was not made by "
                      "an earlier move from %s: give one that is new\n",
                      move->to->what, filled, move->from->what);
        return false;
    }
    char params[200];
    (void)snprintf(params, sizeof(params), "{\"hash_key\":\"%s\"}", move->hash_key);
    return change(move->to, "database.adopt", aic_str(params));
}

static bool prepare(struct move *move, const char *state_dir, struct batch *batch)
{
    struct move_book *book = &move->book;
    if (!has_schema(move->from) || !set_up(move->to) || !identify(move->from, book->from) ||
        !identify(move->to, book->to)) {
        return false;
    }
    if (strcmp(book->from, book->to) == 0) {
        (void)fprintf(stderr, "aicaller migrate: --from and --to are the same database\n");
        return false;
    }
    if (!list_tables(move, batch) || !adopt(move, batch) || !read_span(move)) {
        return false;
    }
    (void)snprintf(book->path, sizeof(book->path), "%s/move.json", state_dir);
    move_book_read(book);
    if (book->is_resumed) {
        (void)fprintf(stderr, "going on where an earlier move stopped\n");
    }
    return true;
}

static void print_table(const struct move_table *table, bool as_json, bool is_first)
{
    bool is_equal = move_sum_equal(&table->sum, &table->found);
    if (as_json) {
        (void)printf("%s{\"table\":\"%s\",\"read\":%" PRIu64 ",\"found\":%" PRIu64 ",\"equal\":%s}",
                     is_first ? "" : ",", table->name, table->sum.rows, table->found.rows,
                     is_equal ? "true" : "false");
    } else if (table->sum.rows + table->found.rows > 0) {
        (void)printf("%-14s %12" PRIu64 " rows  %016" PRIx64 "%016" PRIx64 "  %s\n", table->name,
                     table->sum.rows, table->sum.parts[1], table->sum.parts[0],
                     is_equal ? "equal" : "DIFFERENT");
    }
}

static int conclude(const struct move *move, bool as_json)
{
    const struct move_book *book = &move->book;
    uint64_t rows = 0;
    size_t different = 0;
    (void)fputs(as_json ? "{\"tables\":[" : "", stdout);
    for (size_t i = 0; i < book->count; i++) {
        print_table(&book->tables[i], as_json, i == 0);
        rows += book->tables[i].sum.rows;
        different += !move_sum_equal(&book->tables[i].sum, &book->tables[i].found);
    }
    if (as_json) {
        (void)printf("],\"rows\":%" PRIu64 ",\"equal\":%s}\n", rows, different ? "false" : "true");
    }
    move_book_delete(book);
    if (different > 0) {
        (void)fprintf(stderr,
                      "aicaller migrate: %zu tables differ: one of the databases was used "
                      "meanwhile. Stop what uses them and run this again; rows that are there are "
                      "not written twice\n",
                      different);
        return EXIT_FAILED;
    }
    (void)fprintf(stderr,
                  "%" PRIu64 " rows moved; their counts and contents are the same at both ends. "
                  "Now name the new database in `storage` and start the server.\n",
                  rows);
    return EXIT_GOOD;
}

int move_run(struct end *from, struct end *to, const char *state_dir, bool as_json)
{
    struct move *move = calloc(1, sizeof(*move));
    struct batch *batch = calloc(1, sizeof(*batch));
    bool is_good = move && batch;
    int status = EXIT_FAILED;
    if (is_good) {
        move->from = from;
        move->to = to;
        aic_buf_init(&batch->text, BATCH_BYTES);
        is_good = prepare(move, state_dir, batch);
    }
    for (size_t i = 0; is_good && i < move->book.count; i++) {
        is_good = copy_table(move, &move->book.tables[i], batch);
    }
    for (size_t i = 0; is_good && i < move->book.count; i++) {
        is_good = check_table(move, &move->book.tables[i], batch);
    }
    if (is_good) {
        status = conclude(move, as_json);
    } else if (move && move->saved_at) {
        (void)fprintf(stderr, "what was moved so far stays; run this again to go on\n");
    }
    if (batch) {
        aic_buf_finish(&batch->text);
    }
    free(batch);
    free(move);
    return status;
}
