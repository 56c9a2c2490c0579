/* SPDX-License-Identifier: ISC */
#include "cli/app.h"

#include "base/log.h"
#include "cli/app_metrics.h"
#include "cli/app_outlets.h"
#include "cli/app_worker.h"
#include "cli/cores.h"
#include "io/http_client.h"
#include "io/master.h"
#include "io/server.h"
#include "io/shm.h"
#include "io/ws.h"
#include "plugin/registry.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ERROR_TEXT = 512 };

static char *make_folder(const struct app *app, const char *name)
{
    struct aic_buf folder;
    aic_buf_init(&folder, 4096);
    aic_buf_printf(&folder, "%s/%s", app->conf->setup->state_dir, name);
    char *path = aic_buf_detach(&folder);
    if (!path || !conf_make_folder(path)) {
        log_error("server", "the state folder can not be made",
                  LOG_S("folder", app->conf->setup->state_dir));
        free(path);
        return NULL;
    }
    return path;
}

static bool make_folders(struct app *app)
{
    app->recordings_dir = make_folder(app, "recordings");
    app->clips_dir = app->recordings_dir ? make_folder(app, "clips") : NULL;
    return app->clips_dir != NULL;
}

static bool make_io(struct app *app)
{
    const struct setup *setup = app->conf->setup;
    const struct loop_options loop = {.pool_threads = 0};
    const struct http_client_options http = {.ca_file = settings_string(setup->server, "ca_file"),
                                             .user_agent = "aicaller/" AICALLER_VERSION};
    const struct ws_engine_options ws = {.ca_file = http.ca_file, .user_agent = http.user_agent};
    app->loop = loop_create(&loop);
    if (!app->loop) {
        return false;
    }
    app->sched = loop_sched(app->loop);
    app->http = http_client_create(app->loop, &http);
    app->ws = ws_engine_create(app->loop, &ws);
    app->link = app_worker_link(app);
    if (app->options.has_server) {
        const struct server_balance balance = app_worker_balance(app);
        const struct server_options server = {.public_url = setup->public_url,
                                              .tls_cert = settings_string(setup->tls, "cert"),
                                              .tls_key = settings_string(setup->tls, "key"),
                                              .trusted_proxies = app->conf->trusted_proxies};
        app->server = server_create(app->loop, &server, app->slot ? &balance : NULL);
    }
    app->env = (struct plugin_env){.sched = app->sched,
                                   .http = app->http,
                                   .ws = app->ws,
                                   .server = app->server,
                                   .shm = app->shm,
                                   .public_url = setup->public_url};
    return app->http && app->ws && app->link && (app->server || !app->options.has_server);
}

static struct setup_provider *defined(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->setup->provider_count; i++) {
        if (strcmp(conf->setup->providers[i]->name, name) == 0) {
            return conf->setup->providers[i];
        }
    }
    return NULL;
}

/* One more instance of a provider. */
static struct provider *instantiate(struct app *app, const char *name)
{
    struct config_problems problems = {.list = NULL};
    struct setup_provider *found = defined(app->conf, name);
    if (!found) {
        found = setup_use(app->conf->setup, name, "telephony", (struct config_pos){.line = 0},
                          &problems);
    }
    struct settings *settings =
        found ? setup_settings(app->conf->setup, found, 0, &problems) : NULL;
    if (problems.errors > 0) {
        app->exit_status = conf_tell(&problems, false);
        settings_free(settings);
        settings = NULL;
    }
    config_problems_finish(&problems);
    if (!settings) {
        return NULL;
    }
    char error[ERROR_TEXT];
    struct provider *provider =
        provider_create(name, found->plugin, settings, &app->env, error, sizeof(error));
    if (!provider) {
        log_error(name, "can not be used",
                  LOG_S("reason", error[0] ? error : "the plugin refused; see above"));
        app->exit_status = 78;
    }
    return provider;
}

static struct provider *find_provider(void *data, const char *name)
{
    struct app *app = data;
    for (size_t i = 0; i < app->provider_count; i++) {
        if (strcmp(app->providers[i]->name, name) == 0) {
            return app->providers[i];
        }
    }
    if (app->provider_count == APP_PROVIDERS) {
        return NULL;
    }
    struct provider *provider = instantiate(app, name);
    if (provider) {
        app->providers[app->provider_count++] = provider;
    }
    return provider;
}

/* Brings an empty database, and the embedded one, up to date; refuses other differences. */
static bool prepare_storage(struct app *app, struct provider *provider)
{
    const struct aic_storage *table = &provider->storage;
    struct aic_migration migration = {.size = sizeof(migration)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = table->migration(provider->self, &migration, &error);
    bool is_embedded = !(provider->storage_caps.flags & AIC_STORAGE_SHARED);
    bool is_old = status == AIC_OK && migration.current < migration.latest;
    if (is_old && (migration.current == 0 || is_embedded)) {
        status = table->migrate(provider->self, NULL, NULL, &error);
    } else if (is_old) {
        log_error(provider->name, "the database is older than this program: aicaller migrate",
                  LOG_I("version", migration.current), LOG_I("needed", migration.latest));
        app->exit_status = 78;
        return false;
    }
    if (status == AIC_OK && migration.current > migration.latest) {
        log_error(provider->name, "the database is newer than this program: install a newer one",
                  LOG_I("version", migration.current), LOG_I("known", migration.latest));
        app->exit_status = 78;
        return false;
    }
    if (status == AIC_ERROR_CONFLICT) {
        log_error(provider->name, "the database is not one of this program",
                  LOG_T("reason", error.message));
        app->exit_status = 78;
        return false;
    }
    if (status != AIC_OK && is_embedded) {
        log_error(provider->name, "the database can not be used", LOG_T("reason", error.message));
        return false;
    }
    if (status != AIC_OK) {
        /* Calls do not wait for a database that is away. */
        log_warn(provider->name, "the database does not answer; facts wait in the spool",
                 LOG_T("reason", error.message));
    }
    return true;
}

static bool make_storage(struct app *app)
{
    const struct setup *setup = app->conf->setup;
    if (!setup->storage[0]) {
        return true;
    }
    struct provider *reader = instantiate(app, setup->storage);
    if (!reader || !prepare_storage(app, reader)) {
        provider_destroy(reader);
        return false;
    }
    app->storage = storage_create(reader);
    struct provider *writer = app->storage ? instantiate(app, setup->storage) : NULL;
    char folder[4096];
    char name[64];
    char error[ERROR_TEXT] = "";
    (void)snprintf(folder, sizeof(folder), "%s/spool", setup->state_dir);
    (void)snprintf(name, sizeof(name), "%ld-%lld", (long)getpid(),
                   (long long)(sched_wall(app->sched) / 1000));
    if (app->options.worker) {
        (void)aic_str_copy(aic_str(app->options.worker->spool), name, sizeof(name));
    }
    if (writer) {
        app->spool = spool_create(app->sched, folder, name, writer, error, sizeof(error));
    }
    if (!app->spool) {
        log_error("spool", "can not be opened", LOG_S("reason", error), LOG_S("folder", folder));
    }
    return app->spool != NULL;
}

/* The roles that this process needs, in the order of the agents. */
static bool bind_agents(struct app *app)
{
    if (agents_bind(&app->conf->agents, app->options.has_server, find_provider, app) != AIC_OK) {
        return false;
    }
    return !app->options.extra_carrier || find_provider(app, app->options.extra_carrier);
}

/* Sentences spoken ahead: by the first worker for all of them. */
static bool make_clips(struct app *app)
{
    const struct master_worker *worker = app->options.worker;
    const struct clips_settings settings = {
        .sched = app->sched, .folder = app->clips_dir, .renders = !worker || worker->worker == 0};
    if (!app->options.has_server) {
        return true;
    }
    app->clips = clips_create(&settings);
    if (app->clips) {
        clips_prepare(app->clips, &app->conf->agents);
    }
    return app->clips != NULL;
}

static bool make_gate(struct app *app)
{
    app->gate_lines =
        (struct gate_lines){.sched = app->sched, .storage = app->storage, .link = app->link};
    const struct gate_settings settings = {
        .sched = app->sched,
        .journal = app->spool ? spool_journal(app->spool) : NULL,
        .rules = &app->conf->outbound,
        .zone_folder = "/usr/share/zoneinfo",
        .ports = gate_lines_ports(&app->gate_lines),
    };
    app->gate = gate_create(&settings);
    return app->gate != NULL;
}

static bool make_fetch(struct app *app)
{
    app->fetch = fetch_http_create(app->http, app->conf->private_allow);
    return app->fetch != NULL;
}

static bool make_calls(struct app *app)
{
    app->secret = conf_secret(app->conf);
    if (!app->secret) {
        return false;
    }
    const struct calls_settings settings = {
        .sched = app->sched,
        .link = app->link,
        .journal = app->spool ? spool_journal(app->spool) : NULL,
        .storage = app->storage,
        .agents = &app->conf->agents,
        .secret = app->secret,
        .recordings_dir = app->recordings_dir,
        .clips = app->clips,
        .fetch = app->fetch,
        .prices = &app->conf->prices,
        .max_cost = settings_double(app->conf->limits, "max_cost_per_call"),
        .max_calls = settings_int(app->conf->limits, "max_calls"),
        .max_per_caller = settings_int(app->conf->limits, "max_calls_per_caller"),
        .gate = app->gate,
        .webhooks = app->outlets.webhooks,
        .traces = app->outlets.traces,
    };
    const struct calls_hooks hooks =
        app->options.has_server ? app_worker_hooks(app) : app->options.hooks;
    app->calls = calls_create(&settings, &hooks);
    return app->calls != NULL;
}

static bool start_carriers(struct app *app)
{
    for (size_t i = 0; i < app->provider_count; i++) {
        struct provider *provider = app->providers[i];
        bool needs_server = strcmp(provider->plugin->id, "wav") != 0;
        if (!provider->telephony.size || (needs_server && !app->server)) {
            continue;
        }
        if (calls_start_provider(app->calls, provider) != AIC_OK) {
            log_error(provider->name, "does not start", LOG_S("plugin", provider->plugin->id));
            return false;
        }
        if (strcmp(provider->plugin->id, "browser") == 0) {
            (void)snprintf(app->browser_media, sizeof(app->browser_media), "/carriers/%s/media",
                           provider->name);
        }
    }
    return true;
}

static bool make_web(struct app *app)
{
    if (!app->server) {
        return true;
    }
    const struct web_settings settings = {
        .server = app->server,
        .sched = app->sched,
        .link = app->link,
        .calls = app->calls,
        .traces = app->outlets.traces,
        .fetch = app->fetch,
        .storage = app->storage,
        .spool = app->spool,
        .shm = app->shm,
        .agents = &app->conf->agents,
        .providers = app->providers,
        .provider_count = app->provider_count,
        .recordings_dir = app->recordings_dir,
        .browser_media = app->browser_media[0] ? app->browser_media : NULL,
        .secret = app->secret,
        .allowed_hosts = app->conf->allowed_hosts,
        .about = app_about_make(&app->about, app->conf),
        .requests_per_key = settings_int(app->conf->limits, "requests_per_key"),
        .requests_per_address = settings_int(app->conf->limits, "requests_per_address"),
        .logins_per_address = settings_int(app->conf->limits, "logins_per_address"),
        .session_idle_ms = settings_int(app->conf->security, "session_idle"),
        .session_ms = settings_int(app->conf->security, "session_lifetime"),
        .max_viewers = settings_int(app->conf->limits, "max_viewers"),
        .viewers_per_key = settings_int(app->conf->limits, "viewers_per_key"),
        .viewers = app->slot ? &app->slot->viewers : NULL,
    };
    app->web = web_create(&settings);
    return app->web != NULL;
}

/* By the first worker for all of them. */
static bool make_retention(struct app *app)
{
    const struct master_worker *worker = app->options.worker;
    if (!app->server || !app->storage || (worker && worker->worker != 0)) {
        return true;
    }
    const struct retention_settings settings = {.sched = app->sched,
                                                .storage = app->storage,
                                                .recordings_dir = app->recordings_dir,
                                                .rules = &app->conf->retention};
    app->retention = retention_create(&settings);
    return app->retention != NULL;
}

struct app *app_create(const struct app_options *options, int *exit_status)
{
    struct app *app = calloc(1, sizeof(*app));
    *exit_status = 1;
    if (!app) {
        return NULL;
    }
    app->options = *options;
    app->conf = options->conf;
    app->exit_status = 1;
    if (settings_bool(app->conf->setup->server, "core_dumps")) {
        cores_allow();
    }
    if (!make_folders(app) || !make_io(app) || !make_storage(app) || !bind_agents(app) ||
        !make_clips(app) || !make_gate(app) || !make_fetch(app) || !app_outlets_make(app) ||
        !make_calls(app) || !start_carriers(app) || !make_web(app) || !make_retention(app)) {
        *exit_status = app->exit_status;
        app_destroy(app);
        return NULL;
    }
    app->exit_status = 0;
    return app;
}

int app_run(struct app *app)
{
    loop_run(app->loop);
    return app->exit_status;
}

static void stop_loop(void *data)
{
    loop_stop(data);
}

/* Lets run what was posted before: answers on their way to those who still exist. */
static void settle(struct app *app)
{
    if (sched_post(app->sched, stop_loop, app->loop) == AIC_OK) {
        loop_run(app->loop);
    }
}

void app_destroy(struct app *app)
{
    if (!app) {
        return;
    }
    if (app->server) {
        server_stop_listening(app->server);
    }
    if (app->loop) {
        sched_timer_stop(app->sched, app->beat_timer);
        sched_timer_stop(app->sched, app->drain_timer);
    }
    web_stop(app->web);
    retention_stop(app->retention);
    calls_destroy(app->calls);
    app->calls = NULL; /* other workers may still ask something */
    while (app->loop && app->spool && spool_journal(app->spool)->promised > 0) {
        settle(app);
    }
    app_outlets_stop(app);
    clips_destroy(app->clips);
    gate_destroy(app->gate);
    storage_destroy(app->storage);
    app->storage = NULL;
    app->gate_lines.storage = NULL;
    if (app->loop) {
        settle(app);
    }
    retention_destroy(app->retention);
    web_destroy(app->web);
    app_outlets_destroy(app);
    for (size_t i = 0; i < app->provider_count; i++) {
        provider_destroy(app->providers[i]);
    }
    spool_destroy(app->spool, app->options.spool_grace_ms);
    link_destroy(app->link);
    server_destroy(app->server);
    ws_engine_destroy(app->ws);
    fetch_http_destroy(app->fetch);
    http_client_destroy(app->http);
    loop_destroy(app->loop);
    app_metrics_stop(app);
    app_about_finish(&app->about);
    free(app->secret);
    free(app->recordings_dir);
    free(app->clips_dir);
    free(app);
}
