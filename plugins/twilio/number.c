/* SPDX-License-Identifier: ISC */
/*
 * Points a number of the account at this server: looks it up, says what is and what would be, and
 * changes it where that was asked for. Lists the account's numbers.
 */
#include "form.h"
#include "job.h"
#include "protocol.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_MAX_BYTES = 512 };

static struct aic_str number_of(const struct twilio_job *job)
{
    struct aic_str number = aic_json_get_text(job->params, "number");
    const char *own = job->provider->settings.from;
    return number.len > 0 ? number : aic_str(own ? own : "");
}

/* An address that was asked for, or ours. */
static void add_address(const struct twilio_job *job, struct aic_buf *to, const char *key,
                        const char *path)
{
    struct aic_str wanted = aic_json_get_text(job->params, key);
    const char *public_url = twilio_public_url(job->provider);
    if (wanted.len > 0) {
        aic_buf_str(to, wanted);
    } else if (public_url) {
        twilio_url(to, public_url, path, "");
    }
}

struct wanted {
    struct aic_buf voice_url;
    struct aic_buf status_callback;
};

static void wanted_init(const struct twilio_job *job, struct wanted *wanted)
{
    aic_buf_init(&wanted->voice_url, TWILIO_TEXT_MAX_BYTES);
    aic_buf_init(&wanted->status_callback, TWILIO_TEXT_MAX_BYTES);
    add_address(job, &wanted->voice_url, "voice_url", TWILIO_PATH_INBOUND);
    add_address(job, &wanted->status_callback, "status_callback", TWILIO_PATH_STATUS);
}

static void wanted_finish(struct wanted *wanted)
{
    aic_buf_finish(&wanted->voice_url);
    aic_buf_finish(&wanted->status_callback);
}

/* What Twilio follows instead of the number's own addresses; empty = nothing. */
static struct aic_str binding_of(const struct aic_json *number)
{
    struct aic_str application = aic_json_get_text(number, "voice_application_sid");
    return application.len > 0 ? application : aic_json_get_text(number, "trunk_sid");
}

static bool is_as_wanted(const struct aic_json *number, const struct wanted *wanted)
{
    return wanted->voice_url.len > 0 && binding_of(number).len == 0 &&
           aic_str_equal(aic_json_get_text(number, "voice_url"), wanted->voice_url.data) &&
           aic_str_equal(aic_json_get_text(number, "voice_method"), "POST") &&
           aic_str_equal(aic_json_get_text(number, "status_callback"),
                         wanted->status_callback.data);
}

static void write_result(struct twilio_job *job, const struct aic_json *number)
{
    static const char *const fields[][2] = {
        {"number", "phone_number"},
        {"number_sid", "sid"},
        {"friendly_name", "friendly_name"},
        {"voice_url", "voice_url"},
        {"voice_method", "voice_method"},
        {"voice_fallback_url", "voice_fallback_url"},
        {"status_callback", "status_callback"},
        {"voice_application_sid", "voice_application_sid"},
        {"trunk_sid", "trunk_sid"},
    };
    struct aic_json_writer w;
    struct wanted wanted;
    wanted_init(job, &wanted);
    aic_buf_clear(&job->ext);
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        aic_json_member(&w, fields[i][0], aic_json_get_text(number, fields[i][1]));
    }
    aic_json_key(&w, "wanted");
    aic_json_open(&w, '{');
    aic_json_member(&w, "voice_url", aic_buf_view(&wanted.voice_url));
    aic_json_member_text(&w, "voice_method", "POST");
    aic_json_member(&w, "status_callback", aic_buf_view(&wanted.status_callback));
    aic_json_close(&w, '}');
    aic_json_member_bool(&w, "is_set", is_as_wanted(number, &wanted));
    aic_json_close(&w, '}');
    wanted_finish(&wanted);
}

static void fail(struct twilio_job *job, uint32_t category, const char *message)
{
    struct twilio_problem problem;
    twilio_problem_make(&problem, category, message);
    twilio_job_fail(job, &problem.error);
}

/* The number in a list of one; NULL: the job has failed. */
static const struct aic_json *take_number(struct twilio_job *job,
                                          const struct twilio_answer *answer)
{
    const struct aic_json *list = aic_json_get(answer->body, "incoming_phone_numbers");
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return NULL;
    }
    const struct aic_json *number = aic_json_at(list, 0);
    if (!number) {
        fail(job, AIC_CATEGORY_NOT_FOUND,
             "Twilio: this account has no such number; write it as +15551234567");
        return NULL;
    }
    if (!twilio_is_sid(aic_json_get_text(number, "sid"))) {
        fail(job, AIC_CATEGORY_PROTOCOL, "Twilio's list of numbers has no names in it");
        return NULL;
    }
    return number;
}

static void on_shown(struct twilio_job *job, const struct twilio_answer *answer)
{
    const struct aic_json *number = take_number(job, answer);
    if (number) {
        write_result(job, number);
        twilio_job_done(job);
    }
}

static void on_changed(struct twilio_job *job, const struct twilio_answer *answer)
{
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    write_result(job, answer->body);
    twilio_job_done(job);
}

static void change(struct twilio_job *job, const struct aic_json *number)
{
    struct aic_buf form;
    struct wanted wanted;
    struct aic_str sid = aic_json_get_text(number, "sid");
    char path[TWILIO_WORD_MAX_BYTES + 40];
    (void)snprintf(path, sizeof(path), "/IncomingPhoneNumbers/%.*s.json", (int)sid.len, sid.ptr);
    aic_buf_init(&form, TWILIO_TEXT_MAX_BYTES);
    wanted_init(job, &wanted);
    twilio_form_add(&form, "VoiceUrl", aic_buf_view(&wanted.voice_url));
    twilio_form_add(&form, "VoiceMethod", AIC_STR("POST"));
    twilio_form_add(&form, "StatusCallback", aic_buf_view(&wanted.status_callback));
    twilio_form_add(&form, "StatusCallbackMethod", AIC_STR("POST"));
    if (binding_of(number).len > 0) {
        twilio_form_add(&form, "VoiceApplicationSid", (struct aic_str){"", 0});
        twilio_form_add(&form, "TrunkSid", (struct aic_str){"", 0});
    }
    const struct twilio_ask ask = {
        .method = "POST", .path = aic_str(path), .form = aic_buf_view(&form)};
    if (form.failed || wanted.voice_url.failed || wanted.status_callback.failed) {
        fail(job, AIC_CATEGORY_BAD_REQUEST, "these addresses are too long");
    } else {
        twilio_job_go_on(job, &ask, on_changed);
    }
    wanted_finish(&wanted);
    aic_buf_finish(&form);
}

static void on_found(struct twilio_job *job, const struct twilio_answer *answer)
{
    const struct aic_json *number = take_number(job, answer);
    if (!number) {
        return;
    }
    if (binding_of(number).len > 0 && !aic_json_get_bool(job->params, "detach", false)) {
        fail(job, AIC_CATEGORY_BAD_REQUEST,
             "the number belongs to an application or a trunk, which Twilio follows instead of its "
             "addresses; ask again with \"detach\": true to take it out of there");
        return;
    }
    change(job, number);
}

static int32_t look_up(struct twilio_provider *provider, uint64_t request_id,
                       const struct aic_json *params, bool needs_address, twilio_job_step step)
{
    struct twilio_job *job = twilio_job_create(provider, request_id);
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    /* A copy: the parameters are the caller's. */
    job->params = params ? aic_json_parse(aic_json_print(params), 0) : NULL;
    if (!twilio_is_number(number_of(job))) {
        return twilio_job_fail_later(job, AIC_CATEGORY_BAD_REQUEST,
                                     "write the number as +15551234567");
    }
    if (needs_address && !twilio_public_url(provider) &&
        aic_json_get_text(params, "voice_url").len == 0) {
        return twilio_job_fail_later(job, AIC_CATEGORY_BAD_REQUEST,
                                     "server.public_url is not set: Twilio needs an address");
    }
    struct aic_buf query;
    struct aic_buf path;
    aic_buf_init(&query, TWILIO_TEXT_MAX_BYTES);
    aic_buf_init(&path, TWILIO_TEXT_MAX_BYTES);
    twilio_form_add(&query, "PhoneNumber", number_of(job));
    aic_buf_text(&path, "/IncomingPhoneNumbers.json?");
    aic_buf_str(&path, aic_buf_view(&query));
    const struct twilio_ask ask = {.method = "GET", .path = aic_buf_view(&path)};
    int32_t status = twilio_job_ask(job, &ask, step);
    aic_buf_finish(&path);
    aic_buf_finish(&query);
    return status;
}

int32_t twilio_number_show(struct twilio_provider *provider, uint64_t request_id,
                           const struct aic_json *params)
{
    return look_up(provider, request_id, params, false, on_shown);
}

int32_t twilio_number_set(struct twilio_provider *provider, uint64_t request_id,
                          const struct aic_json *params)
{
    return look_up(provider, request_id, params, true, on_found);
}

/* The list, page by page. */

/* What follows the "?" in the address of the next page; empty where there is none. */
static struct aic_str next_page(const struct aic_json *body)
{
    struct aic_str uri = aic_json_get_text(body, "next_page_uri");
    const char *mark = uri.len > 0 ? memchr(uri.ptr, '?', uri.len) : NULL;
    return mark ? (struct aic_str){mark + 1, uri.len - (size_t)(mark + 1 - uri.ptr)}
                : (struct aic_str){"", 0};
}

/* A page is given back to us as we told it, and nothing else gets into an address. */
static bool is_page(struct aic_str page)
{
    static const char others[] = "&=%-_.";
    for (size_t i = 0; i < page.len; i++) {
        char c = page.ptr[i];
        bool is_word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_word && !memchr(others, c, sizeof(others) - 1)) {
            return false;
        }
    }
    return page.len <= PAGE_MAX_BYTES;
}

static void on_listed(struct twilio_job *job, const struct twilio_answer *answer)
{
    static const char *const fields[][2] = {{"number", "phone_number"},
                                            {"friendly_name", "friendly_name"},
                                            {"voice_url", "voice_url"},
                                            {"voice_application_sid", "voice_application_sid"},
                                            {"trunk_sid", "trunk_sid"}};
    const struct aic_json *list = aic_json_get(answer->body, "incoming_phone_numbers");
    struct aic_json_writer w;
    struct wanted wanted;
    if (answer->problem) {
        twilio_job_fail(job, &answer->problem->error);
        return;
    }
    if (!aic_json_is_array(list)) {
        fail(job, AIC_CATEGORY_PROTOCOL, "Twilio's list of numbers is none");
        return;
    }
    wanted_init(job, &wanted);
    aic_json_writer_init(&w, &job->ext);
    aic_json_open(&w, '{');
    aic_json_key(&w, "numbers");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < aic_json_count(list); i++) {
        const struct aic_json *number = aic_json_at(list, i);
        aic_json_open(&w, '{');
        for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
            aic_json_member(&w, fields[k][0], aic_json_get_text(number, fields[k][1]));
        }
        aic_json_member_bool(&w, "is_set", is_as_wanted(number, &wanted));
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_member(&w, "next", next_page(answer->body));
    aic_json_close(&w, '}');
    wanted_finish(&wanted);
    twilio_job_done(job);
}

int32_t twilio_number_list(struct twilio_provider *provider, uint64_t request_id,
                           const struct aic_json *params)
{
    struct aic_str page = aic_json_get_text(params, "page");
    struct twilio_job *job = is_page(page) ? twilio_job_create(provider, request_id) : NULL;
    if (!job) {
        return is_page(page) ? AIC_ERROR_MEMORY : AIC_ERROR_INVALID;
    }
    struct aic_buf path;
    aic_buf_init(&path, TWILIO_TEXT_MAX_BYTES);
    aic_buf_text(&path, "/IncomingPhoneNumbers.json?");
    aic_buf_str(&path, page.len > 0 ? page : AIC_STR("PageSize=20"));
    const struct twilio_ask ask = {.method = "GET", .path = aic_buf_view(&path)};
    int32_t status = twilio_job_ask(job, &ask, on_listed);
    aic_buf_finish(&path);
    return status;
}
