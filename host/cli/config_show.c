/* SPDX-License-Identifier: ISC */
#include "cli/config_show.h"

#include "base/log.h"
#include "json.h"

#include <string.h>

enum { INDENT = 4, MASKED = 8192 };

struct show {
    const struct conf *conf;
    bool resolved;
    struct aic_buf *to;
};

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

/* Headers are a group, `{ Name = "value"; }`, or a list of "Name: value". */
static bool is_header(const struct config_node *group)
{
    return config_name(group) && strcmp(config_name(group), "headers") == 0;
}

/* Appends a string without its secrets. */
static void put_masked(const struct show *show, const struct config_node *group,
                       const struct config_node *node, struct aic_buf *to)
{
    char masked[MASKED];
    bool is_secret = config_name(node) && is_secret_option(show->conf, group, config_name(node));
    bool as_written = config_is_reference(node) && !show->resolved;
    const char *text = as_written ? config_written(node) : config_string(node);
    text = text ? text : config_written(node);
    const char *colon = config_name(node) ? NULL : strchr(text, ':');
    if (is_header(group) && !as_written) {
        aic_buf_str(to, (struct aic_str){text, colon ? (size_t)(colon - text) + 1 : 0});
        aic_buf_text(to, colon ? " ***" : "***");
    } else if (is_secret && !as_written && !config_unset(node)) {
        aic_buf_text(to, "***");
    } else {
        (void)log_mask(masked, sizeof(masked), aic_str(text));
        aic_buf_text(to, masked);
    }
}

static void put_string(const struct show *show, const struct config_node *group,
                       const struct config_node *node, struct aic_json_writer *w)
{
    struct aic_buf text;
    aic_buf_init(&text, 2 * MASKED);
    put_masked(show, group, node, &text);
    aic_json_put(w, text.failed ? AIC_STR("***") : aic_buf_view(&text));
    aic_buf_finish(&text);
}

static void show_node(const struct show *show, const struct config_node *parent,
                      const struct config_node *node, int depth);

static void show_members(const struct show *show, const struct config_node *parent, int depth)
{
    bool is_group = config_kind(parent) == CONFIG_GROUP;
    for (size_t i = 0; i < config_count(parent); i++) {
        const struct config_node *child = config_at(parent, i);
        aic_buf_printf(show->to, "%*s", depth * INDENT, "");
        if (is_group) {
            aic_buf_printf(show->to, "%s = ", config_name(child));
        }
        show_node(show, parent, child, depth);
        aic_buf_printf(show->to, "%s\n", is_group ? ";" : i + 1 < config_count(parent) ? "," : "");
    }
}

static void show_string(const struct show *show, const struct config_node *group,
                        const struct config_node *node)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, show->to);
    put_string(show, group, node, &w);
    bool is_unset = !config_string(node) && (show->resolved || !config_is_reference(node));
    if (is_unset) {
        aic_buf_printf(show->to, " /* %s */", config_unset(node));
    }
}

static void show_node(const struct show *show, const struct config_node *parent,
                      const struct config_node *node, int depth)
{
    struct aic_buf *to = show->to;
    switch (config_kind(node)) {
    case CONFIG_GROUP:
        aic_buf_text(to, "{\n");
        show_members(show, node, depth + 1);
        aic_buf_printf(to, "%*s}", depth * INDENT, "");
        break;
    case CONFIG_LIST:
        aic_buf_text(to, "(\n");
        show_members(show, node, depth + 1);
        aic_buf_printf(to, "%*s)", depth * INDENT, "");
        break;
    case CONFIG_INT:
        aic_buf_printf(to, "%lld", (long long)config_int(node));
        break;
    case CONFIG_FLOAT:
        aic_buf_printf(to, "%g", config_float(node));
        break;
    case CONFIG_BOOL:
        aic_buf_text(to, config_bool(node) ? "true" : "false");
        break;
    default:
        show_string(show, parent, node);
        break;
    }
}

void config_show_text(const struct conf *conf, bool resolved, struct aic_buf *to)
{
    const struct show show = {.conf = conf, .resolved = resolved, .to = to};
    show_members(&show, config_root(conf->setup->config), 0);
}

static void put_node(const struct show *show, const struct config_node *parent,
                     const struct config_node *node, struct aic_json_writer *w)
{
    bool is_group = config_kind(node) == CONFIG_GROUP;
    switch (config_kind(node)) {
    case CONFIG_GROUP:
    case CONFIG_LIST:
        aic_json_open(w, is_group ? '{' : '[');
        for (size_t i = 0; i < config_count(node); i++) {
            const struct config_node *child = config_at(node, i);
            if (is_group) {
                aic_json_key(w, config_name(child));
            }
            put_node(show, node, child, w);
        }
        aic_json_close(w, is_group ? '}' : ']');
        break;
    case CONFIG_INT:
        aic_json_put_int(w, config_int(node));
        break;
    case CONFIG_FLOAT:
        aic_json_put_double(w, config_float(node));
        break;
    case CONFIG_BOOL:
        aic_json_put_bool(w, config_bool(node));
        break;
    default:
        put_string(show, parent, node, w);
        break;
    }
}

void config_show_json(const struct conf *conf, struct aic_buf *to)
{
    const struct show show = {.conf = conf, .to = to};
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    put_node(&show, NULL, config_root(conf->setup->config), &w);
}
