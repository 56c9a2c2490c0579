/* SPDX-License-Identifier: ISC */
#include "sqlcore/args.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 200 };

static int place_of(const struct sql_args *args, const char *name)
{
    for (uint32_t i = 0; i < args->count; i++) {
        if (strcmp(args->params[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int refuse(struct sql_args *args, const char *name, const char *why)
{
    (void)snprintf(args->problem, sizeof(args->problem), "%s: %s", name, why);
    return 1;
}

static int check_choice(struct sql_args *args, const struct sql_param *param, struct aic_str text)
{
    for (size_t i = 0; param->choices[i]; i++) {
        if (aic_str_equal(text, param->choices[i])) {
            return 0;
        }
    }
    char why[160] = "expected one of";
    size_t length = strlen(why);
    for (size_t i = 0; param->choices[i] && length < sizeof(why); i++) {
        length += (size_t)snprintf(why + length, sizeof(why) - length, " %s", param->choices[i]);
    }
    return refuse(args, param->name, why);
}

static int check(struct sql_args *args, const struct sql_param *param,
                 const struct sql_value *value)
{
    if (value->type == SQL_INT && (param->min || param->max) &&
        (value->integer < param->min || value->integer > param->max)) {
        char why[100];
        (void)snprintf(why, sizeof(why), "expected a number from %lld to %lld",
                       (long long)param->min, (long long)param->max);
        return refuse(args, param->name, why);
    }
    if (value->type == SQL_TEXT && param->choices) {
        return check_choice(args, param, value->text);
    }
    return 0;
}

static int read_value(struct sql_args *args, const struct sql_param *param,
                      const struct aic_json *node, struct sql_value *to)
{
    size_t max = param->type == SQL_TEXT ? (size_t)(param->max ? param->max : TEXT_BYTES)
                                         : (size_t)SQL_ARGS_BYTES;
    char why[100];
    if (param->type == SQL_TEXT && aic_json_text(node).len > max) {
        (void)snprintf(why, sizeof(why), "at most %zu bytes are taken", max);
        return refuse(args, param->name, why);
    }
    const char *expected = sql_value_read(to, param->type, max, node, &args->arena);
    if (expected) {
        (void)snprintf(why, sizeof(why), "expected %s", expected);
        return refuse(args, param->name, why);
    }
    return check(args, param, to);
}

static int read_list(struct sql_args *args, uint32_t place, const struct aic_json *node)
{
    const struct sql_param *param = &args->params[place];
    size_t count = aic_json_is_array(node) ? aic_json_count(node) : 1;
    if (count == 0 || count > SQL_MAX_LIST) {
        return refuse(args, param->name, "expected a value, or a list of 1 to 16 of them");
    }
    for (size_t i = 0; i < count; i++) {
        const struct aic_json *item = aic_json_is_array(node) ? aic_json_at(node, i) : node;
        if (read_value(args, param, item, &args->lists[place][i])) {
            return 1;
        }
    }
    args->list_counts[place] = (uint32_t)count;
    args->values[place] = args->lists[place][0];
    return 0;
}

/* Names what is taken; the unknown name itself is shown only when it is an ordinary word. */
static int refuse_unknown(struct sql_args *args, const char *key)
{
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_");
    bool is_word = length > 0 && length <= 40 && key[length] == '\0';
    char why[160] = "is not known; there are";
    size_t used = strlen(why);
    for (uint32_t i = 0; i < args->count && used < sizeof(why); i++) {
        used += (size_t)snprintf(why + used, sizeof(why) - used, " %s", args->params[i].name);
    }
    return refuse(args, is_word ? key : "a parameter", why);
}

static int read_arg(void *data, const char *key, const struct aic_json *node)
{
    struct sql_args *args = data;
    int place = place_of(args, key);
    if (place < 0) {
        return refuse_unknown(args, key);
    }
    if (!node) {
        return 0;
    }
    args->nodes[place] = node;
    if (args->params[place].flags & SQL_ARG_LIST) {
        return read_list(args, (uint32_t)place, node);
    }
    return read_value(args, &args->params[place], node, &args->values[place]);
}

int32_t sql_args_read(struct sql_args *args, const struct sql_param *params, uint32_t count,
                      struct aic_str json)
{
    memset(args, 0, sizeof(*args));
    args->params = params;
    args->count = count;
    args->document = aic_json_parse(json.len ? json : AIC_STR("{}"), SQL_ARGS_BYTES);
    if (!aic_json_is_object(args->document)) {
        (void)refuse(args, "parameters", "expected a JSON object in UTF-8");
        return AIC_ERROR_INVALID;
    }
    if (aic_json_each(args->document, read_arg, args)) {
        return AIC_ERROR_INVALID;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool is_empty = args->values[i].type == SQL_TEXT && args->values[i].text.len == 0;
        if (params[i].flags & SQL_ARG_REQUIRED && (args->values[i].type == SQL_NULL || is_empty)) {
            (void)refuse(args, params[i].name, "is needed");
            return AIC_ERROR_INVALID;
        }
    }
    return AIC_OK;
}

void sql_args_finish(struct sql_args *args)
{
    aic_json_free(args->document);
    sql_arena_finish(&args->arena);
    args->document = NULL;
}

struct sql_value sql_arg(const struct sql_args *args, const char *name)
{
    int place = place_of(args, name);
    return place < 0 ? sql_null() : args->values[place];
}

bool sql_arg_has(const struct sql_args *args, const char *name)
{
    return sql_arg(args, name).type != SQL_NULL;
}

int64_t sql_arg_int(const struct sql_args *args, const char *name, int64_t fallback)
{
    struct sql_value value = sql_arg(args, name);
    return value.type == SQL_NULL ? fallback : value.integer;
}

bool sql_arg_bool(const struct sql_args *args, const char *name, bool fallback)
{
    return sql_arg_int(args, name, fallback) != 0;
}

const struct sql_value *sql_arg_list(const struct sql_args *args, const char *name, uint32_t *count)
{
    int place = place_of(args, name);
    *count = place < 0 ? 0 : args->list_counts[place];
    return place < 0 ? NULL : args->lists[place];
}

const struct aic_json *sql_arg_node(const struct sql_args *args, const char *name)
{
    int place = place_of(args, name);
    return place < 0 ? NULL : args->nodes[place];
}
