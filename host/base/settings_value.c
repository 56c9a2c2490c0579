/* SPDX-License-Identifier: ISC */
#include "settings_value.h"

#include "buf.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_MAX = 1 << 20 };

static int32_t must(struct aic_buf *why, const char *expected)
{
    aic_buf_printf(why, "must be %s", expected);
    return AIC_ERROR_CONFIG;
}

static const char *kind_text(const struct config_node *node)
{
    switch (config_kind(node)) {
    case CONFIG_GROUP:
        return "a group";
    case CONFIG_LIST:
        return "a list";
    case CONFIG_STRING:
        return "a text";
    case CONFIG_INT:
        return "a whole number";
    case CONFIG_FLOAT:
        return "a number with a fraction";
    case CONFIG_BOOL:
        return "true or false";
    default:
        return "nothing";
    }
}

static int32_t must_not(struct aic_buf *why, const char *expected,
                        const struct setting_source *source)
{
    aic_buf_printf(why, "must be %s, not %s", expected, kind_text(source->node));
    return AIC_ERROR_CONFIG;
}

static bool parse_int(const char *text, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && end > text && *end == '\0' && !strchr(" \t\n\r\f\v", *text);
}

static bool parse_double(const char *text, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    return end > text && *end == '\0' && isfinite(*value) && !strchr(" \t\n\r\f\v", *text);
}

static int32_t take_text(struct setting *setting, const char *text)
{
    setting->text = strdup(text);
    return setting->text ? AIC_OK : AIC_ERROR_MEMORY;
}

static int32_t read_path(struct setting *setting, const struct setting_source *source)
{
    bool is_whole = source->text[0] == '/' || strncmp(source->text, "state:", 6) == 0 ||
                    strncmp(source->text, "data:", 5) == 0;
    if (is_whole || !source->folder) {
        return take_text(setting, source->text);
    }
    return asprintf(&setting->text, "%s/%s", source->folder, source->text) < 0 ? AIC_ERROR_MEMORY
                                                                               : AIC_OK;
}

static int32_t read_choice(struct setting *setting, const struct aic_option *option,
                           const char *text, struct aic_buf *why)
{
    const char *const *choices = option->choices;
    for (size_t i = 0; choices && choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            return take_text(setting, text);
        }
    }
    aic_buf_text(why, "must be one of ");
    for (size_t i = 0; choices && choices[i]; i++) {
        aic_buf_printf(why, "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
    }
    const char *near = config_nearest(text, choices);
    if (near) {
        aic_buf_printf(why, "; did you mean \"%s\"?", near);
    }
    return AIC_ERROR_CONFIG;
}

static int32_t read_text(struct setting *setting, const struct aic_option *option,
                         const struct setting_source *source, struct aic_buf *why)
{
    if (!source->text) {
        return must_not(why, "a text in quotes", source);
    }
    const char *problem = NULL;
    switch (option->type) {
    case AIC_OPTION_PATH:
        return read_path(setting, source);
    case AIC_OPTION_ENUM:
        return read_choice(setting, option, source->text, why);
    case AIC_OPTION_URL:
        problem = setting_url_problem(source->text);
        if (problem) {
            aic_buf_text(why, problem);
            return AIC_ERROR_CONFIG;
        }
        return take_text(setting, source->text);
    default:
        return take_text(setting, source->text);
    }
}

/* The bounds as an operator would write them. */
static void put_number(struct aic_buf *to, double value, uint32_t type)
{
    aic_buf_printf(to, "%.15g%s", value, type == AIC_OPTION_DURATION ? " ms" : "");
}

static int32_t check_range(const struct aic_option *option, double value, struct aic_buf *why)
{
    if (!(option->flags & AIC_OPTION_RANGE) || (value >= option->min && value <= option->max)) {
        return AIC_OK;
    }
    aic_buf_text(why, "must be from ");
    put_number(why, option->min, option->type);
    aic_buf_text(why, " to ");
    put_number(why, option->max, option->type);
    return AIC_ERROR_CONFIG;
}

/* A size or a duration: a whole number, or one with its unit in a text. */
static int32_t read_measure(struct setting *setting, const struct aic_option *option,
                            const struct setting_source *source, struct aic_buf *why)
{
    bool is_duration = option->type == AIC_OPTION_DURATION;
    bool is_good = false;
    if (source->text) {
        is_good = is_duration ? settings_parse_duration(source->text, &setting->integer)
                              : settings_parse_bytes(source->text, &setting->integer);
    } else if (config_kind(source->node) == CONFIG_INT) {
        setting->integer = config_int(source->node);
        is_good = setting->integer >= 0;
    }
    if (!is_good) {
        return must(why, is_duration
                             ? "a time such as \"500ms\", \"3s\", \"2m\", \"1h\", or a number of ms"
                             : "a size such as \"64k\", \"2M\", \"1G\", or a number of bytes");
    }
    setting->number = (double)setting->integer;
    return check_range(option, setting->number, why);
}

static int32_t read_int(struct setting *setting, const struct aic_option *option,
                        const struct setting_source *source, struct aic_buf *why)
{
    if (config_kind(source->node) == CONFIG_INT) {
        setting->integer = config_int(source->node);
    } else if (!source->is_loose || !source->text) {
        return must_not(why, "a whole number", source);
    } else if (!parse_int(source->text, &setting->integer)) {
        return must(why, "a whole number");
    }
    setting->number = (double)setting->integer;
    return check_range(option, setting->number, why);
}

static int32_t read_float(struct setting *setting, const struct aic_option *option,
                          const struct setting_source *source, struct aic_buf *why)
{
    enum config_kind kind = config_kind(source->node);
    if (kind == CONFIG_INT || kind == CONFIG_FLOAT) {
        setting->number = config_float(source->node);
    } else if (!source->is_loose || !source->text) {
        return must_not(why, "a number", source);
    } else if (!parse_double(source->text, &setting->number)) {
        return must(why, "a number");
    }
    return check_range(option, setting->number, why);
}

static int32_t read_bool(struct setting *setting, const struct setting_source *source,
                         struct aic_buf *why)
{
    if (config_kind(source->node) == CONFIG_BOOL) {
        setting->integer = config_bool(source->node);
        return AIC_OK;
    }
    if (!source->is_loose || !source->text) {
        return must_not(why, "true or false", source);
    }
    setting->integer = strcasecmp(source->text, "true") == 0;
    bool is_good = setting->integer || strcasecmp(source->text, "false") == 0;
    return is_good ? AIC_OK : must(why, "true or false");
}

static int32_t add_item(struct setting *setting, const char *text)
{
    char **items = realloc(setting->items, (setting->item_count + 1) * sizeof(*items));
    if (!items) {
        return AIC_ERROR_MEMORY;
    }
    setting->items = items;
    items[setting->item_count] = strdup(text);
    if (!items[setting->item_count]) {
        return AIC_ERROR_MEMORY;
    }
    setting->item_count++;
    return AIC_OK;
}

static int32_t read_items(struct setting *setting, const struct config_node *list,
                          struct aic_buf *why)
{
    static const char expected[] = "a list of texts, such as [ \"one\", \"two\" ]";
    if (config_kind(list) != CONFIG_LIST) {
        return must_not(why, expected, &(struct setting_source){.node = list});
    }
    for (size_t i = 0; i < config_count(list); i++) {
        const char *text = config_string(config_at(list, i));
        if (!text) {
            return must(why, expected);
        }
        int32_t status = add_item(setting, text);
        if (status != AIC_OK) {
            return status;
        }
    }
    return AIC_OK;
}

static int32_t take_json(struct setting *setting, const struct config_node *node)
{
    struct aic_buf json;
    aic_buf_init(&json, JSON_MAX);
    config_json(node, &json);
    setting->text = aic_buf_detach(&json);
    return setting->text ? AIC_OK : AIC_ERROR_MEMORY;
}

/* A default of these types is written as in the file, so it is read as the file would be. */
static int32_t read_written(struct setting *setting, const struct setting_source *source,
                            struct aic_buf *why)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    struct aic_buf text;
    aic_buf_init(&text, JSON_MAX);
    aic_buf_printf(&text, "value = %s", source->text);
    int32_t status = config_parse("default", aic_buf_view(&text), NULL, &problems, &config);
    if (status == AIC_OK) {
        const struct config_node *value = config_get(config_root(config), "value");
        status = setting->type == AIC_OPTION_LIST ? read_items(setting, value, why)
                                                  : take_json(setting, value);
    } else if (status == AIC_ERROR_CONFIG) {
        aic_buf_text(why, "must be written as in the file");
    }
    config_free(config);
    config_problems_finish(&problems);
    aic_buf_finish(&text);
    return status;
}

static int32_t read_list(struct setting *setting, const struct setting_source *source,
                         struct aic_buf *why)
{
    if (source->text && !source->node && strchr("[(", source->text[0])) {
        return read_written(setting, source, why);
    }
    return source->text ? add_item(setting, source->text) : read_items(setting, source->node, why);
}

int32_t setting_read(struct setting *setting, const struct aic_option *option,
                     const struct setting_source *source, struct aic_buf *why)
{
    switch (option->type) {
    case AIC_OPTION_STRING:
    case AIC_OPTION_SECRET:
    case AIC_OPTION_URL:
    case AIC_OPTION_PATH:
    case AIC_OPTION_ENUM:
        return read_text(setting, option, source, why);
    case AIC_OPTION_INT:
        return read_int(setting, option, source, why);
    case AIC_OPTION_FLOAT:
        return read_float(setting, option, source, why);
    case AIC_OPTION_BOOL:
        return read_bool(setting, source, why);
    case AIC_OPTION_DURATION:
    case AIC_OPTION_BYTES:
        return read_measure(setting, option, source, why);
    case AIC_OPTION_LIST:
        return read_list(setting, source, why);
    case AIC_OPTION_JSON:
        return source->node ? take_json(setting, source->node) : read_written(setting, source, why);
    default:
        aic_buf_text(why, "is of a type that this version of aicaller does not know; remove it");
        return AIC_ERROR_CONFIG;
    }
}

void setting_clear(struct setting *setting)
{
    free(setting->text);
    for (uint32_t i = 0; i < setting->item_count; i++) {
        free(setting->items[i]);
    }
    free(setting->items);
    *setting = (struct setting){.name = setting->name, .type = setting->type};
}
