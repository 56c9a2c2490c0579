/* SPDX-License-Identifier: ISC */
/* Role stt: sessions. The host's voice detector cuts the utterances out of their sound. */
#include "hear.h"
#include "probe.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEEP_US = 10000000, /* after a failure of another provider a host may go back so far */
    LONGEST_US = 120000000,
    PROMPT_MAX_BYTES = 800, /* Whisper reads 224 tokens of it */
    JOBS_MAX = 8
};

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
};

static int32_t end_utterance(struct openai_stt_session *session, int64_t at_us)
{
    session->is_open = false;
    int32_t status = openai_hearing_start(session, session->id, session->begun_us, at_us);
    openai_recording_forget(&session->recording, at_us);
    return status;
}

static int32_t begin_utterance(struct openai_stt_session *session, uint64_t id, int64_t at_us)
{
    openai_recording_forget(&session->recording, at_us);
    session->is_open = true;
    session->is_full = false;
    session->id = id;
    session->begun_us = at_us;
    return AIC_OK;
}

static int32_t stt_utterance(void *self, uint32_t what, uint64_t id, int64_t at_us)
{
    struct openai_stt_session *session = self;
    if (session->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    if (session->jobs.count >= JOBS_MAX) {
        return AIC_ERROR_BUSY;
    }
    if (what == AIC_STT_UTTERANCE_BEGIN) {
        int32_t status = session->is_open ? end_utterance(session, at_us) : (int32_t)AIC_OK;
        return status == AIC_OK ? begin_utterance(session, id, at_us) : status;
    }
    bool is_end = what == AIC_STT_UTTERANCE_END && session->is_open && session->id == id;
    return is_end ? end_utterance(session, at_us) : (int32_t)AIC_ERROR_INVALID;
}

static void complain_of_length(struct openai_stt_session *session)
{
    const struct openai_provider *provider = session->provider;
    if (!session->is_full) {
        session->is_full = true;
        provider->log->write(provider->host, AIC_LOG_WARN,
                             AIC_STR("an utterance is over two minutes long: its end is lost"));
    }
}

static int32_t stt_push_audio(void *self, const struct aic_audio *audio)
{
    struct openai_stt_session *session = self;
    struct openai_recording *recording = &session->recording;
    if (session->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    if (audio->format.codec != recording->format.codec ||
        audio->format.rate_hz != recording->format.rate_hz || audio->format.channels != 1) {
        return AIC_ERROR_INVALID;
    }
    if (openai_recording_push(recording, audio) != AIC_OK) {
        complain_of_length(session);
        return AIC_ERROR_BUSY;
    }
    if (!session->is_open) {
        openai_recording_age(recording, KEEP_US);
    }
    return AIC_OK;
}

static int32_t stt_finish(void *self)
{
    struct openai_stt_session *session = self;
    if (session->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    if (session->is_open) {
        (void)end_utterance(session, session->recording.end_us);
    }
    session->is_finishing = true;
    return session->jobs.count == 0 ? openai_hearing_tell(session, AIC_STT_EVENT_CLOSED)
                                    : (int32_t)AIC_OK;
}

/* The words to expect, as the text that comes before: the recogniser leans towards it. */
static void take_hints(struct openai_stt_session *session, const struct aic_stt_open *params)
{
    for (uint32_t i = 0; i < params->hint_count; i++) {
        struct aic_str hint;
        memcpy(&hint, (const char *)params->hints + (size_t)i * params->hint_size, sizeof(hint));
        size_t separator = session->prompt.len > 0 ? 2 : 0;
        if (hint.len == 0 || session->prompt.len + separator + hint.len > PROMPT_MAX_BYTES) {
            continue;
        }
        aic_buf_text(&session->prompt, separator > 0 ? ", " : "");
        aic_buf_str(&session->prompt, hint);
    }
}

/* "en" of "en-IN". What the operator wrote for this provider counts more than the agent's. */
static void take_language(struct openai_stt_session *session, const char *agents)
{
    const char *language = session->provider->settings.language;
    language = language ? language : agents;
    if (language && strcmp(language, "auto") != 0) {
        struct aic_str code = {language, strcspn(language, "-_")};
        (void)aic_str_copy(code, session->language, sizeof(session->language));
    }
}

static int32_t session_create(const struct openai_provider *provider, struct aic_format format,
                              const struct aic_stt_sink *sink, struct openai_stt_session **to)
{
    struct openai_stt_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->provider = provider;
    session->sink = sink;
    openai_recording_init(&session->recording, format, LONGEST_US);
    aic_buf_init(&session->prompt, PROMPT_MAX_BYTES);
    *to = session;
    return AIC_OK;
}

static void stt_close(void *self)
{
    struct openai_stt_session *session = self;
    if (session) {
        openai_jobs_drop(&session->jobs);
        openai_recording_finish(&session->recording);
        aic_buf_finish(&session->prompt);
        free(session);
    }
}

static bool is_accepted(struct aic_format format)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (format.codec == formats[i].codec && format.rate_hz == formats[i].rate_hz &&
            format.channels == formats[i].channels) {
            return true;
        }
    }
    return false;
}

static int32_t stt_open(void *self, const struct aic_stt_open *params,
                        const struct aic_stt_sink *sink, void **to)
{
    struct openai_stt_session *session = NULL;
    int32_t status = is_accepted(params->format)
                         ? session_create(self, params->format, sink, &session)
                         : (int32_t)AIC_ERROR_INVALID;
    if (status != AIC_OK) {
        return status;
    }
    take_hints(session, params);
    take_language(session, params->language);
    status = openai_hearing_tell(session, AIC_STT_EVENT_READY);
    if (status != AIC_OK) {
        stt_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

static int32_t stt_capabilities(void *self, struct aic_stt_caps *caps)
{
    const struct openai_provider *provider = self;
    bool is_certain = strcmp(provider->settings.stt_format, "verbose_json") == 0;
    caps->flags = AIC_STT_NEEDS_VAD | (is_certain ? AIC_STT_CONFIDENCE : 0u);
    caps->formats = formats;
    caps->format_count = sizeof(formats) / sizeof(formats[0]);
    caps->format_size = sizeof(formats[0]);
    return AIC_OK;
}

static void stt_prewarm(void *self)
{
    openai_provider_warm(self);
}

static void probed(const void *sink, const struct openai_fault *fault)
{
    const struct aic_stt_sink *to = sink;
    struct aic_stt_event event = {
        .size = sizeof(event), .kind = AIC_STT_EVENT_CLOSED, .confidence = -1};
    struct aic_error error;
    if (fault) {
        error = openai_fault_error(fault, false);
        event.kind = AIC_STT_EVENT_ERROR;
        event.error = &error;
    }
    to->event(to, &event);
}

static int32_t stt_probe(void *self, const struct aic_stt_sink *sink, void **to)
{
    const struct openai_provider *provider = self;
    struct openai_stt_session *session = NULL;
    int32_t status = session_create(provider, formats[0], sink, &session);
    if (status != AIC_OK) {
        return status;
    }
    status = openai_probe(provider, &session->jobs, provider->settings.stt_model, probed, sink);
    if (status != AIC_OK) {
        stt_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

const struct aic_stt *openai_stt(void)
{
    static const struct aic_stt table = {
        .size = sizeof(table),
        .capabilities = stt_capabilities,
        .open = stt_open,
        .push_audio = stt_push_audio,
        .close = stt_close,
        .utterance = stt_utterance,
        .finish = stt_finish,
        .probe = stt_probe,
        .prewarm = stt_prewarm,
    };
    return &table;
}
