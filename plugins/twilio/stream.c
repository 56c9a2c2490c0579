/* SPDX-License-Identifier: ISC */
#include "stream.h"

#include <stdlib.h>

enum { MAX_WAITING = 256 }; /* streams that have not started */

static const int64_t start_us = 10 * INT64_C(1000000);
static const int64_t hang_us = 2 * INT64_C(1000000);

/* Close codes of RFC 6455 7.4.1. */
enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_LARGE = 1009
};

void twilio_stream_set_timer(struct twilio_session *session, int64_t deadline_us,
                             void (*fire)(void *data))
{
    const struct twilio_provider *provider = session->provider;
    provider->timer->stop(provider->host, session->timer);
    session->timer = NULL;
    if (fire) {
        (void)provider->timer->start(provider->host, deadline_us, fire, session, &session->timer);
    }
}

static void free_session(struct twilio_session *session)
{
    struct twilio_provider *provider = session->provider;
    struct twilio_session **at = &provider->sessions;
    while (*at != session) {
        at = &(*at)->next;
    }
    *at = session->next;
    provider->waiting -= session->phase == TWILIO_STREAM_WAITING;
    if (session->job) {
        session->job->session = NULL;
    }
    twilio_stream_set_timer(session, 0, NULL);
    provider->ws->drop(provider->host, session->ws);
    aic_buf_finish(&session->prefix);
    aic_buf_finish(&session->message);
    free(session);
}

void twilio_stream_settle(struct twilio_session *session)
{
    if (session->phase == TWILIO_STREAM_OVER && !session->ws && !session->has_leg &&
        !session->is_in_event) {
        free_session(session);
    }
}

struct aic_telephony_event twilio_stream_event(struct twilio_session *session, uint32_t kind)
{
    struct aic_telephony_event event = twilio_event(kind);
    event.leg = session->has_leg ? session : NULL;
    event.provider_call_id = aic_str(session->call_sid);
    event.call_id = aic_str(session->call_id);
    event.format_in = (struct aic_format){AIC_CODEC_MULAW, TWILIO_RATE_HZ, 1, 0};
    event.format_out = event.format_in;
    return event;
}

void twilio_stream_tell(struct twilio_session *session, const struct aic_telephony_event *event)
{
    if (session->sink) {
        session->sink->event(session->sink, event);
    }
}

static void log_figures(const struct twilio_session *session)
{
    static const char *const causes[] = {
        [AIC_LEG_END_NONE] = "",
        [AIC_LEG_END_CALLER] = "caller",
        [AIC_LEG_END_HOST] = "host",
        [AIC_LEG_END_LOST] = "lost",
        [AIC_LEG_END_TRANSFERRED] = "transfer",
        [AIC_LEG_END_PROTOCOL] = "protocol",
    };
    twilio_log(session->provider, AIC_LOG_INFO,
               "stream of call %s over: heard_ms=%llu sent_ms=%llu lost_ms=%llu dropped_ms=%llu "
               "ignored=%llu nonsense=%u ended_by=%s",
               session->call_sid, (unsigned long long)session->heard_ms,
               (unsigned long long)(session->sent_bytes / TWILIO_BYTES_PER_MS),
               (unsigned long long)session->lost_ms, (unsigned long long)session->dropped_ms,
               (unsigned long long)session->ignored, session->nonsense, causes[session->cause]);
}

static void close_socket(struct twilio_session *session, int32_t code, const char *reason)
{
    const struct twilio_provider *provider = session->provider;
    if (session->ws) {
        provider->ws->close(provider->host, session->ws, code, aic_str(reason));
    }
}

/* The last event of a leg. */
static void on_end(void *data)
{
    struct twilio_session *session = data;
    struct aic_telephony_event event = twilio_stream_event(session, AIC_TEL_EVENT_MEDIA_STOP);
    session->timer = NULL;
    event.cause = session->cause;
    log_figures(session);
    session->is_in_event = true;
    twilio_stream_tell(session, &event);
    session->is_in_event = false;
    session->phase = TWILIO_STREAM_OVER;
    twilio_stream_settle(session);
}

void twilio_stream_end(struct twilio_session *session, uint32_t cause)
{
    if (session->phase == TWILIO_STREAM_WAITING) {
        session->provider->waiting--;
        session->phase = TWILIO_STREAM_OVER;
        twilio_stream_set_timer(session, 0, NULL);
    } else if (session->phase == TWILIO_STREAM_TALKING || session->phase == TWILIO_STREAM_HANGING) {
        session->cause = session->phase == TWILIO_STREAM_HANGING ? AIC_LEG_END_HOST : cause;
        session->phase = TWILIO_STREAM_ENDING;
        twilio_stream_set_timer(session, twilio_now(session->provider), on_end);
    } else {
        return;
    }
    close_socket(session, cause == AIC_LEG_END_PROTOCOL ? CLOSE_POLICY : CLOSE_NORMAL, "");
}

static void on_hang_over(void *data)
{
    struct twilio_session *session = data;
    session->timer = NULL;
    /* Without its stream the call asks us what to do next, and is told to hang up. */
    twilio_stream_end(session, AIC_LEG_END_HOST);
}

void twilio_stream_hang(struct twilio_session *session)
{
    session->phase = TWILIO_STREAM_HANGING;
    twilio_stream_set_timer(session, twilio_now(session->provider) + hang_us, on_hang_over);
}

void twilio_stream_give_up(struct twilio_session *session, const char *problem)
{
    session->provider->counters.bad_streams++;
    twilio_log(session->provider, AIC_LOG_WARN, "a media stream was ended: %s", problem);
    twilio_stream_end(session, AIC_LEG_END_PROTOCOL);
}

static void on_start_timeout(void *data)
{
    struct twilio_session *session = data;
    session->timer = NULL;
    session->is_in_event = true;
    twilio_stream_give_up(session, "no \"start\" came within 10 seconds");
    session->is_in_event = false;
    twilio_stream_settle(session);
}

uint32_t twilio_stream_cause(const struct twilio_session *session, uint32_t usually)
{
    if (session->is_transferring) {
        return AIC_LEG_END_TRANSFERRED;
    }
    /* The call goes on with its tones, and comes back. */
    return session->is_playing_digits ? AIC_LEG_END_LOST : usually;
}

/* The socket */

static void on_open(struct twilio_session *session, struct aic_ws *ws)
{
    session->ws = ws;
    if (session->phase != TWILIO_STREAM_WAITING) {
        close_socket(session, CLOSE_GOING_AWAY, "");
        return;
    }
    twilio_stream_set_timer(session, twilio_now(session->provider) + start_us, on_start_timeout);
}

static void on_closed(struct twilio_session *session, const struct aic_ws_event *event)
{
    bool is_broken = event->close_code == CLOSE_PROTOCOL || event->close_code == CLOSE_NOT_UTF8 ||
                     event->close_code == CLOSE_TOO_LARGE;
    session->ws = NULL;
    /* Twilio says "stop" before it goes; without that the line between us broke. */
    twilio_stream_end(session, is_broken ? AIC_LEG_END_PROTOCOL
                                         : twilio_stream_cause(session, AIC_LEG_END_LOST));
}

static void on_ws_event(void *data, const struct aic_ws_event *event)
{
    struct twilio_session *session = data;
    bool is_listening = session->phase < TWILIO_STREAM_ENDING;
    session->is_in_event = true;
    if (event->kind == AIC_WS_EVENT_OPEN) {
        on_open(session, event->ws);
    } else if (event->kind == AIC_WS_EVENT_CLOSED) {
        on_closed(session, event);
    } else if (event->kind == AIC_WS_EVENT_TEXT && is_listening) {
        twilio_stream_take(session, event->data);
    } else if (event->kind == AIC_WS_EVENT_BINARY && is_listening) {
        twilio_stream_nonsense(session, "it is binary");
    }
    session->is_in_event = false;
    twilio_stream_settle(session);
}

static bool is_signed(const struct twilio_provider *provider, struct aic_exchange *exchange,
                      const struct aic_request *request)
{
    const struct twilio_signed handshake = {.public_url = twilio_public_url(provider),
                                            .path = request->path,
                                            .query = request->query,
                                            .is_websocket = true};
    return twilio_signature_matches(
        &handshake, &provider->settings.tokens,
        provider->route->header(provider->host, exchange, "x-twilio-signature"));
}

static int32_t on_upgrade(void *data, struct aic_exchange *exchange,
                          const struct aic_request *request, aic_ws_handler *event,
                          void **event_data)
{
    struct twilio_provider *provider = data;
    if (!provider->sink) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (!is_signed(provider, exchange, request)) {
        struct aic_str header =
            provider->route->header(provider->host, exchange, "x-twilio-signature");
        provider->counters.unsigned_streams++;
        twilio_warn_rarely(provider, &provider->unsigned_stream_line,
                           "a media stream was refused: it is not signed by this account for the "
                           "WebSocket address at server.public_url");
        /* Only its signature tells whose stream it is: another account may know it. */
        return header.len > 0 ? AIC_ERROR_NOT_FOUND : AIC_ERROR_DENIED;
    }
    struct twilio_session *session =
        provider->waiting < MAX_WAITING ? calloc(1, sizeof(*session)) : NULL;
    if (!session) {
        twilio_log(provider, AIC_LOG_ERROR,
                   "a media stream was refused: too many have connected and not started");
        return AIC_ERROR_BUSY;
    }
    session->provider = provider;
    session->heard_to_ms = -1;
    aic_buf_init(&session->prefix, TWILIO_CONTROL_MAX_BYTES);
    aic_buf_init(&session->message, TWILIO_MESSAGE_MAX_BYTES + TWILIO_CONTROL_MAX_BYTES);
    session->phase = TWILIO_STREAM_WAITING;
    session->next = provider->sessions;
    provider->sessions = session;
    provider->waiting++;
    *event = on_ws_event;
    *event_data = session;
    return AIC_OK;
}

int32_t twilio_stream_start(struct twilio_provider *provider)
{
    const struct aic_ws_route route = {.size = sizeof(route),
                                       .path = TWILIO_PATH_MEDIA,
                                       .data = provider,
                                       .max_message_bytes = TWILIO_MESSAGE_MAX_BYTES,
                                       .max_queue_bytes = TWILIO_QUEUE_MAX_BYTES,
                                       .accept = on_upgrade};
    return provider->route->add_websocket(provider->host, &route);
}

void twilio_stream_stop(struct twilio_provider *provider)
{
    for (struct twilio_session *session = provider->sessions, *next = NULL; session;
         session = next) {
        next = session->next;
        twilio_stream_end(session, AIC_LEG_END_HOST);
        if (session->phase == TWILIO_STREAM_ENDING) {
            twilio_stream_set_timer(session, 0, NULL);
            session->phase = TWILIO_STREAM_OVER;
            twilio_stream_settle(session);
        }
    }
}

void twilio_stream_finish(struct twilio_provider *provider)
{
    for (struct twilio_session *session = provider->sessions, *next = NULL; session;
         session = next) {
        next = session->next;
        free_session(session);
    }
}
