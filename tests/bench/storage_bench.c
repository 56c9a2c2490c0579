/* SPDX-License-Identifier: ISC */
/*
 * How fast a storage plugin is when it is full.
 *
 *     storage_bench sqlite FILE     [calls] [messages per call]
 *     storage_bench pgsql  URL      [calls] [messages per call]
 *
 * Fills an empty database through the plugin's own append (1,000,000 calls with 20 messages each
 * unless told otherwise), or uses one that it filled before, then asks each question a hundred
 * times with ever other values, and prints the median and the 95th percentile. Words follow Zipf's
 * law, as in speech.
 */
#include "fake_host.h"

#include "sqlcore/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct aic_plugin *aicaller_plugin_sqlite(void);
extern const struct aic_plugin *aicaller_plugin_pgsql(void);

enum { BATCH = 1000, ASKS = 100, VOCABULARY = 20000, AGENTS = 20, NUMBERS = 200000 };

static const int64_t START_MS = 1735689600000; /* 2025-01-01 */
static const int64_t APART_MS = 31536;         /* a million calls in a year */

struct bench {
    const struct aic_storage *storage;
    void *db;
    unsigned calls;
    unsigned messages;
    uint64_t seed;
    double *weights; /* of words, summed up */
    struct aic_fact facts[BATCH];
    char ids[BATCH][40];
    char call_ids[BATCH][40];
    char *columns[BATCH];
    unsigned count;
    unsigned rows; /* of the last question */
};

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, int32_t status, const struct aic_error *error)
{
    (void)fprintf(stderr, "%s: status %d: %.*s\n", what, status, (int)error->message.len,
                  error->message.ptr);
    exit(1);
}

/* splitmix64: number `n` of a stream of its own. */
static uint64_t mix(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

static uint64_t next(struct bench *b)
{
    return mix(b->seed++);
}

static unsigned pick(struct bench *b, unsigned below)
{
    return (unsigned)(next(b) % below);
}

/* The number of a word; the first ones come often. */
static unsigned pick_word(struct bench *b)
{
    double wanted = (double)(next(b) >> 11) / 9007199254740992.0 * b->weights[VOCABULARY - 1];
    unsigned low = 0;
    unsigned high = VOCABULARY - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (b->weights[middle] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void word(char to[16], unsigned n)
{
    static const char *const parts[] = {"ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru",
                                        "sa", "te", "vi", "wo", "zu", "ka", "re", "ti", "no", "mu"};
    (void)snprintf(to, 16, "%s%s%s%s", parts[n % 20], parts[n / 20 % 20], parts[n / 400 % 20],
                   n >= 8000 ? parts[n / 8000 % 20] : "");
}

static void call_id(char to[40], unsigned n)
{
    int64_t ms = START_MS + (int64_t)n * APART_MS;
    (void)snprintf(to, 40, "%08llx-%04llx-7%03x-8000-%012x", (long long)ms >> 16,
                   (long long)ms & 0xffff, n & 0xfff, n);
}

static void message_id(char to[40], unsigned call, unsigned n)
{
    int64_t ms = START_MS + (int64_t)call * APART_MS + (int64_t)n * 4000 + (int64_t)(mix(n) % 1000);
    (void)snprintf(to, 40, "%08llx-%04llx-7%03x-9000-%04x%08x", (long long)ms >> 16,
                   (long long)ms & 0xffff, call & 0xfff, n & 0xffff, call);
}

static void flush(struct bench *b)
{
    struct aic_append_result result = {.size = sizeof(result)};
    struct aic_error error = {.size = sizeof(error)};
    int32_t status =
        b->storage->append(b->db, b->facts, b->count, sizeof(b->facts[0]), &result, &error);
    if (status || result.rejection_count > 0) {
        fail("append", status, &error);
    }
    for (unsigned i = 0; i < b->count; i++) {
        free(b->columns[i]);
    }
    b->count = 0;
}

static void add(struct bench *b, const char *table, const char *id, const char *call,
                struct aic_buf *columns)
{
    unsigned i = b->count++;
    (void)snprintf(b->ids[i], sizeof(b->ids[i]), "%s", id);
    (void)snprintf(b->call_ids[i], sizeof(b->call_ids[i]), "%s", call);
    struct aic_str text = aic_buf_view(columns);
    b->columns[i] = aic_str_dup(text);
    b->facts[i] = (struct aic_fact){.size = sizeof(b->facts[i]),
                                    .table = {table, strlen(table)},
                                    .id = aic_str(b->ids[i]),
                                    .call_id = aic_str(b->call_ids[i]),
                                    .revision = 1,
                                    .columns = {b->columns[i], text.len}};
    if (b->count == BATCH) {
        flush(b);
    }
}

static const char *const statuses[] = {"completed", "completed", "completed", "completed",
                                       "completed", "completed", "busy",      "no_answer",
                                       "failed",    "canceled"};

static void add_call(struct bench *b, unsigned n)
{
    char id[40];
    char at[SQL_TIME_TEXT + 1];
    struct aic_buf buf;
    aic_buf_init(&buf, 1 << 16);
    call_id(id, n);
    sql_time_write(at, START_MS + (int64_t)n * APART_MS);
    aic_buf_printf(&buf,
                   "{\"call_sid\":\"CA%032x\",\"provider\":\"twilio\",\"direction\":\"%s\","
                   "\"from_number\":\"+1415%07u\",\"to_number\":\"+9198%08u\","
                   "\"agent\":\"agent%u\",\"status\":\"%s\",\"created_at\":\"%s\","
                   "\"started_at\":\"%s\",\"duration_s\":%u,\"cost\":0.0%u,"
                   "\"system_prompt\":\"%0400d\"}",
                   n, pick(b, 2) ? "inbound" : "outbound", pick(b, 3), pick(b, NUMBERS),
                   pick(b, AGENTS), statuses[pick(b, 10)], at, at, pick(b, 300), pick(b, 90), 0);
    add(b, "calls", id, id, &buf);
    aic_buf_clear(&buf);
    for (unsigned i = 0; i < b->messages; i++) {
        char message[40];
        message_id(message, n, i);
        sql_time_write(at, START_MS + (int64_t)n * APART_MS + (int64_t)i * 4000);
        aic_buf_printf(&buf, "{\"turn\":%u,\"role\":\"%s\",\"at\":\"%s\",\"content\":\"", i / 2,
                       i % 2 ? "assistant" : "user", at);
        for (unsigned k = 6 + pick(b, 10); k > 0; k--) {
            char text[16];
            word(text, pick_word(b));
            aic_buf_printf(&buf, "%s ", text);
        }
        aic_buf_text(&buf, "\"}");
        add(b, "messages", message, id, &buf);
        aic_buf_clear(&buf);
    }
    aic_buf_finish(&buf);
}

static int32_t count_row(void *data, struct aic_str row)
{
    (void)row;
    ((struct bench *)data)->rows++;
    return 0;
}

static void ask(struct bench *b, const char *query, const char *params)
{
    struct aic_error error = {.size = sizeof(error)};
    b->rows = 0;
    int32_t status = b->storage->query(b->db, query, aic_str(params), count_row, b, &error);
    if (status) {
        fail(query, status, &error);
    }
}

static void fill(struct bench *b)
{
    struct aic_error error = {.size = sizeof(error)};
    int32_t status = b->storage->migrate(b->db, NULL, NULL, &error);
    if (status) {
        fail("migrate", status, &error);
    }
    ask(b, "calls", "{\"per_page\":1}");
    if (b->rows > 0) {
        (void)printf("the database is filled already\n");
        return;
    }
    double start = seconds();
    for (unsigned n = 0; n < b->calls; n++) {
        add_call(b, n);
        if ((n + 1) % 50000 == 0) {
            double rows = (double)(n + 1) * (1 + b->messages);
            (void)printf("%9u calls, %8.0f rows/s\n", n + 1, rows / (seconds() - start));
            (void)fflush(stdout);
        }
    }
    if (b->count > 0) {
        flush(b);
    }
    double rows = (double)b->calls * (1 + b->messages);
    (void)printf("append: %.0f rows in %.0f s, %.0f rows/s, batches of %d\n", rows,
                 seconds() - start, rows / (seconds() - start), BATCH);
}

struct question {
    const char *name;
    const char *query;
    void (*write)(struct bench *b, char *params, size_t bytes);
};

static void first_page(struct bench *b, char *params, size_t bytes)
{
    (void)b;
    (void)snprintf(params, bytes, "{\"per_page\":50}");
}

static void any_page(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"per_page\":50,\"page\":%u}", 1 + pick(b, 200));
}

static void deep_page(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"per_page\":50,\"page\":%u}", b->calls / 50 - pick(b, 10));
}

static void last_page(struct bench *b, char *params, size_t bytes)
{
    (void)b;
    (void)snprintf(params, bytes, "{\"per_page\":50,\"last\":true}");
}

static void after_cursor(struct bench *b, char *params, size_t bytes)
{
    char id[40];
    char at[SQL_TIME_TEXT + 1];
    unsigned n = pick(b, b->calls);
    call_id(id, n);
    sql_time_write(at, START_MS + (int64_t)n * APART_MS);
    (void)snprintf(params, bytes, "{\"per_page\":50,\"after\":\"%s,%s\"}", at, id);
}

static void by_number(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"per_page\":50,\"number\":\"+9198%08u\"}", pick(b, NUMBERS));
}

static void by_own_number(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"per_page\":50,\"number\":\"+1415%07u\"}", pick(b, 3));
}

static void by_status(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"per_page\":50,\"status\":[\"%s\",\"busy\"]}",
                   statuses[pick(b, 10)]);
}

static void combined(struct bench *b, char *params, size_t bytes)
{
    char since[SQL_TIME_TEXT + 1];
    int64_t from = START_MS + (int64_t)pick(b, b->calls) * APART_MS;
    sql_time_write(since, from);
    (void)snprintf(params, bytes,
                   "{\"per_page\":50,\"status\":\"%s\",\"direction\":\"inbound\","
                   "\"agent\":\"agent%u\",\"until\":\"%s\"}",
                   statuses[pick(b, 10)], pick(b, AGENTS), since);
}

static void no_match(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes,
                   "{\"per_page\":50,\"status\":\"failed\",\"direction\":\"inbound\","
                   "\"agent\":\"agent%u\",\"number\":\"+1415%07u\",\"provider\":\"none\"}",
                   pick(b, AGENTS), pick(b, 3));
}

static void by_word(struct bench *b, char *params, size_t bytes)
{
    char text[16];
    word(text, pick_word(b));
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s\"}", text);
}

static void by_rare_word(struct bench *b, char *params, size_t bytes)
{
    char text[16];
    word(text, VOCABULARY / 2 + pick(b, VOCABULARY / 2));
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s\"}", text);
}

static void by_two_words(struct bench *b, char *params, size_t bytes)
{
    char one[16];
    char two[16];
    word(one, pick_word(b));
    word(two, pick_word(b));
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s %s\"}", one, two);
}

static void by_word_and_agent(struct bench *b, char *params, size_t bytes)
{
    char text[16];
    word(text, pick_word(b));
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s\",\"agent\":\"agent%u\"}", text,
                   pick(b, AGENTS));
}

static void by_word_and_number(struct bench *b, char *params, size_t bytes)
{
    char text[16];
    word(text, pick_word(b));
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s\",\"number\":\"+9198%08u\"}",
                   text, pick(b, NUMBERS));
}

static void by_word_and_time(struct bench *b, char *params, size_t bytes)
{
    char text[16];
    char until[SQL_TIME_TEXT + 1];
    word(text, pick_word(b));
    sql_time_write(until, START_MS + (int64_t)pick(b, b->calls) * APART_MS);
    (void)snprintf(params, bytes, "{\"per_page\":50,\"text\":\"%s\",\"until\":\"%s\"}", text,
                   until);
}

static void one_call(struct bench *b, char *params, size_t bytes)
{
    char id[40];
    call_id(id, pick(b, b->calls));
    (void)snprintf(params, bytes, "{\"call_id\":\"%s\"}", id);
}

static void one_sid(struct bench *b, char *params, size_t bytes)
{
    (void)snprintf(params, bytes, "{\"call_sid\":\"CA%032x\"}", pick(b, b->calls));
}

static void nothing(struct bench *b, char *params, size_t bytes)
{
    (void)b;
    (void)snprintf(params, bytes, "{}");
}

static const struct question questions[] = {
    {"first page", "calls", first_page},
    {"any of 200 pages", "calls", any_page},
    {"last page by number", "calls", deep_page},
    {"last page", "calls", last_page},
    {"behind a cursor", "calls", after_cursor},
    {"by number", "calls", by_number},
    {"by own number", "calls", by_own_number},
    {"by two statuses", "calls", by_status},
    {"status, direction, agent, time", "calls", combined},
    {"filters that nothing meets", "calls", no_match},
    {"text: a word", "calls", by_word},
    {"text: a rare word", "calls", by_rare_word},
    {"text: two words", "calls", by_two_words},
    {"text and agent", "calls", by_word_and_agent},
    {"text and number", "calls", by_word_and_number},
    {"text and time", "calls", by_word_and_time},
    {"total", "calls.count", nothing},
    {"total of two statuses", "calls.count", by_status},
    {"total of a word", "calls.count", by_word},
    {"call", "call", one_call},
    {"call by carrier's id", "call", one_sid},
    {"messages of a call", "messages", one_call},
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Counts take the filters of the list without its paging. */
static void drop_paging(char *params)
{
    char *paging = strstr(params, "\"per_page\":50,");
    if (paging) {
        memmove(paging, paging + 14, strlen(paging + 14) + 1);
    }
}

static void measure(struct bench *b, const struct question *q)
{
    double times[ASKS];
    char params[400];
    unsigned rows = 0;
    b->seed = 77000;
    for (unsigned i = 0; i < ASKS; i++) {
        q->write(b, params, sizeof(params));
        if (strcmp(q->query, "calls.count") == 0) {
            drop_paging(params);
        }
        double start = seconds();
        ask(b, q->query, params);
        times[i] = (seconds() - start) * 1e3;
        rows += b->rows;
    }
    qsort(times, ASKS, sizeof(times[0]), by_value);
    (void)printf("%-32s p50 %8.2f ms   p95 %8.2f ms   max %8.2f ms   rows %.1f\n", q->name,
                 times[ASKS / 2], times[ASKS * 95 / 100], times[ASKS - 1], (double)rows / ASKS);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: storage_bench sqlite|pgsql FILE|URL [calls] [messages]\n");
        return 2;
    }
    bool is_file = strcmp(argv[1], "sqlite") == 0;
    const struct aic_plugin *plugin = is_file ? aicaller_plugin_sqlite() : aicaller_plugin_pgsql();
    static struct bench b;
    b.calls = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1000000;
    b.messages = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 20;
    b.storage = plugin->get_interface(AIC_STORAGE);
    b.weights = malloc(VOCABULARY * sizeof(double));
    for (unsigned i = 0; b.weights && i < VOCABULARY; i++) {
        b.weights[i] = (i ? b.weights[i - 1] : 0) + 1.0 / (i + 2);
    }
    struct vsched *v = vsched_create(1);
    struct fake_host *fake = fake_host_create(v);
    struct fake_setting settings[] = {{is_file ? "path" : "url", argv[2]},
                                      {is_file ? "cache" : "timeout", is_file ? "256M" : "10m"},
                                      {NULL, NULL}};
    if (!b.weights || fake_provider_create(fake, plugin, settings, &b.db) != AIC_OK) {
        (void)fprintf(stderr, "the plugin refuses its settings: %s\n", fake_log(fake));
        return 1;
    }
    fill(&b);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        measure(&b, &questions[i]);
    }
    plugin->destroy(b.db);
    fake_host_destroy(fake);
    vsched_destroy(v);
    free(b.weights);
    return 0;
}
