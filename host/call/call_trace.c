/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"
#include "call/trace_names.h"
#include "call/trace_root.h"
#include "plugin/provider.h"

#include <stdio.h>
#include <string.h>

/* The spans of a call: one of each answer, and inside of it what it took. No number and no word of
 * anybody is in them. */

enum { NAME = 128, STAGES = 8 };

void call_trace_begin(struct call *call, const char *traceparent)
{
    trace_call_begin(&call->trace, call->id, traceparent, trace_export_share(call->env.traces));
}

static bool is_on(const struct call *call)
{
    return call->env.traces && call->trace.is_kept;
}

static void turn_span(const struct call *call, uint64_t epoch, uint8_t span_id[TRACE_SPAN])
{
    trace_call_span(&call->trace, epoch * STAGES, span_id);
}

/* Which one of a chain it is; NULL when none. */
static const struct provider *find_provider(const struct chain *chain, const char *name)
{
    for (size_t i = 0; name && i < chain->count; i++) {
        if (strcmp(chain->providers[i]->name, name) == 0) {
            return chain->providers[i];
        }
    }
    return NULL;
}

/* A part of an answer, by one provider. */
struct stage {
    int number; /* 1 to STAGES - 1 */
    const char *name;
    const struct chain *chain;
    enum responder_role role;
    int64_t from_us;
    int64_t to_us;
};

static void begin_stage(struct trace_span *span, const struct call *call, const struct stage *stage,
                        const struct provider *provider)
{
    char name[NAME];
    uint8_t parent[TRACE_SPAN];
    uint8_t own[TRACE_SPAN];
    const char *model = provider ? settings_string(provider->settings, "model") : NULL;
    (void)snprintf(name, sizeof(name), "%s%s%s", stage->name, model && model[0] ? " " : "",
                   model ? model : "");
    turn_span(call, call->answer.epoch, parent);
    trace_call_span(&call->trace, call->answer.epoch * STAGES + (uint64_t)stage->number, own);
    const struct trace_span_head head = {
        .call = &call->trace,
        .span_id = own,
        .parent_id = parent,
        .name = name,
        .kind = stage->chain ? TRACE_CLIENT : TRACE_INTERNAL,
        .start_wall_us = call_wall(call, stage->from_us),
        .end_wall_us = call_wall(call, stage->to_us),
    };
    trace_span_begin(span, &head);
    if (stage->chain) {
        trace_span_text(span, TRACE_OPERATION, stage->name);
        trace_span_text(span, TRACE_PROVIDER, provider ? provider->plugin->id : NULL);
        trace_span_text(span, TRACE_CONFIGURED, provider ? provider->name : NULL);
        trace_span_text(span, TRACE_MODEL, model);
    }
    trace_span_text(span, TRACE_CONVERSATION, call->id);
}

/* What the model has used since the last answer. */
static void put_tokens(struct trace_span *span, struct call *call)
{
    int64_t in = 0;
    int64_t out = 0;
    for (size_t i = 0; i < call->usage_count; i++) {
        if (call->usage[i].role == RESPONDER_LLM) {
            in += call->usage[i].total.tokens_in;
            out += call->usage[i].total.tokens_out;
        }
    }
    if (in > call->traced_tokens_in || out > call->traced_tokens_out) {
        trace_span_int(span, TRACE_TOKENS_IN, in - call->traced_tokens_in);
        trace_span_int(span, TRACE_TOKENS_OUT, out - call->traced_tokens_out);
        call->traced_tokens_in = in;
        call->traced_tokens_out = out;
    }
}

static void write_stage(struct call *call, const struct stage *stage)
{
    struct trace_span span;
    struct responder *r = call->responder;
    if (stage->from_us <= 0 || stage->to_us < stage->from_us) {
        return; /* it did not take place */
    }
    const struct provider *provider =
        stage->chain ? find_provider(stage->chain, r->ops->provider(r, stage->role)) : NULL;
    begin_stage(&span, call, stage, provider);
    if (stage->role == RESPONDER_LLM) {
        int64_t first_us = call->answer.token_us - stage->from_us;
        if (first_us >= 0) {
            trace_span_double(&span, TRACE_FIRST_CHUNK, (double)first_us / 1e6);
        }
        put_tokens(&span, call);
    }
    trace_span_end(&span, call->env.traces, NULL);
}

static void write_turn(struct call *call, int64_t from_us, int64_t to_us, bool was_interrupted)
{
    const struct answer *answer = &call->answer;
    struct trace_span span;
    uint8_t own[TRACE_SPAN];
    turn_span(call, answer->epoch, own);
    const struct trace_span_head head = {
        .call = &call->trace,
        .span_id = own,
        .parent_id = call->trace.root.span_id,
        .name = TRACE_TURN_NAME,
        .kind = TRACE_INTERNAL,
        .start_wall_us = call_wall(call, from_us),
        .end_wall_us = call_wall(call, to_us),
    };
    trace_span_begin(&span, &head);
    trace_span_text(&span, TRACE_CONVERSATION, call->id);
    trace_span_text(&span, TRACE_AGENT, call->agent->name);
    trace_span_int(&span, TRACE_TURN, (int64_t)answer->turn);
    trace_span_bool(&span, TRACE_INTERRUPTED, was_interrupted);
    trace_span_int(&span, TRACE_FAILOVERS, answer->failovers);
    if (answer->turn_ended_us > 0 && answer->sent_us >= answer->turn_ended_us) {
        trace_span_int(&span, TRACE_RESPONSE_MS, (answer->sent_us - answer->turn_ended_us) / 1000);
    }
    trace_span_end(&span, call->env.traces, NULL);
}

void call_trace_turn(struct call *call, bool was_interrupted)
{
    const struct answer *answer = &call->answer;
    if (!is_on(call)) {
        return;
    }
    int64_t now_us = sched_now(call->env.sched);
    int64_t text_us = answer->token_us > 0 ? answer->token_us : answer->started_us;
    int64_t begin_us = answer->turn_ended_us > 0 && answer->turn_ended_us < answer->started_us
                           ? answer->turn_ended_us
                           : answer->started_us;
    const struct stage stages[] = {
        {1, TRACE_STT_NAME, &call->agent->stt, RESPONDER_STT, answer->turn_ended_us,
         answer->words_us},
        {2, TRACE_LLM_NAME, &call->agent->llm, RESPONDER_LLM, answer->started_us,
         answer->thought_us > 0 ? answer->thought_us : answer->token_us},
        {3, TRACE_TTS_NAME, &call->agent->tts, RESPONDER_TTS, answer->audio_us > 0 ? text_us : 0,
         answer->audio_us},
        {4, TRACE_PLAYOUT_NAME, NULL, RESPONDER_TTS, answer->sent_us, now_us},
    };
    write_turn(call, begin_us, now_us, was_interrupted);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        write_stage(call, &stages[i]);
    }
}

void call_trace_tool_begin(struct call *call, struct tool_run *run, char to[TRACE_PARENT_TEXT])
{
    sched_random(call->env.sched, run->span_id, sizeof(run->span_id));
    run->span_id[0] |= 1;
    trace_call_parent(&call->trace, run->span_id, to);
}

void call_trace_tool_end(struct call *call, const struct tool_run *run, int32_t http_status,
                         const char *error)
{
    struct trace_span span;
    char name[NAME];
    uint8_t parent[TRACE_SPAN];
    if (!is_on(call)) {
        return;
    }
    (void)snprintf(name, sizeof(name), TRACE_TOOL_NAME " %s", run->tool->name);
    turn_span(call, run->turn_epoch, parent);
    const struct trace_span_head head = {
        .call = &call->trace,
        .span_id = run->span_id,
        .parent_id = parent,
        .name = name,
        .kind = TRACE_CLIENT,
        .start_wall_us = call_wall(call, run->began_us),
        .end_wall_us = sched_wall(call->env.sched),
    };
    bool is_bad = http_status < 200 || http_status > 299;
    trace_span_begin(&span, &head);
    trace_span_text(&span, TRACE_OPERATION, TRACE_TOOL_NAME);
    trace_span_text(&span, TRACE_TOOL, run->tool->name);
    trace_span_text(&span, TRACE_CONVERSATION, call->id);
    trace_span_text(&span, TRACE_ERROR_TYPE, error);
    if (http_status > 0) {
        trace_span_int(&span, TRACE_HTTP_STATUS, http_status);
    }
    trace_span_end(&span, call->env.traces, error ? error : is_bad ? "http_status" : NULL);
}

void call_trace_end(struct call *call)
{
    const struct webhook_call facts = call_facts_of(call);
    trace_root_write(call->env.traces, &call->trace, &facts);
}
