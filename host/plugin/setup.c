/* SPDX-License-Identifier: ISC */
#include "plugin/setup.h"

#include "plugin/provider.h"
#include "plugin/registry.h"
#include "plugin/setup_tables.h"

#include "buf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PROVIDERS = 64, MIN_SECRET = 16 };

static char *join(const char *folder, const char *name)
{
    struct aic_buf buf;
    aic_buf_init(&buf, PATH_MAX);
    if (name[0] != '/') {
        aic_buf_text(&buf, folder);
        aic_buf_char(&buf, '/');
    }
    aic_buf_text(&buf, name);
    return aic_buf_detach(&buf);
}

/* "voice.example.com" as the original application had it is an address as well. */
static char *take_public_url(const char *url)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 2048);
    if (url && url[0]) {
        if (!strstr(url, "://")) {
            aic_buf_text(&buf, "https://");
        }
        aic_buf_text(&buf, url);
        while (buf.len > 0 && buf.data[buf.len - 1] == '/') {
            buf.data[--buf.len] = '\0';
        }
    }
    return aic_buf_detach(&buf);
}

static bool url_is_origin(const char *url)
{
    const char *rest = strstr(url, "://");
    bool scheme = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
    return scheme && rest && rest[3] && !strpbrk(rest + 3, "/?#@ ");
}

static void load_server(struct setup *setup, const struct setup_folders *folders,
                        struct config_problems *problems)
{
    static const char *const groups[] = {"tls", NULL};
    const struct config_node *root = config_root(setup->config);
    const struct config_node *server = config_get(root, "server");
    setup->server = settings_check("server", server, &setup_server_table, 1, groups, 0, problems);
    setup->tls = settings_check("server.tls", config_get(server, "tls"), &setup_tls_table, 1, NULL,
                                0, problems);
    setup->log =
        settings_check("log", config_get(root, "log"), &setup_log_table, 1, NULL, 0, problems);
    setup->public_url = take_public_url(
        folders->public_url ? folders->public_url : settings_string(setup->server, "public_url"));
    const char *own_plugins = settings_string(setup->server, "plugin_dir");
    const char *own_state = settings_string(setup->server, "state_dir");
    setup->plugin_dir = strdup(own_plugins ? own_plugins : folders->plugins);
    setup->state_dir = strdup(own_state ? own_state : folders->state);
    if (setup->public_url && setup->public_url[0] && !url_is_origin(setup->public_url)) {
        config_problem_add(problems, settings_pos(setup->server, "public_url"),
                           "public_url must be a scheme and a host, such as "
                           "\"https://voice.example.com\", without a path");
    }
    const char *secret = settings_string(setup->server, "secret");
    if (secret && secret[0] && strlen(secret) < MIN_SECRET) {
        config_problem_add(problems, settings_pos(setup->server, "secret"),
                           "secret must have at least %d characters; leave it empty to have one "
                           "made",
                           MIN_SECRET);
    }
    if (settings_has(setup->tls, "cert") != settings_has(setup->tls, "key")) {
        config_problem_add(problems, config_pos(config_get(server, "tls")),
                           "tls needs both cert and key");
    }
}

static struct setup_provider *find(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->provider_count; i++) {
        if (strcmp(setup->providers[i]->name, name) == 0) {
            return setup->providers[i];
        }
    }
    return NULL;
}

static struct setup_provider *add(struct setup *setup, const char *name, const char *file,
                                  const struct config_node *node, struct config_pos pos)
{
    struct setup_provider *provider = calloc(1, sizeof(*provider));
    if (!provider || setup->provider_count == MAX_PROVIDERS) {
        free(provider);
        return NULL;
    }
    provider->name = strdup(name);
    /* A bare name is one of ours; one with a slash is meant from the file that says so. */
    const char *folder = strchr(file, '/') && node ? config_folder(node) : setup->plugin_dir;
    provider->file = join(folder ? folder : setup->plugin_dir, file);
    provider->node = node;
    provider->pos = pos;
    if (!provider->name || !provider->file) {
        free(provider->name);
        free(provider->file);
        free(provider);
        return NULL;
    }
    setup->providers[setup->provider_count++] = provider;
    return provider;
}

static void open_plugin(struct setup_provider *provider, struct config_pos pos,
                        struct config_problems *problems)
{
    char error[REGISTRY_ERROR_TEXT];
    provider->plugin = registry_open(provider->file, error);
    if (!provider->plugin) {
        config_problem_add(problems, pos, "plugin %s %s", provider->file, error);
    }
}

static void load_provider(struct setup *setup, const struct config_node *node,
                          struct config_problems *problems)
{
    const struct config_node *file = config_get(node, "plugin");
    if (config_kind(node) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(node),
                           "provider \"%s\" must be a group: { plugin = \"...\"; ... }",
                           config_name(node));
        return;
    }
    if (!config_string(file)) {
        config_problem_add(problems, config_pos(node), "provider \"%s\" needs plugin = \"NAME.so\"",
                           config_name(node));
        return;
    }
    struct setup_provider *provider =
        add(setup, config_name(node), config_string(file), node, config_pos(node));
    if (!provider) {
        config_problem_add(problems, config_pos(node), "more than %d providers", MAX_PROVIDERS);
        return;
    }
    open_plugin(provider, config_pos(file), problems);
    if (provider->plugin) {
        settings_free(setup_settings(setup, provider, SETTINGS_LENIENT, problems));
    }
}

struct settings *setup_settings(const struct setup *setup, const struct setup_provider *provider,
                                uint32_t flags, struct config_problems *problems)
{
    static const char *const ours[] = {"plugin", NULL};
    const struct settings_table table = {.options = provider->plugin->options,
                                         .count = provider->plugin->option_count,
                                         .element_size = provider->plugin->option_size};
    char what[128];
    (void)snprintf(what, sizeof(what), "provider \"%s\"", provider->name);
    struct settings *settings =
        settings_check(what, provider->node, &table, 1, ours, flags, problems);
    if (settings) {
        settings_set_folders(settings, setup->state_dir, setup->data_dir);
    }
    return settings;
}

static void load_storage(struct setup *setup, struct config_problems *problems)
{
    const struct config_node *node = config_get(config_root(setup->config), "storage");
    if (!node) {
        setup->storage = "";
        return;
    }
    setup->storage = config_string(node);
    if (!setup->storage) {
        config_problem_add(problems, config_pos(node),
                           "storage must be the name of a provider, such as \"local\"");
        return;
    }
    (void)setup_use(setup, setup->storage, "storage", config_pos(node), problems);
}

struct setup *setup_create(struct config *config, const struct setup_folders *folders,
                           struct config_problems *problems)
{
    struct setup *setup = calloc(1, sizeof(*setup));
    if (!setup) {
        config_free(config);
        return NULL;
    }
    setup->config = config;
    setup->providers = calloc(MAX_PROVIDERS, sizeof(struct setup_provider *));
    if (!setup->providers) {
        setup_destroy(setup);
        return NULL;
    }
    setup->data_dir = folders->data;
    load_server(setup, folders, problems);
    const struct config_node *providers = config_get(config_root(config), "providers");
    if (providers && config_kind(providers) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(providers), "providers must be a group");
    }
    for (size_t i = 0; i < config_count(providers); i++) {
        load_provider(setup, config_at(providers, i), problems);
    }
    load_storage(setup, problems);
    return setup;
}

void setup_destroy(struct setup *setup)
{
    if (!setup) {
        return;
    }
    for (size_t i = 0; i < setup->provider_count; i++) {
        free(setup->providers[i]->name);
        free(setup->providers[i]->file);
        free(setup->providers[i]);
    }
    free(setup->providers);
    settings_free(setup->server);
    settings_free(setup->tls);
    settings_free(setup->log);
    free(setup->public_url);
    free(setup->state_dir);
    free(setup->plugin_dir);
    config_free(setup->config);
    free(setup);
}

/* A bare name such as "flite" stands for the plugin of that file with its defaults. */
static struct setup_provider *add_in_tree(struct setup *setup, const char *name,
                                          struct config_pos pos, struct config_problems *problems)
{
    char file[128];
    (void)snprintf(file, sizeof(file), "%s.so", name);
    if (strchr(name, '/')) {
        return NULL;
    }
    char *path = join(setup->plugin_dir, file);
    bool exists = path && access(path, F_OK) == 0;
    free(path);
    struct setup_provider *provider = exists ? add(setup, name, file, NULL, pos) : NULL;
    if (provider) {
        open_plugin(provider, pos, problems);
    }
    return provider;
}

static void complain_unknown(const struct setup *setup, const char *name, struct config_pos pos,
                             struct config_problems *problems)
{
    const char *names[MAX_PROVIDERS + 1] = {NULL};
    for (size_t i = 0; i < setup->provider_count; i++) {
        names[i] = setup->providers[i]->name;
    }
    const char *near = config_nearest(name, names);
    if (near) {
        config_problem_add(problems, pos, "no provider \"%s\"; did you mean \"%s\"?", name, near);
    } else {
        config_problem_add(problems, pos,
                           "no provider \"%s\": name a block in providers, or a plugin in %s", name,
                           setup->plugin_dir);
    }
}

/* A provider that is used needs all its values. Its block was checked when it was read; what is new
 * now are those missing. One without a block has no place of its own in the file. */
static void check_complete(const struct setup *setup, const struct setup_provider *provider,
                           struct config_pos pos, struct config_problems *problems)
{
    uint32_t flags = SETTINGS_ONLY_UNSET | (provider->node ? 0 : SETTINGS_LENIENT);
    struct settings *settings = setup_settings(setup, provider, flags, problems);
    const char *unset = settings && !provider->node ? settings_unset(settings) : NULL;
    if (unset) {
        config_problem_add(problems, pos, "provider \"%s\" has no block in providers, but %s",
                           provider->name, unset);
    }
    settings_free(settings);
}

struct setup_provider *setup_use(struct setup *setup, const char *name, const char *role,
                                 struct config_pos pos, struct config_problems *problems)
{
    struct setup_provider *provider = find(setup, name);
    if (!provider) {
        provider = add_in_tree(setup, name, pos, problems);
    }
    if (!provider) {
        complain_unknown(setup, name, pos, problems);
        return NULL;
    }
    if (!provider->plugin) {
        return NULL; /* told where it was opened */
    }
    if (!registry_provides(provider->plugin, provider_role_id(role))) {
        config_problem_add(problems, pos, "provider \"%s\" (%s) can not be used for %s", name,
                           provider->plugin->id, role);
        return NULL;
    }
    if (!provider->is_used) {
        provider->is_used = true;
        check_complete(setup, provider, pos, problems);
    }
    return provider;
}

void setup_check_top(const struct setup *setup, const char *const *known,
                     struct config_problems *problems)
{
    static const char *const ours[] = {"server", "storage", "providers", "log", NULL};
    const char *all[64] = {NULL};
    size_t count = 0;
    for (size_t i = 0; ours[i]; i++) {
        all[count++] = ours[i];
    }
    for (size_t i = 0; known[i] && count + 1 < sizeof(all) / sizeof(all[0]); i++) {
        all[count++] = known[i];
    }
    const struct config_node *root = config_root(setup->config);
    for (size_t i = 0; i < config_count(root); i++) {
        const struct config_node *node = config_at(root, i);
        bool is_known = false;
        for (size_t k = 0; all[k] && !is_known; k++) {
            is_known = strcmp(all[k], config_name(node)) == 0;
        }
        if (is_known) {
            continue;
        }
        const char *near = config_nearest(config_name(node), all);
        if (near) {
            config_problem_add(problems, config_pos(node),
                               "unknown key \"%s\"; did you mean \"%s\"?", config_name(node), near);
        } else {
            config_problem_add(problems, config_pos(node), "unknown key \"%s\"", config_name(node));
        }
    }
}
