/* SPDX-License-Identifier: ISC */
#include "web/place_trace.h"

#include "call/trace_names.h"

enum { CONTEXT_NUMBER = 1 };

void place_trace_begin(struct place_trace *place, struct trace_export *traces, struct aic_str given,
                       const char *id, int64_t wall_us)
{
    char parent[TRACE_PARENT_TEXT * 4];
    *place = (struct place_trace){.traces = traces, .began_wall_us = wall_us};
    /* One that does not fit is of a later version, and its beginning would not be what it says. */
    bool fits = aic_str_copy(given, parent, sizeof(parent));
    trace_call_begin(&place->trace, id, fits ? parent : "", trace_export_share(traces));
    trace_call_span(&place->trace, CONTEXT_NUMBER, place->context_span);
}

void place_trace_context_parent(const struct place_trace *place, char to[TRACE_PARENT_TEXT])
{
    trace_call_parent(&place->trace, place->context_span, to);
}

void place_trace_call_parent(const struct place_trace *place, char to[TRACE_PARENT_TEXT])
{
    trace_call_parent(&place->trace, NULL, to);
}

void place_trace_describe(const struct place_trace *place, struct aic_buf *to)
{
    if (place->trace.is_kept) {
        char id[2 * TRACE_ID + 1];
        trace_hex(id, place->trace.root.trace_id, TRACE_ID);
        aic_buf_printf(to, "{\"trace_id\":\"%s\"}", id);
    }
}

void place_trace_context(const struct place_trace *place, const struct context_result *result,
                         int64_t wall_us)
{
    struct trace_span span;
    if (!place->trace.is_kept) {
        return;
    }
    const struct trace_span_head head = {.call = &place->trace,
                                         .span_id = place->context_span,
                                         .parent_id = place->trace.root.span_id,
                                         .name = TRACE_CONTEXT_NAME,
                                         .kind = TRACE_CLIENT,
                                         .start_wall_us = wall_us - result->took_ms * 1000,
                                         .end_wall_us = wall_us};
    bool is_good = result->outcome == CONTEXT_FETCHED;
    trace_span_begin(&span, &head);
    if (result->http_status > 0) {
        trace_span_int(&span, TRACE_HTTP_STATUS, result->http_status);
    }
    trace_span_text(&span, TRACE_ERROR_TYPE, is_good ? NULL : result->reason);
    trace_span_end(&span, place->traces, is_good ? NULL : result->reason);
}

void place_trace_end(const struct place_trace *place, const char *call_id, int32_t http_status,
                     const char *reason, int64_t wall_us)
{
    struct trace_span span;
    if (!place->trace.is_kept) {
        return;
    }
    const struct trace_context *given = &place->trace.given;
    const struct trace_span_head head = {.call = &place->trace,
                                         .span_id = place->trace.root.span_id,
                                         .parent_id = trace_is_set(given) ? given->span_id : NULL,
                                         .name = TRACE_PLACE_NAME,
                                         .kind = TRACE_SERVER,
                                         .start_wall_us = place->began_wall_us,
                                         .end_wall_us = wall_us};
    trace_span_begin(&span, &head);
    trace_span_text(&span, TRACE_CONVERSATION, call_id);
    trace_span_int(&span, TRACE_HTTP_STATUS, http_status);
    trace_span_text(&span, TRACE_ERROR_TYPE, reason);
    trace_span_end(&span, place->traces, http_status >= 500 ? reason : NULL);
}
