/* SPDX-License-Identifier: ISC */
#include "web/encoding.h"

#include <string.h>

static struct aic_str trim(struct aic_str text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
        text = (struct aic_str){text.ptr + 1, text.len - 1};
    }
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* Takes what stands before the next `separator` off the text. */
static struct aic_str take(struct aic_str *text, char separator)
{
    const char *at = text->len > 0 ? memchr(text->ptr, separator, text->len) : NULL;
    struct aic_str first = {text->ptr, at ? (size_t)(at - text->ptr) : text->len};
    size_t used = at ? first.len + 1 : first.len;
    *text = (struct aic_str){used > 0 ? text->ptr + used : text->ptr, text->len - used};
    return trim(first);
}

/* A weight of nothing, "q=0.00", is a refusal. */
static bool is_refused(struct aic_str parameters)
{
    while (parameters.len > 0) {
        struct aic_str weight = take(&parameters, ';');
        if (weight.len > 2 && (weight.ptr[0] == 'q' || weight.ptr[0] == 'Q') &&
            weight.ptr[1] == '=') {
            size_t zeros = 2;
            while (zeros < weight.len && (weight.ptr[zeros] == '0' || weight.ptr[zeros] == '.')) {
                zeros++;
            }
            return zeros == weight.len;
        }
    }
    return false;
}

bool encoding_takes_gzip(struct aic_str accept_encoding)
{
    bool takes_any = false;
    while (accept_encoding.len > 0) {
        struct aic_str parameters = take(&accept_encoding, ',');
        struct aic_str name = take(&parameters, ';');
        if (aic_str_equal_nocase(name, "gzip") || aic_str_equal_nocase(name, "x-gzip")) {
            return !is_refused(parameters);
        }
        if (aic_str_equal(name, "*")) {
            takes_any = !is_refused(parameters);
        }
    }
    return takes_any;
}
