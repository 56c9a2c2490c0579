/* SPDX-License-Identifier: ISC */
#include "job.h"

#include "form.h"
#include "stream.h"

#include <stdlib.h>

struct twilio_job *twilio_job_create(struct twilio_provider *provider, uint64_t request_id)
{
    struct twilio_job *job = calloc(1, sizeof(*job));
    if (job) {
        job->provider = provider;
        job->request_id = request_id;
        aic_buf_init(&job->ext, TWILIO_TEXT_MAX_BYTES);
        job->next = provider->jobs;
        provider->jobs = job;
    }
    return job;
}

void twilio_job_free(struct twilio_job *job)
{
    if (!job) {
        return;
    }
    struct twilio_provider *provider = job->provider;
    struct twilio_job **at = &provider->jobs;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    twilio_rest_cancel(job->request);
    provider->timer->stop(provider->host, job->timer);
    if (job->session) {
        job->session->job = NULL;
    }
    aic_json_free(job->params);
    aic_buf_finish(&job->ext);
    free(job);
}

static void end(struct twilio_job *job, const struct aic_error *error)
{
    if (job->request_id != 0) {
        struct aic_telephony_event event = twilio_event(AIC_TEL_EVENT_RESULT);
        event.request_id = job->request_id;
        event.ext = error ? (struct aic_str){"", 0} : aic_buf_view(&job->ext);
        event.error = error;
        twilio_tell(job->provider, &event);
    }
    twilio_job_free(job);
}

void twilio_job_done(struct twilio_job *job)
{
    if (job->ext.failed) {
        struct twilio_problem problem;
        twilio_problem_make(&problem, AIC_CATEGORY_INTERNAL, "the result is too long");
        end(job, &problem.error);
        return;
    }
    end(job, NULL);
}

void twilio_job_fail(struct twilio_job *job, const struct aic_error *error)
{
    end(job, error);
}

static void on_later(void *data)
{
    struct twilio_job *job = data;
    job->timer = NULL;
    if (job->has_problem) {
        twilio_job_fail(job, &job->problem.error);
    } else {
        twilio_job_done(job);
    }
}

int32_t twilio_job_done_later(struct twilio_job *job)
{
    struct twilio_provider *provider = job->provider;
    int32_t status =
        provider->timer->start(provider->host, twilio_now(provider), on_later, job, &job->timer);
    if (status != AIC_OK) {
        twilio_job_free(job);
    }
    return status;
}

int32_t twilio_job_fail_later(struct twilio_job *job, uint32_t category, const char *message)
{
    twilio_problem_make(&job->problem, category, message);
    job->has_problem = true;
    return twilio_job_done_later(job);
}

static void on_answer(void *data, const struct twilio_answer *answer)
{
    struct twilio_job *job = data;
    job->request = NULL;
    job->step(job, answer);
}

static int32_t send(struct twilio_job *job, const struct twilio_ask *ask, twilio_job_step step)
{
    struct twilio_ask whole = *ask;
    whole.done = on_answer;
    whole.data = job;
    job->step = step;
    return twilio_rest_start(job->provider, &whole, &job->request);
}

int32_t twilio_job_ask(struct twilio_job *job, const struct twilio_ask *ask, twilio_job_step step)
{
    int32_t status = send(job, ask, step);
    if (status != AIC_OK) {
        twilio_job_free(job);
    }
    return status;
}

void twilio_job_go_on(struct twilio_job *job, const struct twilio_ask *ask, twilio_job_step step)
{
    if (send(job, ask, step) != AIC_OK) {
        twilio_problem_make(&job->problem, AIC_CATEGORY_INTERNAL, "the request could not be sent");
        twilio_job_fail(job, &job->problem.error);
    }
}

void twilio_job_stop(struct twilio_provider *provider)
{
    while (provider->jobs) {
        twilio_job_free(provider->jobs);
    }
}

/* Changes of a live call */

static int32_t update_call(struct twilio_job *job, struct aic_str call_sid,
                           const struct aic_buf *form, bool is_once, twilio_job_step step)
{
    struct aic_buf path;
    aic_buf_init(&path, 200);
    aic_buf_text(&path, "/Calls/");
    twilio_form_escape(&path, call_sid);
    aic_buf_text(&path, ".json");
    const struct twilio_ask ask = {.method = "POST",
                                   .path = aic_buf_view(&path),
                                   .form = aic_buf_view(form),
                                   .is_once = is_once};
    int32_t status = AIC_ERROR_TOO_LARGE;
    if (path.failed || form->failed) {
        twilio_job_free(job);
    } else {
        status = twilio_job_ask(job, &ask, step);
    }
    aic_buf_finish(&path);
    return status;
}

bool twilio_is_hung_up(const struct twilio_answer *answer)
{
    return !answer->problem || twilio_problem_is_over(answer->problem);
}

static void on_hung_up(struct twilio_job *job, const struct twilio_answer *answer)
{
    if (twilio_is_hung_up(answer)) {
        twilio_job_done(job);
        return;
    }
    twilio_log(job->provider, AIC_LOG_WARN, "a call could not be hung up: %s",
               answer->problem->message);
    twilio_job_fail(job, &answer->problem->error);
}

int32_t twilio_job_hang_up(struct twilio_job *job, struct aic_str call_sid, twilio_job_step step)
{
    struct aic_buf form;
    aic_buf_init(&form, 100);
    twilio_form_add(&form, "Status", AIC_STR("completed"));
    int32_t status = update_call(job, call_sid, &form, false, step ? step : on_hung_up);
    aic_buf_finish(&form);
    return status;
}

int32_t twilio_job_redirect(struct twilio_job *job, struct aic_str call_sid,
                            const struct aic_buf *twiml, twilio_job_step step)
{
    struct aic_buf form;
    aic_buf_init(&form, TWILIO_TEXT_MAX_BYTES);
    twilio_form_add(&form, "Twiml", aic_buf_view(twiml));
    form.failed |= twiml->failed || twilio_chars(aic_buf_view(twiml)) > TWILIO_INLINE_MAX_CHARS;
    int32_t status = update_call(job, call_sid, &form, true, step);
    aic_buf_finish(&form);
    return status;
}
