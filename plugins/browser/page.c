/* SPDX-License-Identifier: ISC */
#include "origin.h"
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>

#define START_US INT64_C(5000000)
#define IDLE_US  INT64_C(15000000)

/* Sound may come 1.5 times as fast as it is spoken, and two seconds of it at once after a stall. */
#define AUDIO_BURST_US INT64_C(2000000)
/* Typed texts and digits: two a second, twenty at once. */
#define WORD_US       INT64_C(500000)
#define WORD_BURST_US (20 * WORD_US)

enum { MAX_WAITING = 64 };

/* Close codes of RFC 6455 7.4.1: how a page leaves, and how a broken line looks. */
enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_WITHOUT_CODE = 1005,
    CLOSE_BROKEN = 1006
};

/* Ends a session whose page does not keep to the protocol. */
static void give_up(struct browser_session *session, const char *problem)
{
    struct aic_buf text;
    aic_buf_init(&text, BROWSER_JSON_MAX_BYTES);
    browser_write_error(&text, problem);
    (void)browser_session_say(session, &text);
    aic_buf_finish(&text);
    char line[200];
    (void)snprintf(line, sizeof(line), "a page was turned away: %s", problem);
    browser_log(session->provider, AIC_LOG_WARN, line);
    browser_session_end(session, AIC_LEG_END_PROTOCOL, "protocol");
}

static void on_start_timeout(void *data)
{
    struct browser_session *session = data;
    session->timer = NULL;
    give_up(session, "no \"start\" came within 5 seconds");
}

static void on_idle(void *data)
{
    struct browser_session *session = data;
    session->timer = NULL;
    if (browser_session_now(session) - session->alive_us < IDLE_US) {
        browser_session_set_timer(session, session->alive_us + IDLE_US, on_idle);
        return;
    }
    browser_session_end(session, AIC_LEG_END_LOST, "timeout");
}

/* Takes `cost` out of a bucket that holds `max` and fills by `percent` of passing time. */
static bool take(struct browser_bucket *bucket, int64_t now, int64_t cost, int64_t max,
                 int64_t percent)
{
    /* A long pause fills it; more must not overflow the product. */
    int64_t passed = now - bucket->refilled_us < max ? now - bucket->refilled_us : max;
    bucket->refilled_us = now;
    bucket->credit += passed * percent / 100;
    bucket->credit = bucket->credit < max ? bucket->credit : max;
    if (bucket->credit < cost) {
        return false;
    }
    bucket->credit -= cost;
    return true;
}

static void begin_call(struct browser_session *session, const struct browser_message *message)
{
    struct aic_buf ext;
    session->provider->waiting--;
    session->phase = BROWSER_TALKING;
    session->has_leg = true;
    session->start_us = browser_session_now(session);
    session->audio_bucket = (struct browser_bucket){AUDIO_BURST_US, session->start_us};
    session->words_bucket = (struct browser_bucket){WORD_BURST_US, session->start_us};
    (void)aic_str_copy(message->call_id, session->call_id, sizeof(session->call_id));
    browser_session_set_timer(session, session->start_us + IDLE_US, on_idle);

    struct aic_telephony_event event = browser_session_event(session, AIC_TEL_EVENT_MEDIA_START);
    event.token = message->token;
    aic_buf_init(&ext, BROWSER_JSON_MAX_BYTES);
    if (message->agent.len > 0) {
        struct aic_json_writer w;
        aic_json_writer_init(&w, &ext);
        aic_json_open(&w, '{');
        aic_json_member(&w, "agent", message->agent);
        aic_json_close(&w, '}');
        event.ext = aic_buf_view(&ext);
    }
    browser_session_tell_provider(session, &event);
    aic_buf_finish(&ext);
    if (!session->is_attached) {
        browser_session_end(session, AIC_LEG_END_HOST, "refused");
    }
}

static void on_mark(struct browser_session *session, const struct browser_message *message)
{
    if (message->id <= session->mark_answered || message->id > session->mark_sent) {
        session->ignored++;
        return;
    }
    session->mark_answered = message->id;
    struct aic_telephony_event event = browser_session_event(session, AIC_TEL_EVENT_MARK);
    event.mark_id = message->id;
    event.mark_flags = message->is_cleared ? AIC_MARK_CLEARED : AIC_MARK_PLAYED;
    browser_session_tell_leg(session, &event);
}

static void on_words(struct browser_session *session, const struct browser_message *message)
{
    if (!take(&session->words_bucket, browser_session_now(session), WORD_US, WORD_BURST_US, 100)) {
        session->dropped_words++;
        return;
    }
    bool is_digit = message->kind == BROWSER_DTMF;
    struct aic_telephony_event event =
        browser_session_event(session, is_digit ? AIC_TEL_EVENT_DTMF : AIC_TEL_EVENT_TEXT);
    event.digits = is_digit ? message->text : event.digits;
    event.text = is_digit ? event.text : message->text;
    browser_session_tell_leg(session, &event);
}

static void on_message(struct browser_session *session, const struct browser_message *message)
{
    if (message->kind == BROWSER_BYE) {
        browser_session_end(session, AIC_LEG_END_CALLER, "hangup");
        return;
    }
    bool is_start = message->kind == BROWSER_START;
    if (is_start != (session->phase == BROWSER_WAITING)) {
        give_up(session,
                is_start ? "the call has begun already" : "the first message must be \"start\"");
        return;
    }
    switch (message->kind) {
    case BROWSER_START:
        begin_call(session, message);
        break;
    case BROWSER_MARK:
        on_mark(session, message);
        break;
    case BROWSER_TEXT:
    case BROWSER_DTMF:
        on_words(session, message);
        break;
    default:
        session->ignored++;
        break;
    }
}

static void on_text(struct browser_session *session, struct aic_str frame)
{
    struct browser_message message;
    const char *problem = NULL;
    if (browser_message_parse(frame, &message, &problem) != AIC_OK) {
        give_up(session, problem);
        return;
    }
    on_message(session, &message);
    browser_message_finish(&message);
}

static void on_audio(struct browser_session *session, struct aic_str frame)
{
    const char *problem = session->phase == BROWSER_WAITING ? "the first message must be \"start\""
                                                            : browser_audio_problem(frame.len);
    if (problem) {
        give_up(session, problem);
        return;
    }
    int64_t length_us = (int64_t)frame.len * 1000000 / BROWSER_BYTES_PER_SECOND;
    if (!take(&session->audio_bucket, browser_session_now(session), length_us, AUDIO_BURST_US,
              150)) {
        session->dropped_bytes += frame.len;
        return;
    }
    if (frame.len == 0) {
        return;
    }
    struct aic_audio audio = {
        .size = sizeof(audio),
        .format = {AIC_CODEC_PCM_S16LE, BROWSER_RATE_HZ, 1, 0},
        .data = (const uint8_t *)frame.ptr,
        .bytes = frame.len,
        .time_us = (int64_t)(session->bytes_in * 1000000 / BROWSER_BYTES_PER_SECOND)};
    session->bytes_in += frame.len;
    struct aic_telephony_event event = browser_session_event(session, AIC_TEL_EVENT_AUDIO);
    event.audio = &audio;
    browser_session_tell_leg(session, &event);
}

static void on_open(struct browser_session *session, struct aic_ws *ws)
{
    session->ws = ws;
    /* The provider stopped in the meantime. */
    if (session->phase != BROWSER_WAITING) {
        browser_session_close_socket(session, CLOSE_GOING_AWAY, "shutdown");
        return;
    }
    browser_session_set_timer(session, browser_session_now(session) + START_US, on_start_timeout);
}

static void on_closed(struct browser_session *session, const struct aic_ws_event *event)
{
    session->ws = NULL;
    /* A page that is closed says 1001 by itself; no close frame means that the line broke. */
    uint32_t cause = AIC_LEG_END_PROTOCOL;
    if (event->close_code == CLOSE_NORMAL || event->close_code == CLOSE_GOING_AWAY ||
        event->close_code == CLOSE_WITHOUT_CODE) {
        cause = AIC_LEG_END_CALLER;
    } else if (event->close_code == CLOSE_BROKEN) {
        cause = AIC_LEG_END_LOST;
    }
    browser_session_end(session, cause, "");
}

static void on_ws_event(void *data, const struct aic_ws_event *event)
{
    struct browser_session *session = data;
    bool is_listening = session->phase == BROWSER_WAITING || session->phase == BROWSER_TALKING;
    session->is_in_event = true;
    if (event->kind == AIC_WS_EVENT_OPEN) {
        on_open(session, event->ws);
    } else if (event->kind == AIC_WS_EVENT_CLOSED) {
        on_closed(session, event);
    } else if (is_listening &&
               (event->kind == AIC_WS_EVENT_TEXT || event->kind == AIC_WS_EVENT_BINARY)) {
        session->alive_us = browser_session_now(session);
        if (event->kind == AIC_WS_EVENT_TEXT) {
            on_text(session, event->data);
        } else {
            on_audio(session, event->data);
        }
    }
    session->is_in_event = false;
    browser_session_settle(session);
}

int32_t browser_page_accept(void *data, struct aic_exchange *exchange,
                            const struct aic_request *request, aic_ws_handler *event,
                            void **event_data)
{
    struct browser_provider *provider = data;
    const struct aic_route_service *route = provider->route;
    (void)request;
    if (!provider->sink) {
        return AIC_ERROR_CLOSED;
    }
    if (!browser_origin_is_ours(route->header(provider->host, exchange, "origin"),
                                route->header(provider->host, exchange, "host"),
                                route->public_url(provider->host))) {
        browser_log(
            provider, AIC_LOG_WARN,
            "a page of another origin was refused; is server.public_url what browsers use?");
        return AIC_ERROR_DENIED;
    }
    if (provider->waiting >= MAX_WAITING) {
        browser_log(provider, AIC_LOG_WARN,
                    "a page was refused: too many have connected and not started");
        return AIC_ERROR_BUSY;
    }
    struct browser_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->provider = provider;
    session->next = provider->sessions;
    provider->sessions = session;
    provider->waiting++;
    *event = on_ws_event;
    *event_data = session;
    return AIC_OK;
}
