/* SPDX-License-Identifier: ISC */
#include "json.h"

#include "json_check.h"
#include "utf8.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A node is json-c's object under another name, so that no json-c type leaves this file. */
static struct json_object *object_of(const struct aic_json *node)
{
    union {
        const struct aic_json *node;
        struct json_object *object;
    } cast = {.node = node};

    return cast.object;
}

static struct aic_json *node_of(struct json_object *object)
{
    return (struct aic_json *)object;
}

struct aic_json *aic_json_parse(struct aic_str text, size_t max_bytes)
{
    size_t max = max_bytes ? max_bytes : AIC_JSON_MAX_BYTES;
    if (!text.ptr || text.len == 0 || text.len > max || text.len > INT32_MAX ||
        !aic_utf8_valid(text) || !aic_json_is_valid(text, AIC_JSON_MAX_DEPTH)) {
        return NULL;
    }
    struct json_tokener *tokener = json_tokener_new_ex(AIC_JSON_MAX_DEPTH + 1);
    if (!tokener) {
        return NULL;
    }
    struct json_object *root = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
    if (json_tokener_get_error(tokener) == json_tokener_continue) {
        /* A bare number at the end of the text is complete only with something behind it. */
        root = json_tokener_parse_ex(tokener, "", 1);
    }
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        json_object_put(root);
        root = NULL;
    }
    json_tokener_free(tokener);
    return node_of(root);
}

void aic_json_free(struct aic_json *root)
{
    json_object_put(object_of(root));
}

const struct aic_json *aic_json_get(const struct aic_json *object, const char *key)
{
    struct json_object *value = NULL;
    if (aic_json_is_object(object)) {
        json_object_object_get_ex(object_of(object), key, &value);
    }
    return node_of(value);
}

const struct aic_json *aic_json_path(const struct aic_json *object, ...)
{
    va_list keys;
    va_start(keys, object);
    for (const char *key = va_arg(keys, const char *); key; key = va_arg(keys, const char *)) {
        object = aic_json_get(object, key);
    }
    va_end(keys);
    return object;
}

const struct aic_json *aic_json_at(const struct aic_json *array, size_t index)
{
    if (!aic_json_is_array(array) || index >= aic_json_count(array)) {
        return NULL;
    }
    return node_of(json_object_array_get_idx(object_of(array), index));
}

size_t aic_json_count(const struct aic_json *node)
{
    if (aic_json_is_array(node)) {
        return json_object_array_length(object_of(node));
    }
    return aic_json_is_object(node) ? (size_t)json_object_object_length(object_of(node)) : 0;
}

int aic_json_each(const struct aic_json *object,
                  int (*each)(void *data, const char *key, const struct aic_json *value),
                  void *data)
{
    if (!aic_json_is_object(object)) {
        return 0;
    }
    struct json_object_iterator it = json_object_iter_begin(object_of(object));
    struct json_object_iterator end = json_object_iter_end(object_of(object));
    int result = 0;
    while (result == 0 && !json_object_iter_equal(&it, &end)) {
        result =
            each(data, json_object_iter_peek_name(&it), node_of(json_object_iter_peek_value(&it)));
        json_object_iter_next(&it);
    }
    return result;
}

bool aic_json_is_object(const struct aic_json *node)
{
    return node && json_object_is_type(object_of(node), json_type_object);
}

bool aic_json_is_array(const struct aic_json *node)
{
    return node && json_object_is_type(object_of(node), json_type_array);
}

bool aic_json_is_string(const struct aic_json *node)
{
    return node && json_object_is_type(object_of(node), json_type_string);
}

bool aic_json_is_number(const struct aic_json *node)
{
    return node && (json_object_is_type(object_of(node), json_type_int) ||
                    json_object_is_type(object_of(node), json_type_double));
}

bool aic_json_is_bool(const struct aic_json *node)
{
    return node && json_object_is_type(object_of(node), json_type_boolean);
}

struct aic_str aic_json_text(const struct aic_json *node)
{
    if (!aic_json_is_string(node)) {
        return (struct aic_str){"", 0};
    }
    struct json_object *object = object_of(node);
    return (struct aic_str){json_object_get_string(object),
                            (size_t)json_object_get_string_len(object)};
}

int64_t aic_json_int(const struct aic_json *node, int64_t fallback)
{
    if (aic_json_is_number(node)) {
        double value = json_object_get_double(object_of(node));
        if (isnan(value) || value < -9.2e18 || value > 9.2e18) {
            return fallback;
        }
        return json_object_get_int64(object_of(node));
    }
    struct aic_str text = aic_json_text(node);
    if (text.len == 0) {
        return fallback;
    }
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text.ptr, &end, 10);
    return errno == 0 && end == text.ptr + text.len ? (int64_t)value : fallback;
}

double aic_json_double(const struct aic_json *node, double fallback)
{
    double value = fallback;
    if (aic_json_is_number(node)) {
        value = json_object_get_double(object_of(node));
    } else {
        struct aic_str text = aic_json_text(node);
        char *end = NULL;
        double parsed = text.len ? strtod(text.ptr, &end) : 0;
        if (text.len && end == text.ptr + text.len) {
            value = parsed;
        }
    }
    return isfinite(value) ? value : fallback;
}

bool aic_json_bool(const struct aic_json *node, bool fallback)
{
    if (aic_json_is_bool(node)) {
        return json_object_get_boolean(object_of(node));
    }
    struct aic_str text = aic_json_text(node);
    if (aic_str_equal(text, "true")) {
        return true;
    }
    return aic_str_equal(text, "false") ? false : fallback;
}

struct aic_str aic_json_get_text(const struct aic_json *object, const char *key)
{
    return aic_json_text(aic_json_get(object, key));
}

int64_t aic_json_get_int(const struct aic_json *object, const char *key, int64_t fallback)
{
    return aic_json_int(aic_json_get(object, key), fallback);
}

double aic_json_get_double(const struct aic_json *object, const char *key, double fallback)
{
    return aic_json_double(aic_json_get(object, key), fallback);
}

bool aic_json_get_bool(const struct aic_json *object, const char *key, bool fallback)
{
    return aic_json_bool(aic_json_get(object, key), fallback);
}

struct aic_str aic_json_print(const struct aic_json *node)
{
    size_t length = 0;
    const char *text = json_object_to_json_string_length(
        object_of(node), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    return (struct aic_str){text ? text : "null", text ? length : 4};
}
