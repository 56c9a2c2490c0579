/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/counters.h"
#include "call/gate.h"
#include "plugin/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a telephone may ring, and its sound may take to come. */
enum { RING_MS = 180000 };

enum { MAX_ERROR = 320 };

/* The one who asked to dial is told something within this time. */
static const int64_t dial_reply_us = 5 * INT64_C(1000000);

static void reply_is_due(void *data)
{
    struct pending *pending = data;
    pending->timer = NULL;
    /* The carrier takes its time: the call is on its way without a carrier's id yet. */
    pending_answer(pending, AIC_OK, "", NULL);
    pending_wait(pending);
}

static struct provider *choose_carrier(const struct calls *calls, const struct agent *agent,
                                       const char *name)
{
    if (name) {
        return calls_carrier(calls, name);
    }
    for (size_t i = 0; i < agent->telephony.count; i++) {
        struct provider *provider = agent->telephony.providers[i];
        if ((provider->telephony_caps.flags & AIC_TEL_DIAL) && provider->telephony.dial) {
            return provider;
        }
    }
    return NULL;
}

/* Why a call can not be placed, for programs and for people. */
struct obstacle {
    int32_t status;
    const char *reason;
    const char *error;
    const char *name; /* that the sentence ends with; NULL = none */
};

static const struct obstacle no_room = {AIC_ERROR_CLOSED, "no_room", "no room for another call now",
                                        NULL};

static struct obstacle find_obstacle(const struct calls *calls, const char *name,
                                     const struct agent *agent, const struct provider *provider)
{
    if (!agent) {
        return (struct obstacle){AIC_ERROR_NOT_FOUND, "no_agent", "there is no agent",
                                 name ? name : "default"};
    }
    if (!provider || !provider->telephony.dial) {
        return (struct obstacle){AIC_ERROR_UNSUPPORTED, "no_carrier",
                                 "the agent has no telephony provider that can dial", NULL};
    }
    if (!calls_have_room(calls)) {
        return no_room;
    }
    return (struct obstacle){.status = AIC_OK};
}

bool calls_are_gated(uint32_t direction, const struct provider *provider, const char *to)
{
    bool is_public = provider && (provider->telephony_caps.flags & AIC_TEL_PUBLIC);
    bool is_number = to && (to[0] == '+' || (to[0] >= '0' && to[0] <= '9'));
    return direction == AIC_DIRECTION_OUTBOUND && (is_public || is_number);
}

void calls_settle(struct calls *calls, const char *id, double cost)
{
    if (calls->settings.gate) {
        gate_settle(calls->settings.gate, id, cost);
    }
}

static int64_t limit_ms(const struct agent *agent)
{
    return agent->max_duration_us / 1000 + 60000;
}

static int32_t place(struct pending *pending)
{
    struct provider *provider = pending->provider;
    char token[TOKEN_TEXT];
    calls_token(pending->calls, pending->id, token);
    struct aic_telephony_dial params = {
        .size = sizeof(params),
        .request_id = pending->request_id,
        .call_id = pending->id,
        .token = token,
        .to = pending->to,
        .from = "",
        .limit_ms = limit_ms(pending->agent),
    };
    int32_t status = AIC_OK;
    GUARD(provider, "telephony.dial", status = provider->telephony.dial(provider->self, &params));
    pending->is_dialling = status == AIC_OK;
    return status;
}

/* An answer that must not come from inside of the request. */
struct refusal {
    int32_t status;
    const char *reason;
    char error[MAX_ERROR];
    calls_dialed reply;
    void *data;
};

static void tell_refusal(void *data)
{
    struct refusal *refusal = data;
    const struct calls_dial_result result = {.status = refusal->status,
                                             .call_id = "",
                                             .reason = refusal->reason,
                                             .error = refusal->error};
    refusal->reply(refusal->data, &result);
    free(refusal);
}

static void refuse(struct calls *calls, struct obstacle obstacle, calls_dialed reply, void *data)
{
    struct refusal *refusal = malloc(sizeof(*refusal));
    if (refusal) {
        *refusal = (struct refusal){
            .status = obstacle.status, .reason = obstacle.reason, .reply = reply, .data = data};
        bool is_named = obstacle.name != NULL;
        (void)snprintf(refusal->error, sizeof(refusal->error), "%s%s%.200s%s", obstacle.error,
                       is_named ? " \"" : "", is_named ? obstacle.name : "", is_named ? "\"" : "");
        (void)sched_post(calls->settings.sched, tell_refusal, refusal);
    }
}

/* Nothing comes of it. The call's record says why; who asked gets an answer. */
static void end_dial(struct pending *pending, const struct calls_dial_result *result,
                     const char *end_reason)
{
    calls_dialed reply = pending->reply;
    pending->reply = NULL;
    pending->status = AIC_CALL_FAILED;
    pending_record(pending, end_reason);
    if (reply) {
        reply(pending->reply_data, result);
    }
    pending_remove(pending);
}

/* Asks the carrier to dial; not from inside of calls_dial. */
static void dial_now(struct pending *pending)
{
    int32_t status = place(pending);
    if (status == AIC_OK) {
        return;
    }
    if (pending->has_share) {
        pending->has_share = false;
        gate_release(pending->calls->settings.gate, pending->id);
    }
    const struct calls_dial_result result = {.status = status,
                                             .call_id = pending->id,
                                             .reason = "carrier",
                                             .error =
                                                 "the carrier's plugin does not take the call"};
    end_dial(pending, &result, "dial_refused");
}

static void dial_was_counted(void *data, bool is_crowded)
{
    struct pending *pending = data;
    struct calls *calls = pending->calls;
    pending->crowd = NULL;
    if (!is_crowded) {
        dial_now(pending);
        return;
    }
    pending->has_share = false;
    counter_add(COUNTER_PER_CALLER, 1);
    gate_release(calls->settings.gate, pending->id);
    calls_record_event(calls, pending->id, "dial_refused",
                       AIC_STR("{\"reason\":\"limit_per_caller\"}"));
    const struct calls_dial_result result = {
        .status = AIC_ERROR_BUSY,
        .call_id = pending->id,
        .reason = "limit_per_caller",
        .error = "limits.max_calls_per_caller calls with this number live already",
    };
    end_dial(pending, &result, result.reason);
}

static void gate_has_decided(void *data, const struct gate_verdict *verdict)
{
    struct pending *pending = data;
    pending->check = NULL;
    if (verdict->reason == GATE_ALLOWED) {
        pending->has_share = true;
        pending->is_admitted = true;
        calls_update_pending(pending);
        pending->crowd = crowd_ask(pending->calls, pending->to, dial_was_counted, pending);
        if (!pending->crowd) {
            dial_now(pending);
        }
        return;
    }
    const struct calls_dial_result result = {.status = gate_reason_status(verdict->reason),
                                             .call_id = pending->id,
                                             .reason = gate_reason_name(verdict->reason),
                                             .error = verdict->text,
                                             .retry_after_ms = verdict->retry_after_ms};
    end_dial(pending, &result, result.reason);
}

static void dial_later(void *data)
{
    struct pending *pending = data;
    pending->start = NULL;
    dial_now(pending);
}

/* Real people are dialled when the gate says so; a caller on this machine at once. */
static bool begin_dial(struct pending *pending, const char *actor)
{
    struct calls *calls = pending->calls;
    struct sched *sched = calls->settings.sched;
    if (!calls_are_gated(pending->direction, pending->provider, pending->to)) {
        pending->start = sched_timer_start(sched, sched_now(sched), dial_later, pending);
        return pending->start != NULL;
    }
    const struct gate_request request = {.call_id = pending->id,
                                         .to = pending->to,
                                         .agent = pending->agent->name,
                                         .actor = actor,
                                         .has_greeting = pending->agent->greeting[0] != '\0',
                                         .limit_ms = limit_ms(pending->agent) + RING_MS};
    pending->check = calls->settings.gate
                         ? gate_pass(calls->settings.gate, &request, gate_has_decided, pending)
                         : NULL;
    return pending->check != NULL;
}

void calls_dial(struct calls *calls, const struct calls_dial *params, calls_dialed reply,
                void *data)
{
    const struct agent *agent = agents_find(calls->settings.agents, params->agent);
    struct provider *provider = agent ? choose_carrier(calls, agent, params->provider) : NULL;
    struct obstacle obstacle = find_obstacle(calls, params->agent, agent, provider);
    struct pending *pending =
        obstacle.status == AIC_OK ? pending_admit(calls, agent, AIC_DIRECTION_OUTBOUND) : NULL;
    if (obstacle.status == AIC_OK && !pending) {
        obstacle = no_room;
    }
    if (!pending) {
        counter_add(COUNTER_NO_ROOM, obstacle.status == AIC_ERROR_CLOSED ? 1 : 0);
        refuse(calls, obstacle, reply, data);
        return;
    }
    struct sched *sched = calls->settings.sched;
    sched_timer_stop(sched, pending->timer);
    pending->timer =
        sched_timer_start(sched, sched_now(sched) + dial_reply_us, reply_is_due, pending);
    pending->provider = provider;
    pending->is_admitted = !calls_are_gated(pending->direction, provider, params->to);
    pending->request_id = ++calls->last_request;
    pending->to = aic_str_dup(aic_str(params->to));
    pending->from = aic_str_dup(AIC_STR(""));
    pending->prompt = aic_str_dup(params->prompt);
    pending->context = aic_str_dup(params->context);
    pending->context_url = aic_str_dup(params->context_url);
    pending->variables = aic_str_dup(params->variables);
    pending->metadata = aic_str_dup(params->metadata);
    (void)aic_str_copy(aic_str(params->traceparent), pending->traceparent, TRACE_PARENT_TEXT);
    pending->record_to = params->record_to ? strdup(params->record_to) : NULL;
    pending->reply = reply;
    pending->reply_data = data;
    agent_prewarm(agent);
    calls_claim_pending(pending);
    pending_record(pending, NULL);
    if (!pending->to || !begin_dial(pending, params->actor)) {
        pending->reply = NULL;
        pending_remove(pending);
        refuse(calls, (struct obstacle){AIC_ERROR_MEMORY, "out_of_memory", "out of memory", NULL},
               reply, data);
    }
}

void pending_dialed(struct calls *calls, const struct aic_telephony_event *event)
{
    struct pending *pending = pending_by_request(calls, event->request_id);
    if (!pending) {
        return;
    }
    free(pending->provider_call_id);
    pending->provider_call_id = aic_str_dup(event->provider_call_id);
    if (pending->is_called_off) {
        pending_call_off(pending);
        return;
    }
    if (event->from.len > 0) {
        free(pending->from);
        pending->from = aic_str_dup(event->from);
    }
    pending_record(pending, NULL);
    calls_update_pending(pending);
    pending_answer(pending, AIC_OK, "", NULL);
    pending_wait(pending);
}

void pending_failed(struct calls *calls, const struct aic_telephony_event *event)
{
    struct pending *pending = pending_by_request(calls, event->request_id);
    if (!pending) {
        return;
    }
    if (pending->is_called_off) {
        pending_remove(pending);
        return;
    }
    char message[512] = "the carrier refused the call";
    if (event->error && event->error->message.len > 0) {
        (void)aic_str_copy(event->error->message, message, sizeof(message));
    }
    pending->status = AIC_CALL_FAILED;
    pending_record(pending, "dial_failed");
    pending_answer(pending, AIC_ERROR_IO, "carrier", message);
    pending_remove(pending);
}
