/* SPDX-License-Identifier: ISC */
#include "plugin/session.h"

#include "plugin/guard.h"

#include <stdlib.h>
#include <string.h>

struct session {
    struct provider *provider;
    void *handle;
    void *owner; /* NULL once closed */
    void (*close)(void *handle);
    struct session *next_waiting;
    int depth; /* of events that are being delivered */

    union {
        session_stt_handler stt;
        session_llm_handler llm;
        session_tts_handler tts;
    } handler;

    union {
        struct aic_stt_sink stt;
        struct aic_llm_sink llm;
        struct aic_tts_sink tts;
    } sink;
};

static void take_stt(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct session *session = sink->impl;
    session->depth++;
    if (session->owner) {
        session->handler.stt(session->owner, event);
    }
    session->depth--;
}

static void take_llm(const struct aic_llm_sink *sink, const struct aic_llm_event *event)
{
    struct session *session = sink->impl;
    session->depth++;
    if (session->owner) {
        session->handler.llm(session->owner, event);
    }
    session->depth--;
}

static void take_tts(const struct aic_tts_sink *sink, const struct aic_tts_event *event)
{
    struct session *session = sink->impl;
    session->depth++;
    if (session->owner) {
        session->handler.tts(session->owner, event);
    }
    session->depth--;
}

static struct session *new_session(struct provider *provider, void *owner,
                                   void (*close)(void *handle))
{
    struct session *session = calloc(1, sizeof(*session));
    if (session) {
        session->provider = provider;
        session->owner = owner;
        session->close = close;
        provider->session_count++;
    }
    return session;
}

static void free_session(struct session *session)
{
    session->provider->session_count--;
    free(session);
}

/* Keeps the session, or forgets it when the plugin refused. */
static int32_t opened(struct session *session, int32_t status, struct session **to)
{
    if (status != AIC_OK) {
        free_session(session);
        session = NULL;
    }
    *to = session;
    return status;
}

static struct session *new_stt(struct provider *provider, session_stt_handler handler, void *owner)
{
    struct session *s = new_session(provider, owner, provider->stt.close);
    if (s) {
        s->handler.stt = handler;
        s->sink.stt =
            (struct aic_stt_sink){.size = sizeof(s->sink.stt), .impl = s, .event = take_stt};
    }
    return s;
}

int32_t session_open_stt(struct provider *provider, const struct aic_stt_open *params,
                         session_stt_handler handler, void *owner, struct session **session)
{
    struct session *s = new_stt(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "stt.open",
          status = provider->stt.open(provider->self, params, &s->sink.stt, &s->handle));
    return opened(s, status, session);
}

static struct session *new_llm(struct provider *provider, session_llm_handler handler, void *owner)
{
    struct session *s = new_session(provider, owner, provider->llm.close);
    if (s) {
        s->handler.llm = handler;
        s->sink.llm =
            (struct aic_llm_sink){.size = sizeof(s->sink.llm), .impl = s, .event = take_llm};
    }
    return s;
}

int32_t session_open_llm(struct provider *provider, const struct aic_llm_open *params,
                         session_llm_handler handler, void *owner, struct session **session)
{
    struct session *s = new_llm(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "llm.open",
          status = provider->llm.open(provider->self, params, &s->sink.llm, &s->handle));
    return opened(s, status, session);
}

static struct session *new_tts(struct provider *provider, session_tts_handler handler, void *owner)
{
    struct session *s = new_session(provider, owner, provider->tts.close);
    if (s) {
        s->handler.tts = handler;
        s->sink.tts =
            (struct aic_tts_sink){.size = sizeof(s->sink.tts), .impl = s, .event = take_tts};
    }
    return s;
}

int32_t session_open_tts(struct provider *provider, const struct aic_tts_open *params,
                         session_tts_handler handler, void *owner, struct session **session)
{
    struct session *s = new_tts(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "tts.open",
          status = provider->tts.open(provider->self, params, &s->sink.tts, &s->handle));
    return opened(s, status, session);
}

int32_t session_probe_stt(struct provider *provider, session_stt_handler handler, void *owner,
                          struct session **session)
{
    struct session *s = new_stt(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "stt.probe",
          status = provider->stt.probe(provider->self, &s->sink.stt, &s->handle));
    return opened(s, status, session);
}

int32_t session_probe_llm(struct provider *provider, session_llm_handler handler, void *owner,
                          struct session **session)
{
    struct session *s = new_llm(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "llm.probe",
          status = provider->llm.probe(provider->self, &s->sink.llm, &s->handle));
    return opened(s, status, session);
}

int32_t session_probe_tts(struct provider *provider, session_tts_handler handler, void *owner,
                          struct session **session)
{
    struct session *s = new_tts(provider, handler, owner);
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    GUARD(provider, "tts.probe",
          status = provider->tts.probe(provider->self, &s->sink.tts, &s->handle));
    return opened(s, status, session);
}

static void close_now(struct session *session)
{
    GUARD(session->provider, "close", session->close(session->handle));
    free_session(session);
}

void session_close_waiting(struct provider *provider)
{
    sched_timer_stop(provider->env->sched, provider->waiting_timer);
    provider->waiting_timer = NULL;
    while (provider->waiting) {
        struct session *session = provider->waiting;
        provider->waiting = session->next_waiting;
        close_now(session);
    }
}

static void close_waiting_later(void *data)
{
    struct provider *provider = data;
    provider->waiting_timer = NULL;
    session_close_waiting(provider);
}

void session_close(struct session *session)
{
    if (!session) {
        return;
    }
    session->owner = NULL;
    if (session->depth == 0) {
        close_now(session);
        return;
    }
    struct provider *provider = session->provider;
    session->next_waiting = provider->waiting;
    provider->waiting = session;
    if (!provider->waiting_timer) {
        struct sched *sched = provider->env->sched;
        provider->waiting_timer =
            sched_timer_start(sched, sched_now(sched), close_waiting_later, provider);
    }
}

void *session_handle(const struct session *session)
{
    return session->handle;
}

struct provider *session_provider(const struct session *session)
{
    return session->provider;
}
