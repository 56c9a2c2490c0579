/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TEXT_BYTES = 4000,
    JOBS_MAX = 512, /* texts that wait; ends and cancels have room beyond */
};

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
};

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    const struct flt_provider *provider = self;
    bool is_wide = flt_voice_rate_hz(flt_voice(provider->voice)) == formats[0].rate_hz;
    caps->flags = AIC_TTS_STREAM_IN | AIC_TTS_STREAM_OUT | AIC_TTS_ALIGN_WORDS;
    caps->formats = is_wide ? &formats[0] : &formats[1];
    caps->format_count = 1;
    caps->format_size = sizeof(formats[0]);
    caps->max_text_bytes = MAX_TEXT_BYTES;
    return AIC_OK;
}

static void release(struct flt_utterance *utterance)
{
    if (utterance && --utterance->references == 0) {
        free(utterance);
    }
}

void flt_session_free(struct flt_session *s)
{
    flt_pieces_free(s->first);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* [call] Nothing runs any more; a post may still be under way. */
static void lane_closed(void *data)
{
    struct flt_session *s = data;
    (void)pthread_mutex_lock(&s->lock);
    s->is_idle = true;
    bool is_posted = s->is_posted;
    (void)pthread_mutex_unlock(&s->lock);
    if (!is_posted) {
        flt_session_free(s);
    }
}

static void tts_close(void *session)
{
    struct flt_session *s = session;
    if (!s) {
        return;
    }
    s->sink = NULL;
    if (s->current) {
        atomic_store(&s->current->is_cancelled, true);
        release(s->current);
        s->current = NULL;
    }
    (void)pthread_mutex_lock(&s->lock);
    s->is_closing = true;
    (void)pthread_mutex_unlock(&s->lock);
    s->pool->lane_close(s->host, s->lane, lane_closed, s);
}

static void log_voice(const struct flt_provider *provider, const char *name, const char *problem)
{
    const struct aic_log_service *log =
        provider->host->get_service(provider->host, AIC_SERVICE_LOG);
    char line[200];
    int length = snprintf(line, sizeof(line), "voice \"%.40s\" %s", name, problem);
    if (log && length > 0) {
        log->write(provider->host, AIC_LOG_ERROR, aic_str(line));
    }
}

static int32_t open_session(const struct flt_provider *provider, cst_voice *voice,
                            const struct aic_tts_sink *sink, struct flt_session **session)
{
    struct flt_session *s = calloc(1, sizeof(*s));
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    s->host = provider->host;
    s->pool = provider->pool;
    s->post = provider->post;
    s->sink = sink;
    s->voice = voice;
    s->manner = provider->manner;
    s->rate_hz = flt_voice_rate_hz(voice);
    s->last = &s->first;
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return AIC_ERROR_MEMORY;
    }
    int32_t status = s->pool->lane_open(s->host, &s->lane);
    if (status < 0) {
        flt_session_free(s);
        return status;
    }
    *session = s;
    return AIC_OK;
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **session)
{
    const struct flt_provider *provider = self;
    const char *name = params->voice && *params->voice ? params->voice : provider->voice;
    cst_voice *voice = flt_voice(name);
    if (!voice) {
        log_voice(provider, name, "is none of slt, rms, awb, kal16, kal");
        return AIC_ERROR_NOT_FOUND;
    }
    if (params->format.codec != AIC_CODEC_PCM_S16LE || params->format.channels != 1 ||
        params->format.rate_hz != flt_voice_rate_hz(voice)) {
        log_voice(provider, name,
                  "has another sample rate than the provider's own; give it a provider of its own");
        return AIC_ERROR_UNSUPPORTED;
    }
    struct flt_session *s = NULL;
    int32_t status = open_session(provider, voice, sink, &s);
    if (status == AIC_OK) {
        *session = s;
    }
    return status;
}

static void tell(struct flt_session *s, const struct flt_job *job, uint32_t kind)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = AIC_CATEGORY_INTERNAL,
                              .scope = AIC_SCOPE_REQUEST,
                              .retry = AIC_RETRY_FALL_BACK,
                              .output_started = job->utterance && job->utterance->made_us > 0,
                              .message = AIC_STR("the text could not be spoken")};
    struct aic_tts_event event = {.size = sizeof(event), .kind = kind};
    if (job->utterance) {
        event.id = job->utterance->id;
        job->utterance->is_told = true;
    }
    event.error = kind == AIC_TTS_EVENT_ERROR ? &error : NULL;
    s->sink->event(s->sink, &event);
}

/* Tells what a job has brought to an end. */
static void report(struct flt_session *s, const struct flt_job *job)
{
    struct flt_utterance *utterance = job->utterance;
    if (!utterance) {
        tell(s, job, AIC_TTS_EVENT_DONE);
        return;
    }
    if (utterance->is_told) {
        return;
    }
    bool is_cancelled = atomic_load(&utterance->is_cancelled);
    if (job->kind == FLT_CANCEL) {
        tell(s, job, AIC_TTS_EVENT_CANCELLED);
    } else if (!is_cancelled && job->status < 0) {
        atomic_store(&utterance->is_cancelled, true);
        tell(s, job, AIC_TTS_EVENT_ERROR);
    } else if (!is_cancelled && job->kind == FLT_END) {
        tell(s, job, AIC_TTS_EVENT_DONE);
    }
}

static void free_job(struct flt_job *job)
{
    release(job->utterance);
    free(job);
}

/* [call] */
static void job_done(void *data, int32_t status)
{
    struct flt_job *job = data;
    struct flt_session *s = job->session;
    s->jobs--;
    flt_send_pieces(s);
    if (s->sink && status == AIC_OK) {
        report(s, job);
    }
    free_job(job);
}

static int32_t run_job(struct flt_session *s, enum flt_job_kind kind, struct aic_str text,
                       uint64_t mark_id)
{
    struct flt_job *job = calloc(1, sizeof(*job) + text.len);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    job->session = s;
    job->kind = kind;
    job->mark_id = mark_id;
    job->bytes = text.len;
    if (text.len > 0) {
        memcpy(job->text, text.ptr, text.len);
    }
    job->utterance = s->current;
    if (job->utterance) {
        job->utterance->references++;
    }
    int32_t status = s->pool->run(s->host, s->lane, flt_work, job_done, job);
    if (status < 0) {
        free_job(job);
        return status;
    }
    s->jobs++;
    return AIC_OK;
}

static int32_t tts_begin(void *session, const struct aic_tts_utterance *params)
{
    struct flt_session *s = session;
    struct flt_utterance *before = s->current;
    bool is_over = !before || before->is_told || atomic_load(&before->is_cancelled);
    if (!is_over || s->jobs >= JOBS_MAX) {
        return AIC_ERROR_BUSY;
    }
    struct flt_utterance *utterance = calloc(1, sizeof(*utterance));
    if (!utterance) {
        return AIC_ERROR_MEMORY;
    }
    utterance->references = 1;
    utterance->id = params->id;
    atomic_init(&utterance->is_cancelled, false);
    release(before);
    s->current = utterance;
    return AIC_OK;
}

/* Whether text, a flush or an end may still come for `id`. */
static int32_t check_open(const struct flt_session *s, uint64_t id)
{
    const struct flt_utterance *utterance = s->current;
    if (!utterance || utterance->id != id) {
        return AIC_ERROR_NOT_FOUND;
    }
    bool is_over =
        utterance->has_ended || utterance->is_told || atomic_load(&utterance->is_cancelled);
    return is_over ? AIC_ERROR_CLOSED : AIC_OK;
}

static int32_t tts_push_text(void *session, uint64_t id, struct aic_str text)
{
    struct flt_session *s = session;
    int32_t status = check_open(s, id);
    if (status < 0) {
        return status;
    }
    if (text.len > MAX_TEXT_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    return s->jobs < JOBS_MAX ? run_job(s, FLT_TEXT, text, 0) : AIC_ERROR_BUSY;
}

static int32_t tts_flush(void *session, uint64_t id, uint64_t mark_id)
{
    struct flt_session *s = session;
    int32_t status = check_open(s, id);
    if (status < 0) {
        return status;
    }
    return s->jobs < JOBS_MAX ? run_job(s, FLT_FLUSH, (struct aic_str){NULL, 0}, mark_id)
                              : AIC_ERROR_BUSY;
}

static int32_t tts_end(void *session, uint64_t id)
{
    struct flt_session *s = session;
    int32_t status = check_open(s, id);
    if (status < 0) {
        return status;
    }
    s->current->has_ended = true;
    return run_job(s, FLT_END, (struct aic_str){NULL, 0}, 0);
}

static int32_t tts_cancel(void *session, uint64_t id, int64_t played_us)
{
    struct flt_session *s = session;
    struct flt_utterance *utterance = s->current;
    (void)played_us;
    if (!utterance || utterance->id != id || utterance->is_told) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (atomic_exchange(&utterance->is_cancelled, true)) {
        return AIC_OK;
    }
    return run_job(s, FLT_CANCEL, (struct aic_str){NULL, 0}, 0);
}

static int32_t tts_probe(void *self, const struct aic_tts_sink *sink, void **session)
{
    const struct flt_provider *provider = self;
    struct flt_session *s = NULL;
    int32_t status = open_session(provider, flt_voice(provider->voice), sink, &s);
    if (status == AIC_OK) {
        status = run_job(s, FLT_PROBE, (struct aic_str){NULL, 0}, 0);
        if (status < 0) {
            tts_close(s);
        } else {
            *session = s;
        }
    }
    return status;
}

const struct aic_tts flt_tts = {
    .size = sizeof(flt_tts),
    .capabilities = tts_capabilities,
    .open = tts_open,
    .begin = tts_begin,
    .push_text = tts_push_text,
    .end = tts_end,
    .cancel = tts_cancel,
    .close = tts_close,
    .flush = tts_flush,
    .probe = tts_probe,
};
