/* SPDX-License-Identifier: ISC */
#include "session.h"

static struct aic_stt_event new_event(const struct job *job, uint32_t kind)
{
    return (struct aic_stt_event){.size = sizeof(struct aic_stt_event),
                                  .kind = kind,
                                  .id = job->id,
                                  .confidence = -1,
                                  .start_us = -1,
                                  .end_us = -1};
}

static void send(const struct sphinx_session *s, const struct aic_stt_event *event)
{
    if (s->sink) {
        s->sink->event(s->sink, event);
    }
}

static void send_plain(const struct sphinx_session *s, const struct job *job, uint32_t kind)
{
    struct aic_stt_event event = new_event(job, kind);
    send(s, &event);
}

static void send_error(const struct sphinx_session *s, const struct job *job, uint32_t kind,
                       const struct aic_error *error)
{
    struct aic_stt_event event = new_event(job, kind);
    event.error = error;
    send(s, &event);
}

static void send_words(const struct sphinx_session *s, const struct job *job)
{
    struct aic_stt_event event = new_event(job, AIC_STT_EVENT_TRANSCRIPT);
    event.scope = AIC_STT_SCOPE_TURN;
    event.text_mode = AIC_STT_TEXT_REPLACE;
    event.stability = job->kind == JOB_END ? AIC_STT_FINAL : AIC_STT_PARTIAL;
    event.text = aic_buf_view(&job->words);
    event.start_us = job->start_us;
    event.end_us = job->end_us;
    send(s, &event);
}

static void warn_of_dropped(struct sphinx_session *s, const struct job *job)
{
    struct aic_error error = {
        .size = sizeof(error),
        .category = AIC_CATEGORY_OVERLOADED,
        .scope = AIC_SCOPE_REQUEST,
        .message = AIC_STR("the decoder is more than 5 s behind; sound was dropped")};
    s->must_warn = false;
    send_error(s, job, AIC_STT_EVENT_WARNING, &error);
}

static void report_failure(struct sphinx_session *s, const struct job *job)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = AIC_CATEGORY_INTERNAL,
                              .scope = AIC_SCOPE_SESSION,
                              .retry = AIC_RETRY_NEW_SESSION,
                              .message = AIC_STR("the decoder failed")};
    if (job->kind == JOB_HINTS) {
        error.scope = AIC_SCOPE_REQUEST;
        error.message = AIC_STR("the new hints can not be used; the old ones stay");
        send_error(s, job, AIC_STT_EVENT_WARNING, &error);
        return;
    }
    if (job->kind == JOB_OPEN && job->model) {
        error.scope = AIC_SCOPE_PROVIDER;
        error.retry = AIC_RETRY_FALL_BACK;
        error.message = AIC_STR("the models can not be loaded");
        sphinx_log(s->host, AIC_LOG_ERROR,
                   "the models can not be loaded from \"%s\" and \"%s\" (%d)",
                   job->model->settings->model_dir, job->model->settings->dictionary, job->status);
    }
    send_error(s, job, AIC_STT_EVENT_ERROR, &error);
}

/* Once for each model: which of its words have no entry in the dictionary. */
static void report_model(const struct sphinx_session *s, struct sphinx_model *model)
{
    if (model->is_reported) {
        return;
    }
    model->is_reported = true;
    sphinx_log(s->host, AIC_LOG_DEBUG, "a language model of %u words was made", model->words);
    if (model->guessed.len > 0) {
        sphinx_log(
            s->host, AIC_LOG_INFO,
            "words without an entry in the dictionary, with their sounds as guessed (entries "
            "can be given in \"pronunciations\"): %s",
            model->guessed.data);
    }
}

void sphinx_report(struct sphinx_session *s, struct job *job)
{
    if (job->status < 0) {
        if (job->model) {
            sphinx_models_forget(&s->provider->models, job->model);
        }
        if (job->status != AIC_ERROR_CLOSED) {
            report_failure(s, job);
        }
        return;
    }
    if (s->must_warn) {
        warn_of_dropped(s, job);
    }
    if (job->model) {
        report_model(s, job->model);
    }
    if (job->has_words) {
        send_words(s, job);
    }
    switch (job->kind) {
    case JOB_OPEN:
        send_plain(s, job, s->is_probe ? AIC_STT_EVENT_CLOSED : AIC_STT_EVENT_READY);
        break;
    case JOB_END:
        send_plain(s, job, AIC_STT_EVENT_TURN_END);
        break;
    case JOB_HINTS:
        send_plain(s, job, AIC_STT_EVENT_UPDATED);
        break;
    case JOB_FINISH:
        send_plain(s, job, AIC_STT_EVENT_CLOSED);
        break;
    default:
        break;
    }
}
