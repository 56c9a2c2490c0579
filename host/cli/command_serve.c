/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/app.h"
#include "cli/app_worker.h"
#include "cli/log_conf.h"
#include "io/control.h"
#include "io/listener.h"
#include "io/master.h"
#include "io/notify.h"
#include "io/state_dir.h"
#include "plugin/registry.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Less than the master gives a worker that is told to stop at once. */
enum { SPOOL_GRACE_MS = 3000, MANY_FILES = 65536 };

static void print_addresses(const char *listener, const char *public_url)
{
    log_info("server", "listens", LOG_S("address", listener),
             LOG_S("public_url", public_url[0] ? public_url : "none"));
}

/* The whole server in one process, for debuggers and sanitizers. */

struct single {
    struct app *app;
    struct loop_signal *signals[2];
};

static void caught(void *data, int number)
{
    struct single *single = data;
    log_info("server", "stops", LOG_I("signal", number));
    loop_stop(single->app->loop);
}

static int run_single_app(struct conf *conf, const struct listeners *listeners, int control_fd)
{
    int status = EXIT_FAILED;
    const struct app_options options = {
        .conf = conf, .has_server = true, .spool_grace_ms = SPOOL_GRACE_MS};
    struct single single = {.app = app_create(&options, &status)};
    if (!single.app) {
        return status;
    }
    for (size_t i = 0; i < listeners->count; i++) {
        char name[LISTENER_NAME];
        listener_name(listeners->fds[i], name);
        if (server_listen(single.app->server, listeners->fds[i]) == AIC_OK) {
            print_addresses(name, conf->setup->public_url);
        }
    }
    (void)link_listen(single.app->link, control_fd);
    (void)app_worker_start(single.app);
    single.signals[0] = loop_signal_start(single.app->loop, SIGTERM, caught, &single);
    single.signals[1] = loop_signal_start(single.app->loop, SIGINT, caught, &single);
    notify_send("READY=1");
    status = app_run(single.app);
    loop_signal_stop(single.signals[0]);
    loop_signal_stop(single.signals[1]);
    app_destroy(single.app);
    return status;
}

static int serve_single(struct conf *conf)
{
    char why[STATE_DIR_WHY];
    struct state_dir state;
    struct listeners listeners = {.count = 0};
    const struct settings *server = conf->setup->server;
    if (state_dir_open(&state, conf->setup->state_dir, why) != AIC_OK) {
        (void)fprintf(stderr, "aicaller: %s\n", why);
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    if (listeners_open(&listeners, settings_string(server, "listen"), settings_int(server, "port"),
                       why) != AIC_OK) {
        (void)fprintf(stderr, "aicaller: %s\n", why);
    } else {
        status = run_single_app(conf, &listeners, control_listen(state.fd));
        control_unlink(state.fd);
    }
    listeners_close(&listeners);
    state_dir_close(&state);
    return status;
}

static char *const *self_argv(const struct cli_args *args)
{
    /* As the master is started again by USR2: the same command with the same options. */
    static char *argv[16];
    static char serve[] = "serve";
    static char program[] = "aicaller";
    size_t count = 0;
    argv[count++] = program;
    argv[count++] = serve;
    static const char *const names[] = {"config", "workers", "env"};
    static char config_option[] = "-c";
    static char workers_option[] = "--workers";
    static char env_option[] = "--env";
    char *const options[] = {config_option, workers_option, env_option};
    for (size_t i = 0; i < 3; i++) {
        const char *value = cli_value(&command_serve, args, names[i]);
        if (value) {
            argv[count++] = options[i];
            argv[count++] = strdup(value);
        }
    }
    argv[count] = NULL;
    return argv;
}

static int serve_master(const struct cli_args *args)
{
    const char *path = cli_value(&command_serve, args, "config");
    const char *workers = cli_value(&command_serve, args, "workers");
    const char *env = cli_value(&command_serve, args, "env");
    const char *extra[5] = {NULL};
    size_t count = 0;
    if (path) {
        extra[count++] = "-c";
        extra[count++] = path;
    }
    if (env) {
        extra[count++] = "--env";
        extra[count++] = env;
    }
    static char binary[4096];
    ssize_t length = readlink("/proc/self/exe", binary, sizeof(binary) - 1);
    const struct master_options options = {
        .binary = length > 0 ? binary : "/proc/self/exe",
        .argv = self_argv(args),
        .extra = extra,
        .config_path = path ? path : "the configuration",
        .workers = workers ? (int)strtol(workers, NULL, 10) : -1,
    };
    return master_run(&options);
}

/* The usual limit is meant for programs that use select; who set the hard one meant it for us. */
static void allow_many_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MANY_FILES &&
        limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < MANY_FILES ? limit.rlim_max : MANY_FILES;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(const struct cli_args *args)
{
    const char *env = cli_value(&command_serve, args, "env");
    const char *workers = cli_value(&command_serve, args, "workers");
    if (workers &&
        (workers[0] == '\0' || workers[strspn(workers, "0123456789")] || strlen(workers) > 2)) {
        (void)fprintf(stderr, "aicaller serve: --workers takes a number from 0 to 64\n");
        return EXIT_USAGE;
    }
    allow_many_files();
    if (!cli_value(&command_serve, args, "single")) {
        return serve_master(args);
    }
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_serve, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    log_conf_apply(conf);
    status = serve_single(conf);
    conf_free(conf);
    return status;
}

const struct cli_command command_serve = {
    .name = "serve",
    .words = "",
    .summary = "run the server, in the foreground",
    .more =
        "HUP reloads the configuration, TERM drains and stops, INT stops now, USR2 goes over to\n"
        "the program that was installed meanwhile. Without -c: $AICALLER_CONF, then\n"
        "/etc/aicaller/aicaller.conf, then the built-in configuration.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"env", 0, "FILE", "NAME=value lines for env: values"},
                {"workers", 0, "N", "processes, instead of the configuration's; 0 = one per core"},
                {"single", 0, NULL, "everything in one process, for debuggers"}},
    .run = run,
};

/* The master's children. */

static const char *value_of(const char *option, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc && argv[i]; i++) {
        if (strcmp(argv[i], option) == 0) {
            return argv[i + 1];
        }
    }
    return NULL;
}

static void fill_settings(const struct conf *conf, struct master_settings *settings)
{
    const struct settings *server = conf->setup->server;
    *settings = (struct master_settings){
        .port = settings_int(server, "port"),
        .workers = settings_int(server, "workers"),
        .drain_timeout_ms = settings_int(server, "drain_timeout"),
        .log_format = log_conf_format(conf),
        .log_level = log_conf_level(conf),
    };
    (void)snprintf(settings->listen, sizeof(settings->listen), "%s",
                   settings_string(server, "listen"));
    (void)snprintf(settings->state_dir, sizeof(settings->state_dir), "%s", conf->setup->state_dir);
}

static void list_plugins(const struct conf *conf, struct master_check *check)
{
    for (size_t i = 0; i < conf->setup->provider_count; i++) {
        const struct setup_provider *provider = conf->setup->providers[i];
        bool is_listed = !provider->plugin || check->plugin_count == MASTER_PLUGINS;
        for (size_t k = 0; k < check->plugin_count && !is_listed; k++) {
            is_listed = strcmp(check->plugins[k].name, provider->file) == 0;
        }
        if (!is_listed) {
            struct master_plugin *plugin = &check->plugins[check->plugin_count++];
            (void)snprintf(plugin->name, sizeof(plugin->name), "%s", provider->file);
            plugin->fd = registry_descriptor(provider->file);
        }
    }
}

int check_child_run(int argc, char **argv)
{
    struct config_problems problems = {.list = NULL};
    /* Here, not in the master: a reload is to see what changed in the file. */
    const char *env = value_of("--env", argc, argv);
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    struct conf *conf = conf_load(value_of("-c", argc, argv), &problems);
    struct aic_buf text;
    struct aic_buf frozen;
    aic_buf_init(&text, 1 << 20);
    aic_buf_init(&frozen, MASTER_CONFIG_BYTES);
    if (conf) {
        (void)conf_try(conf, &problems);
    }
    config_problems_print(&problems, false, &text);
    struct master_check check = {.is_good = conf && problems.errors == 0,
                                 .problems = aic_buf_view(&text)};
    if (check.is_good) {
        (void)config_freeze(conf->setup->config, &frozen);
        check.config = aic_buf_view(&frozen);
        fill_settings(conf, &check.settings);
        list_plugins(conf, &check);
    }
    int32_t status = master_check_send(&check);
    aic_buf_finish(&frozen);
    aic_buf_finish(&text);
    config_problems_finish(&problems);
    conf_free(conf);
    return status == AIC_OK ? EXIT_GOOD : EXIT_FAILED;
}

int worker_run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    static struct master_worker worker;
    if (master_worker_read(&worker) != AIC_OK) {
        (void)fprintf(stderr, "aicaller: this is for the server itself; see aicaller serve\n");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < worker.plugin_count; i++) {
        (void)registry_pin(worker.plugins[i].name, worker.plugins[i].fd);
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_thaw(worker.config, "resolved configuration", &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status ? status : EXIT_FAILED;
    }
    log_conf_apply(conf);
    log_set_worker(worker.worker, (int)worker.generation);
    const struct app_options options = {
        .conf = conf, .worker = &worker, .has_server = true, .spool_grace_ms = SPOOL_GRACE_MS};
    struct app *app = app_create(&options, &status);
    if (app && app_worker_start(app) == AIC_OK) {
        status = app_run(app);
    }
    app_destroy(app);
    conf_free(conf);
    return status;
}
