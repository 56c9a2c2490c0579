/* SPDX-License-Identifier: ISC */
#include "call/trace_export.h"

#include "base/log.h"
#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GATHER_MS = 1000, /* a span waits no longer for others */
    TIMEOUT_MS = 10000,
    TRIES = 6, /* about a minute */
    RETRY_MS = 1000,
    RETRY_MAX_MS = 30000,
    MAX_SPAN = 16 * 1024,
    MAX_QUEUE = 8 << 20,
    MAX_ANSWER = 64 * 1024
};

struct item {
    struct item *next;
    size_t length;
    char text[]; /* JSON of a span */
};

struct trace_export {
    struct trace_export_settings settings;
    struct item *first;
    struct item **last;
    size_t count;
    size_t bytes;
    struct sched_timer *timer;
    struct aic_buf batch; /* what is being sent */
    size_t batch_count;
    int tries;
    void *request;
    bool was_bad; /* the collector did not take the last batch */
    void (*flushed)(void *data);
    void *flushed_data;
};

static void gather(struct trace_export *trace);

struct trace_export *trace_export_create(const struct trace_export_settings *settings)
{
    struct trace_export *trace = calloc(1, sizeof(*trace));
    if (trace) {
        trace->settings = *settings;
        trace->last = &trace->first;
        aic_buf_init(&trace->batch, MAX_QUEUE + MAX_SPAN);
    }
    return trace;
}

static void count(enum metrics_trace outcome, size_t spans)
{
    metrics_count(METRICS_TRACES + (uint32_t)outcome, spans);
}

void trace_export_destroy(struct trace_export *trace)
{
    if (!trace) {
        return;
    }
    if (trace->request) {
        trace->settings.fetch->ops->cancel(trace->settings.fetch, trace->request);
    }
    sched_timer_stop(trace->settings.sched, trace->timer);
    count(METRICS_TRACE_UNSENT, trace->count + trace->batch_count);
    while (trace->first) {
        struct item *item = trace->first;
        trace->first = item->next;
        free(item);
    }
    aic_buf_finish(&trace->batch);
    free(trace);
}

double trace_export_share(const struct trace_export *trace)
{
    return trace ? trace->settings.share : -1;
}

size_t trace_export_waiting(const struct trace_export *trace)
{
    return trace->count + trace->batch_count;
}

/* The collector */

static void put_attribute(struct aic_json_writer *w, const char *key, const char *text)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "key", key);
    aic_json_key(w, "value");
    aic_json_open(w, '{');
    aic_json_member_text(w, "stringValue", text);
    aic_json_close(w, '}');
    aic_json_close(w, '}');
}

static void write_head(struct trace_export *trace, struct aic_json_writer *w)
{
    aic_json_open(w, '{');
    aic_json_key(w, "resourceSpans");
    aic_json_open(w, '[');
    aic_json_open(w, '{');
    aic_json_key(w, "resource");
    aic_json_open(w, '{');
    aic_json_key(w, "attributes");
    aic_json_open(w, '[');
    put_attribute(w, "service.name", trace->settings.service);
    put_attribute(w, "service.version", AICALLER_VERSION);
    put_attribute(w, "host.name", trace->settings.host);
    aic_json_close(w, ']');
    aic_json_close(w, '}');
    aic_json_key(w, "scopeSpans");
    aic_json_open(w, '[');
    aic_json_open(w, '{');
    aic_json_key(w, "scope");
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", "aicaller");
    aic_json_member_text(w, "version", AICALLER_VERSION);
    aic_json_close(w, '}');
    aic_json_key(w, "spans");
    aic_json_open(w, '[');
}

static void write_tail(struct aic_json_writer *w)
{
    aic_json_close(w, ']');
    aic_json_close(w, '}');
    aic_json_close(w, ']');
    aic_json_close(w, '}');
    aic_json_close(w, ']');
    aic_json_close(w, '}');
}

static void make_batch(struct trace_export *trace)
{
    struct aic_json_writer w;
    aic_buf_clear(&trace->batch);
    aic_json_writer_init(&w, &trace->batch);
    write_head(trace, &w);
    while (trace->first && trace->batch_count < TRACE_BATCH) {
        struct item *item = trace->first;
        aic_json_put_raw(&w, (struct aic_str){item->text, item->length});
        trace->batch_count++;
        trace->count--;
        trace->bytes -= item->length;
        trace->first = item->next;
        trace->last = trace->first ? trace->last : &trace->first;
        free(item);
    }
    write_tail(&w);
    trace->tries = 0;
}

static void batch_is_over(struct trace_export *trace, enum metrics_trace outcome)
{
    count(outcome, trace->batch_count);
    trace->batch_count = 0;
    aic_buf_finish(&trace->batch);
    gather(trace);
}

static bool may_be_tried_again(const struct fetch_answer *answer)
{
    return answer->error || answer->status == 429 || answer->status == 502 ||
           answer->status == 503 || answer->status == 504;
}

static void send_batch(void *data);

static void retry(struct trace_export *trace)
{
    struct sched *sched = trace->settings.sched;
    uint32_t random = 0;
    int64_t delay_ms = (int64_t)RETRY_MS << (trace->tries - 1);
    delay_ms = delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
    sched_random(sched, &random, sizeof(random));
    delay_ms = delay_ms / 2 + delay_ms / 2 * (int64_t)(random % 1000) / 1000;
    trace->timer = sched_timer_start(sched, sched_now(sched) + delay_ms * 1000, send_batch, trace);
}

static void answered(void *data, const struct fetch_answer *answer)
{
    struct trace_export *trace = data;
    trace->request = NULL;
    bool is_good = !answer->error && answer->status >= 200 && answer->status <= 299;
    if (is_good) {
        if (trace->was_bad) {
            log_info("trace", "the collector takes spans again", LOG_S("url", trace->settings.url));
        }
        trace->was_bad = false;
        batch_is_over(trace, METRICS_TRACE_SENT);
        return;
    }
    if (!trace->was_bad) {
        trace->was_bad = true;
        log_warn("trace", "the collector does not take spans",
                 LOG_S("reason", answer->error ? answer->error : "http"),
                 LOG_I("status", answer->status));
    }
    if (may_be_tried_again(answer) && trace->tries < TRIES) {
        retry(trace);
    } else {
        batch_is_over(trace, METRICS_TRACE_UNSENT);
    }
}

static void send_batch(void *data)
{
    struct trace_export *trace = data;
    struct aic_header headers[TRACE_HEADERS + 1];
    uint32_t header_count = 0;
    trace->timer = NULL;
    if (trace->batch_count == 0) {
        make_batch(trace);
    }
    for (; header_count < trace->settings.header_count; header_count++) {
        headers[header_count] = trace->settings.headers[header_count];
    }
    headers[header_count++] =
        (struct aic_header){AIC_STR("Content-Type"), AIC_STR("application/json")};
    const struct fetch_request request = {.method = "POST",
                                          .url = trace->settings.url,
                                          .headers = headers,
                                          .header_count = header_count,
                                          .body = aic_buf_view(&trace->batch),
                                          .timeout_ms = TIMEOUT_MS,
                                          .max_bytes = MAX_ANSWER};
    struct fetch *fetch = trace->settings.fetch;
    trace->tries++;
    if (trace->batch.failed ||
        fetch->ops->start(fetch, &request, answered, trace, &trace->request) != AIC_OK) {
        trace->request = NULL;
        batch_is_over(trace, METRICS_TRACE_UNSENT);
    }
}

/* Lets further spans come, unless there are enough. */
static void gather(struct trace_export *trace)
{
    struct sched *sched = trace->settings.sched;
    if (trace->timer || trace->request || trace->batch_count > 0) {
        return;
    }
    if (trace->count > 0) {
        bool waits = trace->count < TRACE_BATCH && !trace->flushed;
        trace->timer = sched_timer_start(
            sched, sched_now(sched) + (waits ? GATHER_MS * INT64_C(1000) : 0), send_batch, trace);
    } else if (trace->flushed) {
        trace->flushed(trace->flushed_data);
        trace->flushed = NULL;
    }
}

void trace_export_flush(struct trace_export *trace, void (*done)(void *data), void *data)
{
    trace->flushed = done;
    trace->flushed_data = data;
    if (!trace->request && trace->batch_count == 0) {
        sched_timer_stop(trace->settings.sched, trace->timer);
        trace->timer = NULL;
        gather(trace);
    }
}

/* Spans */

static void put_id(struct aic_json_writer *w, const char *key, const uint8_t *id, size_t bytes)
{
    char text[2 * TRACE_ID + 1];
    trace_hex(text, id, bytes);
    aic_json_member_text(w, key, text);
}

/* 64 bits are written as a text, as the protocol has it. */
static void put_nanoseconds(struct aic_json_writer *w, const char *key, int64_t wall_us)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRId64 "000", wall_us);
    aic_json_member_text(w, key, text);
}

void trace_span_begin(struct trace_span *span, const struct trace_span_head *head)
{
    struct aic_json_writer *w = &span->w;
    int64_t end_us =
        head->end_wall_us > head->start_wall_us ? head->end_wall_us : head->start_wall_us;
    aic_buf_init(&span->buf, MAX_SPAN);
    aic_json_writer_init(w, &span->buf);
    aic_json_open(w, '{');
    put_id(w, "traceId", head->call->root.trace_id, TRACE_ID);
    put_id(w, "spanId", head->span_id, TRACE_SPAN);
    if (head->parent_id) {
        put_id(w, "parentSpanId", head->parent_id, TRACE_SPAN);
    }
    aic_json_member_text(w, "name", head->name);
    aic_json_member_int(w, "kind", head->kind);
    put_nanoseconds(w, "startTimeUnixNano", head->start_wall_us);
    put_nanoseconds(w, "endTimeUnixNano", end_us);
    aic_json_key(w, "attributes");
    aic_json_open(w, '[');
}

static void open_value(struct trace_span *span, const char *key)
{
    aic_json_open(&span->w, '{');
    aic_json_member_text(&span->w, "key", key);
    aic_json_key(&span->w, "value");
    aic_json_open(&span->w, '{');
}

static void close_value(struct trace_span *span)
{
    aic_json_close(&span->w, '}');
    aic_json_close(&span->w, '}');
}

void trace_span_text(struct trace_span *span, const char *key, const char *text)
{
    if (text && text[0]) {
        put_attribute(&span->w, key, text);
    }
}

void trace_span_int(struct trace_span *span, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    open_value(span, key);
    aic_json_member_text(&span->w, "intValue", text);
    close_value(span);
}

void trace_span_double(struct trace_span *span, const char *key, double value)
{
    open_value(span, key);
    aic_json_member_double(&span->w, "doubleValue", value);
    close_value(span);
}

void trace_span_bool(struct trace_span *span, const char *key, bool value)
{
    open_value(span, key);
    aic_json_member_bool(&span->w, "boolValue", value);
    close_value(span);
}

static void enqueue(struct trace_export *trace, struct aic_str json)
{
    bool has_room = trace->count < TRACE_QUEUE && trace->bytes + json.len <= MAX_QUEUE;
    struct item *item = has_room ? malloc(sizeof(*item) + json.len) : NULL;
    if (!item) {
        count(METRICS_TRACE_FULL, 1);
        return;
    }
    item->next = NULL;
    item->length = json.len;
    memcpy(item->text, json.ptr, json.len);
    *trace->last = item;
    trace->last = &item->next;
    trace->count++;
    trace->bytes += json.len;
    if (trace->count == TRACE_BATCH && !trace->request && trace->batch_count == 0) {
        sched_timer_stop(trace->settings.sched, trace->timer);
        trace->timer = NULL;
    }
    gather(trace);
}

void trace_span_end(struct trace_span *span, struct trace_export *trace, const char *error)
{
    struct aic_json_writer *w = &span->w;
    aic_json_close(w, ']');
    if (error) {
        aic_json_key(w, "status");
        aic_json_open(w, '{');
        aic_json_member_int(w, "code", 2);
        aic_json_member_text(w, "message", error);
        aic_json_close(w, '}');
    }
    aic_json_close(w, '}');
    if (span->buf.failed) {
        count(METRICS_TRACE_FULL, 1);
    } else {
        enqueue(trace, aic_buf_view(&span->buf));
    }
    aic_buf_finish(&span->buf);
}
