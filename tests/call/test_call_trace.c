/* SPDX-License-Identifier: ISC */
/* The spans of a spoken call, and the way of spans to a collector, in virtual time. */
#include "call/trace_export.h"
#include "call_rig.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS     INT64_C(1000)
#define SECOND INT64_C(1000000)

enum { ANSWERS = 64, BODY = 4 << 20 };

/* A collector. */
struct collector {
    struct fetch fetch;
    struct sched *sched;
    int statuses[ANSWERS]; /* in order; 0 = 200, -1 = no answer */
    size_t asked;
    size_t running;
    struct aic_buf spans; /* taken, as a JSON array that is still open */
    char last[256];       /* the beginning of the last body */
    size_t span_count;
};

struct asked {
    struct collector *collector;
    struct sched_timer *timer;
    fetch_done done;
    void *data;
    int status;
};

static void is_due(void *data)
{
    struct asked *asked = data;
    const struct fetch_answer answer = {.status = asked->status > 0 ? asked->status : 0,
                                        .error = asked->status > 0 ? NULL : "connect",
                                        .body = AIC_STR("{}")};
    asked->collector->running--;
    asked->done(asked->data, &answer);
    free(asked);
}

static void keep(struct collector *c, struct aic_str body)
{
    struct aic_json *root = aic_json_parse(body, BODY);
    assert_non_null(root);
    const struct aic_json *resource = aic_json_at(aic_json_get(root, "resourceSpans"), 0);
    const struct aic_json *spans =
        aic_json_get(aic_json_at(aic_json_get(resource, "scopeSpans"), 0), "spans");
    for (size_t i = 0; i < aic_json_count(spans); i++) {
        aic_buf_text(&c->spans, c->spans.len > 1 ? "," : "");
        aic_buf_str(&c->spans, aic_json_print(aic_json_at(spans, i)));
        c->span_count++;
    }
    aic_json_free(root);
}

static int32_t start(struct fetch *fetch, const struct fetch_request *request, fetch_done done,
                     void *data, void **handle)
{
    struct collector *c = (struct collector *)fetch;
    struct asked *asked = calloc(1, sizeof(*asked));
    assert_non_null(asked);
    assert_string_equal(request->url, "http://127.0.0.1:4318/v1/traces");
    int status = c->asked < ANSWERS ? c->statuses[c->asked] : 0;
    *asked = (struct asked){c, NULL, done, data, status ? status : 200};
    c->asked++;
    c->running++;
    (void)aic_str_copy(request->body, c->last, sizeof(c->last));
    if (asked->status == 200) {
        keep(c, request->body);
    }
    asked->timer = sched_timer_start(c->sched, sched_now(c->sched) + 5 * MS, is_due, asked);
    *handle = asked;
    return AIC_OK;
}

static void cancel(struct fetch *fetch, void *handle)
{
    struct asked *asked = handle;
    (void)fetch;
    sched_timer_stop(asked->collector->sched, asked->timer);
    asked->collector->running--;
    free(asked);
}

static void collector_init(struct collector *c, struct sched *sched)
{
    static const struct fetch_ops ops = {.start = start, .cancel = cancel};
    memset(c, 0, sizeof(*c));
    c->fetch.ops = &ops;
    c->sched = sched;
    aic_buf_init(&c->spans, 8 << 20);
    aic_buf_char(&c->spans, '[');
}

static struct trace_export *exporter(struct collector *c)
{
    const struct trace_export_settings settings = {.sched = c->sched,
                                                   .fetch = &c->fetch,
                                                   .url = "http://127.0.0.1:4318/v1/traces",
                                                   .share = 1,
                                                   .service = "aicaller",
                                                   .host = "here"};
    return trace_export_create(&settings);
}

static const char some_call[] = "019b8d2c-8f40-7abc-8def-0123456789ab";

static void add_spans(struct trace_export *traces, size_t count)
{
    struct trace_call trace;
    trace_call_begin(&trace, some_call, NULL, 1);
    for (size_t i = 0; i < count; i++) {
        struct trace_span span;
        uint8_t id[TRACE_SPAN];
        trace_call_span(&trace, i, id);
        const struct trace_span_head head = {.call = &trace,
                                             .span_id = id,
                                             .name = "x",
                                             .kind = TRACE_INTERNAL,
                                             .start_wall_us = 1000000,
                                             .end_wall_us = 999999};
        trace_span_begin(&span, &head);
        trace_span_int(&span, "n", (int64_t)i);
        trace_span_text(&span, "empty", "");
        trace_span_double(&span, "half", 0.5);
        trace_span_bool(&span, "yes", true);
        trace_span_end(&span, traces, i == 0 ? "it failed" : NULL);
    }
}

static void test_spans_gather_and_leave_together(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct collector c;
    collector_init(&c, vsched_sched(v));
    struct trace_export *traces = exporter(&c);
    add_spans(traces, 3);
    vsched_run(v, SECOND / 2);
    assert_int_equal(c.asked, 0);
    vsched_run(v, SECOND);
    assert_int_equal(c.asked, 1);
    assert_int_equal(c.span_count, 3);
    assert_int_equal(trace_export_waiting(traces), 0);
    aic_buf_char(&c.spans, ']');
    assert_non_null(strstr(c.spans.data, "\"traceId\":\"019b8d2c8f407abc8def0123456789ab\""));
    /* 64 bits are texts; an end is not before its beginning. */
    assert_non_null(strstr(c.spans.data, "\"startTimeUnixNano\":\"1000000000\","
                                         "\"endTimeUnixNano\":\"1000000000\""));
    assert_non_null(strstr(c.spans.data, "{\"key\":\"n\",\"value\":{\"intValue\":\"2\"}}"));
    assert_non_null(strstr(c.spans.data, "\"status\":{\"code\":2,\"message\":\"it failed\"}"));
    assert_null(strstr(c.spans.data, "empty"));
    assert_non_null(strstr(c.last, "{\"key\":\"service.name\",\"value\":{\"stringValue\":"
                                   "\"aicaller\"}}"));
    trace_export_destroy(traces);
    aic_buf_finish(&c.spans);
    vsched_destroy(v);
}

static void test_a_full_batch_does_not_wait(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct collector c;
    collector_init(&c, vsched_sched(v));
    struct trace_export *traces = exporter(&c);
    add_spans(traces, TRACE_BATCH + 10);
    vsched_run(v, 100 * MS);
    assert_int_equal(c.span_count, TRACE_BATCH);
    vsched_run(v, 2 * SECOND);
    assert_int_equal(c.span_count, TRACE_BATCH + 10);
    assert_int_equal(c.asked, 2);
    trace_export_destroy(traces);
    aic_buf_finish(&c.spans);
    vsched_destroy(v);
}

static void test_a_collector_that_is_away_is_asked_for_a_minute(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct collector c;
    collector_init(&c, vsched_sched(v));
    struct trace_export *traces = exporter(&c);
    for (size_t i = 0; i < 6; i++) {
        c.statuses[i] = i % 2 ? 503 : -1;
    }
    add_spans(traces, 2);
    vsched_run(v, 10 * SECOND);
    assert_in_range(c.asked, 3, 5);
    assert_int_equal(trace_export_waiting(traces), 2);
    vsched_run(v, 60 * SECOND);
    assert_int_equal(c.asked, 6);
    assert_int_equal(trace_export_waiting(traces), 0);
    assert_int_equal(c.span_count, 0);
    /* It is back. */
    add_spans(traces, 1);
    vsched_run(v, 2 * SECOND);
    assert_int_equal(c.span_count, 1);
    /* What it does not like is not sent again. */
    c.statuses[7] = 400;
    add_spans(traces, 1);
    vsched_run(v, 60 * SECOND);
    assert_int_equal(c.asked, 8);
    trace_export_destroy(traces);
    aic_buf_finish(&c.spans);
    vsched_destroy(v);
}

static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct collector c;
    collector_init(&c, vsched_sched(v));
    struct trace_export *traces = exporter(&c);
    for (size_t i = 0; i < ANSWERS; i++) {
        c.statuses[i] = -1;
    }
    add_spans(traces, 3 * TRACE_QUEUE);
    assert_int_equal(trace_export_waiting(traces), TRACE_QUEUE);
    vsched_run(v, 5 * SECOND);
    add_spans(traces, TRACE_QUEUE);
    assert_int_equal(trace_export_waiting(traces), TRACE_QUEUE + TRACE_BATCH);
    trace_export_destroy(traces);
    assert_int_equal(c.running, 0);
    aic_buf_finish(&c.spans);
    vsched_destroy(v);
}

static void note(void *data)
{
    *(bool *)data = true;
}

static void test_a_flush_waits_for_nothing_but_the_collector(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct collector c;
    bool is_done = false;
    collector_init(&c, vsched_sched(v));
    struct trace_export *traces = exporter(&c);
    add_spans(traces, TRACE_BATCH + 1);
    trace_export_flush(traces, note, &is_done);
    vsched_run(v, 50 * MS);
    assert_true(is_done);
    assert_int_equal(c.span_count, TRACE_BATCH + 1);
    trace_export_destroy(traces);
    aic_buf_finish(&c.spans);
    vsched_destroy(v);
}

/* The one span of a name in what was taken; NULL where there is none. */
static const struct aic_json *span_of(const struct aic_json *spans, const char *name)
{
    for (size_t i = 0; i < aic_json_count(spans); i++) {
        if (aic_str_starts(aic_json_get_text(aic_json_at(spans, i), "name"), name)) {
            return aic_json_at(spans, i);
        }
    }
    return NULL;
}

static int64_t ms_of(const struct aic_json *span, const char *key)
{
    char text[32];
    assert_non_null(span);
    assert_true(aic_str_copy(aic_json_get_text(span, key), text, sizeof(text)));
    return strtoll(text, NULL, 10) / 1000000;
}

static void assert_child(const struct aic_json *span, const struct aic_json *parent)
{
    char id[2 * TRACE_SPAN + 1];
    assert_non_null(span);
    assert_true(aic_str_copy(aic_json_get_text(parent, "spanId"), id, sizeof(id)));
    assert_true(aic_str_equal(aic_json_get_text(span, "parentSpanId"), id));
}

struct traced {
    struct collector collector;
    struct trace_export *traces;
};

static void trace_it(struct rig *rig, void *data)
{
    struct traced *traced = data;
    collector_init(&traced->collector, vsched_sched(rig->v));
    traced->traces = exporter(&traced->collector);
    rig->call_env.traces = traced->traces;
}

static void test_an_answer_has_a_span_for_each_of_its_parts(void **state)
{
    (void)state;
    struct traced traced;
    const struct rig_settings line = {.stt_flags = AIC_STT_NEEDS_VAD,
                                      .line_flags = AIC_TEL_NO_ECHO,
                                      .prepare = trace_it,
                                      .data = &traced};
    static const struct fake_speech speech = {3000 * MS, 4000 * MS};
    struct rig *rig = rig_create(&line);
    struct collector *c = &traced.collector;
    rig_hears(rig, "where is the canary");
    rig_says(rig, "It sings outside. It will be back.");
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    call_end(rig->call, "hung_up_by_api", false);
    rig_run(rig, 5000);
    aic_buf_char(&c->spans, ']');
    struct aic_json *spans = aic_json_parse(aic_buf_view(&c->spans), BODY);
    const struct aic_json *call = span_of(spans, "call ");
    const struct aic_json *turn = span_of(spans, "turn");
    const struct aic_json *stt = span_of(spans, "speech_to_text");
    const struct aic_json *llm = span_of(spans, "chat");
    const struct aic_json *tts = span_of(spans, "text_to_speech");
    const struct aic_json *playout = span_of(spans, "playout");
    assert_non_null(call);
    assert_null(aic_json_get(call, "parentSpanId"));
    assert_child(turn, call);
    assert_child(stt, turn);
    assert_child(llm, turn);
    assert_child(tts, turn);
    assert_child(playout, turn);
    /* In the order in which things happen. */
    int64_t said_ms = ms_of(turn, "startTimeUnixNano");
    assert_int_equal(ms_of(stt, "startTimeUnixNano"), said_ms);
    assert_in_range(ms_of(llm, "startTimeUnixNano"), said_ms, said_ms + 3000);
    assert_in_range(ms_of(llm, "endTimeUnixNano") - ms_of(llm, "startTimeUnixNano"), 100, 1000);
    assert_true(ms_of(tts, "startTimeUnixNano") >= ms_of(llm, "startTimeUnixNano") + 100);
    assert_true(ms_of(playout, "startTimeUnixNano") >= ms_of(tts, "endTimeUnixNano"));
    assert_int_equal(ms_of(playout, "endTimeUnixNano"), ms_of(turn, "endTimeUnixNano"));
    assert_true(ms_of(call, "endTimeUnixNano") >= ms_of(turn, "endTimeUnixNano"));
    assert_null(strstr(c->spans.data, "canary"));
    assert_null(strstr(c->spans.data, "sings"));
    aic_json_free(spans);
    trace_export_destroy(traced.traces);
    aic_buf_finish(&c->spans);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_gather_and_leave_together),
        cmocka_unit_test(test_a_full_batch_does_not_wait),
        cmocka_unit_test(test_a_collector_that_is_away_is_asked_for_a_minute),
        cmocka_unit_test(test_the_queue_is_bounded),
        cmocka_unit_test(test_a_flush_waits_for_nothing_but_the_collector),
        cmocka_unit_test(test_an_answer_has_a_span_for_each_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
