/* SPDX-License-Identifier: ISC */
#include "plugin/services.h"

#include "base/log.h"
#include "io/http_client.h"
#include "io/server.h"
#include "io/ws.h"
#include "plugin/provider.h"

#include <string.h>

static struct provider *owner(const struct aic_host *host)
{
    return host->impl;
}

static struct sched *sched_of(const struct aic_host *host)
{
    return owner(host)->env->sched;
}

static void log_write(const struct aic_host *host, uint32_t level, struct aic_str text)
{
    const struct plugin_env *env = owner(host)->env;
    if (level >= AIC_LOG_WARN && !owner(host)->self && env->complained) {
        env->complained(env->complained_data, level, text);
        return;
    }
    log_text(level, owner(host)->name, "%.*s", (int)(text.len < 4096 ? text.len : 4096), text.ptr);
}

static int32_t log_is_enabled(const struct aic_host *host, uint32_t level)
{
    (void)host;
    return log_enabled(level);
}

static int64_t clock_now(const struct aic_host *host)
{
    return sched_now(sched_of(host));
}

static int64_t clock_wall(const struct aic_host *host)
{
    return sched_wall(sched_of(host));
}

static void clock_random(const struct aic_host *host, void *to, size_t bytes)
{
    sched_random(sched_of(host), to, bytes);
}

/* Timers and lanes of plugins are the scheduler's own under another name. */
static int32_t timer_start(const struct aic_host *host, int64_t deadline_us,
                           void (*fire)(void *data), void *data, struct aic_timer **timer)
{
    *timer = (struct aic_timer *)sched_timer_start(sched_of(host), deadline_us, fire, data);
    return *timer ? AIC_OK : AIC_ERROR_MEMORY;
}

static void timer_stop(const struct aic_host *host, struct aic_timer *timer)
{
    sched_timer_stop(sched_of(host), (struct sched_timer *)timer);
}

static int32_t lane_open(const struct aic_host *host, struct aic_lane **lane)
{
    *lane = (struct aic_lane *)sched_lane_open(sched_of(host));
    return *lane ? AIC_OK : AIC_ERROR_MEMORY;
}

static int32_t lane_run(const struct aic_host *host, struct aic_lane *lane,
                        void (*work)(void *data), void (*done)(void *data, int32_t status),
                        void *data)
{
    return sched_lane_run(sched_of(host), (struct sched_lane *)lane, work, done, data);
}

static void lane_close(const struct aic_host *host, struct aic_lane *lane,
                       void (*closed)(void *data), void *data)
{
    sched_lane_close(sched_of(host), (struct sched_lane *)lane, closed, data);
}

static int32_t post(const struct aic_host *host, void (*run)(void *data), void *data)
{
    if (owner(host)->is_closing) {
        return AIC_ERROR_CLOSED;
    }
    return sched_post(sched_of(host), run, data);
}

static int32_t is_loop_thread(const struct aic_host *host)
{
    return sched_of(host)->ops->is_loop_thread(sched_of(host));
}

static int32_t is_pool_thread(const struct aic_host *host)
{
    return sched_of(host)->ops->is_pool_thread(sched_of(host));
}

/* The operator wrote the address, so any is fine, but plain text stays on this machine. */
static const struct http_rules vendor_rules = {.plain_to_loopback_only = true};

static int32_t http_start(const struct aic_host *host, const struct aic_http_request *params,
                          void (*event)(void *data, const struct aic_http_event *event), void *data,
                          struct aic_http **request)
{
    return http_client_start(owner(host)->env->http, params, &vendor_rules, event, data, request);
}

static void http_cancel(const struct aic_host *host, struct aic_http *request)
{
    http_client_cancel(owner(host)->env->http, request);
}

static void http_warm(const struct aic_host *host, const char *url)
{
    http_client_warm(owner(host)->env->http, url, &vendor_rules);
}

static int32_t websocket_connect(const struct aic_host *host, const struct aic_ws_connect *params,
                                 aic_ws_handler event, void *data, struct aic_ws **ws)
{
    return ws_connect(owner(host)->env->ws, params, &vendor_rules, event, data, ws);
}

static int32_t websocket_send_text(const struct aic_host *host, struct aic_ws *ws,
                                   struct aic_str text)
{
    (void)host;
    return ws_send_text(ws, text);
}

static int32_t websocket_send_binary(const struct aic_host *host, struct aic_ws *ws,
                                     struct aic_str bytes)
{
    (void)host;
    return ws_send_binary(ws, bytes);
}

static uint64_t websocket_queued(const struct aic_host *host, const struct aic_ws *ws)
{
    (void)host;
    return ws_queued_bytes(ws);
}

static void websocket_close(const struct aic_host *host, struct aic_ws *ws, int32_t code,
                            struct aic_str reason)
{
    (void)host;
    ws_close(ws, code, reason);
}

static void websocket_drop(const struct aic_host *host, struct aic_ws *ws)
{
    (void)host;
    if (ws) {
        ws_drop(ws);
    }
}

static int32_t route_add_http(const struct aic_host *host, const struct aic_http_route *route)
{
    return server_add_http(owner(host)->env->server, owner(host), route);
}

static int32_t route_add_websocket(const struct aic_host *host, const struct aic_ws_route *route)
{
    return server_add_websocket(owner(host)->env->server, owner(host), route);
}

static struct aic_str route_header(const struct aic_host *host, struct aic_exchange *exchange,
                                   const char *name)
{
    (void)host;
    return server_header(exchange, name);
}

static int32_t route_respond(const struct aic_host *host, struct aic_exchange *exchange,
                             const struct aic_response *response)
{
    (void)host;
    return server_respond(exchange, response);
}

static const char *route_public_url(const struct aic_host *host)
{
    const char *url = owner(host)->env->public_url;
    return url && url[0] ? url : NULL;
}

static const struct aic_log_service log_service = {
    .size = sizeof(log_service), .write = log_write, .enabled = log_is_enabled};

static const struct aic_clock_service clock_service = {.size = sizeof(clock_service),
                                                       .now_us = clock_now,
                                                       .wall_us = clock_wall,
                                                       .random = clock_random};

static const struct aic_timer_service timer_service = {
    .size = sizeof(timer_service), .start = timer_start, .stop = timer_stop};

static const struct aic_pool_service pool_service = {.size = sizeof(pool_service),
                                                     .lane_open = lane_open,
                                                     .run = lane_run,
                                                     .lane_close = lane_close};

static const struct aic_post_service post_service = {.size = sizeof(post_service), .post = post};

static const struct aic_thread_check_service thread_check_service = {
    .size = sizeof(thread_check_service),
    .is_loop_thread = is_loop_thread,
    .is_pool_thread = is_pool_thread};

static const struct aic_http_service http_service = {
    .size = sizeof(http_service), .start = http_start, .cancel = http_cancel, .warm = http_warm};

static const struct aic_websocket_service websocket_service = {.size = sizeof(websocket_service),
                                                               .connect = websocket_connect,
                                                               .send_text = websocket_send_text,
                                                               .send_binary = websocket_send_binary,
                                                               .queued_bytes = websocket_queued,
                                                               .close = websocket_close,
                                                               .drop = websocket_drop};

static const struct aic_route_service route_service = {.size = sizeof(route_service),
                                                       .add_http = route_add_http,
                                                       .add_websocket = route_add_websocket,
                                                       .header = route_header,
                                                       .respond = route_respond,
                                                       .public_url = route_public_url};

static const void *get_service(const struct aic_host *host, const char *id)
{
    const struct plugin_env *env = owner(host)->env;

    const struct {
        const char *id;
        const void *table;
        bool is_here;
    } services[] = {
        {AIC_SERVICE_LOG, &log_service, true},
        {AIC_SERVICE_CLOCK, &clock_service, true},
        {AIC_SERVICE_TIMER, &timer_service, true},
        {AIC_SERVICE_POOL, &pool_service, true},
        {AIC_SERVICE_POST, &post_service, true},
        {AIC_SERVICE_THREAD_CHECK, &thread_check_service, true},
        {AIC_SERVICE_HTTP, &http_service, env->http != NULL},
        {AIC_SERVICE_WEBSOCKET, &websocket_service, env->ws != NULL},
        {AIC_SERVICE_ROUTE, &route_service, env->server != NULL},
    };

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (strcmp(services[i].id, id) == 0) {
            return services[i].is_here ? services[i].table : NULL;
        }
    }
    return NULL;
}

void services_init(struct provider *provider, struct aic_host *host)
{
    *host = (struct aic_host){.size = sizeof(*host),
                              .abi_major = AIC_ABI_MAJOR,
                              .abi_minor = AIC_ABI_MINOR,
                              .impl = provider,
                              .name = "aicaller",
                              .version = AICALLER_VERSION,
                              .get_service = get_service};
}

void services_finish(struct provider *provider)
{
    if (provider->env->server) {
        server_remove_owner(provider->env->server, provider);
    }
}
