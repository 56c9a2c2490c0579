/* SPDX-License-Identifier: ISC */
#include "hear.h"

#include "form.h"

#include "wav.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SHORTEST_US = 100000, /* servers refuse less */
    FIELDS_MAX_BYTES = 128 * 1024
};

/* An utterance that is to become text; or, without, an event that waits to be told. */
struct hearing {
    struct openai_job job; /* first: a hearing is its job */
    struct openai_stt_session *session;
    uint32_t notice; /* AIC_STT_EVENT_..., with an event alone */
    int64_t begun_us;
    int64_t ended_us;
    int64_t sound_us;
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
    struct openai_stt_session *session = hearing->session;
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

static struct hearing *hearing_create(struct openai_stt_session *session, uint64_t id)
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

int32_t openai_hearing_tell(struct openai_stt_session *session, uint32_t kind)
{
    struct hearing *hearing = hearing_create(session, 0);
    if (hearing) {
        hearing->notice = kind;
    }
    return later(hearing, tell_notice);
}

/* A field of ours, unless the operator has one of this name. */
static void write_field(const struct openai_stt_session *session, struct openai_form *form,
                        const char *name, struct aic_str value)
{
    if (value.len > 0 && !aic_json_get(session->provider->stt_extra, name)) {
        openai_form_field(form, name, value);
    }
}

static void write_form(const struct openai_stt_session *session, struct openai_form *form,
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
    const struct openai_stt_session *session = hearing->session;
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

int32_t openai_hearing_start(struct openai_stt_session *session, uint64_t id, int64_t begun_us,
                             int64_t ended_us)
{
    struct hearing *hearing = hearing_create(session, id);
    if (!hearing) {
        return AIC_ERROR_MEMORY;
    }
    struct aic_str sound = openai_recording_view(&session->recording, begun_us, ended_us);
    hearing->begun_us = begun_us;
    hearing->ended_us = ended_us;
    hearing->sound_us = openai_recording_us(&session->recording, sound.len);
    if (hearing->sound_us < SHORTEST_US) {
        return later(hearing, tell_nothing);
    }
    int32_t status = send_sound(hearing, sound);
    if (status != AIC_OK) {
        openai_job_drop(&hearing->job);
    }
    return status;
}
