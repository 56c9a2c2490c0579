/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"
#include "call/trace_root.h"

void pending_tell(struct pending *pending, const char *end_reason)
{
    const struct calls_settings *settings = &pending->calls->settings;
    bool begins = !end_reason && pending->revision == 1;
    char parent[TRACE_PARENT_TEXT];
    struct trace_call trace;
    if ((!begins && !end_reason) || (!settings->webhooks && !settings->traces)) {
        return;
    }
    trace_call_begin(&trace, pending->id, pending->traceparent,
                     trace_export_share(settings->traces));
    trace_call_parent(&trace, NULL, parent);
    const struct webhook_call call = {
        .call_id = pending->id,
        .call_sid = pending->provider_call_id,
        .direction = pending->direction == AIC_DIRECTION_OUTBOUND ? "outbound" : "inbound",
        .from = pending->from,
        .to = pending->to,
        .agent = pending->agent->name,
        .provider = pending->provider ? pending->provider->name : NULL,
        .status = call_status_name(pending->status),
        .end_reason = end_reason,
        .metadata = pending->metadata,
        .traceparent = parent,
        .started_wall_us = pending->created_wall_us,
        .answered_wall_us = pending->answered_wall_us,
        .ended_wall_us = end_reason ? sched_wall(settings->sched) : 0,
        .turns = -1,
        .cost = -1,
    };
    webhook_post_call(settings->webhooks, begins ? WEBHOOK_CALL_STARTED : WEBHOOK_CALL_ENDED,
                      &call);
    if (end_reason) {
        trace_root_write(settings->traces, &trace, &call);
    }
}
