/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"
#include "cli/config_reference.h"

#include "base/log.h"
#include "json.h"

#include <stdio.h>
#include <string.h>

/* The configuration as understood. A value is masked where a plugin calls it a secret, where its
 * name or its form does, and where it is a header, which often carries one. What comes from env:,
 * file: or cred: is shown as written, unless asked for resolved. */

enum { INDENT = 4 };

static bool is_secret_name(const char *name)
{
    static const char *const parts[] = {"secret", "token", "api_key", "password", "auth"};
    for (size_t i = 0; name && i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(name, parts[i])) {
            return true;
        }
    }
    return false;
}

static bool is_secret_option(const struct conf *conf, const struct config_node *group,
                             const char *name)
{
    for (size_t i = 0; i < conf->setup->provider_count; i++) {
        const struct setup_provider *provider = conf->setup->providers[i];
        for (uint32_t k = 0;
             provider->node == group && provider->plugin && k < provider->plugin->option_count;
             k++) {
            struct aic_option option = {.name = NULL};
            size_t size = provider->plugin->option_size < sizeof(option)
                              ? provider->plugin->option_size
                              : sizeof(option);
            memcpy(&option,
                   (const char *)provider->plugin->options +
                       (size_t)k * provider->plugin->option_size,
                   size);
            if (strcmp(option.name, name) == 0) {
                return option.type == AIC_OPTION_SECRET;
            }
        }
    }
    return is_secret_name(name);
}

static void print_text(const char *text, bool is_secret)
{
    char masked[8192];
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 64 * 1024);
    aic_json_writer_init(&w, &buf);
    (void)log_mask(masked, sizeof(masked), aic_str(text));
    aic_json_put(&w, is_secret ? AIC_STR("***") : aic_str(masked));
    (void)fputs(buf.data, stdout);
    aic_buf_finish(&buf);
}

static void print_node(const struct conf *conf, const struct config_node *parent,
                       const struct config_node *node, bool resolved, int depth);

static void print_members(const struct conf *conf, const struct config_node *parent, bool resolved,
                          int depth)
{
    bool is_group = config_kind(parent) == CONFIG_GROUP;
    for (size_t i = 0; i < config_count(parent); i++) {
        const struct config_node *child = config_at(parent, i);
        (void)printf("%*s", depth * INDENT, "");
        if (is_group) {
            (void)printf("%s = ", config_name(child));
        }
        print_node(conf, parent, child, resolved, depth);
        (void)printf("%s\n", is_group ? ";" : i + 1 < config_count(parent) ? "," : "");
    }
}

/* Headers are a group, `{ Name = "value"; }`, or a list of "Name: value". */
static bool is_header(const struct config_node *group)
{
    return config_name(group) && strcmp(config_name(group), "headers") == 0;
}

static void print_header(const struct config_node *node, const char *text)
{
    struct aic_buf masked;
    const char *colon = config_name(node) ? NULL : strchr(text, ':');
    aic_buf_init(&masked, 8192);
    if (colon) {
        aic_buf_str(&masked, (struct aic_str){text, (size_t)(colon - text) + 1});
        aic_buf_char(&masked, ' ');
    }
    aic_buf_text(&masked, "***");
    print_text(masked.failed ? "***" : masked.data, false);
    aic_buf_finish(&masked);
}

static void print_string(const struct conf *conf, const struct config_node *group,
                         const struct config_node *node, bool resolved)
{
    bool is_secret = config_name(node) && is_secret_option(conf, group, config_name(node));
    bool as_written = config_is_reference(node) && !resolved;
    const char *text = as_written ? config_written(node) : config_string(node);
    if (!text) {
        print_text(config_written(node), false);
        (void)printf(" /* %s */", config_unset(node));
        return;
    }
    if (is_header(group) && !as_written) {
        print_header(node, text);
        return;
    }
    print_text(text, is_secret && !as_written);
}

static void print_node(const struct conf *conf, const struct config_node *parent,
                       const struct config_node *node, bool resolved, int depth)
{
    switch (config_kind(node)) {
    case CONFIG_GROUP:
        (void)printf("{\n");
        print_members(conf, node, resolved, depth + 1);
        (void)printf("%*s}", depth * INDENT, "");
        break;
    case CONFIG_LIST:
        (void)printf("(\n");
        print_members(conf, node, resolved, depth + 1);
        (void)printf("%*s)", depth * INDENT, "");
        break;
    case CONFIG_INT:
        (void)printf("%lld", (long long)config_int(node));
        break;
    case CONFIG_FLOAT:
        (void)printf("%g", config_float(node));
        break;
    case CONFIG_BOOL:
        (void)printf("%s", config_bool(node) ? "true" : "false");
        break;
    default:
        print_string(conf, parent, node, resolved);
        break;
    }
}

static int run(const struct cli_args *args)
{
    if (strcmp(args->words[0], "reference") == 0) {
        return config_reference_print();
    }
    if (strcmp(args->words[0], "show") != 0) {
        (void)fprintf(stderr, "aicaller config: expected \"show\" or \"reference\"\n");
        return EXIT_USAGE;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_config, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (conf) {
        print_members(conf, config_root(conf->setup->config),
                      cli_value(&command_config, args, "resolved") != NULL, 0);
    }
    conf_free(conf);
    return conf ? status : EXIT_BAD_CONFIG;
}

const struct cli_command command_config = {
    .name = "config",
    .words = "show | reference",
    .least_words = 1,
    .most_words = 1,
    .summary = "the configuration as understood, secrets masked; or all keys there are",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"resolved", 0, NULL, "with references replaced; secrets stay masked"}},
    .run = run,
};
