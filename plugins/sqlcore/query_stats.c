/* SPDX-License-Identifier: ISC */
/* Figures for the overview: calls in time, latency of the stages, cost by provider. */
#include "sqlcore/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 6, LONGEST_MS = 20000 };

static const char *const stages[STAGES] = {"endpointing_ms", "stt_ms",     "llm_ms",
                                           "tts_ms",         "playout_ms", "response_ms"};
static const char *const buckets[] = {"hour", "day", "all", NULL};
static const char *const directions[] = {"inbound", "outbound", NULL};

static const struct sql_param of_calls[] = {
    {"since", SQL_TIME, SQL_ARG_REQUIRED, 0, 0, NULL},
    {"until", SQL_TIME, 0, 0, 0, NULL},
    {"by", SQL_TEXT, 0, 0, 0, buckets},
    {"agent", SQL_TEXT, 0, 0, 0, NULL},
    {"direction", SQL_TEXT, 0, 0, 0, directions},
};
static const struct sql_param of_failovers[] = {
    {"since", SQL_TIME, SQL_ARG_REQUIRED, 0, 0, NULL},
    {"until", SQL_TIME, 0, 0, 0, NULL},
    {"by", SQL_TEXT, 0, 0, 0, buckets},
};
static const struct sql_param of_time[] = {
    {"since", SQL_TIME, SQL_ARG_REQUIRED, 0, 0, NULL},
    {"until", SQL_TIME, 0, 0, 0, NULL},
};

static void write_time(struct sql_text *text, const struct sql_args *args, const char *column)
{
    sql_add(text, " WHERE ");
    sql_add(text, column);
    sql_add(text, " >= ");
    sql_bind(text, sql_arg(args, "since"));
    if (sql_arg_has(args, "until")) {
        sql_add(text, " AND ");
        sql_add(text, column);
        sql_add(text, " < ");
        sql_bind(text, sql_arg(args, "until"));
    }
}

/* The beginning of a column's time, as text up to the hour or the day; it is called "at". */
static void add_bucket(struct sql_text *text, uint32_t dialect, struct sql_value by,
                       const char *column)
{
    char expression[128];
    bool is_hour = by.type != SQL_NULL && aic_str_equal(by.text, "hour");
    bool is_all = by.type != SQL_NULL && aic_str_equal(by.text, "all");
    if (dialect == SQL_PGSQL) {
        (void)snprintf(
            expression, sizeof(expression), "to_char(%s AT TIME ZONE 'UTC', '%s')", column,
            is_hour ? "YYYY-MM-DD\"T\"HH24\":00:00.000Z\"" : "YYYY-MM-DD\"T00:00:00.000Z\"");
    } else {
        (void)snprintf(expression, sizeof(expression), "substr(%s, 1, %d) || '%s'", column,
                       is_hour ? 13 : 10, is_hour ? ":00:00.000Z" : "T00:00:00.000Z");
    }
    sql_add_field(text, is_all ? "'all'" : expression, "at", SQL_TEXT);
}

static int32_t run_calls(const struct sql_query *query, struct sql_args *args,
                         struct sql_output *out)
{
    (void)query;
    static const char *const counts[][2] = {
        {"count(*)", "calls"},
        {"count(*) FILTER (WHERE c.direction = 'inbound')", "inbound"},
        {"count(*) FILTER (WHERE c.direction = 'outbound')", "outbound"},
        {"count(c.answered_at)", "answered"},
        {"count(*) FILTER (WHERE c.status = 'completed')", "completed"},
        {"count(*) FILTER (WHERE c.status = 'busy')", "busy"},
        {"count(*) FILTER (WHERE c.status = 'no_answer')", "no_answer"},
        {"count(*) FILTER (WHERE c.status = 'failed')", "failed"},
        {"count(*) FILTER (WHERE c.status = 'canceled')", "canceled"},
    };
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    add_bucket(&text, out->core->driver->dialect, sql_arg(args, "by"), "c.created_at");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        sql_add_field(&text, counts[i][0], counts[i][1], SQL_INT);
    }
    sql_add_field(&text, "sum(c.duration_s)", "duration_s", SQL_REAL);
    sql_add_field(&text, "sum(c.cost)", "cost", SQL_REAL);
    sql_add(&text, " FROM calls c");
    write_time(&text, args, "c.created_at");
    static const char *const filters[][2] = {{"agent", " AND c.agent = "},
                                             {"direction", " AND c.direction = "}};
    for (size_t i = 0; i < 2; i++) {
        if (sql_arg_has(args, filters[i][0])) {
            sql_add(&text, filters[i][1]);
            sql_bind(&text, sql_arg(args, filters[i][0]));
        }
    }
    sql_add(&text, " GROUP BY 1 ORDER BY 1");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* How many turns took so many milliseconds in a stage; the last place holds all longer ones. */
struct histogram {
    uint64_t count;
    uint64_t sum_ms;
    uint32_t by_ms[LONGEST_MS + 1];
};

static int32_t take_turn(void *data, uint32_t index, const struct sql_value *values, uint32_t count)
{
    (void)index;
    struct histogram *histograms = data;
    for (uint32_t i = 0; i < STAGES && i < count; i++) {
        if (values[i].type == SQL_NULL || values[i].integer < 0) {
            continue;
        }
        uint64_t ms = (uint64_t)values[i].integer;
        histograms[i].count++;
        histograms[i].sum_ms += ms < LONGEST_MS ? ms : LONGEST_MS;
        histograms[i].by_ms[ms < LONGEST_MS ? ms : LONGEST_MS]++;
    }
    return 0;
}

/* The smallest time that so many of a thousand did not exceed. */
static int64_t quantile(const struct histogram *histogram, uint64_t of_thousand)
{
    uint64_t wanted = (histogram->count * of_thousand + 999) / 1000;
    uint64_t seen = 0;
    int64_t ms = 0;
    while (ms < LONGEST_MS && (seen += histogram->by_ms[ms]) < wanted) {
        ms++;
    }
    return ms;
}

static void write_stage(struct sql_output *out, const char *stage,
                        const struct histogram *histogram)
{
    static const struct {
        const char *name;
        uint64_t of_thousand;
    } wanted[] = {{"p50", 500}, {"p90", 900}, {"p95", 950}, {"p99", 990}, {"max", 1000}};
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 1000);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "stage", stage);
    aic_json_member_int(&w, "count", (int64_t)histogram->count);
    if (histogram->count > 0) {
        aic_json_member_int(&w, "mean", (int64_t)(histogram->sum_ms / histogram->count));
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            aic_json_member_int(&w, wanted[i].name, quantile(histogram, wanted[i].of_thousand));
        }
    }
    aic_json_close(&w, '}');
    (void)sql_output_json(out, &buf);
    aic_buf_finish(&buf);
}

static int32_t run_latency(const struct sql_query *query, struct sql_args *args,
                           struct sql_output *out)
{
    (void)query;
    struct histogram *histograms = calloc(STAGES, sizeof(*histograms));
    if (!histograms) {
        return sql_fail(out->core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    for (size_t i = 0; i < STAGES; i++) {
        sql_add_field(&text, stages[i], stages[i], SQL_INT);
    }
    sql_add(&text, " FROM turns");
    write_time(&text, args, "at");
    struct sql_command command = sql_text_command(&text);
    int32_t status = sql_text_status(&text);
    status = status ? sql_fail(out->core, status, AIC_CATEGORY_INTERNAL, "out of memory")
                    : out->core->driver->run(out->core, &command, 1, take_turn, histograms);
    for (size_t i = 0; status == AIC_OK && i < STAGES && !out->is_stopped; i++) {
        write_stage(out, stages[i], &histograms[i]);
    }
    sql_text_finish(&text);
    free(histograms);
    return status;
}

static int32_t run_usage(const struct sql_query *query, struct sql_args *args,
                         struct sql_output *out)
{
    (void)query;
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_field(&text, "u.provider", "provider", SQL_TEXT);
    sql_add_field(&text, "u.role", "role", SQL_TEXT);
    sql_add_field(&text, "count(*)", "rows", SQL_INT);
    sql_add_field(&text, "sum(u.cost)", "cost", SQL_REAL);
    sql_add(&text, " FROM usage u");
    write_time(&text, args, "u.at");
    sql_add(&text, " GROUP BY u.provider, u.role ORDER BY u.provider, u.role");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Events of a time, found by the time inside their ids, which needs no index of its own. */
static void write_id_bound(struct sql_text *text, const struct sql_args *args, const char *name,
                           const char *condition, char bound[SQL_UUID_TEXT + 1])
{
    int64_t ms = 0;
    if (sql_arg_has(args, name) && sql_time_read(sql_arg(args, name).text, &ms)) {
        sql_uuid_bound(bound, ms);
        sql_add(text, condition);
        sql_bind(text, sql_uuid(aic_str(bound)));
    }
}

static int32_t run_failovers(const struct sql_query *query, struct sql_args *args,
                             struct sql_output *out)
{
    (void)query;
    char since[SQL_UUID_TEXT + 1];
    char until[SQL_UUID_TEXT + 1];
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    add_bucket(&text, out->core->driver->dialect, sql_arg(args, "by"), "e.at");
    sql_add_field(&text, "e.detail ->> 'from'", "provider", SQL_TEXT);
    sql_add_field(&text, "e.detail ->> 'role'", "role", SQL_TEXT);
    sql_add_field(&text, "count(*)", "failovers", SQL_INT);
    sql_add(&text, " FROM events e WHERE e.type = 'failover' AND e.detail ->> 'from' <> ''");
    write_id_bound(&text, args, "since", " AND e.event_id >= ", since);
    write_id_bound(&text, args, "until", " AND e.event_id < ", until);
    sql_add(&text, " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

/* Work that is not done yet: how much there is, and since when the first of it is due. */
static int32_t run_jobs(const struct sql_query *query, struct sql_args *args,
                        struct sql_output *out)
{
    (void)query;
    (void)args;
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "SELECT");
    sql_add_field(&text, "j.kind", "kind", SQL_TEXT);
    sql_add_field(&text, "j.state", "state", SQL_TEXT);
    sql_add_field(&text, "count(*)", "jobs", SQL_INT);
    sql_add_field(&text, "min(j.created_at)", "oldest_at", SQL_TIME);
    sql_add(&text, " FROM jobs j WHERE j.state IN ('queued', 'claimed') GROUP BY j.state, j.kind "
                   "ORDER BY j.kind, j.state");
    int32_t status = sql_output_rows(out, &text);
    sql_text_finish(&text);
    return status;
}

const struct sql_query sql_stats_queries[] = {
    {.name = "stats.calls", SQL_PARAMS(of_calls), .run = run_calls},
    {.name = "stats.latency", SQL_PARAMS(of_time), .run = run_latency},
    {.name = "stats.usage", SQL_PARAMS(of_time), .run = run_usage},
    {.name = "stats.failovers", SQL_PARAMS(of_failovers), .run = run_failovers},
    {.name = "stats.jobs", .run = run_jobs},
};
const size_t sql_stats_query_count = sizeof(sql_stats_queries) / sizeof(sql_stats_queries[0]);
