/* SPDX-License-Identifier: ISC */
/* What the host asks of the account, outside of a call's sound. */
#include "form.h"
#include "job.h"
#include "protocol.h"

#include <stdio.h>

/* Hanging up */

int32_t twilio_hangup(void *self, uint64_t request_id, struct aic_str provider_call_id)
{
    struct twilio_provider *provider = self;
    bool is_dial = provider->sink && twilio_dial_withdraw(provider, provider_call_id);
    if (!provider->sink) {
        return AIC_ERROR_CLOSED;
    }
    if (!is_dial && !twilio_is_sid(provider_call_id)) {
        return AIC_ERROR_INVALID;
    }
    struct twilio_job *job = twilio_job_create(provider, request_id);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    return is_dial ? twilio_job_done_later(job) : twilio_job_hang_up(job, provider_call_id, NULL);
}

/* The account */

static void on_account(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct aic_json_writer w;
    struct twilio_problem problem;
    struct aic_str status = aic_json_get_text(answer->body, "status");
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    if (!aic_str_equal(status, "active")) {
        twilio_problem_make(&problem, AIC_CATEGORY_PERMISSION, "Twilio: the account is not active");
        problem.error.scope = AIC_SCOPE_PROVIDER;
        twilio_job_fail(job, &problem.error);
        return;
    }
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    aic_json_member(&w, "status", status);
    aic_json_member(&w, "type", aic_json_get_text(answer->body, "type"));
    aic_json_close(&w, '}');
    twilio_job_done(job);
}

static int32_t ask(struct twilio_provider *provider, uint64_t request_id,
                   const struct twilio_ask *what, twilio_job_step step)
{
    struct twilio_job *job = twilio_job_create(provider, request_id);
    return job ? twilio_job_ask(job, what, step) : AIC_ERROR_MEMORY;
}

int32_t twilio_probe(void *self, uint64_t request_id)
{
    struct twilio_provider *provider = self;
    const struct twilio_ask account = {.method = "GET", .path = AIC_STR(".json")};
    return provider->sink ? ask(provider, request_id, &account, on_account) : AIC_ERROR_CLOSED;
}

static void on_balance(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct aic_json_writer w;
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    aic_json_member(&w, "balance", aic_json_get_text(answer->body, "balance"));
    aic_json_member(&w, "currency", aic_json_get_text(answer->body, "currency"));
    aic_json_close(&w, '}');
    twilio_job_done(job);
}

static int32_t show_balance(struct twilio_provider *provider, uint64_t request_id,
                            const struct aic_json *params)
{
    (void)params;
    const struct twilio_ask balance = {.method = "GET", .path = AIC_STR("/Balance.json")};
    return ask(provider, request_id, &balance, on_balance);
}

/* Recordings */

static void write_recording(struct aic_json_writer *w, const struct aic_json *recording)
{
    aic_json_open(w, '{');
    aic_json_member(w, "recording_sid", aic_json_get_text(recording, "sid"));
    aic_json_member(w, "status", aic_json_get_text(recording, "status"));
    aic_json_member(w, "media_url", aic_json_get_text(recording, "media_url"));
    aic_json_member(w, "started_at", aic_json_get_text(recording, "start_time"));
    aic_json_member_int(w, "channels", aic_json_get_int(recording, "channels", 0));
    aic_json_member_int(w, "duration_s", aic_json_get_int(recording, "duration", -1));
    aic_json_close(w, '}');
}

static void on_recording(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct aic_json_writer w;
    if (answer->problem) {
        twilio_log(job->provider, AIC_LOG_WARN, "a call is not recorded: %s",
                   answer->problem->message);
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    aic_json_writer_init(&w, &job->ext);
    write_recording(&w, answer->body);
    twilio_job_done(job);
}

static void on_recordings(struct twilio_job *job, const struct twilio_answer *answer)
{
    struct aic_json_writer w;
    const struct aic_json *list = aic_json_get(answer->body, "recordings");
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    aic_json_key(&w, "recordings");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < aic_json_count(list); i++) {
        write_recording(&w, aic_json_at(list, i));
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    twilio_job_done(job);
}

static void write_record_form(const struct twilio_provider *provider, struct aic_buf *form,
                              struct aic_str call_id)
{
    const char *public_url = twilio_public_url(provider);
    char id[TWILIO_WORD_MAX_BYTES + 1];
    struct aic_buf url;
    twilio_form_add(form, "RecordingChannels", AIC_STR("dual"));
    if (public_url && aic_str_copy(call_id, id, sizeof(id))) {
        aic_buf_init(&url, TWILIO_TEXT_MAX_BYTES);
        twilio_url(&url, public_url, TWILIO_PATH_STATUS, id);
        twilio_form_add(form, "RecordingStatusCallback", aic_buf_view(&url));
        twilio_form_add(form, "RecordingStatusCallbackEvent", AIC_STR("completed"));
        twilio_form_add(form, "RecordingStatusCallbackEvent", AIC_STR("absent"));
        aic_buf_finish(&url);
    }
}

static int32_t ask_recordings(struct twilio_provider *provider, uint64_t request_id,
                              struct aic_str call_sid, const struct aic_buf *form)
{
    char path[TWILIO_WORD_MAX_BYTES + 40];
    if (!twilio_is_sid(call_sid)) {
        return AIC_ERROR_INVALID;
    }
    (void)snprintf(path, sizeof(path), "/Calls/%.*s/Recordings.json", (int)call_sid.len,
                   call_sid.ptr);
    const struct twilio_ask list = {.method = form ? "POST" : "GET",
                                    .path = aic_str(path),
                                    .form = form ? aic_buf_view(form) : (struct aic_str){"", 0},
                                    .is_once = form != NULL};
    return ask(provider, request_id, &list, form ? on_recording : on_recordings);
}

int32_t twilio_record(struct twilio_provider *provider, uint64_t request_id,
                      struct aic_str call_sid, struct aic_str call_id)
{
    struct aic_buf form;
    aic_buf_init(&form, TWILIO_TEXT_MAX_BYTES);
    write_record_form(provider, &form, call_id);
    int32_t status = ask_recordings(provider, request_id, call_sid, &form);
    aic_buf_finish(&form);
    return status;
}

static int32_t start_recording(struct twilio_provider *provider, uint64_t request_id,
                               const struct aic_json *params)
{
    struct aic_str call_id = aic_json_get_text(params, "call_id");
    if (call_id.len > 0 && !twilio_is_call_id(call_id)) {
        return AIC_ERROR_INVALID;
    }
    return twilio_record(provider, request_id, aic_json_get_text(params, "call_sid"), call_id);
}

static int32_t list_recordings(struct twilio_provider *provider, uint64_t request_id,
                               const struct aic_json *params)
{
    return ask_recordings(provider, request_id, aic_json_get_text(params, "call_sid"), NULL);
}

/* What this worker has counted */

static int32_t show_counters(struct twilio_provider *provider, uint64_t request_id,
                             const struct aic_json *params)
{
    (void)params;
    const struct twilio_counters *c = &provider->counters;

    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
        {"webhooks", c->webhooks},
        {"webhooks_unsigned", c->unsigned_hooks},
        {"webhooks_bad", c->bad_hooks},
        {"webhooks_replayed", c->replays},
        {"streams", c->streams},
        {"streams_unsigned", c->unsigned_streams},
        {"streams_bad", c->bad_streams},
        {"stream_errors", c->stream_errors},
        {"dials", c->dials},
        {"dials_with_lost_answer", c->lost_answers},
        {"requests", c->requests},
        {"requests_repeated", c->repeats},
    };
    struct aic_json_writer w;
    struct twilio_job *job = twilio_job_create(provider, request_id);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        aic_json_member_int(&w, values[i].name, (int64_t)values[i].value);
    }
    aic_json_close(&w, '}');
    return twilio_job_done_later(job);
}

int32_t twilio_control(void *self, uint64_t request_id, const char *verb, struct aic_str json)
{
    static const struct {
        const char *verb;
        int32_t (*run)(struct twilio_provider *provider, uint64_t request_id,
                       const struct aic_json *params);
    } verbs[] = {
        {"number.show", twilio_number_show},  {"number.set", twilio_number_set},
        {"number.list", twilio_number_list},  {"record.start", start_recording},
        {"recordings.list", list_recordings}, {"balance.show", show_balance},
        {"counters.show", show_counters},
    };

    struct twilio_provider *provider = self;
    struct aic_json *params = json.len > 0 ? aic_json_parse(json, TWILIO_TEXT_MAX_BYTES) : NULL;
    int32_t status = AIC_ERROR_UNSUPPORTED;
    if (!provider->sink) {
        status = AIC_ERROR_CLOSED;
    } else if (json.len > 0 && !aic_json_is_object(params)) {
        status = AIC_ERROR_INVALID;
    }
    for (size_t i = 0; status == AIC_ERROR_UNSUPPORTED && i < sizeof(verbs) / sizeof(verbs[0]);
         i++) {
        if (aic_str_equal(aic_str(verb), verbs[i].verb)) {
            status = verbs[i].run(provider, request_id, params);
            break;
        }
    }
    aic_json_free(params);
    return status;
}
