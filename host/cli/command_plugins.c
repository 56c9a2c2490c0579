/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"
#include "cli/plugin_json.h"
#include "plugin/registry.h"

#include "json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATH_TEXT = 4096, MAX_JSON = 1 << 20 };

static void print_roles(const struct aic_plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->provides_count; i++) {
        struct aic_str role = plugin_json_role(plugin->provides[i]);
        (void)printf("%s%.*s", i > 0 ? ", " : "", (int)role.len, role.ptr);
    }
}

static void print_text(const struct aic_plugin *plugin, const char *path)
{
    (void)printf("%s %s\n  %s\n  file     %s\n  licence  %s\n  roles    ", plugin->id,
                 plugin->version, plugin->summary, path, plugin->license);
    print_roles(plugin);
    (void)printf("\n  options\n");
    for (uint32_t i = 0; i < plugin->option_count; i++) {
        struct aic_option option = plugin_json_option(plugin, i);
        (void)printf("    %-18s %-9s %s%s%s%s\n", option.name, plugin_json_type(option.type),
                     option.help ? option.help : "", option.fallback ? " [" : "",
                     option.fallback ? option.fallback : "", option.fallback ? "]" : "");
    }
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_plugin(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static int list(bool as_json)
{
    struct dirent **entries = NULL;
    const char *folder = conf_plugin_dir();
    int count = scandir(folder, &entries, is_plugin, compare);
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, MAX_JSON);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '[');
    int status = count < 0 ? EXIT_FAILED : EXIT_GOOD;
    for (int i = 0; i < count; i++) {
        char path[MAX_PATH_TEXT];
        char error[REGISTRY_ERROR_TEXT];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        const struct aic_plugin *plugin = registry_open(path, error);
        if (!plugin) {
            (void)fprintf(stderr, "%s %s\n", path, error);
            status = EXIT_FAILED;
        } else if (as_json) {
            plugin_json_write(plugin, path, false, &w);
        } else {
            (void)printf("%-12s %-8s ", plugin->id, plugin->version);
            print_roles(plugin);
            (void)printf("\n             %s\n", plugin->summary);
        }
        free(entries[i]);
    }
    free(entries);
    aic_json_close(&w, ']');
    if (as_json) {
        (void)printf("%s\n", buf.data);
    }
    if (count < 0) {
        (void)fprintf(stderr, "aicaller plugins: no folder %s\n", folder);
    }
    aic_buf_finish(&buf);
    return status;
}

static int info(const char *name, bool as_json)
{
    char path[MAX_PATH_TEXT];
    char error[REGISTRY_ERROR_TEXT];
    bool has_ending = strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".so") == 0;
    (void)snprintf(path, sizeof(path), "%s%s%s%s", strchr(name, '/') ? "" : conf_plugin_dir(),
                   strchr(name, '/') ? "" : "/", name, has_ending ? "" : ".so");
    const struct aic_plugin *plugin = registry_open(path, error);
    if (!plugin) {
        (void)fprintf(stderr, "aicaller plugins: %s %s\n", path, error);
        return EXIT_FAILED;
    }
    if (!as_json) {
        print_text(plugin, path);
        return EXIT_GOOD;
    }
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, MAX_JSON);
    aic_json_writer_init(&w, &buf);
    plugin_json_write(plugin, path, true, &w);
    (void)printf("%s\n", buf.data);
    aic_buf_finish(&buf);
    return EXIT_GOOD;
}

static int run(const struct cli_args *args)
{
    bool as_json = cli_value(&command_plugins, args, "json") != NULL;
    const char *word = args->word_count > 0 ? args->words[0] : "list";
    if (strcmp(word, "list") == 0 && args->word_count < 2) {
        return list(as_json);
    }
    if (strcmp(word, "info") == 0 && args->word_count == 2) {
        return info(args->words[1], as_json);
    }
    (void)fprintf(stderr, "aicaller plugins: expected \"list\" or \"info FILE\"\n");
    return EXIT_USAGE;
}

const struct cli_command command_plugins = {
    .name = "plugins",
    .words = "[list | info FILE]",
    .least_words = 0,
    .most_words = 2,
    .summary = "what plugins there are; describe one",
    .options = {{"json", 0, NULL, "as JSON"}},
    .run = run,
};
