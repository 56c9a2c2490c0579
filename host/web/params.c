/* SPDX-License-Identifier: ISC */
#include "web/params.h"

#include "base/timefmt.h"
#include "web/query.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int place_of(const struct params *params, struct aic_str name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (aic_str_equal(name, params->names[i])) {
            return (int)i;
        }
    }
    return -1;
}

bool params_fail(struct params *params, const char *name, const char *detail)
{
    (void)aic_str_copy(aic_str(name), params->field, sizeof(params->field));
    (void)snprintf(params->detail, sizeof(params->detail), "%s: %s", name[0] ? name : "a parameter",
                   detail);
    return false;
}

/* The unknown name itself is shown only when it is an ordinary word. */
static bool refuse_unknown(struct params *params, struct aic_str name)
{
    char word[48] = "";
    char detail[300] = "it is not known; there are";
    size_t used = strlen(detail);
    if (aic_str_copy(name, word, sizeof(word)) &&
        strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
            name.len) {
        word[0] = '\0';
    }
    for (size_t i = 0; i < params->count && used < sizeof(detail); i++) {
        used += (size_t)snprintf(detail + used, sizeof(detail) - used, " %s", params->names[i]);
    }
    return params_fail(params, strlen(word) == name.len ? word : "", detail);
}

static bool read_pair(struct params *params, struct aic_str name, struct aic_str value,
                      bool given[PARAMS_MAX])
{
    int place = place_of(params, name);
    if (place < 0) {
        return refuse_unknown(params, name);
    }
    if (given[place]) {
        return params_fail(params, params->names[place], "it is there more than once");
    }
    given[place] = true;
    struct aic_buf *to = &params->values[place];
    query_decode(value, to);
    if (to->failed) {
        return params_fail(params, params->names[place], "it is longer than 1024 bytes");
    }
    if (!aic_utf8_valid(aic_buf_view(to)) || (to->len > 0 && memchr(to->data, '\0', to->len))) {
        return params_fail(params, params->names[place], "it is not valid text in UTF-8");
    }
    return true;
}

bool params_read(struct params *params, struct aic_str query, const char *const *names,
                 size_t count)
{
    bool given[PARAMS_MAX] = {false};
    struct aic_str name;
    struct aic_str value;
    *params = (struct params){.names = names, .count = count};
    for (size_t i = 0; i < count; i++) {
        aic_buf_init(&params->values[i], PARAMS_VALUE);
    }
    while (query_next(&query, &name, &value)) {
        if ((name.len > 0 || value.len > 0) && !read_pair(params, name, value, given)) {
            return false;
        }
    }
    return true;
}

void params_finish(struct params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        aic_buf_finish(&params->values[i]);
    }
}

struct aic_str params_get(const struct params *params, const char *name)
{
    int place = place_of(params, aic_str(name));
    return place < 0 ? AIC_STR("") : aic_buf_view(&params->values[place]);
}

static bool read_number(struct aic_str text, int64_t max, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || *number > (max - digit) / 10) {
            return false;
        }
        *number = *number * 10 + digit;
    }
    return true;
}

bool params_number(struct params *params, const char *name, int64_t min, int64_t max,
                   int64_t *number)
{
    struct aic_str text = params_get(params, name);
    int64_t read = 0;
    if (text.len == 0) {
        return true;
    }
    if (!read_number(text, max, &read) || read < min) {
        char detail[100];
        (void)snprintf(detail, sizeof(detail),
                       "expected a whole number from %" PRId64 " to %" PRId64, min, max);
        return params_fail(params, name, detail);
    }
    *number = read;
    return true;
}

bool params_time(struct params *params, const char *name, int64_t *wall_us)
{
    enum { OFFSET_TEXT = 6, TIME_SHORTEST = 19 };
    struct aic_str text = params_get(params, name);
    /* The sign of "2026-11-22T12:17:03+05:30" is where the offset begins. */
    if (text.len > TIME_SHORTEST + 1) {
        params_restore_plus(params, name, text.len - OFFSET_TEXT);
    }
    return text.len == 0 || time_parse(params_get(params, name), wall_us) ||
           params_fail(params, name, "expected a time like 2026-11-22T12:00:00Z");
}

bool params_bool(struct params *params, const char *name, bool *value)
{
    struct aic_str text = params_get(params, name);
    if (text.len > 0 && !aic_str_equal(text, "true") && !aic_str_equal(text, "false")) {
        return params_fail(params, name, "expected true or false");
    }
    *value = text.len > 0 ? aic_str_equal(text, "true") : *value;
    return true;
}

bool params_choice(struct params *params, const char *name, const char *const *words)
{
    struct aic_str text = params_get(params, name);
    char detail[200] = "expected one of";
    size_t used = strlen(detail);
    bool is_known = text.len == 0;
    for (size_t i = 0; words[i]; i++) {
        is_known = is_known || aic_str_equal(text, words[i]);
        if (used < sizeof(detail)) {
            used += (size_t)snprintf(detail + used, sizeof(detail) - used, " %s", words[i]);
        }
    }
    return is_known || params_fail(params, name, detail);
}

void params_restore_plus(struct params *params, const char *name, size_t from)
{
    int place = place_of(params, aic_str(name));
    struct aic_buf *value = place < 0 ? NULL : &params->values[place];
    if (value && value->len > from && value->data[from] == ' ') {
        value->data[from] = '+';
    }
}
