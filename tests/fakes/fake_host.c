/* SPDX-License-Identifier: ISC */
#include "fake_host.h"

#include "fake_net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "fake host: ");
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    abort();
}

void *fake_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory) {
        abort();
    }
    return memory;
}

struct fake_host *fake_of(const struct aic_host *host)
{
    return host->impl;
}

static struct sched *sched_of(const struct aic_host *host)
{
    return vsched_sched(fake_of(host)->v);
}

static void log_write(const struct aic_host *host, uint32_t level, struct aic_str text)
{
    static const char *const names[] = {"none", "debug", "info", "warn", "error"};
    aic_buf_printf(&fake_of(host)->log, "%s %.*s\n", names[level < 5 ? level : 0], (int)text.len,
                   text.ptr);
}

static int32_t log_enabled(const struct aic_host *host, uint32_t level)
{
    (void)host;
    (void)level;
    return 1;
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

static int32_t timer_start(const struct aic_host *host, int64_t deadline_us,
                           void (*fire)(void *data), void *data, struct aic_timer **timer)
{
    *timer = (struct aic_timer *)sched_timer_start(sched_of(host), deadline_us, fire, data);
    return AIC_OK;
}

static void timer_stop(const struct aic_host *host, struct aic_timer *timer)
{
    sched_timer_stop(sched_of(host), (struct sched_timer *)timer);
}

static int32_t lane_open(const struct aic_host *host, struct aic_lane **lane)
{
    *lane = (struct aic_lane *)sched_lane_open(sched_of(host));
    return AIC_OK;
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

static const struct aic_log_service log_service = {
    .size = sizeof(log_service), .write = log_write, .enabled = log_enabled};
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

static const void *get_service(const struct aic_host *host, const char *id)
{
    (void)host;

    static const struct {
        const char *id;
        const void *table;
    } services[] = {
        {AIC_SERVICE_LOG, &log_service},          {AIC_SERVICE_CLOCK, &clock_service},
        {AIC_SERVICE_TIMER, &timer_service},      {AIC_SERVICE_POOL, &pool_service},
        {AIC_SERVICE_POST, &post_service},        {AIC_SERVICE_THREAD_CHECK, &thread_check_service},
        {AIC_SERVICE_HTTP, &fake_http_service},   {AIC_SERVICE_WEBSOCKET, &fake_ws_service},
        {AIC_SERVICE_ROUTE, &fake_route_service},
    };

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        if (strcmp(services[i].id, id) == 0) {
            return services[i].table;
        }
    }
    return NULL;
}

struct fake_host *fake_host_create(struct vsched *v)
{
    struct fake_host *fake = fake_alloc(sizeof(*fake));
    fake->v = v;
    aic_buf_init(&fake->log, 1u << 20);
    fake->host = (struct aic_host){.size = sizeof(fake->host),
                                   .abi_major = AIC_ABI_MAJOR,
                                   .abi_minor = AIC_ABI_MINOR,
                                   .impl = fake,
                                   .name = "fake",
                                   .version = "0",
                                   .get_service = get_service};
    return fake;
}

void fake_host_destroy(struct fake_host *fake)
{
    fake_net_finish(fake);
    while (fake->configs) {
        struct fake_config *config = fake->configs;
        fake->configs = config->next;
        free(config);
    }
    aic_buf_finish(&fake->log);
    free(fake);
}

const struct aic_host *fake_host_of(struct fake_host *fake)
{
    return &fake->host;
}

const char *fake_log(const struct fake_host *fake)
{
    return aic_buf_view(&fake->log).ptr;
}

static const struct aic_option *find_option(const struct fake_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->plugin->option_count; i++) {
        if (strcmp(config->plugin->options[i].name, name) == 0) {
            return &config->plugin->options[i];
        }
    }
    return NULL;
}

/* Value `index` of a name, the declared default when the test gave none. */
static const char *value_at(const struct aic_config *c, const char *name, uint32_t index)
{
    const struct fake_config *config = c->impl;
    const struct aic_option *option = find_option(config, name);
    if (!option) {
        fake_fail("plugin \"%s\" reads option \"%s\", which it does not declare",
                  config->plugin->id, name);
    }
    uint32_t seen = 0;
    for (size_t i = 0; config->settings && config->settings[i].name; i++) {
        if (strcmp(config->settings[i].name, name) == 0 && seen++ == index) {
            return config->settings[i].value;
        }
    }
    return seen == 0 && index == 0 ? option->fallback : NULL;
}

static int32_t config_has(const struct aic_config *config, const char *name)
{
    return value_at(config, name, 0) != NULL;
}

static const char *config_get_string(const struct aic_config *config, const char *name)
{
    return value_at(config, name, 0);
}

static int64_t config_get_int(const struct aic_config *config, const char *name)
{
    const char *text = value_at(config, name, 0);
    if (!text) {
        return 0;
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return text[0] == 't';
    }
    char *unit = NULL;
    int64_t number = strtoll(text, &unit, 10);

    static const struct {
        const char *unit;
        int64_t factor;
    } units[] = {{"", 1},        {"ms", 1},      {"s", 1000},    {"m", 60000},
                 {"h", 3600000}, {"k", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            return number * units[i].factor;
        }
    }
    fake_fail("setting %s = %s is no number", name, text);
    return 0;
}

static double config_get_double(const struct aic_config *config, const char *name)
{
    const char *text = value_at(config, name, 0);
    return text ? strtod(text, NULL) : 0;
}

static uint32_t config_list_count(const struct aic_config *config, const char *name)
{
    uint32_t count = 0;
    while (value_at(config, name, count)) {
        count++;
    }
    return count;
}

int32_t fake_provider_create(struct fake_host *fake, const struct aic_plugin *plugin,
                             const struct fake_setting *settings, void **self)
{
    struct fake_config *config = fake_alloc(sizeof(*config));
    config->next = fake->configs;
    fake->configs = config;
    config->plugin = plugin;
    config->settings = settings;
    config->config = (struct aic_config){.size = sizeof(config->config),
                                         .impl = config,
                                         .provider = plugin->id,
                                         .has = config_has,
                                         .get_string = config_get_string,
                                         .get_int = config_get_int,
                                         .get_double = config_get_double,
                                         .list_count = config_list_count,
                                         .list_item = value_at};
    for (size_t i = 0; settings && settings[i].name; i++) {
        if (!find_option(config, settings[i].name)) {
            fake_fail("plugin \"%s\" has no option \"%s\"", plugin->id, settings[i].name);
        }
    }
    return plugin->create(&fake->host, &config->config, self);
}
