/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"
#include "plugin/guard.h"

#include "json.h"

/* What carriers tell. A webhook may reach any worker: what is about a call of another one is passed
 * on to it. */

enum { MAX_DETAIL = 8192 };

/* Returns whether the call is one of this worker. */
static bool take_status(struct calls *calls, const struct aic_telephony_event *event)
{
    for (struct live *live = calls->live; live; live = live->next) {
        if (!live->is_over && call_is(live->call, event->call_id, event->provider_call_id)) {
            /* A leg that was turned away may know a call's id; it says nothing about that call. */
            if (!event->leg || call_has_leg(live->call, event->leg)) {
                call_status(live->call, event);
            }
            return true;
        }
    }
    return pending_status(calls, event);
}

static void status_was_passed(void *data, int32_t status, struct aic_str answer)
{
    (void)data;
    (void)answer;
    if (status != AIC_OK) {
        log_debug("call", "a carrier's word on a call that is over", LOG_I("status", status));
    }
}

static void pass_status(struct calls *calls, const struct aic_telephony_event *event)
{
    char id[UUID_TEXT];
    struct aic_buf body;
    struct aic_json_writer w;
    if (event->call_id.len == 0) {
        return;
    }
    (void)aic_str_copy(event->call_id, id, sizeof(id));
    aic_buf_init(&body, MAX_DETAIL);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member(&w, "sid", event->provider_call_id);
    aic_json_member_int(&w, "status", event->status);
    aic_json_member_int(&w, "sequence", event->sequence);
    aic_json_member_int(&w, "duration_s", event->duration_s);
    aic_json_close(&w, '}');
    if (!body.failed) {
        link_relay(calls->settings.link, id, "call.status", aic_buf_view(&body), status_was_passed,
                   NULL);
    }
    aic_buf_finish(&body);
}

void calls_answer_status(struct calls *calls, const struct link_request *request)
{
    struct aic_json *body = aic_json_parse(request->body, MAX_DETAIL);
    struct aic_telephony_event event = {
        .size = sizeof(event),
        .kind = AIC_TEL_EVENT_STATUS,
        .call_id = aic_str(request->call_id),
        .provider_call_id = aic_json_get_text(body, "sid"),
        .status = (uint32_t)aic_json_get_int(body, "status", 0),
        .sequence = aic_json_get_int(body, "sequence", -1),
        .duration_s = aic_json_get_int(body, "duration_s", -1),
    };
    bool is_ours = body && take_status(calls, &event);
    link_answer(calls->settings.link, request->id, is_ours ? AIC_OK : AIC_ERROR_NOT_FOUND,
                AIC_STR("{}"));
    aic_json_free(body);
}

/* Facts of a call need no owner: any worker may write them down. */
static void record(struct calls *calls, const struct aic_telephony_event *event, const char *type,
                   const char *key, struct aic_str text)
{
    char id[UUID_TEXT];
    struct aic_buf detail;
    struct aic_json_writer w;
    (void)aic_str_copy(event->call_id, id, sizeof(id));
    if (!uuid_valid(event->call_id)) {
        log_warn("call", "a carrier tells of an unknown call", LOG_S("what", type));
        return;
    }
    aic_buf_init(&detail, MAX_DETAIL);
    aic_json_writer_init(&w, &detail);
    aic_json_open(&w, '{');
    aic_json_member(&w, key, text);
    if (event->error) {
        aic_json_member(&w, "error", event->error->message);
    }
    aic_json_close(&w, '}');
    if (!detail.failed) {
        calls_record_event(calls, id, type, aic_buf_view(&detail));
    }
    aic_buf_finish(&detail);
}

static struct aic_str answered_by_name(uint32_t answered_by)
{
    switch (answered_by) {
    case AIC_ANSWERED_HUMAN:
        return AIC_STR("human");
    case AIC_ANSWERED_MACHINE_START:
        return AIC_STR("machine_start");
    case AIC_ANSWERED_MACHINE_END:
        return AIC_STR("machine_end");
    case AIC_ANSWERED_FAX:
        return AIC_STR("fax");
    default:
        return AIC_STR("unknown");
    }
}

static void take_result(const struct carrier *carrier, const struct aic_telephony_event *event)
{
    if (event->error) {
        log_warn("call", "the carrier refused", LOG_S("provider", carrier->provider->name),
                 LOG_T("error", event->error->message));
    }
}

static void carrier_event(const struct aic_telephony_sink *sink,
                          const struct aic_telephony_event *event)
{
    struct carrier *carrier = sink->impl;
    struct calls *calls = carrier->calls;
    switch (event->kind) {
    case AIC_TEL_EVENT_OFFER:
        pending_offer(calls, carrier->provider, event);
        break;
    case AIC_TEL_EVENT_DIALED:
        pending_dialed(calls, event);
        break;
    case AIC_TEL_EVENT_STATUS:
        if (!take_status(calls, event)) {
            pass_status(calls, event);
        }
        break;
    case AIC_TEL_EVENT_MEDIA_START:
        arrival_begin(calls, carrier->provider, event);
        break;
    case AIC_TEL_EVENT_ANSWERED_BY:
        record(calls, event, "answered_by", "by", answered_by_name(event->answered_by));
        break;
    case AIC_TEL_EVENT_RECORDING:
        record(calls, event, "carrier_recording", "url", event->url);
        break;
    case AIC_TEL_EVENT_TRANSFERRED:
        record(calls, event, "transferred", "status", aic_str(call_status_name(event->status)));
        break;
    case AIC_TEL_EVENT_RESULT:
        take_result(carrier, event);
        break;
    case AIC_TEL_EVENT_ERROR:
        pending_failed(calls, event);
        break;
    default:
        break;
    }
}

int32_t calls_start_provider(struct calls *calls, struct provider *provider)
{
    if (calls_carrier(calls, provider->name)) {
        return AIC_OK;
    }
    if (calls->carrier_count == CALLS_PROVIDERS) {
        return AIC_ERROR_TOO_LARGE;
    }
    struct carrier *carrier = &calls->carriers[calls->carrier_count];
    *carrier = (struct carrier){.calls = calls, .provider = provider};
    carrier->sink = (struct aic_telephony_sink){
        .size = sizeof(carrier->sink), .impl = carrier, .event = carrier_event};
    int32_t status = AIC_OK;
    GUARD(provider, "telephony.start",
          status = provider->telephony.start(provider->self, &carrier->sink));
    if (status == AIC_OK) {
        calls->carrier_count++;
    }
    return status;
}
