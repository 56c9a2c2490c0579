/* SPDX-License-Identifier: ISC */
#include "cli/conf.h"

#include "cli/builtin_conf.h"
#include "io/http_address.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const etc_conf = "/etc/aicaller/aicaller.conf";

static const struct aic_option limits_options[] = {
    {.name = "max_calls",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "100",
     .help = "Calls at the same time on this host; further ones are turned away.",
     .min = 1,
     .max = 100000},
    {.name = "max_calls_per_caller",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "3",
     .help = "Calls at the same time with one telephone number, to it and from it; further ones "
             "are turned away. Numbers that nobody can have, as of callers who withhold theirs, "
             "are not counted. 0: no limit.",
     .min = 0,
     .max = 100000},
    {.name = "max_cost_per_call",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .help = "A call that has cost this much, by `prices`, is ended politely; 0: no limit.",
     .min = 0,
     .max = 1e6},
    {.name = "max_cost_per_day",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .help = "What dialled calls may cost within 24 hours, by `prices`; 0: no limit. Before each "
             "dial max_cost_per_call is set aside, so that one has to be set as well.",
     .min = 0,
     .max = 1e9},
    {.name = "max_viewers",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1200",
     .help = "Viewers of live calls at the same time, on pages or at /calls/events/, on this host; "
             "further ones are answered 503.",
     .min = 0,
     .max = 100000},
    {.name = "viewers_per_key",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "50",
     .help = "How many of them one key or user may have in each worker process; more are answered "
             "429. This machine itself is not counted.",
     .min = 1,
     .max = 100000},
    {.name = "requests_per_key",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "600",
     .help = "Requests to the API that one key may send in a minute, where the key has no number "
             "of its own; more are answered 429.",
     .min = 1,
     .max = 1000000},
    {.name = "requests_per_address",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1200",
     .help = "Requests to the API that may come from one address in a minute, with or without a "
             "key; more are answered 429. This machine itself is not counted.",
     .min = 1,
     .max = 1000000},
    {.name = "logins_per_address",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "30",
     .help = "Log-ins to the admin pages, good or bad, that may come from one address in a minute; "
             "more are answered 429.",
     .min = 1,
     .max = 1000000},
};

const struct settings_table conf_limits_table = {
    .options = limits_options, .count = sizeof(limits_options) / sizeof(limits_options[0])};

static const struct aic_option security_options[] = {
    {.name = "private_allow",
     .type = AIC_OPTION_LIST,
     .help = "Addresses or networks, such as \"10.1.0.0/16\", that the URLs of tools and contexts "
             "may reach although they are private."},
    {.name = "trusted_proxies",
     .type = AIC_OPTION_LIST,
     .help = "Addresses or networks of proxies in front of this server: only from them "
             "X-Forwarded-For and X-Forwarded-Proto count."},
    {.name = "allowed_hosts",
     .type = AIC_OPTION_LIST,
     .help = "Names, such as \"voice.example.com\", by which API and pages may be asked; that of "
             "server.public_url is one. Empty: any."},
    {.name = "session_idle",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "30m",
     .help = "Who has not used the admin pages for so long logs in again.",
     .min = 1000,
     .max = 86400000},
    {.name = "session_lifetime",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "12h",
     .help = "And so does who logged in so long ago.",
     .min = 1000,
     .max = INT64_C(2592000000)},
};

const struct settings_table conf_security_table = {
    .options = security_options, .count = sizeof(security_options) / sizeof(security_options[0])};

/* A list of networks, checked and NULL-terminated; its texts are the settings' own. */
static const char **take_networks(const struct settings *settings, const char *name,
                                  struct config_problems *problems)
{
    uint32_t count = settings_list_count(settings, name);
    const char **list = calloc(count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < count; i++) {
        struct http_network network;
        list[i] = settings_list_item(settings, name, i);
        if (http_network_parse(aic_str(list[i]), &network) != AIC_OK) {
            config_problem_add(problems, settings_pos(settings, name),
                               "\"%s\" is no address and no network such as \"10.1.0.0/16\"",
                               list[i]);
        }
    }
    return list;
}

/* The same for names of hosts. */
static const char **take_hosts(const struct settings *settings, const char *name,
                               struct config_problems *problems)
{
    uint32_t count = settings_list_count(settings, name);
    const char **list = calloc(count + 1, sizeof(*list));
    for (uint32_t i = 0; list && i < count; i++) {
        list[i] = settings_list_item(settings, name, i);
        if (!list[i][0] || strpbrk(list[i], "/@ ") || (list[i][0] != '[' && strchr(list[i], ':'))) {
            config_problem_add(problems, settings_pos(settings, name),
                               "\"%s\" is no name of a host, such as \"voice.example.com\"; "
                               "without a port",
                               list[i]);
        }
    }
    return list;
}

/* What a day may cost can be kept to only when it is known what a call may cost. */
static void take_costs(struct conf *conf, struct config_problems *problems)
{
    double per_call = settings_double(conf->limits, "max_cost_per_call");
    double per_day = settings_double(conf->limits, "max_cost_per_day");
    conf->outbound.max_cost_per_call = per_call;
    conf->outbound.max_cost_per_day = per_day;
    if (per_day > 0 && (per_call <= 0 || per_call > per_day)) {
        config_problem_add(problems, settings_pos(conf->limits, "max_cost_per_day"),
                           "needs limits.max_cost_per_call, which is set aside before each dial "
                           "and is at most as much");
    }
}

/* The do-not-call list and the limits are kept there. */
static void check_outbound(const struct conf *conf, struct config_problems *problems)
{
    if (gate_rules_dial(&conf->outbound) && !conf->setup->storage[0]) {
        config_problem_add(problems, settings_pos(conf->outbound.settings, "allow"),
                           "nobody can be dialled without `storage`, which keeps the do-not-call "
                           "list and counts the calls");
    }
}

/* What is to be sent waits there. */
static void check_webhooks(const struct conf *conf, const struct config_node *group,
                           struct config_problems *problems)
{
    if (conf->webhooks.count > 0 && !conf->setup->storage[0]) {
        config_problem_add(problems, config_pos(group),
                           "webhooks need `storage`, which keeps them until they are delivered");
    }
}

static struct conf *build(struct config *config, const char *name, struct config_problems *problems)
{
    static const char *const known[] = {"agents",   "limits", "outbound", "prices", "retention",
                                        "security", "traces", "webhooks", NULL};
    struct conf *conf = calloc(1, sizeof(*conf));
    if (!conf) {
        config_free(config);
        return NULL;
    }
    const struct setup_folders folders = {.plugins = conf_plugin_dir(),
                                          .state = conf_default_state_dir(),
                                          .data = conf_data_dir(),
                                          .public_url = getenv("AICALLER_PUBLIC_URL")};
    conf->name = name;
    conf->setup = setup_create(config, &folders, problems);
    if (!conf->setup) {
        free(conf);
        return NULL;
    }
    const struct config_node *root = config_root(conf->setup->config);
    setup_check_top(conf->setup, known, problems);
    conf->limits = settings_check("limits", config_get(root, "limits"), &conf_limits_table, 1, NULL,
                                  0, problems);
    conf->security = settings_check("security", config_get(root, "security"), &conf_security_table,
                                    1, NULL, 0, problems);
    conf->private_allow = take_networks(conf->security, "private_allow", problems);
    conf->trusted_proxies = take_networks(conf->security, "trusted_proxies", problems);
    conf->allowed_hosts = take_hosts(conf->security, "allowed_hosts", problems);
    struct settings *retention = settings_check("retention", config_get(root, "retention"),
                                                &retention_table, 1, NULL, 0, problems);
    retention_load(&conf->retention, retention, problems);
    settings_free(retention);
    gate_rules_load(&conf->outbound, config_get(root, "outbound"), problems);
    webhook_conf_load(&conf->webhooks, config_get(root, "webhooks"), problems);
    trace_conf_load(&conf->traces, config_get(root, "traces"), problems);
    take_costs(conf, problems);
    check_outbound(conf, problems);
    check_webhooks(conf, config_get(root, "webhooks"), problems);
    agents_load(&conf->agents, config_get(root, "agents"), conf->setup, problems);
    prices_load(&conf->prices, config_get(root, "prices"), conf->setup, problems);
    if (problems->errors > 0) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

struct config *conf_read(const char *path, struct config_problems *problems, const char **name)
{
    struct config *config = NULL;
    *name = path ? path : getenv("AICALLER_CONF");
    if (!*name && access(etc_conf, F_OK) == 0) {
        *name = etc_conf;
    }
    if (*name) {
        return config_load(*name, NULL, problems, &config) == AIC_OK ? config : NULL;
    }
    *name = "built-in configuration";
    return config_parse(*name, aic_str(builtin_conf), NULL, problems, &config) == AIC_OK ? config
                                                                                         : NULL;
}

struct conf *conf_load(const char *path, struct config_problems *problems)
{
    const char *name = NULL;
    struct config *config = conf_read(path, problems, &name);
    return config ? build(config, name, problems) : NULL;
}

struct conf *conf_thaw(struct aic_str frozen, const char *name, struct config_problems *problems)
{
    struct config *config = NULL;
    if (config_thaw(frozen, &config) != AIC_OK) {
        config_problem_add(problems, (struct config_pos){.file = name},
                           "the resolved configuration can not be read back");
        return NULL;
    }
    return build(config, name, problems);
}

void conf_free(struct conf *conf)
{
    if (!conf) {
        return;
    }
    agents_finish(&conf->agents);
    gate_rules_finish(&conf->outbound);
    webhook_conf_finish(&conf->webhooks);
    trace_conf_finish(&conf->traces);
    settings_free(conf->limits);
    prices_finish(&conf->prices);
    free(conf->private_allow);
    free(conf->trusted_proxies);
    free(conf->allowed_hosts);
    settings_free(conf->security);
    setup_destroy(conf->setup);
    free(conf);
}

int conf_tell(const struct config_problems *problems, bool as_json)
{
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    config_problems_print(problems, as_json, &text);
    if (text.len > 0) {
        (void)fprintf(as_json ? stdout : stderr, "%s%s", text.data, as_json ? "\n" : "");
    }
    aic_buf_finish(&text);
    return problems->errors > 0 ? 78 : 0;
}

/* One NAME=value line, the value with or without quotes. */
static bool take_env_line(char *line)
{
    char *name = line + strspn(line, " \t");
    if (strncmp(name, "export ", 7) == 0) {
        name += 7 + strspn(name + 7, " ");
    }
    if (*name == '\0' || *name == '#') {
        return true;
    }
    char *equals = strchr(name, '=');
    if (!equals || equals == name) {
        return false;
    }
    *equals = '\0';
    char *value = equals + 1;
    size_t length = strlen(value);
    if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
        value[length - 1] = '\0';
        value++;
    } else {
        char *comment = strstr(value, " #");
        length = comment ? (size_t)(comment - value) : length;
        while (length > 0 && strchr(" \t", value[length - 1])) {
            length--;
        }
        value[length] = '\0';
    }
    return setenv(name, value, 1) == 0;
}

int conf_read_env(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    char *line = NULL;
    size_t room = 0;
    int number = 0;
    int status = 0;
    while (status == 0 && getline(&line, &room, file) >= 0) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (!take_env_line(line)) {
            (void)fprintf(stderr, "%s:%d: expected NAME=value\n", path, number);
            status = 1;
        }
    }
    free(line);
    (void)fclose(file);
    return status;
}

static char *read_secret(const char *path)
{
    char text[128] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t bytes = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    return bytes >= 32 ? strdup(text) : NULL;
}

/* Makes a secret; of two processes that try at once the first wins. */
static void make_secret(const char *path)
{
    uint8_t random[32];
    char text[2 * sizeof(random) + 1];
    char temporary[PATH_MAX + 32];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return;
    }
    for (size_t i = 0; i < sizeof(random); i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", random[i]);
    }
    (void)snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return;
    }
    bool is_written = write(fd, text, 2 * sizeof(random)) == (ssize_t)(2 * sizeof(random));
    (void)fsync(fd);
    (void)close(fd);
    /* Somebody else's may be there already: then that one counts. */
    int linked = is_written ? link(temporary, path) : -1;
    (void)linked;
    (void)unlink(temporary);
}

char *conf_secret(const struct conf *conf)
{
    const char *given = settings_string(conf->setup->server, "secret");
    if (given && given[0]) {
        return strdup(given);
    }
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/secret", conf->setup->state_dir);
    char *secret = read_secret(path);
    if (!secret) {
        make_secret(path);
        secret = read_secret(path);
    }
    if (!secret) {
        (void)fprintf(stderr, "%s: can not be made: %s; set server.secret instead\n", path,
                      strerror(errno));
    }
    return secret;
}
