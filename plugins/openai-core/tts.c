/* SPDX-License-Identifier: ISC */
/* Role tts: sessions, each with the utterances that it speaks. */
#include "probe.h"
#include "speak.h"

#include <stdlib.h>

enum { UTTERANCES_MAX = 8 };

static int32_t tts_begin(void *self, const struct aic_tts_utterance *params)
{
    struct openai_tts_session *session = self;
    return session->utterances.count < UTTERANCES_MAX ? openai_utterance_begin(session, params->id)
                                                      : (int32_t)AIC_ERROR_BUSY;
}

/* The utterance with this id, if it still takes text; else NULL. */
static struct openai_job *find_open(struct openai_tts_session *session, uint64_t id)
{
    struct openai_job *job = openai_jobs_find(&session->utterances, id);
    return job && !job->http ? job : NULL;
}

static int32_t tts_push_text(void *self, uint64_t id, struct aic_str text)
{
    struct openai_job *job = find_open(self, id);
    return job ? openai_utterance_add(job, text) : (int32_t)AIC_ERROR_NOT_FOUND;
}

static int32_t tts_end(void *self, uint64_t id)
{
    struct openai_job *job = find_open(self, id);
    return job ? openai_utterance_send(job) : (int32_t)AIC_ERROR_NOT_FOUND;
}

static int32_t tts_cancel(void *self, uint64_t id, int64_t played_us)
{
    (void)played_us;
    struct openai_tts_session *session = self;
    struct openai_job *job = openai_jobs_find(&session->utterances, id);
    return job ? openai_utterance_cancel(job) : (int32_t)AIC_ERROR_NOT_FOUND;
}

static void tts_close(void *self)
{
    struct openai_tts_session *session = self;
    if (session) {
        openai_jobs_drop(&session->utterances);
        free(session->voice);
        free(session);
    }
}

static int32_t session_create(const struct openai_provider *provider, const char *voice,
                              const struct aic_tts_sink *sink, struct openai_tts_session **to)
{
    struct openai_tts_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->provider = provider;
    session->sink = sink;
    session->voice = aic_str_dup(aic_str(voice));
    if (!session->voice) {
        tts_close(session);
        return AIC_ERROR_MEMORY;
    }
    *to = session;
    return AIC_OK;
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **to)
{
    const struct openai_provider *provider = self;
    const struct aic_format *ours = &provider->tts_format;
    if (params->format.codec != ours->codec || params->format.rate_hz != ours->rate_hz ||
        params->format.channels != ours->channels) {
        return AIC_ERROR_INVALID;
    }
    bool has_voice = params->voice && params->voice[0];
    struct openai_tts_session *session = NULL;
    int32_t status = session_create(provider, has_voice ? params->voice : provider->settings.voice,
                                    sink, &session);
    if (status == AIC_OK) {
        *to = session;
    }
    return status;
}

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    const struct openai_provider *provider = self;
    caps->flags = AIC_TTS_STREAM_OUT;
    caps->formats = &provider->tts_format;
    caps->format_count = 1;
    caps->format_size = sizeof(provider->tts_format);
    uint32_t own = provider->settings.tts_max_bytes;
    caps->max_text_bytes = own > 0 ? own : OPENAI_SPEECH_MAX_BYTES;
    return AIC_OK;
}

static void tts_prewarm(void *self)
{
    openai_provider_warm(self);
}

static void probed(const void *sink, const struct openai_fault *fault)
{
    const struct aic_tts_sink *to = sink;
    struct aic_tts_event event = {.size = sizeof(event), .kind = AIC_TTS_EVENT_DONE};
    struct aic_error error;
    if (fault) {
        error = openai_fault_error(fault, false);
        event.kind = AIC_TTS_EVENT_ERROR;
        event.error = &error;
    }
    to->event(to, &event);
}

static int32_t tts_probe(void *self, const struct aic_tts_sink *sink, void **to)
{
    const struct openai_provider *provider = self;
    struct openai_tts_session *session = NULL;
    int32_t status = session_create(provider, "", sink, &session);
    if (status != AIC_OK) {
        return status;
    }
    status =
        openai_probe(provider, &session->utterances, provider->settings.tts_model, probed, sink);
    if (status != AIC_OK) {
        tts_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

const struct aic_tts *openai_tts(void)
{
    static const struct aic_tts table = {
        .size = sizeof(table),
        .capabilities = tts_capabilities,
        .open = tts_open,
        .begin = tts_begin,
        .push_text = tts_push_text,
        .end = tts_end,
        .cancel = tts_cancel,
        .close = tts_close,
        .prewarm = tts_prewarm,
        .probe = tts_probe,
    };
    return &table;
}
