/* SPDX-License-Identifier: ISC */
#include "call/webhook_send.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "base/uuid.h"
#include "call/webhook_post.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASE_MS = 60000,
    LOOK_MIN_MS = 100,
    LOOK_MAX_MS = 5000,
    MAX_BODY = 8 << 20,
    MAX_ANSWER = 64 * 1024,
    MAX_ROWS = 32 << 20,
    PARAMS = 4096,
    ERROR_WORDS = 64,
    TRACEPARENT = 64
};

/* A job that is ours until its lease runs out. */
struct delivery {
    struct delivery *next;
    struct webhook_send *send;
    const struct webhook_endpoint *endpoint;
    char job_id[UUID_TEXT];
    char call_id[UUID_TEXT];
    char event_id[UUID_TEXT];
    char type[ERROR_WORDS];
    char traceparent[TRACEPARENT];
    int64_t wall_us; /* of the event */
    int64_t tries;   /* with this one */
    int64_t began_us;
    struct aic_buf body;
    void *request; /* NULL: none is under way */
};

struct webhook_send {
    struct webhook_send_settings settings;
    struct delivery *deliveries;
    struct sched_timer *timer;
    int64_t look_at_us;
    int64_t look_ms; /* how long to wait when there is nothing */
    size_t busy[WEBHOOK_ENDPOINTS];
    bool is_gone[WEBHOOK_ENDPOINTS];
    size_t awaited; /* answers of the storage */
    size_t turn;    /* whose jobs are asked for first: each in its turn */
    bool is_asking;
    bool is_stopped;
};

static void look(void *data);

static void look_in(struct webhook_send *send, int64_t ms)
{
    struct sched *sched = send->settings.sched;
    int64_t at_us = sched_now(sched) + ms * 1000;
    if (send->is_stopped || (send->timer && send->look_at_us <= at_us)) {
        return;
    }
    sched_timer_stop(sched, send->timer);
    send->look_at_us = at_us;
    send->timer = sched_timer_start(sched, at_us, look, send);
}

void webhook_send_wake(struct webhook_send *send)
{
    send->look_ms = LOOK_MIN_MS;
    look_in(send, LOOK_MIN_MS);
}

static size_t index_of(const struct webhook_send *send, const struct webhook_endpoint *endpoint)
{
    return (size_t)(endpoint - send->settings.conf->list);
}

/* The storage */

static void change(struct webhook_send *send, const char *name, const struct aic_buf *params,
                   storage_reply reply, void *data)
{
    send->awaited++;
    send->settings.change(send->settings.data, name, aic_buf_view(params), reply, data);
}

static void free_delivery(struct delivery *d)
{
    aic_buf_finish(&d->body);
    free(d);
}

static void forget(struct delivery *d)
{
    struct webhook_send *send = d->send;
    struct delivery **at = &send->deliveries;
    while (*at != d) {
        at = &(*at)->next;
    }
    *at = d->next;
    send->busy[index_of(send, d->endpoint)]--;
    free_delivery(d);
    look_in(send, 0);
}

static void outcome_is_kept(void *data, int32_t status, struct aic_str rows,
                            const struct aic_error *error)
{
    struct delivery *d = data;
    (void)rows;
    d->send->awaited--;
    if (status != AIC_OK && status != AIC_ERROR_CANCELLED) {
        log_warn("webhook", "what became of an event can not be written down; it may be sent again",
                 LOG_S("endpoint", d->endpoint->name),
                 LOG_T("reason", error ? error->message : AIC_STR("")));
    }
    forget(d);
}

static void open_outcome(const struct delivery *d, struct aic_json_writer *w)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "job_id", d->job_id);
    aic_json_member_text(w, "owner", d->send->settings.owner);
    aic_json_member_int(w, "attempt", d->tries);
}

/* The end of a job: it was delivered, or `error` says why it never will be. */
static void complete(struct delivery *d, int32_t http_status, const char *error)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, PARAMS);
    aic_json_writer_init(&w, &params);
    open_outcome(d, &w);
    aic_json_member_text(&w, "state", error ? "failed" : "done");
    if (error) {
        aic_json_member_text(&w, "last_error", error);
    }
    aic_json_key(&w, "result");
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "http_status", http_status);
    aic_json_member_int(&w, "ms", (sched_now(d->send->settings.sched) - d->began_us) / 1000);
    aic_json_close(&w, '}');
    aic_json_close(&w, '}');
    change(d->send, "job.complete", &params, outcome_is_kept, d);
    aic_buf_finish(&params);
}

static void try_later(struct delivery *d, int64_t delay_ms, const char *error)
{
    struct aic_buf params;
    struct aic_json_writer w;
    char time[TIME_TEXT];
    time_format(time, sched_wall(d->send->settings.sched) + delay_ms * 1000);
    aic_buf_init(&params, PARAMS);
    aic_json_writer_init(&w, &params);
    open_outcome(d, &w);
    aic_json_member_text(&w, "run_at", time);
    aic_json_member_text(&w, "last_error", error);
    aic_json_close(&w, '}');
    change(d->send, "job.release", &params, outcome_is_kept, d);
    aic_buf_finish(&params);
}

static void count(enum metrics_webhook outcome)
{
    metrics_count(METRICS_WEBHOOKS + (uint32_t)outcome, 1);
}

/* The receiver */

static void end_endpoint(struct webhook_send *send, size_t endpoint)
{
    const char *name = send->settings.conf->list[endpoint].name;
    if (!send->is_gone[endpoint]) {
        send->is_gone[endpoint] = true;
        log_error("webhook",
                  "the receiver answered 410: it is sent nothing more until the configuration is "
                  "loaded again; take it out of `webhooks`",
                  LOG_S("endpoint", name));
    }
}

static void fail(struct delivery *d, int32_t http_status, const char *error)
{
    uint32_t random = 0;
    sched_random(d->send->settings.sched, &random, sizeof(random));
    int64_t delay_ms = webhook_delay_ms(d->tries, random);
    log_warn("webhook",
             delay_ms < 0 ? "an event was not delivered; it is given up"
                          : "an event was not delivered; it is tried again",
             LOG_S("endpoint", d->endpoint->name), LOG_S("event", d->type),
             LOG_S("webhook_id", d->event_id), LOG_S("reason", error), LOG_I("tries", d->tries));
    if (delay_ms < 0) {
        count(METRICS_WEBHOOK_GIVEN_UP);
        complete(d, http_status, error);
    } else {
        count(METRICS_WEBHOOK_RETRIED);
        try_later(d, delay_ms, error);
    }
}

static void answered(void *data, const struct fetch_answer *answer)
{
    struct delivery *d = data;
    struct webhook_send *send = d->send;
    char error[ERROR_WORDS];
    d->request = NULL;
    if (answer->status >= 200 && answer->status <= 299) {
        count(METRICS_WEBHOOK_DELIVERED);
        complete(d, answer->status, NULL);
        return;
    }
    if (answer->status == 410) {
        end_endpoint(send, index_of(send, d->endpoint));
        if (send->settings.gone) {
            send->settings.gone(send->settings.data, d->endpoint->name);
        }
        count(METRICS_WEBHOOK_GONE);
        complete(d, answer->status, "the receiver is gone (410)");
        return;
    }
    if (answer->status > 0) {
        (void)snprintf(error, sizeof(error), "http %d", (int)answer->status);
    } else {
        (void)snprintf(error, sizeof(error), "%s", answer->error ? answer->error : "network");
    }
    fail(d, answer->status, error);
}

static void ask_receiver(struct delivery *d)
{
    struct webhook_send *send = d->send;
    char id[UUID_TEXT + 8];
    char timestamp[24];
    char signatures[WEBHOOK_SIGNATURES];
    int64_t now_s = sched_wall(send->settings.sched) / 1000000;
    (void)snprintf(id, sizeof(id), "msg_%s", d->event_id);
    (void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_s);
    webhook_sign(signatures, d->endpoint->secrets, d->endpoint->secret_count, id, now_s,
                 aic_buf_view(&d->body));
    const struct aic_header headers[] = {
        {AIC_STR("Content-Type"), AIC_STR("application/json")},
        {AIC_STR("webhook-id"), aic_str(id)},
        {AIC_STR("webhook-timestamp"), aic_str(timestamp)},
        {AIC_STR("webhook-signature"), aic_str(signatures)},
        {AIC_STR("traceparent"), aic_str(d->traceparent)},
    };
    const uint32_t all = sizeof(headers) / sizeof(headers[0]);
    const struct fetch_request request = {.method = "POST",
                                          .url = d->endpoint->url,
                                          .headers = headers,
                                          .header_count = d->traceparent[0] ? all : all - 1,
                                          .body = aic_buf_view(&d->body),
                                          .timeout_ms = WEBHOOK_TIMEOUT_MS,
                                          .max_bytes = MAX_ANSWER};
    d->began_us = sched_now(send->settings.sched);
    int32_t status = signatures[0] ? send->settings.fetch->ops->start(
                                         send->settings.fetch, &request, answered, d, &d->request)
                                   : AIC_ERROR_MEMORY;
    if (status != AIC_OK) {
        d->request = NULL;
        fail(d, 0, status == AIC_ERROR_MEMORY ? "out of memory" : "the url can not be used");
    }
}

/* A transcript is made when it is sent: then all of the call's words are in the storage, whichever
 * workers heard them, and none that was erased meanwhile. */

static int write_member(void *data, const char *key, const struct aic_json *value)
{
    static const char *const internal[] = {"message_id", "call_id", "revision", "detail"};
    for (size_t i = 0; i < sizeof(internal) / sizeof(internal[0]); i++) {
        if (strcmp(key, internal[i]) == 0) {
            return 0;
        }
    }
    aic_json_key(data, key);
    aic_json_put_node(data, value);
    return 0;
}

static void write_transcript(struct delivery *d, const struct aic_json *rows)
{
    struct aic_buf messages;
    struct aic_json_writer w;
    aic_buf_init(&messages, MAX_BODY);
    aic_json_writer_init(&w, &messages);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", d->call_id);
    aic_json_key(&w, "messages");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < aic_json_count(rows); i++) {
        aic_json_open(&w, '{');
        (void)aic_json_each(aic_json_at(rows, i), write_member, &w);
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    webhook_body_write(&d->body, d->type, d->wall_us, aic_buf_view(&messages));
    if (messages.failed) {
        d->body.failed = true;
    }
    aic_buf_finish(&messages);
}

static void messages_came(void *data, int32_t status, struct aic_str rows,
                          const struct aic_error *error)
{
    struct delivery *d = data;
    struct aic_json *root = status == AIC_OK ? aic_json_parse(rows, MAX_ROWS) : NULL;
    (void)error;
    d->send->awaited--;
    if (d->send->is_stopped) {
        forget(d);
    } else if (!root) {
        fail(d, 0, "the storage does not give the transcript");
    } else {
        write_transcript(d, root);
        if (d->body.failed) {
            count(METRICS_WEBHOOK_DROPPED);
            complete(d, 0, "the transcript is too large");
        } else {
            ask_receiver(d);
        }
    }
    aic_json_free(root);
}

static void ask_for_messages(struct delivery *d)
{
    char params[128];
    (void)snprintf(params, sizeof(params), "{\"call_id\":\"%s\",\"limit\":10000}", d->call_id);
    d->send->awaited++;
    d->send->settings.query(d->send->settings.data, "messages", aic_str(params), messages_came, d);
}

/* Jobs */

static bool read_job(struct delivery *d, const struct aic_json *job)
{
    const struct aic_json *payload = aic_json_get(job, "payload");
    char kind[WEBHOOK_KIND];
    (void)aic_str_copy(aic_json_get_text(job, "kind"), kind, sizeof(kind));
    (void)aic_str_copy(aic_json_get_text(job, "job_id"), d->job_id, sizeof(d->job_id));
    (void)aic_str_copy(aic_json_get_text(payload, "call_id"), d->call_id, sizeof(d->call_id));
    (void)aic_str_copy(aic_json_get_text(payload, "type"), d->type, sizeof(d->type));
    (void)aic_str_copy(aic_json_get_text(payload, "traceparent"), d->traceparent,
                       sizeof(d->traceparent));
    d->tries = aic_json_get_int(job, "attempts", 1);
    d->endpoint = webhook_conf_find(d->send->settings.conf, kind + (strlen(kind) > 8 ? 8 : 0));
    (void)time_parse(aic_json_get_text(payload, "timestamp"), &d->wall_us);
    aic_buf_str(&d->body, aic_json_get_text(payload, "body"));
    return d->endpoint &&
           aic_str_copy(aic_json_get_text(payload, "id"), d->event_id, sizeof(d->event_id)) &&
           d->event_id[0];
}

static void begin(struct webhook_send *send, const struct aic_json *job)
{
    struct delivery *d = calloc(1, sizeof(*d));
    if (!d) {
        return; /* its lease runs out */
    }
    d->send = send;
    d->began_us = sched_now(send->settings.sched);
    aic_buf_init(&d->body, MAX_BODY);
    bool is_good = read_job(d, job);
    if (!d->endpoint) {
        free_delivery(d);
        return;
    }
    size_t endpoint = index_of(send, d->endpoint);
    d->next = send->deliveries;
    send->deliveries = d;
    send->busy[endpoint]++;
    if (!is_good) {
        count(METRICS_WEBHOOK_DROPPED);
        complete(d, 0, "the job can not be read");
    } else if (send->is_gone[endpoint]) {
        count(METRICS_WEBHOOK_GONE);
        complete(d, 0, "the receiver is gone (410)");
    } else if (d->body.len == 0) {
        ask_for_messages(d);
    } else {
        ask_receiver(d);
    }
}

static void claimed(void *data, int32_t status, struct aic_str rows, const struct aic_error *error)
{
    struct webhook_send *send = data;
    (void)error;
    send->awaited--;
    send->is_asking = false;
    if (send->is_stopped) {
        return;
    }
    struct aic_json *root = status == AIC_OK ? aic_json_parse(rows, MAX_ROWS) : NULL;
    const struct aic_json *job = aic_json_get(aic_json_at(root, 0), "job");
    if (aic_json_is_object(job)) {
        send->look_ms = LOOK_MIN_MS;
        begin(send, job);
        look_in(send, 0);
    } else {
        send->look_ms = status == AIC_OK ? send->look_ms * 2 : LOOK_MAX_MS;
        send->look_ms = send->look_ms < LOOK_MAX_MS ? send->look_ms : LOOK_MAX_MS;
        look_in(send, send->look_ms);
    }
    aic_json_free(root);
}

/* Asks for a job of an endpoint that has room for one more request. */
static void look(void *data)
{
    struct webhook_send *send = data;
    struct aic_buf params;
    struct aic_json_writer w;
    size_t kinds = 0;
    send->timer = NULL;
    if (send->is_asking || send->is_stopped) {
        return;
    }
    aic_buf_init(&params, PARAMS);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "owner", send->settings.owner);
    aic_json_member_int(&w, "lease_ms", LEASE_MS);
    aic_json_key(&w, "kind");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < send->settings.conf->count; i++) {
        size_t endpoint = (send->turn + i) % send->settings.conf->count;
        if (send->busy[endpoint] < WEBHOOK_AT_ONCE) {
            aic_json_put(&w, aic_str(send->settings.conf->list[endpoint].kind));
            kinds++;
        }
    }
    aic_json_close(&w, ']');
    send->turn++;
    aic_json_close(&w, '}');
    /* With no room anywhere the next delivery that ends looks again. */
    if (kinds > 0) {
        send->is_asking = true;
        change(send, "job.claim", &params, claimed, send);
    }
    aic_buf_finish(&params);
}

struct webhook_send *webhook_send_create(const struct webhook_send_settings *settings)
{
    struct webhook_send *send = calloc(1, sizeof(*send));
    if (send) {
        send->settings = *settings;
        send->look_ms = LOOK_MIN_MS;
        look_in(send, LOOK_MIN_MS);
    }
    return send;
}

void webhook_send_stop(struct webhook_send *send)
{
    if (!send) {
        return;
    }
    send->is_stopped = true;
    sched_timer_stop(send->settings.sched, send->timer);
    send->timer = NULL;
    struct delivery **at = &send->deliveries;
    while (*at) {
        struct delivery *d = *at;
        if (!d->request) {
            at = &d->next;
            continue;
        }
        /* Its lease runs out, and then it is somebody else's. */
        send->settings.fetch->ops->cancel(send->settings.fetch, d->request);
        *at = d->next;
        free_delivery(d);
    }
}

void webhook_send_destroy(struct webhook_send *send)
{
    if (!send) {
        return;
    }
    webhook_send_stop(send);
    while (send->deliveries) {
        struct delivery *d = send->deliveries;
        send->deliveries = d->next;
        free_delivery(d);
    }
    free(send);
}

void webhook_send_gone(struct webhook_send *send, struct aic_str name)
{
    for (size_t i = 0; i < send->settings.conf->count; i++) {
        if (aic_str_equal(name, send->settings.conf->list[i].name)) {
            end_endpoint(send, i);
        }
    }
}

size_t webhook_send_running(const struct webhook_send *send)
{
    return send->awaited;
}
