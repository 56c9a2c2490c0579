/* SPDX-License-Identifier: ISC */
/* What Twilio says over a stream: the caller's sound, marks that were reached, keys. */
#include "stream.h"

#include "base64.h"

#include <string.h>

enum {
    MAX_NONSENSE = 10,              /* messages of a stream, then it is given up */
    MAX_CALL_MS = 48 * 3600 * 1000, /* twice what Twilio allows */
    MAX_FILL_MS = 1000,
    FILL_MS = 20,
    SPEED_PERCENT = 150 /* of real time, at which sound may come */
};

void twilio_stream_nonsense(struct twilio_session *session, const char *problem)
{
    session->nonsense++;
    if (session->nonsense > MAX_NONSENSE) {
        twilio_stream_give_up(session, problem);
    } else if (session->nonsense == 1) {
        twilio_log(session->provider, AIC_LOG_WARN, "a message in the stream of call %s: %s",
                   session->call_sid, problem);
    }
}

static void take_start(struct twilio_session *session, const struct twilio_message *message)
{
    struct twilio_provider *provider = session->provider;
    if (!aic_str_equal(message->account_sid, provider->settings.account_sid)) {
        twilio_stream_give_up(session, "\"start\" of another account");
        return;
    }
    if (message->token.len == 0) {
        twilio_stream_give_up(
            session, "\"start\" without a token; streams come from the instructions that this "
                     "server gives");
        return;
    }
    (void)aic_str_copy(message->stream_sid, session->stream_sid, sizeof(session->stream_sid));
    (void)aic_str_copy(message->call_sid, session->call_sid, sizeof(session->call_sid));
    (void)aic_str_copy(message->call_id, session->call_id, sizeof(session->call_id));
    twilio_write_media_prefix(&session->prefix, session->stream_sid);
    provider->waiting--;
    provider->counters.streams++;
    twilio_rings_close(&provider->rings, message->call_sid);
    session->phase = TWILIO_STREAM_TALKING;
    session->has_leg = true;
    session->credit_us = TWILIO_BURST_US;
    session->refilled_us = twilio_now(provider);
    twilio_stream_set_timer(session, 0, NULL);
    struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_MEDIA_START);
    event.token = message->token;
    twilio_tell(provider, &event);
    if (!session->is_attached) {
        session->has_leg = false;
        twilio_stream_end(session, AIC_LEG_END_HOST);
    } else if (message->is_recorded && session->phase == TWILIO_STREAM_TALKING) {
        (void)twilio_record(provider, 0, message->call_sid, message->call_id);
    }
}

/* Whether sound of this length may come now: a bucket that fills with time. */
static bool is_in_time(struct twilio_session *session, int64_t sound_us)
{
    int64_t now_us = twilio_now(session->provider);
    int64_t passed_us = now_us - session->refilled_us;
    passed_us = passed_us < TWILIO_BURST_US ? passed_us : TWILIO_BURST_US;
    session->refilled_us = now_us;
    session->credit_us += passed_us * SPEED_PERCENT / 100;
    session->credit_us =
        session->credit_us < TWILIO_BURST_US ? session->credit_us : TWILIO_BURST_US;
    if (session->credit_us < sound_us) {
        return false;
    }
    session->credit_us -= sound_us;
    return true;
}

static void tell_sound(struct twilio_session *session, const uint8_t *sound, size_t bytes,
                       int64_t at_ms)
{
    struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_AUDIO);
    const struct aic_audio audio = {.size = sizeof(audio),
                                    .format = event.format_in,
                                    .data = sound,
                                    .bytes = bytes,
                                    .time_us = at_ms * 1000};
    event.audio = &audio;
    twilio_stream_tell(session, &event);
}

/* What Twilio has lost on its way is silence, so that what follows keeps its time. */
static void fill_gap(struct twilio_session *session, int64_t from_ms, int64_t to_ms)
{
    uint8_t silence[FILL_MS * TWILIO_BYTES_PER_MS];
    memset(silence, 0xff, sizeof(silence));
    session->lost_ms += (uint64_t)(to_ms - from_ms);
    if (to_ms - from_ms > MAX_FILL_MS) {
        from_ms = to_ms - MAX_FILL_MS;
    }
    if (!is_in_time(session, (to_ms - from_ms) * 1000)) {
        return;
    }
    while (from_ms < to_ms && session->phase == TWILIO_STREAM_TALKING) {
        int64_t part_ms = to_ms - from_ms < FILL_MS ? to_ms - from_ms : FILL_MS;
        tell_sound(session, silence, (size_t)part_ms * TWILIO_BYTES_PER_MS, from_ms);
        from_ms += part_ms;
    }
}

static void take_media(struct twilio_session *session, const struct aic_media_message *media)
{
    struct twilio_provider *provider = session->provider;
    if (media->track.len > 0 && !aic_str_equal(media->track, "inbound")) {
        session->ignored++;
        return;
    }
    int64_t bytes = AIC_BASE64_DECODED(media->payload.len) <= sizeof(provider->sound)
                        ? aic_base64_decode(provider->sound, media->payload.ptr, media->payload.len)
                        : -1;
    if (bytes < 0) {
        twilio_stream_nonsense(session, "sound that is not base64");
        return;
    }
    int64_t length_ms = (bytes + TWILIO_BYTES_PER_MS - 1) / TWILIO_BYTES_PER_MS;
    if (media->timestamp_ms > MAX_CALL_MS) {
        twilio_stream_nonsense(session, "sound of another day");
        return;
    }
    int64_t at_ms = media->timestamp_ms > session->heard_to_ms ? media->timestamp_ms : 0;
    int64_t due_ms = session->heard_to_ms >= 0 ? session->heard_to_ms : at_ms;
    at_ms = at_ms > due_ms ? at_ms : due_ms;
    session->heard_to_ms = at_ms + length_ms;
    if (!is_in_time(session, length_ms * 1000)) {
        session->dropped_ms += (uint64_t)length_ms;
        return;
    }
    if (at_ms > due_ms) {
        fill_gap(session, due_ms, at_ms);
    }
    if (bytes > 0 && session->phase == TWILIO_STREAM_TALKING) {
        session->heard_ms += (uint64_t)length_ms;
        tell_sound(session, provider->sound, (size_t)bytes, at_ms);
    }
}

static void take_mark(struct twilio_session *session, const struct twilio_message *message)
{
    if (message->generation > session->generation || message->mark_id > session->mark_sent ||
        message->mark_id <= session->mark_answered) {
        session->ignored++;
        return;
    }
    struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_MARK);
    session->mark_answered = message->mark_id;
    event.mark_id = message->mark_id;
    /* One that was on its way when the sound was cleared may have been played; it does not tell. */
    event.mark_flags =
        message->generation == session->generation ? AIC_MARK_PLAYED : AIC_MARK_CLEARED;
    twilio_stream_tell(session, &event);
}

static void take_digit(struct twilio_session *session, struct aic_str digit)
{
    struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_DTMF);
    event.digits = digit;
    twilio_stream_tell(session, &event);
}

static void take_in_call(struct twilio_session *session, const struct twilio_message *message)
{
    if (message->kind != TWILIO_UNKNOWN && message->kind != TWILIO_CONNECTED &&
        !aic_str_equal(message->stream_sid, session->stream_sid)) {
        twilio_stream_nonsense(session, "it is of another stream");
        return;
    }
    if (message->kind == TWILIO_STOP) {
        twilio_stream_end(session, twilio_stream_cause(session, AIC_LEG_END_CALLER));
        return;
    }
    if (session->phase == TWILIO_STREAM_HANGING) {
        return;
    }
    switch (message->kind) {
    case TWILIO_MEDIA:
        take_media(session, &message->media);
        break;
    case TWILIO_MARK:
        take_mark(session, message);
        break;
    case TWILIO_DTMF:
        take_digit(session, message->digit);
        break;
    case TWILIO_START:
        twilio_stream_give_up(session, "a second \"start\"");
        break;
    default:
        session->ignored++;
        break;
    }
}

static void take_before_start(struct twilio_session *session, const struct twilio_message *message)
{
    switch (message->kind) {
    case TWILIO_START:
        take_start(session, message);
        break;
    case TWILIO_CONNECTED:
    case TWILIO_UNKNOWN:
        break;
    case TWILIO_STOP:
        twilio_stream_end(session, AIC_LEG_END_CALLER);
        break;
    default:
        twilio_stream_give_up(session, "a message before \"start\"");
        break;
    }
}

void twilio_stream_take(struct twilio_session *session, struct aic_str text)
{
    struct twilio_message message;
    const char *problem = NULL;
    bool is_waiting = session->phase == TWILIO_STREAM_WAITING;
    if (twilio_message_parse(text, &message, &problem) != AIC_OK) {
        if (is_waiting) {
            twilio_stream_give_up(session, problem);
        } else {
            twilio_stream_nonsense(session, problem);
        }
        return;
    }
    if (is_waiting) {
        take_before_start(session, &message);
    } else {
        take_in_call(session, &message);
    }
    twilio_message_finish(&message);
}
