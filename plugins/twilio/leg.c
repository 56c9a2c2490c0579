/* SPDX-License-Identifier: ISC */
#include "base64.h"
#include "stream.h"
#include "tones.h"
#include "whisper.h"

#include "form.h"

#include <stdio.h>
#include <string.h>

enum {
    /* What sound leaves free of the queue, so that marks and clears always find room. */
    RESERVED_BYTES = 64 << 10,
    TONES_AT_ONCE_BYTES = 200 * TWILIO_BYTES_PER_MS
};

int32_t twilio_leg_attach(void *leg, const struct aic_telephony_sink *sink)
{
    struct twilio_session *session = leg;
    if (session->phase == TWILIO_STREAM_WAITING || session->phase == TWILIO_STREAM_OVER) {
        return AIC_ERROR_CLOSED;
    }
    session->is_attached = true;
    session->sink = sink;
    return AIC_OK;
}

/* Whether so much sound fits into the queue. */
static bool has_room(const struct twilio_session *session, size_t bytes)
{
    const struct twilio_provider *provider = session->provider;
    size_t messages = bytes / TONES_AT_ONCE_BYTES + 1;
    size_t text = AIC_BASE64_ENCODED(bytes) + messages * TWILIO_CONTROL_MAX_BYTES;
    return provider->ws->queued_bytes(provider->host, session->ws) + text <=
           TWILIO_QUEUE_MAX_BYTES - RESERVED_BYTES;
}

static int32_t send_sound(struct twilio_session *session, const void *sound, size_t bytes)
{
    const struct twilio_provider *provider = session->provider;
    aic_buf_clear(&session->message);
    int32_t status = aic_media_write(&session->message, aic_buf_view(&session->prefix), sound,
                                     bytes, AIC_STR(TWILIO_MEDIA_SUFFIX));
    if (status == AIC_OK) {
        status =
            provider->ws->send_text(provider->host, session->ws, aic_buf_view(&session->message));
    }
    session->sent_bytes += status == AIC_OK ? bytes : 0;
    return status;
}

int32_t twilio_leg_send(void *leg, const struct aic_audio *audio)
{
    struct twilio_session *session = leg;
    if (session->phase != TWILIO_STREAM_TALKING || !session->ws) {
        return AIC_ERROR_CLOSED;
    }
    if (audio->format.codec != AIC_CODEC_MULAW || audio->format.rate_hz != TWILIO_RATE_HZ ||
        audio->format.channels != 1) {
        return AIC_ERROR_INVALID;
    }
    if (audio->bytes > TWILIO_SOUND_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (audio->bytes == 0) {
        return AIC_OK;
    }
    if (!has_room(session, audio->bytes)) {
        return AIC_ERROR_BUSY;
    }
    return send_sound(session, audio->data, audio->bytes);
}

/*
 * Sends what must not get lost. Where even the reserve is full Twilio has not read for seconds: the
 * stream is gone, and a leg without its marks would only seem to be alive.
 */
static int32_t say_or_end(struct twilio_session *session, const char *text, size_t bytes)
{
    const struct twilio_provider *provider = session->provider;
    int32_t status = bytes == 0 ? AIC_ERROR_TOO_LARGE
                                : provider->ws->send_text(provider->host, session->ws,
                                                          (struct aic_str){text, bytes});
    if (status == AIC_OK) {
        return AIC_OK;
    }
    /* Of a socket that has closed the end is on its way, and Twilio's last word before it. */
    if (status != AIC_ERROR_CLOSED) {
        twilio_stream_end(session, AIC_LEG_END_LOST);
    }
    return AIC_ERROR_CLOSED;
}

int32_t twilio_leg_mark(void *leg, uint64_t mark_id)
{
    struct twilio_session *session = leg;
    char text[TWILIO_CONTROL_MAX_BYTES];
    if (session->phase != TWILIO_STREAM_TALKING || !session->ws) {
        return AIC_ERROR_CLOSED;
    }
    if (mark_id <= session->mark_sent) {
        return AIC_ERROR_INVALID;
    }
    session->mark_sent = mark_id;
    size_t bytes = twilio_write_mark(text, session->stream_sid, session->generation, mark_id);
    return say_or_end(session, text, bytes);
}

int32_t twilio_leg_clear(void *leg)
{
    struct twilio_session *session = leg;
    char text[TWILIO_CONTROL_MAX_BYTES];
    if (session->phase != TWILIO_STREAM_TALKING || !session->ws) {
        return AIC_ERROR_CLOSED;
    }
    session->generation++;
    return say_or_end(session, text, twilio_write_clear(text, session->stream_sid));
}

static void on_hung_up(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct twilio_session *session = job->session;
    if (!twilio_is_hung_up(answer)) {
        twilio_log(job->provider, AIC_LOG_WARN, "a call could not be hung up: %s",
                   answer->problem->message);
    }
    if (session) {
        twilio_stream_end(session, AIC_LEG_END_HOST);
    }
    twilio_job_free(job);
}

int32_t twilio_leg_hangup(void *leg)
{
    struct twilio_session *session = leg;
    if (session->phase != TWILIO_STREAM_TALKING) {
        return AIC_OK;
    }
    if (session->job) {
        session->job->session = NULL;
        session->job = NULL;
    }
    struct twilio_job *job = twilio_job_create(session->provider, 0);
    twilio_stream_hang(session);
    if (job) {
        job->session = session;
        session->job = job;
        (void)twilio_job_hang_up(job, aic_str(session->call_sid), on_hung_up);
    }
    return AIC_OK;
}

void twilio_leg_close(void *leg)
{
    struct twilio_session *session = leg;
    if (!session) {
        return;
    }
    session->has_leg = false;
    session->sink = NULL;
    twilio_stream_end(session, AIC_LEG_END_HOST);
    twilio_stream_settle(session);
}

/* Digits */

static int32_t send_tones(struct twilio_session *session, struct aic_str digits)
{
    struct aic_buf tones;
    aic_buf_init(&tones, TWILIO_TONES_MAX_BYTES);
    twilio_tones_write(&tones, digits);
    int32_t status = tones.failed ? AIC_ERROR_MEMORY : AIC_OK;
    if (status == AIC_OK && !has_room(session, tones.len)) {
        status = AIC_ERROR_BUSY;
    }
    for (size_t at = 0; status == AIC_OK && at < tones.len; at += TONES_AT_ONCE_BYTES) {
        size_t left = tones.len - at;
        status = send_sound(session, tones.data + at,
                            left < TONES_AT_ONCE_BYTES ? left : TONES_AT_ONCE_BYTES);
    }
    aic_buf_finish(&tones);
    return status;
}

static void on_digits(struct twilio_job *job, const struct twilio_answer *answer)
{
    if (answer->problem) {
        twilio_log(job->provider, AIC_LOG_WARN, "tones could not be sent: %s",
                   answer->problem->message);
        if (job->session) {
            job->session->is_playing_digits = answer->is_unknown;
        }
    }
    twilio_job_free(job);
}

/* Gives the call another document, and remembers which stream it was. */
static int32_t redirect(struct twilio_session *session, const struct aic_buf *twiml,
                        twilio_job_step step)
{
    struct twilio_job *job = twilio_job_create(session->provider, 0);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    job->session = session;
    session->job = job;
    return twilio_job_redirect(job, aic_str(session->call_sid), twiml, step);
}

static int32_t play_digits(struct twilio_session *session, struct aic_str digits)
{
    const char *public_url = twilio_public_url(session->provider);
    struct aic_buf twiml;
    if (!public_url) {
        return AIC_ERROR_CONFIG;
    }
    if (session->job) {
        return AIC_ERROR_BUSY;
    }
    aic_buf_init(&twiml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_digits(&twiml, public_url, session->call_id, digits);
    int32_t status = redirect(session, &twiml, on_digits);
    session->is_playing_digits = status == AIC_OK;
    aic_buf_finish(&twiml);
    return status;
}

int32_t twilio_leg_digits(void *leg, struct aic_str digits)
{
    struct twilio_session *session = leg;
    if (session->phase != TWILIO_STREAM_TALKING || !session->ws) {
        return AIC_ERROR_CLOSED;
    }
    if (!twilio_are_digits(digits, TWILIO_TONES_MAX_DIGITS)) {
        return AIC_ERROR_INVALID;
    }
    return session->provider->settings.digits == TWILIO_DIGITS_PLAY ? play_digits(session, digits)
                                                                    : send_tones(session, digits);
}

/* Transfer */

/*
 * A transfer that Twilio does not even begin leaves the caller with us: the leg is told. Once it
 * has begun the end of the second call comes as a webhook.
 */
static void on_transfer(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct twilio_session *session = job->session;
    if (answer->problem && session) {
        struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_ERROR);
        event.request_id = session->transfer_id;
        event.error = &answer->problem->error;
        /* Where nobody knows, the end of the stream will tell that it went through after all. */
        session->is_transferring = answer->is_unknown;
        session->is_in_event = true;
        twilio_stream_tell(session, &event);
        session->is_in_event = false;
    } else if (answer->problem) {
        twilio_log(job->provider, AIC_LOG_WARN, "a call could not be transferred: %s",
                   answer->problem->message);
    }
    twilio_job_free(job);
    if (session) {
        twilio_stream_settle(session);
    }
}

static bool is_target(const char *to)
{
    struct aic_str text = aic_str(to);
    return twilio_is_number(text) || (aic_str_starts(text, "sip:") && text.len > 4);
}

/* The address at which Twilio gets the words for the called person. */
static int32_t add_whisper(const struct twilio_provider *provider, struct aic_buf *to,
                           const char *public_url, struct aic_str whisper)
{
    uint8_t nonce[TWILIO_NONCE_BYTES];
    provider->clock->random(provider->host, nonce, sizeof(nonce));
    twilio_url(to, public_url, TWILIO_PATH_TWIML, "");
    aic_buf_text(to, "?whisper=");
    return twilio_whisper_seal(to, provider->settings.tokens.token[0], nonce, whisper);
}

static int32_t begin_transfer(struct twilio_session *session,
                              const struct aic_telephony_transfer *params, const char *public_url)
{
    struct aic_buf whisper;
    struct aic_buf action;
    struct aic_buf twiml;
    int32_t status = AIC_OK;
    aic_buf_init(&whisper, TWILIO_TWIML_MAX_BYTES);
    aic_buf_init(&action, TWILIO_TWIML_MAX_BYTES);
    aic_buf_init(&twiml, TWILIO_TWIML_MAX_BYTES);
    if (params->whisper.len > 0) {
        status = add_whisper(session->provider, &whisper, public_url, params->whisper);
    }
    twilio_url(&action, public_url, TWILIO_PATH_RESUME, session->call_id);
    aic_buf_printf(&action, "%stransfer=%llu", session->call_id[0] ? "&" : "?",
                   (unsigned long long)params->request_id);
    if (status == AIC_OK && !whisper.failed && !action.failed) {
        const struct twilio_transfer transfer = {
            .to = params->to,
            .caller_id = params->caller_id ? params->caller_id : "",
            .whisper_url = whisper.len > 0 ? whisper.data : "",
            .action_url = action.data,
            .ring_s = (params->ring_ms + 999) / 1000,
        };
        twilio_twiml_transfer(&twiml, &transfer);
        status = redirect(session, &twiml, on_transfer);
    }
    aic_buf_finish(&whisper);
    aic_buf_finish(&action);
    aic_buf_finish(&twiml);
    return status;
}

int32_t twilio_leg_transfer(void *leg, const struct aic_telephony_transfer *params)
{
    struct twilio_session *session = leg;
    const char *public_url = twilio_public_url(session->provider);
    if (session->phase != TWILIO_STREAM_TALKING) {
        return AIC_ERROR_CLOSED;
    }
    if (!params->to || !is_target(params->to)) {
        return AIC_ERROR_INVALID;
    }
    if (!public_url) {
        return AIC_ERROR_CONFIG;
    }
    if (session->job) {
        return AIC_ERROR_BUSY;
    }
    int32_t status = begin_transfer(session, params, public_url);
    session->is_transferring = status == AIC_OK;
    session->transfer_id = params->request_id;
    return status;
}
