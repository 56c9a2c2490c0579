/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdio.h>
#include <string.h>

enum {
    PREFERRED_BLOCK_US = 100000,
    MAX_LEAD_US = 400000,
    NOTE_MAX_BYTES = 64 << 10,
    /* What sound leaves free of the queue, so that marks and clears always find room. */
    RESERVED_BYTES = 64 << 10
};

static int32_t capabilities(void *self, struct aic_telephony_caps *caps)
{
    static const struct aic_format formats[] = {
        {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = BROWSER_RATE_HZ, .channels = 1}};
    (void)self;
    struct aic_telephony_caps ours = {
        .size = caps->size,
        .flags = AIC_TEL_REMOTE_BUFFER | AIC_TEL_MARKS | AIC_TEL_MARKS_AFTER_CLEAR | AIC_TEL_CLEAR |
                 AIC_TEL_DTMF_IN | AIC_TEL_NO_ECHO | AIC_TEL_NOTIFY,
        .formats_out = formats,
        .format_count = 1,
        .format_size = sizeof(formats[0]),
        .preferred_block_us = PREFERRED_BLOCK_US,
        .max_lead_us = MAX_LEAD_US,
    };
    /* An older host may know less of them. */
    memcpy(caps, &ours, caps->size < sizeof(ours) ? caps->size : sizeof(ours));
    return AIC_OK;
}

static int32_t start(void *self, const struct aic_telephony_sink *sink)
{
    struct browser_provider *provider = self;
    if (!provider->route || !provider->ws) {
        browser_log(provider, AIC_LOG_ERROR, "there is no port for pages to come to");
        return AIC_ERROR_UNSUPPORTED;
    }
    if (provider->sink || provider->has_route) {
        return AIC_ERROR_INVALID;
    }
    int length =
        snprintf(provider->path, sizeof(provider->path), "/carriers/%s/media", provider->name);
    if (length < 0 || (size_t)length >= sizeof(provider->path)) {
        return AIC_ERROR_CONFIG;
    }
    struct aic_ws_route route = {.size = sizeof(route),
                                 .path = provider->path,
                                 .data = provider,
                                 .max_message_bytes = BROWSER_AUDIO_MAX_BYTES,
                                 .max_queue_bytes = BROWSER_QUEUE_MAX_BYTES,
                                 .accept = browser_page_accept};
    int32_t status = provider->route->add_websocket(provider->host, &route);
    if (status != AIC_OK) {
        return status;
    }
    provider->has_route = true;
    provider->sink = sink;
    return AIC_OK;
}

static void stop(void *self)
{
    struct browser_provider *provider = self;
    provider->sink = NULL;
    for (struct browser_session *session = provider->sessions, *next = NULL; session;
         session = next) {
        next = session->next;
        browser_session_end(session, AIC_LEG_END_HOST, "shutdown");
        if (session->phase == BROWSER_ENDING) {
            provider->timer->stop(provider->host, session->timer);
            session->timer = NULL;
            session->phase = BROWSER_OVER;
            browser_session_settle(session);
        }
    }
}

static int32_t leg_attach(void *leg, const struct aic_telephony_sink *sink)
{
    struct browser_session *session = leg;
    if (session->phase != BROWSER_TALKING && session->phase != BROWSER_ENDING) {
        return AIC_ERROR_CLOSED;
    }
    session->is_attached = true;
    session->sink = sink;
    return AIC_OK;
}

static int32_t leg_send(void *leg, const struct aic_audio *audio)
{
    struct browser_session *session = leg;
    const struct browser_provider *provider = session->provider;
    if (session->phase != BROWSER_TALKING) {
        return AIC_ERROR_CLOSED;
    }
    if (audio->format.codec != AIC_CODEC_PCM_S16LE || audio->format.rate_hz != BROWSER_RATE_HZ ||
        audio->format.channels != 1 || audio->bytes % 2 != 0) {
        return AIC_ERROR_INVALID;
    }
    if (audio->bytes == 0) {
        return AIC_OK;
    }
    if (provider->ws->queued_bytes(provider->host, session->ws) + audio->bytes >
        BROWSER_QUEUE_MAX_BYTES - RESERVED_BYTES) {
        return AIC_ERROR_BUSY;
    }
    int32_t status = provider->ws->send_binary(
        provider->host, session->ws, (struct aic_str){(const char *)audio->data, audio->bytes});
    session->bytes_out += status == AIC_OK ? audio->bytes : 0;
    return status;
}

static int32_t leg_hangup(void *leg)
{
    browser_session_end(leg, AIC_LEG_END_HOST, "hangup");
    return AIC_OK;
}

static void leg_close(void *leg)
{
    struct browser_session *session = leg;
    if (!session) {
        return;
    }
    session->has_leg = false;
    session->sink = NULL;
    /* Who was let in has heard something; a token may turn out to be used after the attach. */
    browser_session_end(session, AIC_LEG_END_HOST, session->bytes_out > 0 ? "shutdown" : "refused");
    browser_session_settle(session);
}

/*
 * Sends what the page must not miss. Where even the reserve is full the page has not read for
 * seconds: it is gone, and a leg without its marks would only seem to be alive.
 */
static int32_t say_or_end(struct browser_session *session, struct aic_buf *text)
{
    int32_t status = browser_session_say(session, text);
    aic_buf_finish(text);
    if (status != AIC_OK) {
        browser_session_end(session, AIC_LEG_END_LOST, "timeout");
        return AIC_ERROR_CLOSED;
    }
    return AIC_OK;
}

static int32_t leg_mark(void *leg, uint64_t mark_id)
{
    struct browser_session *session = leg;
    if (session->phase != BROWSER_TALKING) {
        return AIC_ERROR_CLOSED;
    }
    if (mark_id <= session->mark_sent || mark_id > INT64_MAX) {
        return AIC_ERROR_INVALID;
    }
    session->mark_sent = mark_id;
    struct aic_buf text;
    aic_buf_init(&text, BROWSER_JSON_MAX_BYTES);
    browser_write_mark(&text, mark_id);
    return say_or_end(session, &text);
}

static int32_t leg_clear(void *leg)
{
    struct browser_session *session = leg;
    if (session->phase != BROWSER_TALKING) {
        return AIC_ERROR_CLOSED;
    }
    struct aic_buf text;
    aic_buf_init(&text, BROWSER_JSON_MAX_BYTES);
    browser_write_clear(&text);
    return say_or_end(session, &text);
}

static int32_t leg_notify(void *leg, struct aic_str json)
{
    struct browser_session *session = leg;
    const struct browser_provider *provider = session->provider;
    if (session->phase != BROWSER_TALKING) {
        return AIC_ERROR_CLOSED;
    }
    if (json.len > NOTE_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    int32_t status = provider->ws->send_text(provider->host, session->ws, json);
    session->dropped_notes += status != AIC_OK;
    return status;
}

const struct aic_telephony browser_telephony = {
    .size = sizeof(browser_telephony),
    .capabilities = capabilities,
    .start = start,
    .stop = stop,
    .leg_attach = leg_attach,
    .leg_send = leg_send,
    .leg_hangup = leg_hangup,
    .leg_close = leg_close,
    .leg_mark = leg_mark,
    .leg_clear = leg_clear,
    .leg_notify = leg_notify,
};
