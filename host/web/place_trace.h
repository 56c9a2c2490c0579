/* SPDX-License-Identifier: ISC */
#ifndef WEB_PLACE_TRACE_H
#define WEB_PLACE_TRACE_H
/* The place of a request for a call in a trace: what it continues, and what the call will. */
#include "call/context.h"
#include "call/trace_export.h"

struct place_trace {
    struct trace_export *traces; /* NULL: none are written */
    struct trace_call trace;
    uint8_t context_span[TRACE_SPAN];
    int64_t began_wall_us;
};

/* `given` is the request's traceparent, or empty; `id` a new UUID. */
void place_trace_begin(struct place_trace *place, struct trace_export *traces, struct aic_str given,
                       const char *id, int64_t wall_us);
/* What is sent along with the request for a context; "" = nothing. */
void place_trace_context_parent(const struct place_trace *place, char to[TRACE_PARENT_TEXT]);
void place_trace_context(const struct place_trace *place, const struct context_result *result,
                         int64_t wall_us);
/* What the call continues; "" = nothing. */
void place_trace_call_parent(const struct place_trace *place, char to[TRACE_PARENT_TEXT]);
/* The detail of an event that tells the trace's id; empty where there is none. */
void place_trace_describe(const struct place_trace *place, struct aic_buf *to);
/* The request was answered. */
void place_trace_end(const struct place_trace *place, const char *call_id, int32_t http_status,
                     const char *reason, int64_t wall_us);

#endif
