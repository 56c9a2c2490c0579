/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLOSE_NORMAL = 1000, CLOSE_POLICY = 1008 };

int64_t browser_session_now(const struct browser_session *session)
{
    return session->provider->clock->now_us(session->provider->host);
}

void browser_log(const struct browser_provider *provider, uint32_t level, const char *text)
{
    provider->log->write(provider->host, level, aic_str(text));
}

void browser_session_set_timer(struct browser_session *session, int64_t deadline_us,
                               void (*fire)(void *data))
{
    const struct browser_provider *provider = session->provider;
    provider->timer->stop(provider->host, session->timer);
    session->timer = NULL;
    (void)provider->timer->start(provider->host, deadline_us, fire, session, &session->timer);
}

void browser_session_free(struct browser_session *session)
{
    struct browser_provider *provider = session->provider;
    for (struct browser_session **at = &provider->sessions; *at; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    provider->waiting -= session->phase == BROWSER_WAITING;
    provider->timer->stop(provider->host, session->timer);
    provider->ws->drop(provider->host, session->ws);
    free(session);
}

void browser_session_settle(struct browser_session *session)
{
    if (session->phase == BROWSER_OVER && !session->ws && !session->has_leg &&
        !session->is_in_event) {
        browser_session_free(session);
    }
}

int32_t browser_session_say(struct browser_session *session, const struct aic_buf *text)
{
    const struct browser_provider *provider = session->provider;
    if (!session->ws || text->failed) {
        return session->ws ? AIC_ERROR_MEMORY : AIC_ERROR_CLOSED;
    }
    return provider->ws->send_text(provider->host, session->ws, aic_buf_view(text));
}

struct aic_telephony_event browser_session_event(struct browser_session *session, uint32_t kind)
{
    return (struct aic_telephony_event){
        .size = sizeof(struct aic_telephony_event),
        .kind = kind,
        .leg = session->has_leg ? session : NULL,
        .direction = AIC_DIRECTION_INBOUND,
        .provider_call_id = aic_str(session->call_id),
        .call_id = aic_str(session->call_id),
        .from = AIC_STR("browser"),
        .format_in = {AIC_CODEC_PCM_S16LE, BROWSER_RATE_HZ, 1, 0},
        .format_out = {AIC_CODEC_PCM_S16LE, BROWSER_RATE_HZ, 1, 0},
        .sequence = -1,
        .duration_s = -1,
    };
}

void browser_session_tell_provider(struct browser_session *session,
                                   const struct aic_telephony_event *event)
{
    const struct aic_telephony_sink *sink = session->provider->sink;
    if (sink) {
        sink->event(sink, event);
    }
}

void browser_session_tell_leg(struct browser_session *session,
                              const struct aic_telephony_event *event)
{
    if (session->sink) {
        session->sink->event(session->sink, event);
    }
}

static long long in_ms(uint64_t bytes)
{
    return (long long)(bytes * 1000 / BROWSER_BYTES_PER_SECOND);
}

static void log_figures(const struct browser_session *session)
{
    static const char *const causes[] = {[AIC_LEG_END_CALLER] = "caller",
                                         [AIC_LEG_END_HOST] = "host",
                                         [AIC_LEG_END_LOST] = "lost",
                                         [AIC_LEG_END_PROTOCOL] = "protocol"};
    char line[400];
    (void)snprintf(line, sizeof(line),
                   "call %s over: heard_ms=%lld sent_ms=%lld dropped_ms=%lld "
                   "dropped_words=%llu dropped_notes=%llu ignored=%llu ended_by=%s",
                   session->call_id, in_ms(session->bytes_in), in_ms(session->bytes_out),
                   in_ms(session->dropped_bytes), (unsigned long long)session->dropped_words,
                   (unsigned long long)session->dropped_notes, (unsigned long long)session->ignored,
                   causes[session->cause]);
    browser_log(session->provider, AIC_LOG_INFO, line);
}

/* The last events of a leg. */
static void on_end(void *data)
{
    struct browser_session *session = data;
    session->timer = NULL;
    struct aic_telephony_event event = browser_session_event(session, AIC_TEL_EVENT_MEDIA_STOP);
    event.cause = session->cause;
    browser_session_tell_leg(session, &event);
    log_figures(session);
    /* One that was turned away has no call to speak of. */
    if (session->is_attached && session->has_leg) {
        event = browser_session_event(session, AIC_TEL_EVENT_STATUS);
        event.status = AIC_CALL_COMPLETED;
        event.sequence = 0;
        event.duration_s = (session->end_us - session->start_us + 500000) / 1000000;
        browser_session_tell_provider(session, &event);
    }
    session->phase = BROWSER_OVER;
    browser_session_settle(session);
}

void browser_session_close_socket(struct browser_session *session, int32_t code, const char *reason)
{
    const struct browser_provider *provider = session->provider;
    if (!session->ws) {
        return;
    }
    struct aic_buf text;
    aic_buf_init(&text, BROWSER_JSON_MAX_BYTES);
    browser_write_end(&text, reason);
    (void)browser_session_say(session, &text);
    aic_buf_finish(&text);
    provider->ws->close(provider->host, session->ws, code, aic_str(reason));
}

void browser_session_end(struct browser_session *session, uint32_t cause, const char *reason)
{
    const struct browser_provider *provider = session->provider;
    if (session->phase == BROWSER_WAITING) {
        session->provider->waiting--;
        session->phase = BROWSER_OVER;
        provider->timer->stop(provider->host, session->timer);
        session->timer = NULL;
    } else if (session->phase == BROWSER_TALKING) {
        session->phase = BROWSER_ENDING;
        session->cause = cause;
        session->end_us = browser_session_now(session);
        browser_session_set_timer(session, session->end_us, on_end);
    } else {
        return;
    }
    browser_session_close_socket(
        session, cause == AIC_LEG_END_PROTOCOL ? CLOSE_POLICY : CLOSE_NORMAL, reason);
}
