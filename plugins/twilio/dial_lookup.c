/* SPDX-License-Identifier: ISC */
/*
 * A call must never be placed twice. Where Twilio's answer to a dial is lost its list of calls
 * tells what became of it, or a webhook that comes meanwhile. Only a dial of which Twilio itself
 * has said that it failed (a gateway's page does not count), and that at least two looks at the
 * list have not found, goes out a second time.
 */
#include "dial.h"

#include "form.h"

enum { MAX_TRIES = 2, MAX_LOOKS = 3, LOOKS_BEFORE_REPEAT = 2, AGE_TOLERANCE_S = 2 };

enum { HTTP_SERVER_ERROR = 500 };

static const int64_t first_look_us = 1500000;
static const int64_t next_look_us = 4000000;
static const int64_t jitter_us = 1000000;

static void look_later(struct twilio_dial *dial, int64_t delay_us);

static void give_up_looking(struct twilio_dial *dial)
{
    bool is_absent = dial->empty_looks >= LOOKS_BEFORE_REPEAT;
    if (dial->was_failed && is_absent && dial->tries < MAX_TRIES && !dial->is_withdrawn) {
        twilio_dial_again(dial);
        return;
    }
    struct aic_buf text;
    aic_buf_init(&text, sizeof(dial->problem.message) - 1);
    aic_buf_text(&text, is_absent ? "Twilio's answer was lost and its list does not show the call"
                                  : "it is not known whether Twilio has placed the call");
    aic_buf_printf(&text, "; it is not dialled again (%.300s)", dial->problem.message);
    struct aic_error error = dial->problem.error;
    error.retry = AIC_RETRY_NEVER;
    error.message = aic_buf_view(&text);
    twilio_dial_fail(dial, &error);
    aic_buf_finish(&text);
}

static void on_list(void *data, const struct twilio_answer *answer)
{
    struct twilio_dial *dial = data;
    struct twilio_provider *provider = dial->provider;
    char call_sid[TWILIO_LISTING_SID_BYTES] = "";
    int64_t now_s = twilio_date(answer->date);
    if (now_s < 0) {
        now_s = provider->clock->wall_us(provider->host) / 1000000;
    }
    const struct twilio_listing wanted = {
        .to = aic_str(dial->to),
        .from = aic_str(dial->from),
        .now_s = now_s,
        .age_s = (twilio_now(provider) - dial->posted_us) / 1000000 + AGE_TOLERANCE_S,
        .is_known = twilio_dial_is_other,
        .data = provider,
    };
    dial->request = NULL;
    int count = answer->problem ? -1 : twilio_listing_find(&wanted, answer->body, call_sid);
    dial->empty_looks += count == 0;
    if (count == 1) {
        twilio_dial_succeed(dial, aic_str(call_sid));
    } else if (count > 1 || dial->looks >= MAX_LOOKS) {
        /* Two that fit: one of them is ours, and the other somebody else's. */
        dial->empty_looks = count > 1 ? 0 : dial->empty_looks;
        give_up_looking(dial);
    } else {
        look_later(dial, next_look_us);
    }
}

static void on_look(void *data)
{
    struct twilio_dial *dial = data;
    struct aic_buf query;
    struct aic_buf path;
    dial->timer = NULL;
    dial->looks++;
    aic_buf_init(&query, TWILIO_TEXT_MAX_BYTES);
    twilio_form_add(&query, "To", aic_str(dial->to));
    twilio_form_add(&query, "From", aic_str(dial->from));
    twilio_form_add(&query, "PageSize", AIC_STR("20"));
    aic_buf_init(&path, TWILIO_TEXT_MAX_BYTES);
    aic_buf_text(&path, "/Calls.json?");
    aic_buf_str(&path, aic_buf_view(&query));
    const struct twilio_ask ask = {
        .method = "GET", .path = aic_buf_view(&path), .done = on_list, .data = dial};
    bool is_good = !query.failed && !path.failed &&
                   twilio_rest_start(dial->provider, &ask, &dial->request) == AIC_OK;
    aic_buf_finish(&path);
    aic_buf_finish(&query);
    if (!is_good) {
        give_up_looking(dial);
    }
}

static void look_later(struct twilio_dial *dial, int64_t delay_us)
{
    const struct twilio_provider *provider = dial->provider;
    int64_t at_us = twilio_now(provider) + delay_us + twilio_random_below(provider, jitter_us);
    dial->phase = TWILIO_DIAL_LOOKING;
    if (provider->timer->start(provider->host, at_us, on_look, dial, &dial->timer) != AIC_OK) {
        give_up_looking(dial);
    }
}

void twilio_dial_look_up(struct twilio_dial *dial, const struct twilio_problem *problem)
{
    struct twilio_provider *provider = dial->provider;
    if (problem) {
        twilio_problem_copy(&dial->problem, "", &problem->error);
    } else {
        twilio_problem_make(&dial->problem, AIC_CATEGORY_PROTOCOL, "there is no sid in the answer");
    }
    provider->counters.lost_answers++;
    twilio_log(provider, AIC_LOG_WARN, "Twilio's answer to a dial was lost: %s",
               dial->problem.message);
    dial->was_failed =
        problem && problem->code > 0 && problem->error.http_status >= HTTP_SERVER_ERROR;
    dial->looks = 0;
    dial->empty_looks = 0;
    look_later(dial, first_look_us);
}
