/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include "buf.h"
#include "log.h"
#include "settings_value.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 512, KNOWN_MAX = 400, SHOWN_MAX = 80 };

/* One run of settings_check. */
struct check {
    const char *what;
    const struct config_node *group;
    uint32_t flags;
    struct config_problems *problems;
    struct settings *settings;
    bool is_out_of_memory;
};

static void complain(const struct check *c, struct config_pos pos, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(const struct check *c, struct config_pos pos, const char *format, ...)
{
    if (c->flags & SETTINGS_ONLY_UNSET) {
        return;
    }
    char text[WHY_MAX * 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    config_problem_add(c->problems, pos, "%s: %s", c->what, text);
}

/* Something is not there without which the block can not be used: "name" `lacks` `why`. */
static void miss(struct check *c, struct config_pos pos, const char *name, const char *lacks,
                 const char *why)
{
    if (!(c->flags & SETTINGS_LENIENT)) {
        config_problem_add(c->problems, pos, "%s: \"%s\" %s: %s", c->what, name, lacks, why);
    }
    if (!c->settings->unset &&
        asprintf(&c->settings->unset, "\"%s\" %s: %s", name, lacks, why) < 0) {
        c->settings->unset = NULL;
        c->is_out_of_memory = true;
    }
}

/* The element of a table that another version of the SDK may have laid out. */
static struct aic_option option_at(const struct settings_table *table, uint32_t index)
{
    struct aic_option option = {.name = NULL};
    size_t size = table->element_size ? table->element_size : sizeof(option);
    if (size >= offsetof(struct aic_option, fallback)) {
        memcpy(&option, (const char *)table->options + index * size,
               size < sizeof(option) ? size : sizeof(option));
    }
    if (size < offsetof(struct aic_option, max) + sizeof(option.max)) {
        option.flags &= ~(uint32_t)AIC_OPTION_RANGE;
    }
    return option;
}

/* The first reference without a value in a node and below. */
static const struct config_node *find_unset(const struct config_node *node)
{
    if (config_unset(node)) {
        return node;
    }
    for (size_t i = 0; i < config_count(node); i++) {
        const struct config_node *found = find_unset(config_at(node, i));
        if (found) {
            return found;
        }
    }
    return NULL;
}

static bool is_list_of(const char *const *list, const char *name)
{
    for (; list && *list; list++) {
        if (strcmp(*list, name) == 0) {
            return true;
        }
    }
    return false;
}

/* All names that may stand in the block, NULL-terminated; to be freed. */
static const char **known_names(const struct settings *settings, const char *const *skip)
{
    size_t skipped = 0;
    while (skip && skip[skipped]) {
        skipped++;
    }
    const char **names = calloc(settings->count + skipped + 1, sizeof(*names));
    for (size_t i = 0; names && i < settings->count; i++) {
        names[i] = settings->list[i].name;
    }
    for (size_t i = 0; names && i < skipped; i++) {
        names[settings->count + i] = skip[i];
    }
    return names;
}

static void complain_unknown(const struct check *c, const struct config_node *node,
                             const char *const *names)
{
    const char *near = config_nearest(config_name(node), names);
    if (near) {
        complain(c, config_pos(node), "unknown key \"%s\"; did you mean \"%s\"?", config_name(node),
                 near);
        return;
    }
    struct aic_buf list;
    aic_buf_init(&list, KNOWN_MAX);
    for (size_t i = 0; names[i] && !list.failed; i++) {
        aic_buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    complain(c, config_pos(node), "unknown key \"%.100s\"; known are %s%s", config_name(node),
             list.len ? list.data : "none", list.failed ? " ..." : "");
    aic_buf_finish(&list);
}

static void check_unknown(struct check *c, const char *const *skip)
{
    const char **names = known_names(c->settings, skip);
    if (!names) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config_count(c->group); i++) {
        const struct config_node *node = config_at(c->group, i);
        if (!setting_find(c->settings, config_name(node)) && !is_list_of(skip, config_name(node))) {
            complain_unknown(c, node, names);
        }
    }
    free(names);
}

/* A secret must not lie where everybody on the machine can read it. */
static bool guard_secret(const struct check *c, const struct config_node *node, const char *name)
{
    log_add_secret(config_string(node));
    if (!config_is_exposed(node)) {
        return true;
    }
    if (config_is_reference(node)) {
        complain(c, config_pos(node),
                 "\"%s\": others can read or change %s; protect it with chmod 600", name,
                 config_written(node));
        return false;
    }
    if (!(c->flags & SETTINGS_ONLY_UNSET)) {
        config_warning_add(c->problems, config_pos(node),
                           "%s: \"%s\" stands in a file that everybody can read; protect it with "
                           "chmod 640, or write env:NAME, file:PATH or cred:NAME",
                           c->what, name);
    }
    return true;
}

enum outcome { OUTCOME_GIVEN = 1, OUTCOME_NONE = 2, OUTCOME_TOLD = 3 /* a problem says why */ };

static void complain_value(const struct check *c, const struct config_node *node,
                           const struct aic_option *option, const struct aic_buf *why)
{
    const char *written = config_written(node);
    const char *quote = config_kind(node) == CONFIG_STRING ? "\"" : "";
    if (written && option->type != AIC_OPTION_SECRET) {
        int shown = (int)aic_utf8_cut(aic_str(written), SHOWN_MAX);
        complain(c, config_pos(node), "\"%s\" is %s%.*s%s, but %s", option->name, quote, shown,
                 written, quote, aic_buf_view(why).ptr);
    } else {
        complain(c, config_pos(node), "\"%s\" %s", option->name, aic_buf_view(why).ptr);
    }
}

/* Reads what the operator wrote. */
static enum outcome read_written(struct check *c, struct setting *setting,
                                 const struct aic_option *option, const struct config_node *node)
{
    const struct config_node *unset = find_unset(node);
    const char *text = config_string(node);
    setting->pos = config_pos(node);
    if (unset) {
        miss(c, config_pos(unset), option->name, "has no value", config_unset(unset));
        return OUTCOME_TOLD;
    }
    /* An empty text says "none", as in env:NAME:-, for everything that is more than a text. */
    bool may_be_empty = option->type == AIC_OPTION_STRING || option->type == AIC_OPTION_JSON;
    if (text && !*text && (!may_be_empty || option->flags & AIC_OPTION_REQUIRED)) {
        return OUTCOME_NONE;
    }
    if (option->type == AIC_OPTION_SECRET && text && !guard_secret(c, node, option->name)) {
        return OUTCOME_TOLD;
    }
    struct setting_source source = {.node = node,
                                    .text = text,
                                    .folder = config_folder(node),
                                    .is_loose = config_is_reference(node)};
    struct aic_buf why;
    aic_buf_init(&why, WHY_MAX);
    int32_t status = setting_read(setting, option, &source, &why);
    if (status == AIC_ERROR_CONFIG) {
        complain_value(c, node, option, &why);
    }
    c->is_out_of_memory = c->is_out_of_memory || status == AIC_ERROR_MEMORY;
    aic_buf_finish(&why);
    return status == AIC_OK ? OUTCOME_GIVEN : OUTCOME_TOLD;
}

static bool read_default(struct check *c, struct setting *setting, const struct aic_option *option)
{
    const char *text = option->fallback;
    bool may_be_empty = option->type == AIC_OPTION_STRING;
    if (!text || (!*text && !may_be_empty)) {
        return false;
    }
    struct setting_source source = {
        .text = text, .folder = c->group ? config_folder(c->group) : NULL, .is_loose = true};
    struct aic_buf why;
    aic_buf_init(&why, WHY_MAX);
    int32_t status = setting_read(setting, option, &source, &why);
    if (status == AIC_ERROR_CONFIG) {
        int shown = (int)aic_utf8_cut(aic_str(text), SHOWN_MAX);
        complain(c, c->settings->group_pos, "the default of \"%s\" is %.*s, but %s", option->name,
                 shown, text, aic_buf_view(&why).ptr);
    }
    c->is_out_of_memory = c->is_out_of_memory || status == AIC_ERROR_MEMORY;
    aic_buf_finish(&why);
    return status == AIC_OK;
}

static void check_option(struct check *c, struct setting *setting, const struct aic_option *option)
{
    const struct config_node *node = config_get(c->group, option->name);
    enum outcome outcome = OUTCOME_NONE;
    setting->pos = c->settings->group_pos;
    if (node) {
        outcome = read_written(c, setting, option, node);
    }
    setting->has = outcome == OUTCOME_GIVEN;
    if (setting->has) {
        return;
    }
    struct config_pos pos = setting->pos;
    setting_clear(setting);
    setting->has = read_default(c, setting, option);
    if (!setting->has) {
        setting_clear(setting);
    }
    setting->pos = pos;
    if (!setting->has && outcome == OUTCOME_NONE && option->flags & AIC_OPTION_REQUIRED) {
        miss(c, pos, option->name, node ? "is empty" : "is missing",
             option->help ? option->help : "it must be given");
    }
}

static void check_tables(struct check *c, const struct settings_table *tables, size_t count)
{
    struct settings *settings = c->settings;
    for (size_t t = 0; t < count; t++) {
        for (uint32_t i = 0; tables[t].options && i < tables[t].count; i++) {
            struct aic_option option = option_at(&tables[t], i);
            /* What two tables declare is the first one's. */
            if (!option.name || setting_find(settings, option.name)) {
                continue;
            }
            struct setting *setting = &settings->list[settings->count++];
            setting->name = option.name;
            setting->type = option.type;
            check_option(c, setting, &option);
        }
    }
}

/* Each parameter is a word of its own at the call; a struct for them would be filled once. */
// NOLINTNEXTLINE(readability-function-size)
struct settings *settings_check(const char *what, const struct config_node *group,
                                const struct settings_table *tables, size_t table_count,
                                const char *const *skip, uint32_t flags,
                                struct config_problems *problems)
{
    size_t room = 1;
    for (size_t i = 0; i < table_count; i++) {
        room += tables[i].count;
    }
    struct settings *settings = calloc(1, sizeof(*settings));
    struct setting *list = calloc(room, sizeof(*list));
    if (!settings || !list) {
        free(settings);
        free(list);
        return NULL;
    }
    settings->list = list;
    struct check c = {
        .what = what, .group = group, .flags = flags, .problems = problems, .settings = settings};
    settings->group_pos = config_pos(group);
    if (group && config_kind(group) != CONFIG_GROUP) {
        complain(&c, config_pos(group), "must be a group: { name = value; ... }");
        c.group = NULL;
    }
    check_tables(&c, tables, table_count);
    check_unknown(&c, skip);
    if (c.is_out_of_memory) {
        settings_free(settings);
        return NULL;
    }
    return settings;
}

void settings_free(struct settings *settings)
{
    if (!settings) {
        return;
    }
    for (size_t i = 0; i < settings->count; i++) {
        setting_clear(&settings->list[i]);
    }
    free(settings->list);
    free(settings->unset);
    free(settings);
}
