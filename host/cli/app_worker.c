/* SPDX-License-Identifier: ISC */
#include "cli/app_worker.h"

#include "base/log.h"
#include "cli/app_metrics.h"
#include "cli/app_outlets.h"
#include "io/frame.h"
#include "io/master.h"
#include "io/shm.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

static const int64_t beat_us = 500000;
/* What is left of a stopping worker's calls gets this long for its last words. */
static const int64_t last_words_us = 10 * INT64_C(1000000);

static void counted(void *data, size_t live, size_t waiting)
{
    struct app *app = data;
    if (app->slot) {
        atomic_store(&app->slot->calls, (int64_t)live);
        atomic_store(&app->slot->waiting, (int64_t)waiting);
    }
}

static int64_t elsewhere(void *data)
{
    const struct app *app = data;
    int64_t calls = 0;
    for (int i = 0; app->slot && i < SHM_WORKERS; i++) {
        const struct shm_worker *slot = &app->shm->workers[i];
        if (slot != app->slot && atomic_load(&slot->pid) != 0) {
            calls += atomic_load(&slot->calls) + atomic_load(&slot->waiting);
        }
    }
    return calls;
}

struct calls_hooks app_worker_hooks(struct app *app)
{
    return (struct calls_hooks){.counted = counted, .elsewhere = elsewhere, .data = app};
}

static int64_t own_calls(void *data)
{
    const struct app *app = data;
    return atomic_load(&app->slot->calls);
}

static int64_t smallest_calls(void *data)
{
    const struct app *app = data;
    int64_t generation = atomic_load(&app->slot->generation);
    int64_t least = INT64_MAX;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *slot = &app->shm->workers[i];
        if (atomic_load(&slot->pid) != 0 && atomic_load(&slot->generation) == generation) {
            int64_t calls = atomic_load(&slot->calls);
            least = calls < least ? calls : least;
        }
    }
    return least;
}

struct server_balance app_worker_balance(struct app *app)
{
    return (struct server_balance){.own = own_calls, .smallest = smallest_calls, .data = app};
}

static void beat(void *data)
{
    struct app *app = data;
    app->beat_timer = sched_timer_start(app->sched, sched_now(app->sched) + beat_us, beat, app);
    if (app->slot) {
        (void)atomic_fetch_add(&app->slot->heartbeat, 1);
        atomic_store(&app->slot->lag_us, loop_lag_us(app->loop));
        app_metrics_sample(app);
    }
}

static void check_drained(void *data)
{
    struct app *app = data;
    int64_t now_us = sched_now(app->sched);
    app->drain_timer = NULL;
    if (calls_live(app->calls) + calls_waiting(app->calls) == 0 &&
        (!app->server || server_connections(app->server) == 0)) {
        loop_stop(app->loop);
        return;
    }
    if (app->drain_until_us != 0 && now_us >= app->drain_until_us) {
        if (now_us >= app->drain_until_us + last_words_us) {
            loop_stop(app->loop);
            return;
        }
        calls_end_all(app->calls, "server_stopped", true);
    }
    app->drain_timer = sched_timer_start(app->sched, now_us + 100000, check_drained, app);
}

static void set_drain_limit(struct app *app)
{
    int64_t limit_ms = settings_int(app->conf->setup->server, "drain_timeout");
    app->drain_until_us = sched_now(app->sched) + limit_ms * 1000;
}

static void drain(void *data)
{
    struct app *app = data;
    if (app->is_draining || !app->calls) {
        return;
    }
    app->is_draining = true;
    log_info("worker", "replaced; leaves when its last call has ended",
             LOG_I("calls", calls_live(app->calls)));
    calls_stop_new(app->calls);
    if (app->server) {
        server_stop_listening(app->server);
    }
    if (app->web) {
        web_drain(app->web);
    }
    set_drain_limit(app);
    check_drained(app);
}

static void stop_new_calls(void *data)
{
    struct app *app = data;
    if (!app->calls) {
        return;
    }
    calls_stop_new(app->calls);
    if (app->web) {
        web_set_draining(app->web);
    }
}

static void stop(void *data)
{
    struct app *app = data;
    loop_stop(app->loop);
}

static void adopt_spool(struct app *app, const struct link_request *request)
{
    struct aic_json *body = aic_json_parse(request->body, 0);
    char name[256];
    (void)aic_str_copy(aic_json_get_text(body, "spool"), name, sizeof(name));
    aic_json_free(body);
    int32_t status = app->spool ? spool_adopt(app->spool, name) : AIC_ERROR_NOT_FOUND;
    link_answer(app->link, request->id, status, AIC_STR("{}"));
}

/* A question to the storage for the command line: {"query", "params"}. */
struct ask {
    struct app *app;
    uint64_t id;
};

static void rows_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct ask *ask = data;
    link_answer(ask->app->link, ask->id, status,
                status == AIC_OK ? rows
                : error          ? error->message
                                 : AIC_STR(""));
    free(ask);
}

static void ask_storage(struct app *app, const struct link_request *request)
{
    struct aic_json *body = aic_json_parse(request->body, 0);
    char *query = aic_str_dup(aic_json_get_text(body, "query"));
    const struct aic_json *params = aic_json_get(body, "params");
    struct ask *ask = app->storage && query ? malloc(sizeof(*ask)) : NULL;
    if (ask) {
        *ask = (struct ask){app, request->id};
        storage_query(app->storage, query, params ? aic_json_print(params) : AIC_STR("{}"),
                      rows_came, ask);
    } else {
        link_answer(app->link, request->id, AIC_ERROR_NOT_FOUND, AIC_STR(""));
    }
    free(query);
    aic_json_free(body);
}

struct dialling {
    struct app *app;
    uint64_t id;
};

static void dialled(void *data, const struct calls_dial_result *result)
{
    struct dialling *dialling = data;
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 4096);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", result->call_id);
    aic_json_member_text(&w, "call_sid", result->call_sid);
    aic_json_member_text(&w, "status", result->status == AIC_OK ? "queued" : "failed");
    if (result->status != AIC_OK) {
        aic_json_member_text(&w, "reason", result->reason);
        aic_json_member_text(&w, "error", result->error);
    }
    aic_json_close(&w, '}');
    link_answer(dialling->app->link, dialling->id, AIC_OK, aic_buf_view(&buf));
    aic_buf_finish(&buf);
    free(dialling);
}

/* `aicaller call`: {"to", "agent", "prompt"}; a WAV file goes to the provider that plays them. */
static void dial(struct app *app, const struct link_request *request)
{
    struct aic_json *body = aic_json_parse(request->body, 0);
    char *to = aic_str_dup(aic_json_get_text(body, "to"));
    char *agent = aic_str_dup(aic_json_get_text(body, "agent"));
    struct dialling *dialling = to && agent ? malloc(sizeof(*dialling)) : NULL;
    if (dialling) {
        const char *wav = NULL;
        for (size_t i = 0; strncmp(to, "wav:", 4) == 0 && i < app->provider_count; i++) {
            if (strcmp(app->providers[i]->plugin->id, "wav") == 0) {
                wav = app->providers[i]->name;
            }
        }
        *dialling = (struct dialling){app, request->id};
        const struct calls_dial params = {.to = to,
                                          .agent = agent[0] ? agent : NULL,
                                          .prompt = aic_json_get_text(body, "prompt"),
                                          .provider = wav,
                                          .actor = "command line"};
        calls_dial(app->calls, &params, dialled, dialling);
    } else {
        link_answer(app->link, request->id, AIC_ERROR_MEMORY, AIC_STR(""));
    }
    free(to);
    free(agent);
    aic_json_free(body);
}

static void tell_metrics(struct app *app, const struct link_request *request)
{
    struct aic_buf page;
    aic_buf_init(&page, FRAME_BODY_MAX);
    bool is_good = app->web && web_metrics(app->web, &page);
    link_answer(app->link, request->id, is_good ? AIC_OK : AIC_ERROR_UNSUPPORTED,
                is_good ? aic_buf_view(&page) : AIC_STR(""));
    aic_buf_finish(&page);
}

static void take_request(void *data, const struct link_request *request)
{
    struct app *app = data;
    if (!app->calls) {
        link_answer(app->link, request->id, AIC_ERROR_CLOSED, AIC_STR(""));
        return;
    }
    if (calls_request(app->calls, request) || (app->web && web_request(app->web, request))) {
        return;
    }
    if (strcmp(request->kind, "spool.adopt") == 0) {
        adopt_spool(app, request);
    } else if (strcmp(request->kind, "storage.query") == 0) {
        ask_storage(app, request);
    } else if (strcmp(request->kind, "metrics") == 0) {
        tell_metrics(app, request);
    } else if (strcmp(request->kind, "call.dial") == 0) {
        dial(app, request);
    } else if (strcmp(request->kind, "keys.changed") == 0) {
        link_publish(app->link, "keys", AIC_STR("{}"));
        link_answer(app->link, request->id, AIC_OK, AIC_STR("{}"));
    } else if (strcmp(request->kind, "users.changed") == 0) {
        link_publish(app->link, "users", AIC_STR("{}"));
        link_answer(app->link, request->id, AIC_OK, AIC_STR("{}"));
    } else {
        link_answer(app->link, request->id, AIC_ERROR_UNSUPPORTED, AIC_STR(""));
    }
}

static void take_news(void *data, const char *topic, struct aic_str body)
{
    struct app *app = data;
    app_outlets_news(app, topic, body);
    if (app->web && strcmp(topic, "keys") == 0) {
        web_forget_keys(app->web);
    } else if (app->web && strcmp(topic, "users") == 0) {
        web_forget_sessions(app->web);
    }
}

static void take_call_news(void *data, const struct link_news *news)
{
    struct app *app = data;
    if (app->web) {
        web_take_news(app->web, news);
    }
}

struct link *app_worker_link(struct app *app)
{
    const struct master_worker *worker = app->options.worker;
    const struct link_handler handler = {.request = take_request,
                                         .drain = drain,
                                         .stop_new_calls = stop_new_calls,
                                         .stop = stop,
                                         .published = take_news,
                                         .news = take_call_news,
                                         .data = app};
    app_metrics_start(app);
    return link_create(app->loop, worker ? worker->link_fd : -1, &handler);
}

int32_t app_worker_start(struct app *app)
{
    const struct master_worker *worker = app->options.worker;
    for (size_t i = 0; worker && i < worker->listen_count; i++) {
        int32_t status = server_listen(app->server, worker->listen_fds[i]);
        if (status != AIC_OK) {
            return status;
        }
    }
    beat(app);
    link_ready(app->link);
    clips_begin(app->clips);
    for (size_t i = 0; i < app->conf->agents.count; i++) {
        agent_prewarm(app->conf->agents.list[i]);
    }
    return AIC_OK;
}
