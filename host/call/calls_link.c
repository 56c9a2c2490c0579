/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

static void claimed(void *data, int32_t status, struct aic_str answer)
{
    (void)data;
    if (status != AIC_OK && status != AIC_ERROR_CLOSED) {
        log_warn("call", "another worker has the call, too", LOG_I("status", status),
                 LOG_T("answer", answer));
    }
}

/* The whole of a call, for onlookers. */
static void tell_whole(const struct calls *calls, const char *id, const char *type,
                       struct aic_str summary)
{
    struct aic_buf body;
    struct aic_json_writer w;
    if (!link_is_followed(calls->settings.link)) {
        return;
    }
    aic_buf_init(&body, LINK_BODY_BYTES);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "type", type);
    aic_json_member_raw(&w, "call", summary);
    aic_json_close(&w, '}');
    link_tell(calls->settings.link, id, aic_buf_view(&body));
    aic_buf_finish(&body);
}

/* Onlookers get to know it now, or what has changed. */
static void announce(struct live *live, struct aic_str summary)
{
    tell_whole(live->calls, call_id(live->call), live->is_announced ? "changed" : "began", summary);
    live->is_announced = true;
}

/* An invitation is no call before somebody comes with it. */
static void announce_pending(struct pending *pending, struct aic_str summary)
{
    if (pending->provider || pending->is_announced) {
        tell_whole(pending->calls, pending->id, pending->is_announced ? "changed" : "began",
                   summary);
        pending->is_announced = true;
    }
}

void calls_claim(struct calls *calls, struct live *live)
{
    struct aic_buf summary;
    aic_buf_init(&summary, LINK_BODY_BYTES);
    call_summary(live->call, &summary);
    link_claim_call(calls->settings.link, call_id(live->call), aic_buf_view(&summary), claimed,
                    NULL);
    announce(live, aic_buf_view(&summary));
    aic_buf_finish(&summary);
}

static void write_pending(const struct pending *pending, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_sid", pending->provider_call_id);
    aic_json_member_text(&w, "agent", pending->agent->name);
    aic_json_member_text(&w, "direction",
                         pending->direction == AIC_DIRECTION_OUTBOUND ? "outbound" : "inbound");
    aic_json_member_text(&w, "from", pending->from);
    aic_json_member_text(&w, "to", pending->to);
    aic_json_member_text(&w, "provider", pending->provider ? pending->provider->name : "");
    aic_json_member_text(&w, "state", "waiting");
    aic_json_member_text(&w, "status", call_status_name(pending->status));
    aic_json_member_int(&w, "turns", 0);
    aic_json_member_int(&w, "since_ms", pending->created_wall_us / 1000);
    if (pending->end_reason[0]) {
        aic_json_member_text(&w, "end_reason", pending->end_reason);
    }
    if (!pending->is_admitted) {
        aic_json_member_bool(&w, "is_admitted", false);
    }
    aic_json_close(&w, '}');
}

void calls_update_pending(struct pending *pending)
{
    struct aic_buf summary;
    aic_buf_init(&summary, LINK_BODY_BYTES);
    write_pending(pending, &summary);
    link_update_call(pending->calls->settings.link, pending->id, aic_buf_view(&summary));
    announce_pending(pending, aic_buf_view(&summary));
    aic_buf_finish(&summary);
}

void calls_claim_pending(struct pending *pending)
{
    struct aic_buf summary;
    aic_buf_init(&summary, LINK_BODY_BYTES);
    write_pending(pending, &summary);
    link_claim_call(pending->calls->settings.link, pending->id, aic_buf_view(&summary), claimed,
                    NULL);
    announce_pending(pending, aic_buf_view(&summary));
    aic_buf_finish(&summary);
}

void calls_release_pending(struct pending *pending)
{
    struct link *link = pending->calls->settings.link;
    link_release_call(link, pending->id);
    if (pending->is_announced && link_is_followed(link)) {
        struct aic_buf summary;
        aic_buf_init(&summary, LINK_BODY_BYTES);
        write_pending(pending, &summary);
        tell_whole(pending->calls, pending->id, "over", aic_buf_view(&summary));
        aic_buf_finish(&summary);
    }
}

void calls_release(struct live *live)
{
    struct link *link = live->calls->settings.link;
    link_release_call(link, call_id(live->call));
    if (link_is_followed(link)) {
        struct aic_buf summary;
        aic_buf_init(&summary, LINK_BODY_BYTES);
        call_summary(live->call, &summary);
        tell_whole(live->calls, call_id(live->call), "over", aic_buf_view(&summary));
        aic_buf_finish(&summary);
    }
}

void calls_publish(struct live *live, struct aic_str json)
{
    struct link *link = live->calls->settings.link;
    uint64_t version = call_version(live->call);
    if (version != live->told) {
        struct aic_buf summary;
        live->told = version;
        aic_buf_init(&summary, LINK_BODY_BYTES);
        call_summary(live->call, &summary);
        link_update_call(link, call_id(live->call), aic_buf_view(&summary));
        announce(live, aic_buf_view(&summary));
        aic_buf_finish(&summary);
    }
    if (link_is_followed(link)) {
        link_tell(link, call_id(live->call), json);
    }
}

/* What others ask. */

static void answer_hang_up(struct calls *calls, const struct link_request *request)
{
    struct live *live = calls_find(calls, request->call_id);
    struct pending *pending = pending_find(calls, request->call_id);
    if (live) {
        struct aic_json *body = aic_json_parse(request->body, 0);
        char reason[48];
        (void)aic_str_copy(aic_json_get_text(body, "reason"), reason, sizeof(reason));
        aic_json_free(body);
        call_end(live->call, reason[0] ? reason : "hung_up", false);
    } else if (pending) {
        pending->status = AIC_CALL_CANCELED;
        pending_record(pending, "canceled");
        pending_call_off(pending);
    }
    link_answer(calls->settings.link, request->id, live || pending ? AIC_OK : AIC_ERROR_NOT_FOUND,
                live || pending ? AIC_STR("{\"ok\":true}") : AIC_STR(""));
}

static void answer_transfer(struct calls *calls, const struct link_request *request)
{
    struct live *live = calls_find(calls, request->call_id);
    int32_t status =
        pending_find(calls, request->call_id) ? AIC_ERROR_CONFLICT : AIC_ERROR_NOT_FOUND;
    if (live) {
        struct aic_json *body = aic_json_parse(request->body, 0);
        status = call_transfer(live->call, aic_json_get_text(body, "to"));
        aic_json_free(body);
    }
    link_answer(calls->settings.link, request->id, status, AIC_STR("{}"));
}

static void answer_pause(struct calls *calls, const struct link_request *request)
{
    struct live *live = calls_find(calls, request->call_id);
    struct aic_json *body = aic_json_parse(request->body, 0);
    char by[128];
    (void)aic_str_copy(aic_json_get_text(body, "by"), by, sizeof(by));
    int32_t status =
        live ? call_pause_recording(live->call, aic_json_get_bool(body, "paused", true), by)
             : AIC_ERROR_NOT_FOUND;
    aic_json_free(body);
    link_answer(calls->settings.link, request->id, status,
                status == AIC_OK ? AIC_STR("{\"ok\":true}") : AIC_STR(""));
}

static void answer_take(struct calls *calls, const struct link_request *request)
{
    struct pending *pending = pending_find(calls, request->call_id);
    struct aic_buf body;
    aic_buf_init(&body, LINK_BODY_BYTES);
    if (pending) {
        pending_write(pending, &body);
        link_release_call(calls->settings.link, pending->id);
        pending_keep_claim(pending);
        pending->has_share = false;
        pending_remove(pending);
    }
    link_answer(calls->settings.link, request->id,
                pending && !body.failed ? AIC_OK : AIC_ERROR_NOT_FOUND, aic_buf_view(&body));
    aic_buf_finish(&body);
}

/* A worker died and left calls behind. */

static void inherit(struct calls *calls, const struct aic_json *item)
{
    const struct aic_json *summary = aic_json_get(item, "summary");
    struct aic_str id = aic_json_get_text(item, "call_id");
    char name[128];
    (void)aic_str_copy(aic_json_get_text(summary, "agent"), name, sizeof(name));
    const struct agent *agent = agents_find(calls->settings.agents, name);
    agent = agent ? agent : agents_find(calls->settings.agents, NULL);
    bool is_outbound = aic_str_equal(aic_json_get_text(summary, "direction"), "outbound");
    struct pending *pending =
        agent && uuid_valid(id)
            ? pending_add(calls, agent,
                          is_outbound ? AIC_DIRECTION_OUTBOUND : AIC_DIRECTION_INBOUND)
            : NULL;
    if (!pending) {
        return;
    }
    bool was_waiting = aic_str_equal(aic_json_get_text(summary, "state"), "waiting");
    (void)aic_str_copy(aic_json_get_text(summary, "provider"), name, sizeof(name));
    (void)aic_str_copy(id, pending->id, sizeof(pending->id));
    pending->provider = calls_carrier(calls, name);
    pending->from = aic_str_dup(aic_json_get_text(summary, "from"));
    pending->to = aic_str_dup(aic_json_get_text(summary, "to"));
    pending->has_share = calls_are_gated(pending->direction, pending->provider, pending->to);
    pending->provider_call_id = aic_str_dup(aic_json_get_text(summary, "call_sid"));
    pending->created_wall_us = aic_json_get_int(summary, "since_ms", 0) * 1000;
    pending->answered_wall_us = aic_json_get_int(summary, "answered_ms", 0) * 1000;
    pending->status = was_waiting ? AIC_CALL_QUEUED : AIC_CALL_IN_PROGRESS;
    pending->is_interrupted = !was_waiting;
    pending->is_announced = !was_waiting || pending->provider;
    /* Beyond whatever the dead worker has counted. */
    pending->revision = (uint64_t)sched_wall(calls->settings.sched) / 1000;
    pending_wait(pending);
    calls_record_event(calls, pending->id, "interrupted", AIC_STR("{\"reason\":\"worker_died\"}"));
    calls_claim_pending(pending);
    log_warn("call", "a worker that died left it behind", LOG_S("call", pending->id));
}

static void inherit_all(struct calls *calls, const struct link_request *request)
{
    struct aic_json *list = aic_json_parse(request->body, LINK_BODY_BYTES);
    link_answer(calls->settings.link, request->id, list ? AIC_OK : AIC_ERROR_INVALID,
                AIC_STR("{}"));
    for (size_t i = 0; i < aic_json_count(list); i++) {
        inherit(calls, aic_json_at(list, i));
    }
    aic_json_free(list);
}

bool calls_request(struct calls *calls, const struct link_request *request)
{
    static const struct {
        const char *kind;
        void (*answer)(struct calls *calls, const struct link_request *request);
    } kinds[] = {
        {"call.hangup", answer_hang_up},      {"call.transfer", answer_transfer},
        {"call.record", answer_pause},        {"call.take", answer_take},
        {"call.status", calls_answer_status}, {"interrupted", inherit_all},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(request->kind, kinds[i].kind) == 0) {
            kinds[i].answer(calls, request);
            return true;
        }
    }
    return false;
}

static void write_text(struct aic_buf *to, const char *key, struct aic_str text)
{
    struct aic_json_writer w;
    aic_buf_init(to, 1024);
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member(&w, key, text);
    aic_json_close(&w, '}');
}

void calls_hang_up(struct calls *calls, const char *id, const char *reason, link_reply reply,
                   void *data)
{
    struct aic_buf body;
    write_text(&body, "reason", aic_str(reason));
    link_relay(calls->settings.link, id, "call.hangup", aic_buf_view(&body), reply, data);
    aic_buf_finish(&body);
}

void calls_transfer(struct calls *calls, const char *id, struct aic_str to, link_reply reply,
                    void *data)
{
    struct aic_buf body;
    write_text(&body, "to", to);
    link_relay(calls->settings.link, id, "call.transfer", aic_buf_view(&body), reply, data);
    aic_buf_finish(&body);
}

void calls_pause_recording(struct calls *calls, const char *id, const struct calls_pause *pause,
                           link_reply reply, void *data)
{
    struct aic_buf body;
    struct aic_json_writer w;
    aic_buf_init(&body, 1024);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_bool(&w, "paused", pause->is_paused);
    aic_json_member_text(&w, "by", pause->by);
    aic_json_close(&w, '}');
    link_relay(calls->settings.link, id, "call.record", aic_buf_view(&body), reply, data);
    aic_buf_finish(&body);
}
