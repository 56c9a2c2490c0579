/* SPDX-License-Identifier: ISC */
#include "rest.h"
#include "stream.h"

#include <string.h>

enum { PREFERRED_BLOCK_US = 100000, MAX_LEAD_US = 400000 };

static int32_t capabilities(void *self, struct aic_telephony_caps *caps)
{
    static const struct aic_format formats[] = {
        {.codec = AIC_CODEC_MULAW, .rate_hz = TWILIO_RATE_HZ, .channels = 1}};
    const struct twilio_provider *provider = self;
    struct aic_telephony_caps ours = {
        .size = caps->size,
        .flags = AIC_TEL_REMOTE_BUFFER | AIC_TEL_MARKS | AIC_TEL_MARKS_AFTER_CLEAR | AIC_TEL_CLEAR |
                 AIC_TEL_DTMF_IN | AIC_TEL_DTMF_OUT | AIC_TEL_TRANSFER | AIC_TEL_RECORD |
                 AIC_TEL_MACHINE_DETECTION | AIC_TEL_RESUMES | AIC_TEL_PUBLIC,
        .formats_out = formats,
        .format_count = 1,
        .format_size = sizeof(formats[0]),
        .preferred_block_us = PREFERRED_BLOCK_US,
        .max_lead_us = MAX_LEAD_US,
    };
    if (provider->settings.from) {
        ours.flags |= AIC_TEL_DIAL;
    }
    /* An older host may know less of them. */
    memcpy(caps, &ours, caps->size < sizeof(ours) ? caps->size : sizeof(ours));
    return AIC_OK;
}

static void warn_of_address(const struct twilio_provider *provider)
{
    const char *public_url = twilio_public_url(provider);
    if (!public_url) {
        twilio_log(provider, AIC_LOG_ERROR,
                   "server.public_url is not set: no request of Twilio can be believed, and no "
                   "call can be dialled");
    } else if (strncmp(public_url, "https://", 8) != 0) {
        twilio_log(provider, AIC_LOG_WARN,
                   "server.public_url is not https: Twilio opens media streams over TLS only");
    }
}

static int32_t start(void *self, const struct aic_telephony_sink *sink)
{
    struct twilio_provider *provider = self;
    if (!provider->route || !provider->ws || !provider->http) {
        twilio_log(provider, AIC_LOG_ERROR, "there is no port for Twilio to come to");
        return AIC_ERROR_UNSUPPORTED;
    }
    if (provider->sink || provider->has_routes) {
        return AIC_ERROR_INVALID;
    }
    int32_t status = twilio_webhook_start(provider);
    if (status == AIC_OK) {
        status = twilio_stream_start(provider);
    }
    if (status != AIC_OK) {
        return status;
    }
    warn_of_address(provider);
    provider->has_routes = true;
    provider->sink = sink;
    return AIC_OK;
}

static void stop(void *self)
{
    struct twilio_provider *provider = self;
    provider->sink = NULL;
    twilio_offer_stop(provider);
    twilio_dial_stop(provider);
    twilio_job_stop(provider);
    twilio_rest_stop(provider);
    twilio_stream_stop(provider);
}

static void prewarm(void *self)
{
    const struct twilio_provider *provider = self;
    if (provider->http) {
        provider->http->warm(provider->host, provider->settings.base);
    }
}

const struct aic_telephony twilio_telephony = {
    .size = sizeof(twilio_telephony),
    .capabilities = capabilities,
    .start = start,
    .stop = stop,
    .leg_attach = twilio_leg_attach,
    .leg_send = twilio_leg_send,
    .leg_hangup = twilio_leg_hangup,
    .leg_close = twilio_leg_close,
    .leg_mark = twilio_leg_mark,
    .leg_clear = twilio_leg_clear,
    .leg_digits = twilio_leg_digits,
    .leg_transfer = twilio_leg_transfer,
    .accept = twilio_offer_accept,
    .reject = twilio_offer_reject,
    .dial = twilio_dial,
    .hangup = twilio_hangup,
    .probe = twilio_probe,
    .control = twilio_control,
    .prewarm = prewarm,
};
