/* SPDX-License-Identifier: ISC */
#include "dial.h"

#include "form.h"
#include "protocol.h"

#include <stdio.h>

static void add_callback(struct aic_buf *form, const char *name, const char *public_url,
                         const char *path, const char *call_id)
{
    struct aic_buf url;
    aic_buf_init(&url, TWILIO_TEXT_MAX_BYTES);
    twilio_url(&url, public_url, path, call_id);
    form->failed |= url.failed;
    twilio_form_add(form, name, aic_buf_view(&url));
    aic_buf_finish(&url);
}

static void add_seconds(struct aic_buf *form, const char *name, int64_t ms)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)((ms + 999) / 1000));
    if (ms > 0) {
        twilio_form_add(form, name, aic_str(text));
    }
}

/* The call goes on while Twilio listens for a machine, and it is told later. */
static void add_detection(struct aic_buf *form, const char *kind, const char *public_url,
                          const char *id)
{
    twilio_form_add(form, "MachineDetection", aic_str(kind));
    twilio_form_add(form, "AsyncAmd", AIC_STR("true"));
    add_callback(form, "AsyncAmdStatusCallback", public_url, TWILIO_PATH_STATUS, id);
    twilio_form_add(form, "AsyncAmdStatusCallbackMethod", AIC_STR("POST"));
}

void twilio_dial_write(struct twilio_dial *dial, const struct aic_telephony_dial *params)
{
    static const char *const events[] = {"initiated", "ringing", "answered", "completed"};
    const struct twilio_settings *settings = &dial->provider->settings;
    const char *origin = twilio_public_url(dial->provider);
    const char *public_url = origin ? origin : "";
    struct aic_buf *form = &dial->form;
    const char *id = dial->call_id;
    twilio_form_add(form, "To", aic_str(dial->to));
    twilio_form_add(form, "From", aic_str(dial->from));
    add_callback(form, "Url", public_url, TWILIO_PATH_TWIML, id);
    twilio_form_add(form, "Method", AIC_STR("POST"));
    add_callback(form, "StatusCallback", public_url, TWILIO_PATH_STATUS, id);
    twilio_form_add(form, "StatusCallbackMethod", AIC_STR("POST"));
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        twilio_form_add(form, "StatusCallbackEvent", aic_str(events[i]));
    }
    add_seconds(form, "Timeout", params->ring_ms > 0 ? params->ring_ms : settings->ring_s * 1000);
    add_seconds(form, "TimeLimit", params->limit_ms);
    if (settings->detection || (params->flags & AIC_DIAL_DETECT_MACHINE)) {
        add_detection(form, settings->detection ? settings->detection : "Enable", public_url, id);
    }
    if (settings->records || (params->flags & AIC_DIAL_RECORD)) {
        twilio_form_add(form, "Record", AIC_STR("true"));
        twilio_form_add(form, "RecordingChannels", AIC_STR("dual"));
        add_callback(form, "RecordingStatusCallback", public_url, TWILIO_PATH_STATUS, id);
        twilio_form_add(form, "RecordingStatusCallbackEvent", AIC_STR("completed"));
        twilio_form_add(form, "RecordingStatusCallbackEvent", AIC_STR("absent"));
    }
    if (settings->extra) {
        aic_buf_char(form, '&');
        aic_buf_text(form, settings->extra);
    }
}

static bool is_address(const char *to)
{
    struct aic_str text = aic_str(to);
    return twilio_is_number(text) ||
           ((aic_str_starts(text, "sip:") || aic_str_starts(text, "client:")) && text.len < 200);
}

const char *twilio_dial_obstacle(const struct twilio_dial *dial)
{
    if (!twilio_public_url(dial->provider)) {
        return "server.public_url is not set: Twilio could not reach this server";
    }
    if (!dial->from[0]) {
        return "the provider has no number to dial from: set from";
    }
    if (!is_address(dial->to)) {
        return "that is no number that Twilio can dial; write it as +15551234567";
    }
    return dial->form.failed ? "the dial does not fit into a request" : NULL;
}
