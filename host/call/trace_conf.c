/* SPDX-License-Identifier: ISC */
#include "call/trace_conf.h"

#include "io/http_client.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_URL = 2048 };

static const struct aic_option options[] = {
    {.name = "url",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318`; "
             "`/v1/traces` is added. It may be private."},
    {.name = "sample",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .help = "Which share of the calls is traced. A call that was placed with a `traceparent` is "
             "traced when that says so.",
     .min = 0,
     .max = 1},
    {.name = "service",
     .type = AIC_OPTION_STRING,
     .fallback = "aicaller",
     .help = "The name of the service in the traces."},
};

const struct settings_table trace_table = {options, sizeof(options) / sizeof(options[0]), 0};

static void load_headers(struct trace_conf *conf, const struct config_node *node,
                         struct config_problems *problems)
{
    if (node && config_kind(node) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(node),
                           "headers must be a group: { Name = \"...\"; }");
        return;
    }
    for (size_t i = 0; i < config_count(node); i++) {
        const struct config_node *member = config_at(node, i);
        const char *value = config_string(member);
        const char *unset = config_unset(member);
        struct aic_header header = {aic_str(config_name(member)), aic_str(value ? value : "")};
        if (!value || conf->header_count == TRACE_HEADERS ||
            !http_header_is_sendable(header.name, header.value)) {
            config_problem_add(problems, config_pos(member), "header \"%s\": %s",
                               config_name(member) ? config_name(member) : "",
                               unset ? unset
                                     : "expected a text of one line; not Host nor one that "
                                       "frames a message, and at most 8 headers");
            continue;
        }
        conf->headers[conf->header_count++] = header;
    }
}

/* "http://127.0.0.1:4318/" becomes "http://127.0.0.1:4318/v1/traces". */
static char *make_url(const char *base)
{
    static const char path[] = "/v1/traces";
    struct aic_str text = aic_str(base);
    struct aic_buf url;
    aic_buf_init(&url, MAX_URL);
    while (text.len > 0 && text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    size_t tail = sizeof(path) - 1;
    bool has_path = text.len > tail && memcmp(text.ptr + text.len - tail, path, tail) == 0;
    aic_buf_str(&url, text);
    aic_buf_text(&url, has_path ? "" : path);
    return aic_buf_detach(&url);
}

void trace_conf_load(struct trace_conf *conf, const struct config_node *group,
                     struct config_problems *problems)
{
    static const char *const others[] = {"headers", NULL};
    *conf = (struct trace_conf){.settings = NULL};
    if (!group) {
        return;
    }
    conf->settings = settings_check("traces", group, &trace_table, 1, others, 0, problems);
    load_headers(conf, config_get(group, "headers"), problems);
    const char *url = settings_string(conf->settings, "url");
    if (!url) {
        return;
    }
    conf->url = make_url(url);
    if (!conf->url || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)) {
        config_problem_add(problems, settings_pos(conf->settings, "url"),
                           "expected an http or https address, such as "
                           "\"http://127.0.0.1:4318\"");
    }
}

void trace_conf_finish(struct trace_conf *conf)
{
    settings_free(conf->settings);
    free(conf->url);
    *conf = (struct trace_conf){.settings = NULL};
}
