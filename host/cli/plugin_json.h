/* SPDX-License-Identifier: ISC */
#ifndef CLI_PLUGIN_JSON_H
#define CLI_PLUGIN_JSON_H
/* What a plugin says of itself, for people and as JSON. */
#include <aicaller/plugin.h>
#include <stdbool.h>

struct aic_json_writer;

const char *plugin_json_type(uint32_t type);
/* An option as far as its author knew the struct. */
struct aic_option plugin_json_option(const struct aic_plugin *plugin, uint32_t index);
/* "aicaller.stt/1" is "stt" to people. */
struct aic_str plugin_json_role(const char *id);
void plugin_json_write(const struct aic_plugin *plugin, const char *path, bool with_options,
                       struct aic_json_writer *w);

#endif
