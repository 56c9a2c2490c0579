/* SPDX-License-Identifier: ISC */
#include "plugin/revival.h"

#include "plugin/provider.h"
#include "plugin/session.h"

#include "buf.h"

static void probe_now(void *data);

static struct sched *sched_of(const struct revival *revival)
{
    return revival->provider->env->sched;
}

static struct breaker *breaker_of(const struct revival *revival)
{
    return &revival->provider->breakers[revival->role];
}

static bool can_probe(const struct revival *revival)
{
    switch (revival->role) {
    case PROVIDER_STT:
        return revival->provider->stt.probe != NULL;
    case PROVIDER_LLM:
        return revival->provider->llm.probe != NULL;
    case PROVIDER_TTS:
        return revival->provider->tts.probe != NULL;
    default:
        return false;
    }
}

/* Until the breaker's time has come. */
static void wait_for_time(struct revival *revival)
{
    struct sched *sched = sched_of(revival);
    int64_t wait_us = breaker_retry_wall_us(breaker_of(revival)) - sched_wall(sched);
    revival->timer = sched_timer_start(sched, sched_now(sched) + (wait_us > 0 ? wait_us : 0),
                                       probe_now, revival);
}

static void end_probe(void *data)
{
    struct revival *revival = data;
    revival->timer = NULL;
    session_close(revival->probe);
    revival->probe = NULL;
    if (revival->is_answered) {
        revival_watch(revival);
        return;
    }
    const struct aic_error error = {.size = sizeof(error),
                                    .category = AIC_CATEGORY_TIMEOUT,
                                    .scope = AIC_SCOPE_PROVIDER,
                                    .message = AIC_STR("the probe was not answered")};
    provider_failed(revival->provider, revival->role, &error);
}

/* The probe ends outside of its own event, which may come from inside its start. */
static void answered(struct revival *revival, const struct aic_error *error)
{
    struct sched *sched = sched_of(revival);
    if (revival->is_answered) {
        return;
    }
    revival->is_answered = true;
    sched_timer_stop(sched, revival->timer);
    revival->timer = sched_timer_start(sched, sched_now(sched), end_probe, revival);
    if (error) {
        provider_failed(revival->provider, revival->role, error);
    } else {
        provider_succeeded(revival->provider, revival->role);
    }
}

static void take_stt(void *owner, const struct aic_stt_event *event)
{
    if (event->kind == AIC_STT_EVENT_CLOSED || event->kind == AIC_STT_EVENT_ERROR) {
        answered(owner, event->kind == AIC_STT_EVENT_ERROR ? event->error : NULL);
    }
}

static void take_llm(void *owner, const struct aic_llm_event *event)
{
    if (event->kind == AIC_LLM_EVENT_FINISH || event->kind == AIC_LLM_EVENT_ERROR) {
        answered(owner, event->kind == AIC_LLM_EVENT_ERROR ? event->error : NULL);
    }
}

static void take_tts(void *owner, const struct aic_tts_event *event)
{
    if (event->kind == AIC_TTS_EVENT_DONE || event->kind == AIC_TTS_EVENT_ERROR) {
        answered(owner, event->kind == AIC_TTS_EVENT_ERROR ? event->error : NULL);
    }
}

static int32_t start_probe(struct revival *revival)
{
    switch (revival->role) {
    case PROVIDER_STT:
        return session_probe_stt(revival->provider, take_stt, revival, &revival->probe);
    case PROVIDER_LLM:
        return session_probe_llm(revival->provider, take_llm, revival, &revival->probe);
    default:
        return session_probe_tts(revival->provider, take_tts, revival, &revival->probe);
    }
}

static void probe_now(void *data)
{
    struct revival *revival = data;
    struct sched *sched = sched_of(revival);
    revival->timer = NULL;
    if (breaker_state(breaker_of(revival)) == BREAKER_CLOSED) {
        return;
    }
    if (!provider_allowed(revival->provider, revival->role)) {
        wait_for_time(revival); /* another worker tries, or it failed anew since */
        return;
    }
    revival->is_answered = false;
    revival->timer = sched_timer_start(
        sched, sched_now(sched) + REVIVAL_DEADLINE_MS * INT64_C(1000), end_probe, revival);
    int32_t status = start_probe(revival);
    if (status == AIC_ERROR_UNSUPPORTED) {
        sched_timer_stop(sched, revival->timer); /* the next call finds out */
        revival->timer = NULL;
    } else if (status != AIC_OK) {
        const struct aic_error error = {.size = sizeof(error),
                                        .category = AIC_CATEGORY_INTERNAL,
                                        .scope = AIC_SCOPE_PROVIDER,
                                        .message = AIC_STR("the plugin does not probe")};
        answered(revival, &error);
    }
}

void revival_init(struct revival *revival, struct provider *provider, uint32_t role)
{
    *revival = (struct revival){.provider = provider, .role = role};
}

void revival_finish(struct revival *revival)
{
    if (!revival->provider) {
        return;
    }
    sched_timer_stop(sched_of(revival), revival->timer);
    revival->timer = NULL;
    session_close(revival->probe);
    revival->probe = NULL;
}

void revival_watch(struct revival *revival)
{
    if (!revival->timer && breaker_state(breaker_of(revival)) == BREAKER_OPEN &&
        can_probe(revival)) {
        wait_for_time(revival);
    }
}
