/* SPDX-License-Identifier: ISC */
#ifndef CALL_TRACE_EXPORT_H
#define CALL_TRACE_EXPORT_H
/*
 * Spans on their way to an OpenTelemetry collector: OTLP over HTTP as JSON. They gather in a
 * bounded queue and go out in batches. A collector that is away is asked again for a minute; what
 * finds no room or is not taken is dropped and counted, and calls notice nothing.
 */
#include "base/sched.h"
#include "call/fetch.h"
#include "call/trace.h"

#include "json.h"

struct trace_export;

enum { TRACE_QUEUE = 4096, TRACE_BATCH = 256 };

struct trace_export_settings {
    struct sched *sched;
    struct fetch *fetch;
    const char *url; /* of /v1/traces */
    const struct aic_header *headers;
    uint32_t header_count;
    double share; /* of the calls that are traced */
    const char *service;
    const char *host;
};

/* What the settings point to is borrowed. NULL without memory. */
struct trace_export *trace_export_create(const struct trace_export_settings *settings);
/* What was not sent is dropped. Accepts NULL. */
void trace_export_destroy(struct trace_export *trace);
/* As for trace_call_begin; -1 where `trace` is NULL. */
double trace_export_share(const struct trace_export *trace);
/* Sends what there is without waiting for more; `done` once nothing is left or was taken. */
void trace_export_flush(struct trace_export *trace, void (*done)(void *data), void *data);
/* How many spans wait or are on their way. */
size_t trace_export_waiting(const struct trace_export *trace);

/* As in the protocol. */
enum trace_kind { TRACE_INTERNAL = 1, TRACE_SERVER = 2, TRACE_CLIENT = 3 };

struct trace_span_head {
    const struct trace_call *call;
    const uint8_t *span_id;
    const uint8_t *parent_id; /* NULL = a root */
    const char *name;
    enum trace_kind kind;
    int64_t start_wall_us;
    int64_t end_wall_us;
};

/* A span under construction: begin, attributes, end. */
struct trace_span {
    struct aic_buf buf;
    struct aic_json_writer w;
};

void trace_span_begin(struct trace_span *span, const struct trace_span_head *head);
/* NULL or empty text is left out. */
void trace_span_text(struct trace_span *span, const char *key, const char *text);
void trace_span_int(struct trace_span *span, const char *key, int64_t value);
void trace_span_double(struct trace_span *span, const char *key, double value);
void trace_span_bool(struct trace_span *span, const char *key, bool value);
/* `error`: why what it stands for has failed; NULL = it has not. */
void trace_span_end(struct trace_span *span, struct trace_export *trace, const char *error);

#endif
