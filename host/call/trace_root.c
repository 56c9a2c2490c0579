/* SPDX-License-Identifier: ISC */
#include "call/trace_root.h"

#include "call/trace_names.h"

#include <stdio.h>
#include <string.h>

void trace_root_write(struct trace_export *traces, const struct trace_call *trace,
                      const struct webhook_call *call)
{
    if (!traces || !trace->is_kept) {
        return;
    }
    struct trace_span span;
    char name[64];
    bool is_inbound = strcmp(call->direction, "inbound") == 0;
    bool is_failed = call->status && strcmp(call->status, "failed") == 0;
    (void)snprintf(name, sizeof(name), TRACE_CALL_NAME " %s", call->direction);
    const struct trace_span_head head = {
        .call = trace,
        .span_id = trace->root.span_id,
        .parent_id = trace_is_set(&trace->given) ? trace->given.span_id : NULL,
        .name = name,
        .kind = is_inbound ? TRACE_SERVER : TRACE_CLIENT,
        .start_wall_us = call->started_wall_us,
        .end_wall_us = call->ended_wall_us,
    };
    trace_span_begin(&span, &head);
    trace_span_text(&span, TRACE_CONVERSATION, call->call_id);
    trace_span_text(&span, TRACE_AGENT, call->agent);
    trace_span_text(&span, TRACE_DIRECTION, call->direction);
    trace_span_text(&span, TRACE_CARRIER, call->provider);
    trace_span_text(&span, TRACE_STATUS, call->status);
    trace_span_text(&span, TRACE_END_REASON, call->end_reason);
    trace_span_bool(&span, TRACE_ANSWERED, call->answered_wall_us > 0);
    if (call->turns >= 0) {
        trace_span_int(&span, TRACE_TURNS, call->turns);
    }
    if (call->cost >= 0) {
        trace_span_double(&span, TRACE_COST, call->cost);
    }
    trace_span_end(&span, traces, is_failed ? call->end_reason : NULL);
}
