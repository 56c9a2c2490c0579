/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/counters.h"
#include "base/log.h"
#include "plugin/guard.h"

#include <string.h>

/* Somebody rings, a call that we dialled was answered, or a page wants to talk. */

/* How long a token is good. */
static const int64_t token_us = 300 * INT64_C(1000000);

void calls_token(const struct calls *calls, const char *id, char token[TOKEN_TEXT])
{
    uint8_t random[16];
    struct sched *sched = calls->settings.sched;
    sched_random(sched, random, sizeof(random));
    token_make(token, calls->settings.secret, id, sched_wall(sched) + token_us, random);
}

static void reject(struct provider *provider, void *offer, uint32_t reason)
{
    if (provider->telephony.reject) {
        GUARD(provider, "telephony.reject",
              (void)provider->telephony.reject(provider->self, offer, reason));
    }
}

void calls_decline(struct provider *provider, void *offer)
{
    reject(provider, offer, AIC_REJECT_FINISHED);
}

static void accept(struct calls *calls, struct provider *provider, void *offer, const char *id)
{
    char token[TOKEN_TEXT];
    calls_token(calls, id, token);
    struct aic_telephony_accept params = {.size = sizeof(params), .call_id = id, .token = token};
    if (provider->telephony.accept) {
        GUARD(provider, "telephony.accept",
              (void)provider->telephony.accept(provider->self, offer, &params));
    }
}

static void answer_ring(struct pending *pending)
{
    void *offer = pending->offer;
    pending->offer = NULL;
    pending_record(pending, NULL);
    accept(pending->calls, pending->provider, offer, pending->id);
}

static void ring_was_counted(void *data, bool is_crowded)
{
    struct pending *pending = data;
    pending->crowd = NULL;
    if (!is_crowded) {
        answer_ring(pending);
        return;
    }
    counter_add(COUNTER_PER_CALLER, 1);
    log_warn("call", "turned away", LOG_S("provider", pending->provider->name),
             LOG_S("reason", "limit_per_caller"));
    reject(pending->provider, pending->offer, AIC_REJECT_BUSY);
    pending->offer = NULL;
    pending_remove(pending);
}

static void take_ring(struct calls *calls, struct provider *provider,
                      const struct aic_telephony_event *event)
{
    const struct agent *agent = agents_for_number(calls->settings.agents, event->to);
    struct pending *pending = agent ? pending_admit(calls, agent, AIC_DIRECTION_INBOUND) : NULL;
    if (!pending) {
        counter_add(COUNTER_NO_ROOM, agent ? 1 : 0);
        log_warn("call", "turned away", LOG_S("provider", provider->name),
                 LOG_S("reason", agent ? "no_room" : "no_agent"));
        reject(provider, event->offer, agent ? AIC_REJECT_BUSY : AIC_REJECT_REFUSED);
        return;
    }
    pending->provider = provider;
    pending->status = AIC_CALL_RINGING;
    pending->from = aic_str_dup(event->from);
    pending->to = aic_str_dup(event->to);
    pending->provider_call_id = aic_str_dup(event->provider_call_id);
    agent_prewarm(agent);
    calls_claim_pending(pending);
    pending->offer = event->offer;
    pending->crowd = crowd_ask(calls, pending->from, ring_was_counted, pending);
    if (!pending->crowd) {
        answer_ring(pending);
    }
}

void pending_offer(struct calls *calls, struct provider *provider,
                   const struct aic_telephony_event *event)
{
    char id[UUID_TEXT];
    switch (event->offer_kind) {
    case AIC_OFFER_RING:
        take_ring(calls, provider, event);
        break;
    case AIC_OFFER_ANSWERED:
        if (!uuid_valid(event->call_id)) {
            reject(provider, event->offer, AIC_REJECT_REFUSED);
            break;
        }
        (void)aic_str_copy(event->call_id, id, sizeof(id));
        accept(calls, provider, event->offer, id);
        break;
    default:
        reject(provider, event->offer, AIC_REJECT_FINISHED);
        break;
    }
}

int32_t calls_invite(struct calls *calls, const char *agent, char id[UUID_TEXT], char *token,
                     size_t token_bytes)
{
    const struct agent *found = agents_find(calls->settings.agents, agent);
    if (!found) {
        return AIC_ERROR_NOT_FOUND;
    }
    struct pending *pending = pending_admit(calls, found, AIC_DIRECTION_INBOUND);
    if (!pending) {
        return AIC_ERROR_BUSY;
    }
    char text[TOKEN_TEXT];
    calls_token(calls, pending->id, text);
    agent_prewarm(found);
    calls_claim_pending(pending);
    (void)aic_str_copy(aic_str(text), token, token_bytes);
    (void)aic_str_copy(aic_str(pending->id), id, UUID_TEXT);
    return AIC_OK;
}
