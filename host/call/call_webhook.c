/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"
#include "call/webhook_post.h"

/* What others are told of a call. */

enum { MAX_DATA = 4096 };

struct webhook_call call_facts_of(const struct call *call)
{
    bool is_priced = call->env.prices && call->env.prices->count > 0;
    return (struct webhook_call){
        .call_id = call->id,
        .call_sid = call->provider_call_id,
        .direction = call->direction == AIC_DIRECTION_OUTBOUND ? "outbound" : "inbound",
        .from = call->from,
        .to = call->to,
        .agent = call->agent->name,
        .provider = call->provider_name,
        .status = call_status_name(call->status),
        .end_reason = call->end_reason,
        .metadata = call->metadata,
        .started_wall_us = call->created_wall_us,
        .answered_wall_us = call->answered_wall_us,
        .ended_wall_us = call->ended_wall_us,
        .turns = (int64_t)call->turn_number,
        .cost = is_priced ? call->cost : -1,
    };
}

void call_announce(struct call *call, enum webhook_event event)
{
    if (call->env.webhooks) {
        char parent[TRACE_PARENT_TEXT];
        struct webhook_call facts = call_facts_of(call);
        trace_call_parent(&call->trace, NULL, parent);
        facts.traceparent = parent;
        webhook_post_call(call->env.webhooks, event, &facts);
    }
}

static void tell(struct call *call, enum webhook_event event, const struct aic_buf *data)
{
    char parent[TRACE_PARENT_TEXT];
    trace_call_parent(&call->trace, NULL, parent);
    if (!data->failed) {
        webhook_post_tell(call->env.webhooks, &(struct webhook_news){.event = event,
                                                                     .call_id = call->id,
                                                                     .data = aic_buf_view(data),
                                                                     .traceparent = parent});
    }
}

void call_announce_switch(struct call *call, const char *role, const char *from, const char *to,
                          const char *category)
{
    if (!webhook_post_wants(call->env.webhooks, WEBHOOK_CALL_FAILED_OVER)) {
        return;
    }
    struct aic_buf data;
    struct aic_json_writer w;
    aic_buf_init(&data, MAX_DATA);
    aic_json_writer_init(&w, &data);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", call->id);
    aic_json_member_int(&w, "turn", (int64_t)call->turn_number);
    aic_json_member_text(&w, "role", role);
    aic_json_member_text(&w, "from_provider", from);
    aic_json_member_text(&w, "to_provider", to);
    aic_json_member_text(&w, "category", category);
    aic_json_close(&w, '}');
    tell(call, WEBHOOK_CALL_FAILED_OVER, &data);
    aic_buf_finish(&data);
}

void call_announce_opt_out(struct call *call, const char *number)
{
    if (!webhook_post_wants(call->env.webhooks, WEBHOOK_OPT_OUT_RECORDED)) {
        return;
    }
    struct aic_buf data;
    struct aic_json_writer w;
    aic_buf_init(&data, MAX_DATA);
    aic_json_writer_init(&w, &data);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", call->id);
    aic_json_member_text(&w, "number", number);
    aic_json_member_text(&w, "source", "caller");
    aic_json_close(&w, '}');
    tell(call, WEBHOOK_OPT_OUT_RECORDED, &data);
    aic_buf_finish(&data);
}
