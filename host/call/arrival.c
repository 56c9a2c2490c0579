/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"
#include "plugin/guard.h"

#include <stdlib.h>
#include <string.h>

/*
 * A leg is let in when its token is ours, unused, and its call is known: on this worker, or on
 * another one, which then hands it over. Meanwhile its sound is held off; nothing is spent on it.
 */

static void close_leg(struct arrival *arrival)
{
    struct provider *provider = arrival->provider;
    GUARD(provider, "telephony.leg_close", provider->telephony.leg_close(arrival->leg));
}

static void unlist(struct arrival *arrival)
{
    struct arrival **at = &arrival->calls->arrivals;
    while (*at != arrival) {
        at = &(*at)->next;
    }
    *at = arrival->next;
}

static void free_arrival(struct arrival *arrival)
{
    free(arrival->provider_call_id);
    free(arrival->from);
    free(arrival->to);
    free(arrival);
}

static void forget(struct arrival *arrival)
{
    unlist(arrival);
    free_arrival(arrival);
}

/* An answer came for one that was dropped meanwhile. */
static bool was_dropped(struct arrival *arrival)
{
    if (arrival->leg) {
        return false;
    }
    free_arrival(arrival);
    return true;
}

static void turn_away(struct arrival *arrival, const char *reason)
{
    log_warn("call", "sound was not let in", LOG_S("provider", arrival->provider->name),
             LOG_S("call", arrival->call_id), LOG_S("reason", reason));
    close_leg(arrival);
    forget(arrival);
}

static void hold_off(const struct aic_telephony_sink *sink, const struct aic_telephony_event *event)
{
    struct arrival *arrival = sink->impl;
    if (event->kind == AIC_TEL_EVENT_MEDIA_STOP) {
        arrival->is_gone = true;
    }
}

static struct aic_str first_of(const char *a, const char *b)
{
    return a && a[0] ? aic_str(a) : aic_str(b ? b : "");
}

/* The call's record becomes the call. */
static void let_in(struct arrival *arrival, struct pending *pending)
{
    struct calls *calls = arrival->calls;
    const struct call_params params = {
        .id = pending->id,
        .agent = pending->agent,
        .direction = pending->direction,
        .from = first_of(pending->from, arrival->from),
        .to = first_of(pending->to, arrival->to),
        .provider_call_id = first_of(arrival->provider_call_id, pending->provider_call_id),
        .provider = arrival->provider->name,
        .prompt = first_of(pending->prompt, NULL),
        .context = first_of(pending->context, NULL),
        .context_url = first_of(pending->context_url, NULL),
        .variables = first_of(pending->variables, NULL),
        .metadata = first_of(pending->metadata, NULL),
        .traceparent = pending->traceparent,
        .record_to = pending->record_to,
        .created_wall_us = pending->created_wall_us,
        .first_revision = pending->revision,
    };
    struct live *live = arrival->is_gone ? NULL : calls_add(calls, &params);
    struct aic_telephony_event start = {.size = sizeof(start),
                                        .kind = AIC_TEL_EVENT_MEDIA_START,
                                        .leg = arrival->leg,
                                        .format_in = arrival->format_in,
                                        .format_out = arrival->format_out};
    if (live) {
        live->is_announced = pending->is_announced;
        live->has_share = pending->has_share;
        pending->has_share = false;
    }
    pending_keep_claim(pending);
    pending_answer(pending, AIC_OK, "", NULL);
    pending_remove(pending);
    if (!live) {
        turn_away(arrival, arrival->is_gone ? "gone" : "out_of_memory");
        return;
    }
    if (call_attach(live->call, arrival->provider, &start) != AIC_OK) {
        call_end(live->call, "media_refused", false);
        turn_away(arrival, "media_refused");
        return;
    }
    forget(arrival);
}

static void taken_over(void *data, int32_t status, struct aic_str answer)
{
    struct arrival *arrival = data;
    if (was_dropped(arrival)) {
        return;
    }
    struct pending *pending = status == AIC_OK ? pending_read(arrival->calls, answer) : NULL;
    arrival->is_waiting = false;
    if (!pending) {
        turn_away(arrival, "unknown_call");
        return;
    }
    calls_claim_pending(pending);
    let_in(arrival, pending);
}

static void token_was_used(void *data, int32_t status, struct aic_str answer)
{
    struct arrival *arrival = data;
    (void)answer;
    if (was_dropped(arrival)) {
        return;
    }
    struct calls *calls = arrival->calls;
    arrival->is_waiting = false;
    if (status != AIC_OK) {
        turn_away(arrival, status == AIC_ERROR_CONFLICT ? "token_used_before" : "no_master");
        return;
    }
    struct pending *pending = pending_find(calls, arrival->call_id);
    if (pending) {
        let_in(arrival, pending);
        return;
    }
    arrival->is_waiting = true;
    link_relay(calls->settings.link, arrival->call_id, "call.take", AIC_STR("{}"), taken_over,
               arrival);
}

void arrival_begin(struct calls *calls, struct provider *provider,
                   const struct aic_telephony_event *start)
{
    struct token token;
    struct sched *sched = calls->settings.sched;
    int32_t status =
        token_check(start->token, calls->settings.secret, NULL, sched_wall(sched), &token);
    bool is_same = start->call_id.len == 0 || aic_str_equal(start->call_id, token.call_id);
    struct arrival *arrival = status == AIC_OK && is_same ? calloc(1, sizeof(*arrival)) : NULL;
    if (!arrival) {
        log_warn("call", "sound without a good token was refused",
                 LOG_S("provider", provider->name),
                 LOG_S("reason", status == AIC_ERROR_TIMEOUT ? "expired" : "forged"));
        GUARD(provider, "telephony.leg_close", provider->telephony.leg_close(start->leg));
        return;
    }
    arrival->calls = calls;
    arrival->provider = provider;
    arrival->leg = start->leg;
    arrival->format_in = start->format_in;
    arrival->format_out = start->format_out;
    arrival->provider_call_id = aic_str_dup(start->provider_call_id);
    arrival->from = aic_str_dup(start->from);
    arrival->to = aic_str_dup(start->to);
    memcpy(arrival->call_id, token.call_id, sizeof(arrival->call_id));
    memcpy(arrival->nonce, token.nonce, sizeof(arrival->nonce));
    arrival->sink = (struct aic_telephony_sink){
        .size = sizeof(arrival->sink), .impl = arrival, .event = hold_off};
    arrival->next = calls->arrivals;
    calls->arrivals = arrival;
    GUARD(provider, "telephony.leg_attach",
          status = provider->telephony.leg_attach(start->leg, &arrival->sink));
    if (status != AIC_OK) {
        turn_away(arrival, "attach_failed");
        return;
    }
    arrival->is_waiting = true;
    link_use_token(calls->settings.link, arrival->nonce, token.expires_wall_us, token_was_used,
                   arrival);
}

void arrival_drop_all(struct calls *calls)
{
    struct arrival *next = NULL;
    for (struct arrival *arrival = calls->arrivals; arrival; arrival = next) {
        next = arrival->next;
        if (!arrival->is_waiting) {
            turn_away(arrival, "shutdown");
            continue;
        }
        /* Its memory is freed when the answer comes. */
        close_leg(arrival);
        unlist(arrival);
        arrival->leg = NULL;
    }
}
