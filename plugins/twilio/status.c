/* SPDX-License-Identifier: ISC */
#include "hook.h"

struct aic_str twilio_hook_get(const struct twilio_hook *hook, const char *name)
{
    return twilio_form_get(hook->has_form ? &hook->form : &hook->query, name);
}

struct aic_str twilio_hook_call_id(const struct twilio_hook *hook)
{
    struct aic_str id = twilio_form_get(&hook->query, "call");
    return twilio_is_call_id(id) ? id : (struct aic_str){"", 0};
}

int64_t twilio_hook_number(struct aic_str text)
{
    enum { MAX_DIGITS = 18 }; /* any such number fits */

    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (i == MAX_DIGITS || text.ptr[i] < '0' || text.ptr[i] > '9') {
            return -1;
        }
        number = number * 10 + (text.ptr[i] - '0');
    }
    return text.len > 0 ? number : -1;
}

static uint32_t status_of(struct aic_str text)
{
    static const struct {
        const char *name;
        uint32_t status;
    } statuses[] = {
        {"queued", AIC_CALL_QUEUED},
        {"initiated", AIC_CALL_QUEUED},
        {"ringing", AIC_CALL_RINGING},
        {"in-progress", AIC_CALL_IN_PROGRESS},
        {"answered", AIC_CALL_IN_PROGRESS},
        {"completed", AIC_CALL_COMPLETED},
        {"busy", AIC_CALL_BUSY},
        {"no-answer", AIC_CALL_NO_ANSWER},
        {"failed", AIC_CALL_FAILED},
        {"canceled", AIC_CALL_CANCELED},
    };

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (aic_str_equal(text, statuses[i].name)) {
            return statuses[i].status;
        }
    }
    return AIC_CALL_NONE;
}

uint32_t twilio_hook_direction(const struct twilio_hook *hook)
{
    struct aic_str text = twilio_hook_get(hook, "Direction");
    if (text.len == 0) {
        return AIC_DIRECTION_NONE;
    }
    return aic_str_equal(text, "inbound") ? AIC_DIRECTION_INBOUND : AIC_DIRECTION_OUTBOUND;
}

struct aic_telephony_event twilio_hook_event(const struct twilio_hook *hook, uint32_t kind)
{
    struct aic_telephony_event event = twilio_event(kind);
    event.provider_call_id = twilio_hook_get(hook, "CallSid");
    event.call_id = twilio_hook_call_id(hook);
    event.direction = twilio_hook_direction(hook);
    event.from = twilio_hook_get(hook, "From");
    event.to = twilio_hook_get(hook, "To");
    return event;
}

static uint32_t answered_by_of(struct aic_str text)
{
    if (aic_str_equal(text, "human")) {
        return AIC_ANSWERED_HUMAN;
    }
    if (aic_str_equal(text, "machine_start")) {
        return AIC_ANSWERED_MACHINE_START;
    }
    if (aic_str_starts(text, "machine_end_")) {
        return AIC_ANSWERED_MACHINE_END;
    }
    return aic_str_equal(text, "fax") ? AIC_ANSWERED_FAX : AIC_ANSWERED_UNKNOWN;
}

static void add_text(struct aic_json_writer *w, const char *key, struct aic_str value)
{
    if (value.len > 0) {
        aic_json_member(w, key, value);
    }
}

static void add_number(struct aic_json_writer *w, const char *key, struct aic_str value)
{
    if (twilio_hook_number(value) >= 0) {
        aic_json_member_int(w, key, twilio_hook_number(value));
    }
}

void twilio_hook_answered_by(struct twilio_hook *hook)
{
    struct aic_buf ext;
    struct aic_json_writer w;
    struct aic_str who = twilio_hook_get(hook, "AnsweredBy");
    struct aic_telephony_event event = twilio_hook_event(hook, AIC_TEL_EVENT_ANSWERED_BY);
    aic_buf_init(&ext, TWILIO_TEXT_MAX_BYTES);
    aic_json_writer_init(&w, &ext);
    aic_json_open(&w, '{');
    add_text(&w, "detail", who);
    add_number(&w, "after_ms", twilio_hook_get(hook, "MachineDetectionDuration"));
    aic_json_close(&w, '}');
    event.answered_by = answered_by_of(who);
    event.ext = aic_buf_view(&ext);
    twilio_tell(hook->provider, &event);
    aic_buf_finish(&ext);
}

bool twilio_hook_transferred(struct twilio_hook *hook, struct aic_str dial_status)
{
    struct aic_telephony_event event = twilio_hook_event(hook, AIC_TEL_EVENT_TRANSFERRED);
    int64_t request_id = twilio_hook_number(twilio_form_get(&hook->query, "transfer"));
    event.request_id = request_id > 0 ? (uint64_t)request_id : 0;
    event.status = status_of(dial_status);
    if (event.status == AIC_CALL_IN_PROGRESS || event.status == AIC_CALL_NONE) {
        event.status = event.status == AIC_CALL_NONE ? AIC_CALL_FAILED : AIC_CALL_COMPLETED;
    }
    event.duration_s = twilio_hook_number(twilio_hook_get(hook, "DialCallDuration"));
    twilio_tell(hook->provider, &event);
    return event.status == AIC_CALL_COMPLETED;
}

static void take_stream_status(struct twilio_hook *hook)
{
    struct twilio_provider *provider = hook->provider;
    struct aic_str sid = twilio_hook_get(hook, "CallSid");
    struct aic_str error = twilio_hook_get(hook, "StreamError");
    if (!aic_str_equal(twilio_hook_get(hook, "StreamEvent"), "stream-error")) {
        return;
    }
    provider->counters.stream_errors++;
    /* Its text is Twilio's own: a code and a few words. */
    twilio_log(provider, AIC_LOG_WARN,
               "Twilio could not keep up the media stream of call %.*s: %.*s; 31920 and 31901 mean "
               "that " TWILIO_PATH_MEDIA " at server.public_url can not be reached as a WebSocket",
               (int)sid.len, sid.ptr, (int)(error.len < 200 ? error.len : 200), error.ptr);
}

static void take_recording(struct twilio_hook *hook)
{
    static const char *const texts[][2] = {
        {"recording_sid", "RecordingSid"},    {"status", "RecordingStatus"},
        {"source", "RecordingSource"},        {"track", "RecordingTrack"},
        {"started_at", "RecordingStartTime"}, {"error_code", "ErrorCode"}};
    struct aic_buf ext;
    struct aic_json_writer w;
    struct aic_telephony_event event = twilio_hook_event(hook, AIC_TEL_EVENT_RECORDING);
    aic_buf_init(&ext, TWILIO_TEXT_MAX_BYTES);
    aic_json_writer_init(&w, &ext);
    aic_json_open(&w, '{');
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        add_text(&w, texts[i][0], twilio_hook_get(hook, texts[i][1]));
    }
    add_number(&w, "channels", twilio_hook_get(hook, "RecordingChannels"));
    aic_json_close(&w, '}');
    event.url = twilio_hook_get(hook, "RecordingUrl");
    event.duration_s = twilio_hook_number(twilio_hook_get(hook, "RecordingDuration"));
    event.ext = aic_buf_view(&ext);
    twilio_tell(hook->provider, &event);
    aic_buf_finish(&ext);
}

static void take_call_status(struct twilio_hook *hook, uint32_t status)
{
    struct aic_buf ext;
    struct aic_json_writer w;
    struct aic_telephony_event event = twilio_hook_event(hook, AIC_TEL_EVENT_STATUS);
    aic_buf_init(&ext, TWILIO_TEXT_MAX_BYTES);
    aic_json_writer_init(&w, &ext);
    aic_json_open(&w, '{');
    add_text(&w, "at", twilio_hook_get(hook, "Timestamp"));
    add_number(&w, "sip_code", twilio_hook_get(hook, "SipResponseCode"));
    add_number(&w, "billed_minutes", twilio_hook_get(hook, "Duration"));
    add_text(&w, "error_code", twilio_hook_get(hook, "ErrorCode"));
    aic_json_close(&w, '}');
    if (status >= AIC_CALL_COMPLETED) {
        twilio_rings_close(&hook->provider->rings, event.provider_call_id);
    }
    event.status = status;
    event.sequence = twilio_hook_number(twilio_hook_get(hook, "SequenceNumber"));
    event.duration_s = twilio_hook_number(twilio_hook_get(hook, "CallDuration"));
    event.ext = aic_buf_view(&ext);
    twilio_tell(hook->provider, &event);
    aic_buf_finish(&ext);
}

void twilio_hook_status(struct twilio_hook *hook)
{
    uint32_t status = status_of(twilio_hook_get(hook, "CallStatus"));
    if (twilio_hook_get(hook, "StreamEvent").len > 0) {
        take_stream_status(hook);
        return;
    }
    if (twilio_hook_get(hook, "RecordingStatus").len > 0) {
        take_recording(hook);
        return;
    }
    if (twilio_hook_get(hook, "AnsweredBy").len > 0) {
        twilio_hook_answered_by(hook);
    }
    if (status != AIC_CALL_NONE) {
        take_call_status(hook, status);
    }
}
