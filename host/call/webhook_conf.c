/* SPDX-License-Identifier: ISC */
#include "call/webhook_conf.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = WEBHOOK_KIND - sizeof("webhook:") };

static const struct aic_option options[] = {
    {.name = "url",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "Where events are sent to, by POST. https, or http on this machine; only public "
             "addresses, but for those in security.private_allow."},
    {.name = "secret",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "What signs them: `whsec_` and base64 of 24 to 64 random bytes, as `aicaller webhook "
             "secret` prints one."},
    {.name = "old_secret",
     .type = AIC_OPTION_SECRET,
     .fallback = "",
     .help = "Signs them, too, while receivers change over to a new secret."},
    {.name = "events",
     .type = AIC_OPTION_LIST,
     .help = "Which events: `call.started`, `call.answered`, `call.ended`, `call.transcript`, "
             "`call.failed_over`, `opt_out.recorded`, `recording.ready`. Default: all."},
};

const struct settings_table webhook_table = {options, sizeof(options) / sizeof(options[0]), 0};

static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_-");
    return length > 0 && length <= NAME_BYTES && name[length] == '\0';
}

static void take_secret(struct webhook_endpoint *endpoint, const char *key,
                        struct config_problems *problems)
{
    const char *text = settings_string(endpoint->settings, key);
    if (!text || !text[0]) {
        return;
    }
    if (webhook_secret_read(&endpoint->secrets[endpoint->secret_count], aic_str(text)) == AIC_OK) {
        endpoint->secret_count++;
        return;
    }
    config_problem_add(problems, settings_pos(endpoint->settings, key),
                       "expected \"whsec_\" and base64 of %d to %d bytes; `aicaller webhook "
                       "secret` makes one",
                       WEBHOOK_KEY_MIN, WEBHOOK_KEY_MAX);
}

static void take_events(struct webhook_endpoint *endpoint, struct config_problems *problems)
{
    uint32_t count = settings_list_count(endpoint->settings, "events");
    endpoint->events = count > 0 ? 0 : (UINT32_C(1) << WEBHOOK_EVENTS) - 1;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = settings_list_item(endpoint->settings, "events", i);
        enum webhook_event event = WEBHOOK_CALL_STARTED;
        if (webhook_event_find(aic_str(name), &event)) {
            endpoint->events |= UINT32_C(1) << event;
            continue;
        }
        const char *near = config_nearest(name, webhook_event_names());
        config_problem_add(problems, settings_pos(endpoint->settings, "events"),
                           "no event \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                           near ? near : "", near ? "\"?" : "");
    }
}

static void check_url(struct webhook_endpoint *endpoint, struct config_problems *problems)
{
    const char *url = settings_string(endpoint->settings, "url");
    endpoint->url = url ? url : "";
    if (url && strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        config_problem_add(problems, settings_pos(endpoint->settings, "url"),
                           "expected an https address, or an http one of this machine");
    }
}

void webhook_conf_load(struct webhook_conf *conf, const struct config_node *group,
                       struct config_problems *problems)
{
    *conf = (struct webhook_conf){.count = 0};
    if (group && config_kind(group) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(group),
                           "webhooks must be a group of groups: { NAME = { url = ...; }; }");
        return;
    }
    for (size_t i = 0; i < config_count(group); i++) {
        const struct config_node *node = config_at(group, i);
        const char *name = config_name(node);
        if (config_kind(node) != CONFIG_GROUP || conf->count == WEBHOOK_ENDPOINTS ||
            !is_name(name)) {
            config_problem_add(problems, config_pos(node),
                               "webhooks.%s must be a group; there are at most %d, with names of "
                               "at most %d letters, digits, _ and -",
                               name, WEBHOOK_ENDPOINTS, (int)NAME_BYTES);
            continue;
        }
        struct webhook_endpoint *endpoint = &conf->list[conf->count++];
        endpoint->name = name;
        (void)snprintf(endpoint->kind, sizeof(endpoint->kind), "webhook:%s", name);
        endpoint->settings = settings_check("webhooks", node, &webhook_table, 1, NULL, 0, problems);
        check_url(endpoint, problems);
        take_secret(endpoint, "secret", problems);
        take_secret(endpoint, "old_secret", problems);
        take_events(endpoint, problems);
    }
}

void webhook_conf_finish(struct webhook_conf *conf)
{
    for (size_t i = 0; i < conf->count; i++) {
        settings_free(conf->list[i].settings);
    }
    *conf = (struct webhook_conf){.count = 0};
}

const struct webhook_endpoint *webhook_conf_find(const struct webhook_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->count; i++) {
        if (strcmp(conf->list[i].name, name) == 0) {
            return &conf->list[i];
        }
    }
    return NULL;
}
