/* SPDX-License-Identifier: ISC */
#include "cli/plugin_json.h"

#include "json.h"

#include <string.h>

const char *plugin_json_type(uint32_t type)
{
    static const char *const names[] = {"none", "string",   "secret", "int", "float",
                                        "bool", "duration", "bytes",  "url", "path",
                                        "enum", "list",     "json"};
    return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

struct aic_option plugin_json_option(const struct aic_plugin *plugin, uint32_t index)
{
    struct aic_option option = {.name = NULL};
    size_t size = plugin->option_size < sizeof(option) ? plugin->option_size : sizeof(option);
    memcpy(&option, (const char *)plugin->options + (size_t)index * plugin->option_size, size);
    return option;
}

struct aic_str plugin_json_role(const char *id)
{
    const char *name = strncmp(id, "aicaller.", 9) == 0 ? id + 9 : id;
    return (struct aic_str){name, strcspn(name, "/")};
}

void plugin_json_write(const struct aic_plugin *plugin, const char *path, bool with_options,
                       struct aic_json_writer *w)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "id", plugin->id);
    aic_json_member_text(w, "file", path);
    aic_json_member_text(w, "version", plugin->version);
    aic_json_member_text(w, "summary", plugin->summary);
    aic_json_member_text(w, "license", plugin->license);
    aic_json_key(w, "roles");
    aic_json_open(w, '[');
    for (uint32_t i = 0; i < plugin->provides_count; i++) {
        aic_json_put(w, plugin_json_role(plugin->provides[i]));
    }
    aic_json_close(w, ']');
    if (with_options) {
        aic_json_key(w, "options");
        aic_json_open(w, '[');
        for (uint32_t i = 0; i < plugin->option_count; i++) {
            struct aic_option option = plugin_json_option(plugin, i);
            aic_json_open(w, '{');
            aic_json_member_text(w, "name", option.name);
            aic_json_member_text(w, "type", plugin_json_type(option.type));
            aic_json_member_bool(w, "required", (option.flags & AIC_OPTION_REQUIRED) != 0);
            aic_json_member_text(w, "default", option.fallback);
            aic_json_member_text(w, "help", option.help);
            aic_json_close(w, '}');
        }
        aic_json_close(w, ']');
    }
    aic_json_close(w, '}');
}
