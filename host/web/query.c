/* SPDX-License-Identifier: ISC */
#include "web/query.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void query_decode(struct aic_str text, struct aic_buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            aic_buf_char(to, (char)(high * 16 + low));
            i += 2;
        } else {
            aic_buf_char(to, text.ptr[i] == '+' ? ' ' : text.ptr[i]);
        }
    }
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == ',' || c == ':';
}

void query_encode(struct aic_str text, struct aic_buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_plain(text.ptr[i])) {
            aic_buf_char(to, text.ptr[i]);
        } else {
            aic_buf_printf(to, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
        }
    }
}

bool query_next(struct aic_str *query, struct aic_str *name, struct aic_str *value)
{
    if (query->len == 0) {
        return false;
    }
    const char *amp = memchr(query->ptr, '&', query->len);
    size_t end = amp ? (size_t)(amp - query->ptr) : query->len;
    const char *sign = memchr(query->ptr, '=', end);
    size_t equals = sign ? (size_t)(sign - query->ptr) : end;
    size_t skip = sign ? equals + 1 : end;
    *name = (struct aic_str){query->ptr, equals};
    *value = (struct aic_str){query->ptr + skip, end - skip};
    end += amp ? 1 : 0;
    query->ptr += end;
    query->len -= end;
    return true;
}

bool query_get(struct aic_str query, const char *name, struct aic_buf *to)
{
    struct aic_str found;
    struct aic_str value;
    while (query_next(&query, &found, &value)) {
        if (aic_str_equal(found, name)) {
            query_decode(value, to);
            return true;
        }
    }
    return false;
}
