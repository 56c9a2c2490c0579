/* SPDX-License-Identifier: ISC */
#include "cli/app_outlets.h"

#include "base/metrics.h"
#include "io/shm.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NEWS = 256 };

static const int64_t count_us = 15 * INT64_C(1000000);
static const int64_t last_spans_us = 1000000;

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    struct app *app = data;
    storage_query(app->storage, name, params, reply, reply_data);
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct app *app = data;
    storage_change(app->storage, name, params, reply, reply_data);
}

static void was_posted(void *data)
{
    struct app *app = data;
    webhook_send_wake(app->outlets.sender);
}

static void is_gone(void *data, const char *name)
{
    struct app *app = data;
    struct aic_buf body;
    struct aic_json_writer w;
    aic_buf_init(&body, MAX_NEWS);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "endpoint", name);
    aic_json_close(&w, '}');
    link_publish(app->link, "webhook.gone", aic_buf_view(&body));
    aic_buf_finish(&body);
}

void app_outlets_news(struct app *app, const char *topic, struct aic_str body)
{
    if (app->outlets.sender && strcmp(topic, "webhook.gone") == 0) {
        struct aic_json *root = aic_json_parse(body, MAX_NEWS);
        webhook_send_gone(app->outlets.sender, aic_json_get_text(root, "endpoint"));
        aic_json_free(root);
    }
}

/* How many wait, for the metrics. */
static void jobs_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct app *app = data;
    struct aic_json *root = status == AIC_OK ? aic_json_parse(rows, 0) : NULL;
    int64_t waiting = 0;
    (void)error;
    for (size_t i = 0; i < aic_json_count(root); i++) {
        const struct aic_json *row = aic_json_at(root, i);
        if (aic_str_starts(aic_json_get_text(row, "kind"), "webhook:")) {
            waiting += aic_json_get_int(row, "jobs", 0);
        }
    }
    if (root && app->slot) {
        atomic_store(&app->slot->gauges[METRICS_WEBHOOKS_WAITING], waiting);
    }
    aic_json_free(root);
}

static void count_waiting(void *data)
{
    struct app *app = data;
    app->outlets.timer =
        sched_timer_start(app->sched, sched_now(app->sched) + count_us, count_waiting, app);
    storage_query(app->storage, "stats.jobs", AIC_STR("{}"), jobs_came, app);
}

static bool make_webhooks(struct app *app)
{
    struct app_outlets *outlets = &app->outlets;
    if (app->conf->webhooks.count == 0 || !app->spool) {
        return true;
    }
    const struct webhook_send_settings sender = {.sched = app->sched,
                                                 .fetch = app->fetch,
                                                 .conf = &app->conf->webhooks,
                                                 .owner = outlets->owner,
                                                 .query = query,
                                                 .change = change,
                                                 .gone = is_gone,
                                                 .data = app};
    const struct webhook_post_settings post = {.sched = app->sched,
                                               .journal = spool_journal(app->spool),
                                               .conf = &app->conf->webhooks,
                                               .posted = was_posted,
                                               .data = app};
    outlets->sender = webhook_send_create(&sender);
    outlets->webhooks = outlets->sender ? webhook_post_create(&post) : NULL;
    if (outlets->webhooks) {
        count_waiting(app);
    }
    return outlets->webhooks != NULL;
}

static bool make_traces(struct app *app)
{
    const struct trace_conf *conf = &app->conf->traces;
    struct app_outlets *outlets = &app->outlets;
    if (!conf->settings) {
        return true;
    }
    outlets->fetch = fetch_http_create_open(app->http);
    const struct trace_export_settings settings = {
        .sched = app->sched,
        .fetch = outlets->fetch,
        .url = conf->url,
        .headers = conf->headers,
        .header_count = conf->header_count,
        .share = settings_double(conf->settings, "sample"),
        .service = settings_string(conf->settings, "service"),
        .host = outlets->host,
    };
    outlets->traces = outlets->fetch ? trace_export_create(&settings) : NULL;
    return outlets->traces != NULL;
}

bool app_outlets_make(struct app *app)
{
    struct app_outlets *outlets = &app->outlets;
    if (!app->options.has_server) {
        return true;
    }
    if (gethostname(outlets->host, sizeof(outlets->host)) != 0) {
        outlets->host[0] = '\0';
    }
    outlets->host[sizeof(outlets->host) - 1] = '\0';
    (void)snprintf(outlets->owner, sizeof(outlets->owner), "%s %ld %lld", outlets->host,
                   (long)getpid(), (long long)(sched_wall(app->sched) / 1000));
    return make_webhooks(app) && make_traces(app);
}

/* The loop runs once more, for spans. */
struct last_spans {
    struct loop *loop;
    struct sched_timer *timer;
};

static void spans_are_late(void *data)
{
    struct last_spans *last = data;
    last->timer = NULL;
    loop_stop(last->loop);
}

static void spans_are_gone(void *data)
{
    const struct last_spans *last = data;
    loop_stop(last->loop);
}

static void send_last_spans(struct app *app)
{
    struct last_spans last = {.loop = app->loop};
    last.timer =
        sched_timer_start(app->sched, sched_now(app->sched) + last_spans_us, spans_are_late, &last);
    trace_export_flush(app->outlets.traces, spans_are_gone, &last);
    loop_run(app->loop);
    trace_export_flush(app->outlets.traces, NULL, NULL);
    if (last.timer) {
        sched_timer_stop(app->sched, last.timer);
    }
}

void app_outlets_stop(struct app *app)
{
    struct app_outlets *outlets = &app->outlets;
    if (outlets->traces && trace_export_waiting(outlets->traces) > 0) {
        send_last_spans(app);
    }
    if (outlets->timer) {
        sched_timer_stop(app->sched, outlets->timer);
        outlets->timer = NULL;
    }
    webhook_send_stop(outlets->sender);
}

void app_outlets_destroy(struct app *app)
{
    struct app_outlets *outlets = &app->outlets;
    webhook_post_destroy(outlets->webhooks);
    webhook_send_destroy(outlets->sender);
    trace_export_destroy(outlets->traces);
    fetch_http_destroy(outlets->fetch);
    *outlets = (struct app_outlets){.webhooks = NULL};
}
