/* SPDX-License-Identifier: ISC */
#include "cli/config_reference.h"

#include "cli/conf.h"
#include "plugin/registry.h"
#include "plugin/setup_tables.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# Configuration\n"
    "\n"
    "Made by `aicaller config reference` from what the program and its plugins declare; a test "
    "compares "
    "it.\n"
    "\n"
    "The file is in libconfig syntax: `name = value;`, groups in `{ }`, lists in `[ ]` or `( )`, "
    "comments "
    "after `#` or `//`. It is looked for at `-c FILE`, `$AICALLER_CONF`, "
    "`/etc/aicaller/aicaller.conf`; "
    "without any the built-in one is used, which is the shipped file. `@include \"file\"` reads "
    "another "
    "one, relative to the file that says so.\n"
    "\n"
    "A value `env:NAME` is taken from the environment, `env:NAME:-default` with a default, "
    "`file:PATH` "
    "from a file, `cred:NAME` from a systemd credential. A variable that is not set is an error "
    "only where "
    "an agent or `storage` uses the provider. Durations are written `500ms`, `3s`, `2m`, `1h`, "
    "`90d` or as a "
    "number of milliseconds; sizes `64k`, `2M`, `1G` or as a number of bytes. A path may begin "
    "with "
    "`state:` (server.state_dir) or `data:` (files that come with the program).\n"
    "\n"
    "Unknown keys, wrong types and numbers out of range are errors with file, line and column: "
    "`aicaller check`.\n";

const char *config_type_name(unsigned type)
{
    static const char *const names[] = {
        "none", "text", "secret", "integer", "number",        "true or false", "duration",
        "size", "URL",  "path",   "one of",  "list of texts", "anything"};
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

static void print_range(const struct aic_option *option)
{
    if (option->type == AIC_OPTION_ENUM && option->choices) {
        for (size_t i = 0; option->choices[i]; i++) {
            (void)printf("%s`%s`", i > 0 ? ", " : " ", option->choices[i]);
        }
    } else if (option->flags & AIC_OPTION_RANGE) {
        (void)printf(" %.15g to %.15g%s", option->min, option->max,
                     option->type == AIC_OPTION_DURATION ? " ms" : "");
    }
}

static void print_table(const struct settings_table *table)
{
    (void)printf("\n| key | type | default | meaning |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < table->count; i++) {
        struct aic_option option = {.name = NULL};
        size_t stride = table->element_size ? table->element_size : sizeof(option);
        memcpy(&option, (const char *)table->options + i * stride,
               stride < sizeof(option) ? stride : sizeof(option));
        (void)printf("| `%s` | %s", option.name, config_type_name(option.type));
        print_range(&option);
        bool is_required = option.flags & AIC_OPTION_REQUIRED;
        const char *quote = option.fallback && option.fallback[0] ? "`" : "";
        (void)printf(" | %s%s%s | %s |\n", quote,
                     is_required          ? "required"
                     : !option.fallback   ? ""
                     : option.fallback[0] ? option.fallback
                                          : "empty",
                     quote, option.help ? option.help : "");
    }
}

static void print_group(const char *name, const char *text, const struct settings_table *table)
{
    (void)printf("\n## %s\n\n%s\n", name, text);
    print_table(table);
}

static int is_plugin(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool print_plugin(const char *folder, const char *file)
{
    char path[4096];
    char error[REGISTRY_ERROR_TEXT];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    const struct aic_plugin *plugin = registry_open(path, error);
    if (!plugin) {
        (void)fprintf(stderr, "%s %s\n", path, error);
        return false;
    }
    (void)printf("\n### %s\n\n%s More: [plugins/%s](../plugins/%s/README.md).\n", file,
                 plugin->summary, plugin->id, plugin->id);
    const struct settings_table table = {plugin->options, plugin->option_count,
                                         plugin->option_size};
    if (table.count > 0) {
        print_table(&table);
    }
    return true;
}

static void print_agents(void)
{
    print_group(
        "agents.NAME",
        "An agent: what it says and which providers it asks. One must be called `default`, or be "
        "the only one.",
        &agent_table);
    print_group("agents.NAME.turn", "How it takes turns.", &agent_turn_table);
    print_group("agents.NAME.silence", "What it does when the caller says nothing.",
                &agent_silence_table);
    print_group(
        "agents.NAME.recording",
        "How calls are recorded, with `record = true`; [recordings.md](recordings.md) tells "
        "more.",
        &agent_recording_table);
    print_group("agents.NAME.tools",
                "A list of names and groups. A name is one of the host's own tools: `end_call`, "
                "`transfer`, `send_digits`, `pause_recording`, `resume_recording`; without the "
                "list a model may use all that the line can "
                "do. A group is a request to an HTTP server, with these keys and with `headers = { "
                "Name = \"value\"; }`. Only public addresses are asked, but for those in "
                "security.private_allow; http only on this machine.",
                &tool_table);
}

int config_reference_print(void)
{
    (void)fputs(head, stdout);
    print_group("server", "The process and its port.", &setup_server_table);
    print_group("server.tls", "TLS on the port itself.", &setup_tls_table);
    print_group("log", "Lines on standard error.", &setup_log_table);
    print_group("limits", "What is too much.", &conf_limits_table);
    print_group("prices.NAME",
                "What a provider costs, in a currency of your choice. Calls then carry their cost, "
                "by provider.",
                &price_table);
    print_group("outbound",
                "Who may be dialled, when and how often; [outbound.md](outbound.md) tells all of "
                "it.",
                &gate_table);
    print_group("outbound.regions.REGION", "What is different for a region, such as `IN`.",
                &gate_region_table);
    print_group("webhooks.NAME",
                "Who is told what happens in calls; [webhooks.md](webhooks.md) tells how.",
                &webhook_table);
    print_group("traces",
                "Traces of calls for OpenTelemetry; [traces.md](traces.md) tells all of it. Beside "
                "these keys there may be `headers = { Name = \"value\"; }`, sent to the collector. "
                "Without the group nothing is traced.",
                &trace_table);
    print_group(
        "retention",
        "How long what is stored is kept; 0: for ever. [privacy.md](privacy.md) tells more.",
        &retention_table);
    print_group("security", "What may be reached.", &conf_security_table);
    print_agents();
    (void)printf(
        "\n## storage\n\nThe name of the provider that keeps calls and transcripts. Without it "
        "nothing is kept.\n\n## providers.NAME\n\n`plugin` names the file: in "
        "server.plugin_dir, or an absolute path. The other keys are the plugin's own. A "
        "provider that is not defined here but has the name of a plugin is that plugin with its "
        "defaults.\n");
    struct dirent **entries = NULL;
    const char *folder = conf_plugin_dir();
    int count = scandir(folder, &entries, is_plugin, compare);
    bool is_good = count > 0;
    for (int i = 0; i < count; i++) {
        is_good = print_plugin(folder, entries[i]->d_name) && is_good;
        free(entries[i]);
    }
    free(entries);
    return is_good ? 0 : 1;
}
