/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum {
    RING_US = 10000000,       /* as much as a host may replay after a failure */
    LEAD_US = 200000,         /* decoded before an utterance: shows the decoder the line's noise */
    BLOCK_US = 100000,        /* of sound per job */
    BACKLOG_MAX_US = 5000000, /* of sound that waits to be decoded */
    JOBS_MAX = 512,
    HINTS_MAX_BYTES = 2 << 20,
};

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
};

static int32_t stt_capabilities(void *self, struct aic_stt_caps *caps)
{
    (void)self;
    caps->flags = AIC_STT_STREAMING | AIC_STT_NEEDS_VAD | AIC_STT_INTERIM | AIC_STT_UPDATE_HINTS;
    caps->formats = formats;
    caps->format_count = sizeof(formats) / sizeof(formats[0]);
    caps->format_size = sizeof(formats[0]);
    return AIC_OK;
}

static bool is_accepted(struct aic_format format)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (format.codec == formats[i].codec && format.rate_hz == formats[i].rate_hz &&
            format.channels == 1) {
            return true;
        }
    }
    return false;
}

static bool is_english(const char *language)
{
    return !language || !*language ||
           ((language[0] == 'e' || language[0] == 'E') &&
            (language[1] == 'n' || language[1] == 'N') && (!language[2] || language[2] == '-'));
}

/* A reference to the model for these hints, or NULL out of memory. */
static struct sphinx_model *model_for(struct sphinx_provider *provider, const struct aic_str *hints,
                                      uint32_t count, uint32_t hint_size)
{
    struct aic_buf phrases;
    aic_buf_init(&phrases, HINTS_MAX_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        struct aic_str hint;
        memcpy(&hint, (const char *)hints + (size_t)i * hint_size, sizeof(hint));
        if (aic_buf_reserve(&phrases, hint.len + 1) < 0) {
            sphinx_log(provider->host, AIC_LOG_WARN,
                       "hints have more than 2 MB; %u of %u are left out", count - i, count);
            break;
        }
        aic_buf_str(&phrases, hint);
        aic_buf_char(&phrases, '\n');
    }
    const struct sphinx_settings *settings = provider->settings;
    bool is_general = settings->general == SPHINX_GENERAL_ALWAYS ||
                      (settings->general == SPHINX_GENERAL_WITHOUT_HINTS && phrases.len == 0 &&
                       settings->phrases.len == 0);
    if (is_general) {
        aic_buf_clear(&phrases);
    }
    struct sphinx_model *model = sphinx_models_get(&provider->models, provider->settings,
                                                   aic_buf_view(&phrases), is_general);
    aic_buf_finish(&phrases);
    return model;
}

/* [call] The lane is idle for good. */
static void free_session(void *data)
{
    struct sphinx_session *s = data;
    sphinx_decoder_destroy(s->decoder);
    aic_buf_finish(&s->heard);
    sphinx_ring_finish(&s->ring);
    free(s);
}

static void stt_close(void *session)
{
    struct sphinx_session *s = session;
    if (!s) {
        return;
    }
    s->sink = NULL;
    s->provider = NULL;
    atomic_store(&s->is_closing, true);
    sphinx_job_destroy(s->filling);
    s->filling = NULL;
    s->pool->lane_close(s->host, s->lane, free_session, s);
}

static int32_t run_with_model(struct sphinx_session *s, enum job_kind kind,
                              struct sphinx_model *model)
{
    struct job *job = model ? sphinx_job_create(s, kind, 0) : NULL;
    if (!job) {
        sphinx_model_release(model);
        return AIC_ERROR_MEMORY;
    }
    job->model = model;
    return sphinx_job_run(job);
}

static int32_t open_session(struct sphinx_provider *provider, struct aic_format format,
                            const struct aic_stt_sink *sink, struct sphinx_model *model,
                            struct sphinx_session **session)
{
    struct sphinx_session *s = model ? calloc(1, sizeof(*s)) : NULL;
    if (!s || !sphinx_ring_init(&s->ring, format, RING_US)) {
        free(s);
        sphinx_model_release(model);
        return AIC_ERROR_MEMORY;
    }
    s->host = provider->host;
    s->pool = provider->pool;
    s->provider = provider;
    s->sink = sink;
    s->backlog_max_us = BACKLOG_MAX_US;
    aic_buf_init(&s->heard, 1u << 16);
    atomic_init(&s->is_closing, false);
    int32_t status = s->pool->lane_open(s->host, &s->lane);
    if (status < 0) {
        sphinx_model_release(model);
        free_session(s);
        return status;
    }
    status = run_with_model(s, JOB_OPEN, model);
    if (status < 0) {
        stt_close(s);
        return status;
    }
    *session = s;
    return AIC_OK;
}

static int32_t stt_open(void *self, const struct aic_stt_open *params,
                        const struct aic_stt_sink *sink, void **session)
{
    struct sphinx_provider *provider = self;
    if (!is_accepted(params->format)) {
        return AIC_ERROR_INVALID;
    }
    if (provider->settings->has_english_model && !is_english(params->language)) {
        sphinx_log(provider->host, AIC_LOG_ERROR,
                   "the packaged model hears English only, not \"%s\"; use another provider for "
                   "this agent, or set model_dir and dictionary",
                   params->language);
        return AIC_ERROR_UNSUPPORTED;
    }
    struct sphinx_model *model =
        model_for(provider, params->hints, params->hint_count, params->hint_size);
    struct sphinx_session *s = NULL;
    int32_t status = open_session(provider, params->format, sink, model, &s);
    if (status == AIC_OK) {
        *session = s;
    }
    return status;
}

static int32_t stt_probe(void *self, const struct aic_stt_sink *sink, void **session)
{
    struct sphinx_provider *provider = self;
    struct sphinx_session *s = NULL;
    int32_t status = open_session(provider, formats[0], sink, model_for(provider, NULL, 0, 0), &s);
    if (status == AIC_OK) {
        s->is_probe = true;
        *session = s;
    }
    return status;
}

/* Queues what the utterance has collected, if anything. */
static int32_t flush(struct sphinx_session *s)
{
    struct job *job = s->filling;
    s->filling = NULL;
    return job ? sphinx_job_run(job) : AIC_OK;
}

/* Adds sound to the open utterance, a job for every block that is full. */
static int32_t collect(struct sphinx_session *s, const uint8_t *sound, size_t bytes)
{
    size_t block = sphinx_ring_bytes(&s->ring, BLOCK_US);
    while (bytes > 0) {
        if (!s->filling) {
            s->filling = sphinx_job_create(s, JOB_SOUND, block);
        }
        struct job *job = s->filling;
        if (!job) {
            return AIC_ERROR_MEMORY;
        }
        size_t room = job->capacity - job->bytes;
        size_t count = bytes < room ? bytes : room;
        memcpy(job->sound + job->bytes, sound, count);
        job->bytes += count;
        sound += count;
        bytes -= count;
        int32_t status = job->bytes == job->capacity ? flush(s) : AIC_OK;
        if (status < 0) {
            return status;
        }
    }
    return AIC_OK;
}

static void drop(struct sphinx_session *s)
{
    if (!s->has_dropped) {
        s->has_dropped = true;
        s->must_warn = true;
        sphinx_log(s->host, AIC_LOG_WARN,
                   "the decoder is more than %d s behind; sound of the caller is dropped",
                   BACKLOG_MAX_US / 1000000);
    }
}

static int32_t stt_push_audio(void *session, const struct aic_audio *audio)
{
    struct sphinx_session *s = session;
    if (audio->format.codec != s->ring.format.codec ||
        audio->format.rate_hz != s->ring.format.rate_hz) {
        return AIC_ERROR_INVALID;
    }
    if (s->is_finishing || s->is_probe) {
        return AIC_ERROR_CLOSED;
    }
    if (audio->bytes == 0) {
        return AIC_OK;
    }
    sphinx_ring_push(&s->ring, audio->data, audio->bytes, audio->time_us);
    if (!s->is_open) {
        return AIC_OK;
    }
    if (s->backlog_us > s->backlog_max_us || s->jobs >= JOBS_MAX) {
        drop(s);
        return AIC_ERROR_BUSY;
    }
    return collect(s, audio->data, audio->bytes);
}

static int32_t end_utterance(struct sphinx_session *s, int64_t at_us)
{
    struct job *job = s->filling ? s->filling : sphinx_job_create(s, JOB_END, 0);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    s->filling = NULL;
    job->kind = JOB_END;
    job->end_us = at_us;
    s->is_open = false;
    s->ended_us = s->ring.end_us;
    return sphinx_job_run(job);
}

static int32_t begin_utterance(struct sphinx_session *s, uint64_t id, int64_t at_us)
{
    if (s->jobs >= JOBS_MAX) {
        return AIC_ERROR_BUSY;
    }
    int64_t from_us = at_us - LEAD_US > s->ended_us ? at_us - LEAD_US : s->ended_us;
    size_t bytes = sphinx_ring_since(&s->ring, from_us);
    s->id = id;
    s->start_us = at_us;
    struct job *job = sphinx_job_create(s, JOB_BEGIN, bytes);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    sphinx_ring_copy(&s->ring, bytes, job->sound);
    job->bytes = bytes;
    s->backlog_max_us = BACKLOG_MAX_US + sphinx_ring_duration_us(&s->ring, bytes);
    s->has_dropped = false;
    int32_t status = sphinx_job_run(job);
    s->is_open = status == AIC_OK;
    return status;
}

static int32_t stt_utterance(void *session, uint32_t what, uint64_t id, int64_t at_us)
{
    struct sphinx_session *s = session;
    if (s->is_finishing || s->is_probe) {
        return AIC_ERROR_CLOSED;
    }
    if (what == AIC_STT_UTTERANCE_END) {
        return s->is_open && s->id == id ? end_utterance(s, at_us) : AIC_ERROR_INVALID;
    }
    if (what != AIC_STT_UTTERANCE_BEGIN) {
        return AIC_ERROR_INVALID;
    }
    int32_t status = s->is_open ? end_utterance(s, at_us) : AIC_OK;
    return status < 0 ? status : begin_utterance(s, id, at_us);
}

static int32_t stt_update_hints(void *session, const struct aic_str *hints, uint32_t count,
                                uint32_t hint_size)
{
    struct sphinx_session *s = session;
    if (s->is_finishing || s->is_probe) {
        return AIC_ERROR_CLOSED;
    }
    return run_with_model(s, JOB_HINTS, model_for(s->provider, hints, count, hint_size));
}

static int32_t stt_finish(void *session)
{
    struct sphinx_session *s = session;
    if (s->is_finishing || s->is_probe) {
        return AIC_ERROR_CLOSED;
    }
    int32_t status = s->is_open ? end_utterance(s, s->ring.end_us) : AIC_OK;
    if (status < 0) {
        return status;
    }
    s->is_finishing = true;
    struct job *job = sphinx_job_create(s, JOB_FINISH, 0);
    return job ? sphinx_job_run(job) : AIC_ERROR_MEMORY;
}

const struct aic_stt sphinx_stt = {
    .size = sizeof(sphinx_stt),
    .capabilities = stt_capabilities,
    .open = stt_open,
    .push_audio = stt_push_audio,
    .close = stt_close,
    .utterance = stt_utterance,
    .update_hints = stt_update_hints,
    .finish = stt_finish,
    .probe = stt_probe,
};
