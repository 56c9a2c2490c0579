/* SPDX-License-Identifier: ISC */
/* Dials wait here for their turn and go out at the operator's pace, each once. */
#include "dial.h"

#include "protocol.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_DIALS = 1000,
    REMEMBERED = 1024,
    REMEMBERED_BYTES = 40 /* of a UUID, of a SID */
};

struct twilio_dialed {
    char call_id[REMEMBERED_BYTES];
    char call_sid[REMEMBERED_BYTES];
};

static void pump(struct twilio_provider *provider);

static void free_dial(struct twilio_dial *dial)
{
    struct twilio_provider *provider = dial->provider;
    struct twilio_dial **at = &provider->dials;
    while (*at && *at != dial) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = dial->next;
        provider->dial_count--;
    }
    twilio_rest_cancel(dial->request);
    provider->timer->stop(provider->host, dial->timer);
    aic_buf_finish(&dial->form);
    free(dial->call_id);
    free(dial->to);
    free(dial->from);
    free(dial);
}

static struct aic_telephony_event event_of(const struct twilio_dial *dial, uint32_t kind)
{
    struct aic_telephony_event event = twilio_event(kind);
    event.request_id = dial->request_id;
    event.direction = AIC_DIRECTION_OUTBOUND;
    event.call_id = aic_str(dial->call_id);
    event.to = aic_str(dial->to);
    event.from = aic_str(dial->from);
    return event;
}

static void remember(struct twilio_provider *provider, const char *call_id, struct aic_str call_sid)
{
    struct twilio_dialed *dialed = &provider->dialed[provider->dialed_next++ % REMEMBERED];
    (void)aic_str_copy(aic_str(call_id), dialed->call_id, sizeof(dialed->call_id));
    (void)aic_str_copy(call_sid, dialed->call_sid, sizeof(dialed->call_sid));
}

void twilio_dial_fail(struct twilio_dial *dial, const struct aic_error *error)
{
    struct aic_telephony_event event = event_of(dial, AIC_TEL_EVENT_ERROR);
    if (dial->tries > 0) {
        remember(dial->provider, dial->call_id, (struct aic_str){"", 0});
    }
    event.error = error;
    twilio_tell(dial->provider, &event);
    free_dial(dial);
}

static void fail_with(struct twilio_dial *dial, uint32_t category, const char *message)
{
    twilio_problem_make(&dial->problem, category, message);
    twilio_dial_fail(dial, &dial->problem.error);
}

bool twilio_dial_is_other(void *data, struct aic_str call_sid)
{
    const struct twilio_provider *provider = data;
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (aic_str_equal(call_sid, provider->dialed[i].call_sid)) {
            return true;
        }
    }
    return false;
}

void twilio_dial_succeed(struct twilio_dial *dial, struct aic_str call_sid)
{
    struct twilio_provider *provider = dial->provider;
    remember(provider, dial->call_id, call_sid);
    if (dial->is_withdrawn) {
        struct twilio_job *job = twilio_job_create(provider, 0);
        if (job) {
            (void)twilio_job_hang_up(job, call_sid, NULL);
        }
        fail_with(dial, AIC_CATEGORY_CANCELLED, "the call was taken back");
        return;
    }
    struct aic_telephony_event event = event_of(dial, AIC_TEL_EVENT_DIALED);
    event.provider_call_id = call_sid;
    twilio_tell(provider, &event);
    free_dial(dial);
}

void twilio_dial_again(struct twilio_dial *dial)
{
    dial->phase = TWILIO_DIAL_WAITING;
    pump(dial->provider);
}

void twilio_dial_seen(struct twilio_provider *provider, struct aic_str call_id,
                      struct aic_str call_sid)
{
    struct twilio_dial *dial = call_id.len > 0 ? provider->dials : NULL;
    while (dial && !aic_str_equal(call_id, dial->call_id)) {
        dial = dial->next;
    }
    if (!dial || dial->phase == TWILIO_DIAL_WAITING || dial->phase == TWILIO_DIAL_WITHDRAWN ||
        !twilio_is_sid(call_sid)) {
        return;
    }
    if (dial->phase == TWILIO_DIAL_LOOKING) {
        twilio_dial_succeed(dial, call_sid);
        return;
    }
    (void)aic_str_copy(call_sid, dial->seen_sid, sizeof(dial->seen_sid));
}

static void on_posted(void *data, const struct twilio_answer *answer)
{
    struct twilio_dial *dial = data;
    struct aic_str call_sid = aic_json_get_text(answer->body, "sid");
    dial->request = NULL;
    if (!answer->problem && twilio_is_sid(call_sid)) {
        twilio_dial_succeed(dial, call_sid);
    } else if (answer->problem && !answer->is_unknown) {
        /* It was not placed by this try: the host may dial it again. */
        dial->tries--;
        twilio_dial_fail(dial, &answer->problem->error);
    } else if (dial->seen_sid[0]) {
        twilio_dial_succeed(dial, aic_str(dial->seen_sid));
    } else {
        twilio_dial_look_up(dial, answer->problem);
    }
}

static void post(struct twilio_dial *dial)
{
    struct twilio_provider *provider = dial->provider;
    const struct twilio_ask ask = {.method = "POST",
                                   .path = AIC_STR("/Calls.json"),
                                   .form = aic_buf_view(&dial->form),
                                   .is_once = true,
                                   .done = on_posted,
                                   .data = dial};
    dial->phase = TWILIO_DIAL_POSTING;
    dial->tries++;
    dial->posted_us = twilio_now(provider);
    provider->counters.dials++;
    if (twilio_rest_start(provider, &ask, &dial->request) != AIC_OK) {
        fail_with(dial, AIC_CATEGORY_INTERNAL, "too many requests to Twilio wait already");
    }
}

static void on_pump(void *data)
{
    struct twilio_provider *provider = data;
    provider->dial_timer = NULL;
    pump(provider);
}

static struct twilio_dial *first_waiting(const struct twilio_provider *provider)
{
    struct twilio_dial *dial = provider->dials;
    while (dial && dial->phase != TWILIO_DIAL_WAITING) {
        dial = dial->next;
    }
    return dial;
}

static void pump_later(struct twilio_provider *provider, int64_t at_us)
{
    provider->timer->stop(provider->host, provider->dial_timer);
    provider->dial_timer = NULL;
    (void)provider->timer->start(provider->host, at_us, on_pump, provider, &provider->dial_timer);
}

/* Sends what its time has come for. Not from inside an operation. */
static void pump(struct twilio_provider *provider)
{
    struct twilio_dial *dial = first_waiting(provider);
    for (; dial; dial = first_waiting(provider)) {
        int64_t now_us = twilio_now(provider);
        const char *why = twilio_dial_obstacle(dial);
        if (why) {
            fail_with(dial, AIC_CATEGORY_BAD_REQUEST, why);
            continue;
        }
        if (now_us < provider->next_dial_us) {
            pump_later(provider, provider->next_dial_us);
            return;
        }
        provider->next_dial_us = now_us + (int64_t)(1e6 / provider->settings.calls_per_second);
        post(dial);
    }
}

static bool was_dialed(const struct twilio_provider *provider, const char *call_id)
{
    for (const struct twilio_dial *dial = provider->dials; dial; dial = dial->next) {
        if (strcmp(dial->call_id, call_id) == 0) {
            return true;
        }
    }
    char id[REMEMBERED_BYTES];
    (void)aic_str_copy(aic_str(call_id), id, sizeof(id));
    for (size_t i = 0; i < REMEMBERED; i++) {
        if (strcmp(provider->dialed[i].call_id, id) == 0) {
            return true;
        }
    }
    return false;
}

static struct twilio_dial *create(struct twilio_provider *provider,
                                  const struct aic_telephony_dial *params)
{
    const char *own = provider->settings.from ? provider->settings.from : "";
    struct twilio_dial *dial = calloc(1, sizeof(*dial));
    if (!dial) {
        return NULL;
    }
    dial->provider = provider;
    dial->request_id = params->request_id;
    dial->call_id = strdup(params->call_id);
    dial->to = strdup(params->to);
    dial->from = strdup(params->from && params->from[0] ? params->from : own);
    aic_buf_init(&dial->form, TWILIO_TEXT_MAX_BYTES);
    if (!dial->call_id || !dial->to || !dial->from) {
        free_dial(dial);
        return NULL;
    }
    twilio_dial_write(dial, params);
    struct twilio_dial **end = &provider->dials;
    while (*end) {
        end = &(*end)->next;
    }
    *end = dial;
    provider->dial_count++;
    return dial;
}

int32_t twilio_dial(void *self, const struct aic_telephony_dial *params)
{
    struct twilio_provider *provider = self;
    if (!provider->sink) {
        return AIC_ERROR_CLOSED;
    }
    if (!params->call_id || !params->call_id[0] || !params->to) {
        return AIC_ERROR_INVALID;
    }
    if (provider->dial_count >= MAX_DIALS) {
        return AIC_ERROR_BUSY;
    }
    if (!provider->dialed) {
        provider->dialed = calloc(REMEMBERED, sizeof(*provider->dialed));
    }
    if (!provider->dialed) {
        return AIC_ERROR_MEMORY;
    }
    if (was_dialed(provider, params->call_id)) {
        return AIC_ERROR_CONFLICT;
    }
    if (!create(provider, params)) {
        return AIC_ERROR_MEMORY;
    }
    if (!provider->dial_timer) {
        pump_later(provider, twilio_now(provider));
    }
    return AIC_OK;
}

static void on_withdrawn(void *data)
{
    struct twilio_dial *dial = data;
    dial->timer = NULL;
    fail_with(dial, AIC_CATEGORY_CANCELLED, "the call was taken back before it was dialled");
}

bool twilio_dial_withdraw(struct twilio_provider *provider, struct aic_str call_id)
{
    struct twilio_dial *dial = provider->dials;
    while (dial && !aic_str_equal(call_id, dial->call_id)) {
        dial = dial->next;
    }
    if (!dial || dial->is_withdrawn) {
        return dial != NULL;
    }
    dial->is_withdrawn = true;
    if (dial->phase == TWILIO_DIAL_WAITING) {
        /* Out of the queue at once, out of the list when that is told. */
        dial->phase = TWILIO_DIAL_WITHDRAWN;
        (void)provider->timer->start(provider->host, twilio_now(provider), on_withdrawn, dial,
                                     &dial->timer);
    }
    return true;
}

void twilio_dial_stop(struct twilio_provider *provider)
{
    provider->timer->stop(provider->host, provider->dial_timer);
    provider->dial_timer = NULL;
    for (struct twilio_dial *dial = provider->dials, *next = NULL; dial; dial = next) {
        next = dial->next;
        free_dial(dial);
    }
}

void twilio_dial_finish(struct twilio_provider *provider)
{
    free(provider->dialed);
    provider->dialed = NULL;
}
