/* SPDX-License-Identifier: ISC */
/* Role stt: the host's voice detector cuts out utterances, each is sent as a WAV file. */
#include "form.h"
#include "job.h"
#include "probe.h"
#include "recording.h"
#include "transcript.h"

#include "wav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_US = 10000000, /* after a failure of another provider a host may go back so far */
    LONGEST_US = 120000000,
    SHORTEST_US = 100000,   /* servers refuse less */
    PROMPT_MAX_BYTES = 800, /* Whisper reads 224 tokens of it */
    JOBS_MAX = 8,
    FIELDS_MAX_BYTES = 128 * 1024
};

struct session {
    const struct openai_provider *provider;
    const struct aic_stt_sink *sink;
    struct openai_recording recording;
    struct aic_buf prompt;
    char language[OPENAI_LANGUAGE_BYTES]; /* empty: the recogniser finds out */
    bool is_open;                         /* an utterance */
    bool is_full;
    bool is_finishing;
    uint64_t id; /* of the utterance */
    int64_t begun_us;
    struct openai_jobs jobs;
};

/* An utterance that is to become text; or, without, an event that waits to be told. */
struct hearing {
    struct openai_job job; /* first: a hearing is its job */
    struct session *session;
    uint32_t notice; /* AIC_STT_EVENT_..., with an event alone */
    int64_t begun_us;
    int64_t ended_us;
    int64_t sound_us;
};

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
};

static struct hearing *of(struct openai_job *job)
{
    return (struct hearing *)job;
}

/* Tells an event; whether the session is still there afterwards. */
static bool tell(struct hearing *hearing, uint32_t kind, struct aic_stt_event event)
{
    const struct aic_stt_sink *sink = hearing->session->sink;
    event.size = sizeof(event);
    event.kind = kind;
    event.id = hearing->job.id;
    sink->event(sink, &event);
    return hearing->job.jobs != NULL;
}

/* The hearing is over; the last one of a session that is to be finished says so. */
static void leave(struct hearing *hearing)
{
    struct session *session = hearing->session;
    hearing->job.is_ended = true;
    if (!session->is_finishing || session->jobs.count > 1 ||
        tell(hearing, AIC_STT_EVENT_CLOSED, (struct aic_stt_event){.confidence = -1})) {
        openai_job_drop(&hearing->job);
    }
}

static void tell_words(struct hearing *hearing, const struct openai_transcript *transcript)
{
    const struct openai_head *head = &hearing->job.head;
    struct aic_stt_event event = {
        .scope = AIC_STT_SCOPE_TURN,
        .text_mode = AIC_STT_TEXT_REPLACE,
        .stability = AIC_STT_FINAL,
        .flags = AIC_STT_FORMATTED,
        .text = aic_buf_view(&transcript->text),
        .language = aic_str(transcript->language),
        .confidence = transcript->confidence,
        .start_us = hearing->begun_us,
        .end_us = hearing->ended_us,
        .vendor_id = aic_str(transcript->id[0] ? transcript->id : head->request_id),
    };
    if (tell(hearing, AIC_STT_EVENT_TRANSCRIPT, event) &&
        tell(hearing, AIC_STT_EVENT_TURN_END,
             (struct aic_stt_event){
                 .confidence = -1, .start_us = hearing->begun_us, .end_us = hearing->ended_us})) {
        leave(hearing);
    }
}

/* Without the words of an utterance the session can not go on as if nothing was: the host has to
 * give the sound to somebody else. */
static void fail(struct hearing *hearing, struct openai_fault *fault)
{
    if (fault->scope == AIC_SCOPE_REQUEST) {
        fault->scope = AIC_SCOPE_SESSION;
    }
    struct aic_error error = openai_fault_error(fault, false);
    if (tell(hearing, AIC_STT_EVENT_ERROR,
             (struct aic_stt_event){.confidence = -1, .error = &error})) {
        leave(hearing);
    }
}

static void take_answer(struct hearing *hearing)
{
    struct openai_transcript transcript;
    struct openai_fault fault;
    struct aic_usage usage = {.size = sizeof(usage),
                              .flags = AIC_USAGE_ESTIMATED,
                              .requests = 1,
                              .audio_in_us = hearing->sound_us};
    int32_t status = openai_transcript_read(aic_buf_view(&hearing->job.body),
                                            aic_buf_view(&hearing->session->prompt), &transcript);
    if (status != AIC_OK) {
        openai_fault_set(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                         "the answer is no transcription");
        fail(hearing, &fault);
    } else if (tell(hearing, AIC_STT_EVENT_USAGE, (struct aic_stt_event){.usage = &usage})) {
        tell_words(hearing, &transcript);
    }
    openai_transcript_finish(&transcript);
}

static void take(struct openai_job *job, const struct aic_http_event *event)
{
    struct openai_fault fault;
    if (event->kind == AIC_HTTP_EVENT_DATA && openai_job_is_good(job)) {
        (void)aic_buf_str(&job->body, event->data);
    } else if (event->kind == AIC_HTTP_EVENT_DONE && openai_job_is_good(job)) {
        take_answer(of(job));
    } else if (event->kind == AIC_HTTP_EVENT_DONE || event->kind == AIC_HTTP_EVENT_ERROR) {
        openai_job_fault(job, event, &fault);
        fail(of(job), &fault);
    }
}

static void destroy_hearing(struct openai_job *job)
{
    free(job);
}

static struct hearing *hearing_create(struct session *session, uint64_t id)
{
    struct hearing *hearing = calloc(1, sizeof(*hearing));
    if (hearing) {
        hearing->job.take = take;
        hearing->job.destroy = destroy_hearing;
        hearing->session = session;
        openai_job_init(&hearing->job, session->provider, &session->jobs, id);
    }
    return hearing;
}

/* Events may not come from inside an operation. */

static void tell_notice(struct openai_job *job)
{
    struct hearing *hearing = of(job);
    if (hearing->notice == AIC_STT_EVENT_CLOSED ||
        tell(hearing, hearing->notice, (struct aic_stt_event){.confidence = -1})) {
        leave(hearing);
    }
}

static void tell_nothing(struct openai_job *job)
{
    struct openai_transcript nothing = {.confidence = -1};
    tell_words(of(job), &nothing);
}

static int32_t later(struct hearing *hearing, void (*fire)(struct openai_job *job))
{
    int32_t status = hearing ? openai_job_wait(&hearing->job, 0, fire) : (int32_t)AIC_ERROR_MEMORY;
    if (hearing && status != AIC_OK) {
        openai_job_drop(&hearing->job);
    }
    return status;
}

static int32_t notice(struct session *session, uint32_t kind)
{
    struct hearing *hearing = hearing_create(session, 0);
    if (hearing) {
        hearing->notice = kind;
    }
    return later(hearing, tell_notice);
}

/* A field of ours, unless the operator has one of this name. */
static void write_field(const struct session *session, struct openai_form *form, const char *name,
                        struct aic_str value)
{
    if (value.len > 0 && !aic_json_get(session->provider->stt_extra, name)) {
        openai_form_field(form, name, value);
    }
}

static void write_form(const struct session *session, struct openai_form *form,
                       struct aic_buf *body, struct aic_str sound)
{
    const struct openai_provider *provider = session->provider;
    uint8_t random[16];
    uint8_t head[AIC_WAV_HEADER_MAX];
    provider->clock->random(provider->host, random, sizeof(random));
    openai_form_begin(form, body, random);
    write_field(session, form, "model", aic_str(provider->settings.stt_model));
    write_field(session, form, "response_format", aic_str(provider->settings.stt_format));
    write_field(session, form, "language", aic_str(session->language));
    write_field(session, form, "prompt", aic_buf_view(&session->prompt));
    openai_form_members(form, provider->stt_extra);
    openai_form_file(form, "file", "speech.wav", "audio/wav");
    aic_buf_add(body, head, aic_wav_header(head, session->recording.format, sound.len));
    aic_buf_str(body, sound);
    openai_form_end(form);
}

static int32_t send_sound(struct hearing *hearing, struct aic_str sound)
{
    const struct session *session = hearing->session;
    int64_t timeout_ms = session->provider->settings.timeout_ms;
    struct openai_form form;
    struct aic_buf body;
    char type[100];
    aic_buf_init(&body, sound.len + FIELDS_MAX_BYTES);
    write_form(session, &form, &body, sound);
    (void)snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", form.boundary);
    const struct openai_send params = {.method = "POST",
                                       .path = "/audio/transcriptions",
                                       .type = type,
                                       .body = aic_buf_view(&body),
                                       .flags = AIC_HTTP_WHOLE,
                                       .first_byte_ms = timeout_ms,
                                       .total_ms = timeout_ms + OPENAI_WAIT_MS};
    int32_t status = body.failed ? AIC_ERROR_MEMORY : openai_job_send(&hearing->job, &params);
    aic_buf_finish(&body);
    return status;
}

static int32_t end_utterance(struct session *session, int64_t at_us)
{
    struct openai_recording *recording = &session->recording;
    session->is_open = false;
    struct hearing *hearing = hearing_create(session, session->id);
    if (!hearing) {
        return AIC_ERROR_MEMORY;
    }
    struct aic_str sound = openai_recording_view(recording, session->begun_us, at_us);
    hearing->begun_us = session->begun_us;
    hearing->ended_us = at_us;
    hearing->sound_us = openai_recording_us(recording, sound.len);
    if (hearing->sound_us < SHORTEST_US) {
        return later(hearing, tell_nothing);
    }
    int32_t status = send_sound(hearing, sound);
    if (status != AIC_OK) {
        openai_job_drop(&hearing->job);
    }
    openai_recording_forget(recording, at_us);
    return status;
}

static int32_t begin_utterance(struct session *session, uint64_t id, int64_t at_us)
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
    struct session *session = self;
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

static void complain_of_length(struct session *session)
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
    struct session *session = self;
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
    struct session *session = self;
    if (session->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    if (session->is_open) {
        (void)end_utterance(session, session->recording.end_us);
    }
    session->is_finishing = true;
    return session->jobs.count == 0 ? notice(session, AIC_STT_EVENT_CLOSED) : (int32_t)AIC_OK;
}

/* The words to expect, as the text that comes before: the recogniser leans towards it. */
static void take_hints(struct session *session, const struct aic_stt_open *params)
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
static void take_language(struct session *session, const char *agents)
{
    const char *language = session->provider->settings.language;
    language = language ? language : agents;
    if (language && strcmp(language, "auto") != 0) {
        struct aic_str code = {language, strcspn(language, "-_")};
        (void)aic_str_copy(code, session->language, sizeof(session->language));
    }
}

static int32_t session_create(const struct openai_provider *provider, struct aic_format format,
                              const struct aic_stt_sink *sink, struct session **to)
{
    struct session *session = calloc(1, sizeof(*session));
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
    struct session *session = self;
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
    struct session *session = NULL;
    int32_t status = is_accepted(params->format)
                         ? session_create(self, params->format, sink, &session)
                         : (int32_t)AIC_ERROR_INVALID;
    if (status != AIC_OK) {
        return status;
    }
    take_hints(session, params);
    take_language(session, params->language);
    status = notice(session, AIC_STT_EVENT_READY);
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
    struct session *session = NULL;
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
