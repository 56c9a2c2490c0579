/* SPDX-License-Identifier: ISC */
/* What was checked, for the host and in the form that a plugin sees. */
#include "settings_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting *setting_find(const struct settings *settings, const char *name)
{
    for (size_t i = 0; settings && i < settings->count; i++) {
        if (strcmp(settings->list[i].name, name) == 0) {
            return &settings->list[i];
        }
    }
    return NULL;
}

static void set_folder(struct setting *setting, const char *word, const char *folder)
{
    char *path = NULL;
    size_t length = strlen(word);
    if (strncmp(setting->text, word, length) == 0 &&
        asprintf(&path, "%s/%s", folder, setting->text + length) >= 0) {
        free(setting->text);
        setting->text = path;
    }
}

void settings_set_folders(struct settings *settings, const char *state_dir, const char *data_dir)
{
    for (size_t i = 0; i < settings->count; i++) {
        struct setting *setting = &settings->list[i];
        if (setting->type == AIC_OPTION_PATH && setting->text) {
            set_folder(setting, "state:", state_dir);
            set_folder(setting, "data:", data_dir);
        }
    }
}

bool settings_has(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    return setting && setting->has;
}

const char *settings_string(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    return setting ? setting->text : NULL;
}

int64_t settings_int(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    return setting ? setting->integer : 0;
}

double settings_double(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    return setting ? setting->number : 0;
}

bool settings_bool(const struct settings *settings, const char *name)
{
    return settings_int(settings, name) != 0;
}

uint32_t settings_list_count(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    return setting ? setting->item_count : 0;
}

const char *settings_list_item(const struct settings *settings, const char *name, uint32_t index)
{
    const struct setting *setting = setting_find(settings, name);
    return setting && index < setting->item_count ? setting->items[index] : NULL;
}

struct config_pos settings_pos(const struct settings *settings, const char *name)
{
    const struct setting *setting = setting_find(settings, name);
    if (setting) {
        return setting->pos;
    }
    return settings ? settings->group_pos : (struct config_pos){.file = ""};
}

const char *settings_unset(const struct settings *settings)
{
    return settings ? settings->unset : NULL;
}

static int32_t config_has(const struct aic_config *config, const char *name)
{
    return settings_has(config->impl, name) ? 1 : 0;
}

static const char *config_get_string(const struct aic_config *config, const char *name)
{
    return settings_string(config->impl, name);
}

static int64_t config_get_int(const struct aic_config *config, const char *name)
{
    return settings_int(config->impl, name);
}

static double config_get_double(const struct aic_config *config, const char *name)
{
    return settings_double(config->impl, name);
}

static uint32_t config_list_count(const struct aic_config *config, const char *name)
{
    return settings_list_count(config->impl, name);
}

static const char *config_list_item(const struct aic_config *config, const char *name,
                                    uint32_t index)
{
    return settings_list_item(config->impl, name, index);
}

void settings_as_config(struct settings *settings, const char *provider, struct aic_config *config)
{
    *config = (struct aic_config){.size = sizeof(*config),
                                  .impl = settings,
                                  .provider = provider,
                                  .has = config_has,
                                  .get_string = config_get_string,
                                  .get_int = config_get_int,
                                  .get_double = config_get_double,
                                  .list_count = config_list_count,
                                  .list_item = config_list_item};
}
