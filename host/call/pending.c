/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "call/gate.h"
#include "plugin/guard.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

/* How long a call may wait for its sound: from the first, and when it was cut off from it. */
static const int64_t ring_us = 180 * INT64_C(1000000);
static const int64_t return_us = 60 * INT64_C(1000000);

static void give_up(void *data)
{
    struct pending *pending = data;
    pending->timer = NULL;
    log_warn("call", "its sound did not come", LOG_S("call", pending->id));
    pending->status = AIC_CALL_FAILED;
    /* An invitation that no page came back with never was a call. */
    if (pending->provider || pending->is_interrupted) {
        pending_record(pending, pending->is_interrupted ? "interrupted" : "no_media");
    }
    pending_call_off(pending);
}

void pending_wait(struct pending *pending)
{
    struct sched *sched = pending->calls->settings.sched;
    int64_t patience_us = pending->is_interrupted ? return_us : ring_us;
    sched_timer_stop(sched, pending->timer);
    pending->timer = sched_timer_start(sched, sched_now(sched) + patience_us, give_up, pending);
}

struct pending *pending_add(struct calls *calls, const struct agent *agent, uint32_t direction)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending) {
        return NULL;
    }
    struct sched *sched = calls->settings.sched;
    uint8_t random[10];
    sched_random(sched, random, sizeof(random));
    pending->calls = calls;
    pending->agent = agent;
    pending->direction = direction;
    pending->status = AIC_CALL_QUEUED;
    pending->is_admitted = true;
    pending->created_wall_us = sched_wall(sched);
    uuid7_format(pending->id, pending->created_wall_us, random);
    pending_wait(pending);
    pending->next = calls->pending;
    calls->pending = pending;
    calls->pending_count++;
    calls_count(calls);
    return pending;
}

struct pending *pending_admit(struct calls *calls, const struct agent *agent, uint32_t direction)
{
    struct pending *pending = calls_have_room(calls) ? pending_add(calls, agent, direction) : NULL;
    /* Another worker may have taken the last place at the same time. Each counts its own first, so
     * that one of them sees both. */
    if (pending && !calls_are_few(calls)) {
        pending_remove(pending);
        return NULL;
    }
    return pending;
}

void pending_remove(struct pending *pending)
{
    struct calls *calls = pending->calls;
    struct pending **at = &calls->pending;
    while (*at != pending) {
        at = &(*at)->next;
    }
    *at = pending->next;
    calls->pending_count--;
    calls_count(calls);
    gate_drop(pending->check);
    crowd_drop(pending->crowd);
    if (pending->offer) {
        calls_decline(pending->provider, pending->offer);
    }
    sched_timer_stop(calls->settings.sched, pending->start);
    if (pending->has_share) {
        calls_settle(calls, pending->id, 0);
    }
    pending_answer(pending, AIC_ERROR_CLOSED, "canceled", "the call ended before it began");
    if (!pending->keeps_claim) {
        calls_release_pending(pending);
    }
    sched_timer_stop(calls->settings.sched, pending->timer);
    free(pending->from);
    free(pending->to);
    free(pending->provider_call_id);
    free(pending->prompt);
    free(pending->context);
    free(pending->context_url);
    free(pending->variables);
    free(pending->metadata);
    free(pending->record_to);
    free(pending);
}

static bool has_sid(const struct pending *pending)
{
    return pending->provider_call_id && pending->provider_call_id[0];
}

void pending_call_off(struct pending *pending)
{
    struct provider *provider = pending->provider;
    if (provider && provider->telephony.hangup && has_sid(pending)) {
        int32_t status = AIC_OK;
        GUARD(provider, "telephony.hangup",
              status = provider->telephony.hangup(provider->self, ++pending->calls->last_request,
                                                  aic_str(pending->provider_call_id)));
        if (status != AIC_OK) {
            log_warn("call", "the carrier does not take the hangup", LOG_S("call", pending->id),
                     LOG_I("status", status));
        }
    } else if (pending->is_dialling && !has_sid(pending) && !pending->is_called_off) {
        /* The carrier has not named the call yet; once it does it is hung up. */
        pending->is_called_off = true;
        pending_answer(pending, AIC_ERROR_CLOSED, "canceled", "the call ended before it began");
        pending_wait(pending);
        return;
    }
    pending_remove(pending);
}

void pending_keep_claim(struct pending *pending)
{
    pending->keeps_claim = true;
}

struct pending *pending_find(const struct calls *calls, const char *id)
{
    struct pending *pending = calls->pending;
    while (pending && (pending->is_called_off || strcmp(pending->id, id) != 0)) {
        pending = pending->next;
    }
    return pending;
}

struct pending *pending_by_request(const struct calls *calls, uint64_t request_id)
{
    struct pending *pending = request_id ? calls->pending : NULL;
    while (pending && pending->request_id != request_id) {
        pending = pending->next;
    }
    return pending;
}

struct pending *pending_by_sid(const struct calls *calls, struct aic_str sid)
{
    struct pending *pending = sid.len > 0 ? calls->pending : NULL;
    while (pending &&
           (!pending->provider_call_id || !aic_str_equal(sid, pending->provider_call_id))) {
        pending = pending->next;
    }
    return pending;
}

static struct aic_str text_of(const char *text)
{
    return text ? aic_str(text) : AIC_STR("");
}

void pending_answer(struct pending *pending, int32_t status, const char *reason, const char *error)
{
    calls_dialed reply = pending->reply;
    const struct calls_dial_result result = {.status = status,
                                             .call_id = pending->id,
                                             .call_sid = pending->provider_call_id,
                                             .reason = reason,
                                             .error = error};
    pending->reply = NULL;
    if (reply) {
        reply(pending->reply_data, &result);
    }
}

/* What the one who placed the call gave, once. */
static void write_wish(const struct pending *pending, struct aic_json_writer *w)
{
    if (pending->prompt && pending->prompt[0]) {
        aic_json_member_text(w, "system_prompt", pending->prompt);
    }
    if (pending->context_url && pending->context_url[0]) {
        aic_json_member_text(w, "context_url", pending->context_url);
        aic_json_member(w, "context_data", text_of(pending->context));
    }
    if (pending->metadata && pending->metadata[0]) {
        aic_json_member_raw(w, "metadata", aic_str(pending->metadata));
    }
}

void pending_record(struct pending *pending, const char *end_reason)
{
    static const char *const names[] = {"",     "queued",    "ringing", "in_progress", "completed",
                                        "busy", "no_answer", "failed",  "canceled"};
    struct journal *journal = pending->calls->settings.journal;
    struct aic_buf buf;
    struct aic_json_writer w;
    char time[TIME_TEXT];
    if (end_reason) {
        (void)aic_str_copy(aic_str(end_reason), pending->end_reason, sizeof(pending->end_reason));
        metrics_count_end(pending->direction == AIC_DIRECTION_OUTBOUND ? METRICS_OUTBOUND
                                                                       : METRICS_INBOUND,
                          pending->status);
    }
    if (!journal) {
        return;
    }
    aic_buf_init(&buf, 1 << 20);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    if (pending->provider_call_id) {
        aic_json_member_text(&w, "call_sid", pending->provider_call_id);
    }
    aic_json_member_text(&w, "provider", pending->provider ? pending->provider->name : "");
    aic_json_member_text(&w, "direction",
                         pending->direction == AIC_DIRECTION_OUTBOUND ? "outbound" : "inbound");
    aic_json_member(&w, "from_number", text_of(pending->from));
    aic_json_member(&w, "to_number", text_of(pending->to));
    aic_json_member_text(&w, "agent", pending->agent->name);
    aic_json_member_text(&w, "status", names[pending->status]);
    if (pending->revision == 0) {
        write_wish(pending, &w);
    }
    time_format(time, pending->created_wall_us);
    aic_json_member_text(&w, "created_at", time);
    aic_json_member_text(&w, "started_at", time);
    if (end_reason) {
        int64_t now_us = sched_wall(pending->calls->settings.sched);
        time_format(time, now_us);
        aic_json_member_text(&w, "ended_at", time);
        if (pending->answered_wall_us > 0) {
            aic_json_member_double(&w, "duration_s",
                                   (double)(now_us - pending->answered_wall_us) / 1e6);
        }
        aic_json_member_text(&w, "end_reason", end_reason);
    }
    aic_json_close(&w, '}');
    struct journal_fact fact = {.table = "calls",
                                .id = pending->id,
                                .call_id = pending->id,
                                .revision = ++pending->revision,
                                .columns = aic_buf_view(&buf)};
    journal->write(journal, &fact, false, NULL, NULL);
    aic_buf_finish(&buf);
    pending_tell(pending, end_reason);
}

bool pending_status(struct calls *calls, const struct aic_telephony_event *event)
{
    char id[UUID_TEXT];
    (void)aic_str_copy(event->call_id, id, sizeof(id));
    struct pending *pending = pending_find(calls, id);
    if (!pending) {
        pending = pending_by_sid(calls, event->provider_call_id);
    }
    if (!pending || event->status <= pending->status) {
        return pending != NULL;
    }
    pending->status = event->status;
    if (event->status < AIC_CALL_COMPLETED) {
        pending_record(pending, NULL);
        calls_update_pending(pending);
        return true;
    }
    pending_record(pending, pending->is_interrupted ? "interrupted" : "carrier");
    pending_remove(pending);
    return true;
}

/* Another worker may get the call's sound. */

void pending_write(const struct pending *pending, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", pending->id);
    aic_json_member_text(&w, "agent", pending->agent->name);
    aic_json_member_bool(&w, "is_announced", pending->is_announced);
    aic_json_member_int(&w, "direction", pending->direction);
    aic_json_member_int(&w, "status", pending->status);
    aic_json_member_int(&w, "revision", (int64_t)pending->revision);
    aic_json_member_int(&w, "created", pending->created_wall_us);
    aic_json_member_bool(&w, "has_share", pending->has_share);
    aic_json_member(&w, "from", text_of(pending->from));
    aic_json_member(&w, "to", text_of(pending->to));
    aic_json_member(&w, "sid", text_of(pending->provider_call_id));
    aic_json_member(&w, "prompt", text_of(pending->prompt));
    aic_json_member(&w, "context", text_of(pending->context));
    aic_json_member(&w, "context_url", text_of(pending->context_url));
    aic_json_member(&w, "variables", text_of(pending->variables));
    aic_json_member(&w, "metadata", text_of(pending->metadata));
    aic_json_member_text(&w, "traceparent", pending->traceparent);
    aic_json_close(&w, '}');
}

struct pending *pending_read(struct calls *calls, struct aic_str json)
{
    struct aic_json *root = aic_json_parse(json, LINK_BODY_BYTES);
    char *name = aic_str_dup(aic_json_get_text(root, "agent"));
    const struct agent *agent = name ? agents_find(calls->settings.agents, name) : NULL;
    free(name);
    struct pending *pending =
        agent ? pending_add(calls, agent, (uint32_t)aic_json_get_int(root, "direction", 0)) : NULL;
    if (pending) {
        (void)aic_str_copy(aic_json_get_text(root, "call_id"), pending->id, sizeof(pending->id));
        pending->is_announced = aic_json_get_bool(root, "is_announced", false);
        pending->status = (uint32_t)aic_json_get_int(root, "status", AIC_CALL_QUEUED);
        pending->revision = (uint64_t)aic_json_get_int(root, "revision", 0);
        pending->created_wall_us = aic_json_get_int(root, "created", pending->created_wall_us);
        pending->has_share = aic_json_get_bool(root, "has_share", false);
        pending->from = aic_str_dup(aic_json_get_text(root, "from"));
        pending->to = aic_str_dup(aic_json_get_text(root, "to"));
        pending->provider_call_id = aic_str_dup(aic_json_get_text(root, "sid"));
        pending->prompt = aic_str_dup(aic_json_get_text(root, "prompt"));
        pending->context = aic_str_dup(aic_json_get_text(root, "context"));
        pending->context_url = aic_str_dup(aic_json_get_text(root, "context_url"));
        pending->variables = aic_str_dup(aic_json_get_text(root, "variables"));
        pending->metadata = aic_str_dup(aic_json_get_text(root, "metadata"));
        (void)aic_str_copy(aic_json_get_text(root, "traceparent"), pending->traceparent,
                           TRACE_PARENT_TEXT);
    }
    aic_json_free(root);
    return pending;
}

void calls_record_event(struct calls *calls, const char *call_id, const char *type,
                        struct aic_str detail)
{
    struct sched *sched = calls->settings.sched;
    struct journal *journal = calls->settings.journal;
    uint8_t random[10];
    char id[UUID_TEXT];
    char at[TIME_TEXT];
    struct aic_buf columns;
    struct aic_json_writer w;
    if (!journal) {
        return;
    }
    sched_random(sched, random, sizeof(random));
    uuid7_format(id, sched_wall(sched), random);
    time_format(at, sched_wall(sched));
    aic_buf_init(&columns, 4096);
    aic_json_writer_init(&w, &columns);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", call_id);
    aic_json_member_text(&w, "type", type);
    aic_json_member_raw(&w, "detail", detail);
    aic_json_member_text(&w, "at", at);
    aic_json_close(&w, '}');
    const struct journal_fact fact = {.table = "events",
                                      .id = id,
                                      .call_id = call_id,
                                      .revision = 1,
                                      .columns = aic_buf_view(&columns)};
    journal->write(journal, &fact, false, NULL, NULL);
    aic_buf_finish(&columns);
}
