/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

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

/* Undoes percent and plus; what is malformed stays as it is. */
static void decode(struct aic_str text, struct aic_buf *to)
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

bool query_get(struct aic_str query, const char *name, struct aic_buf *to)
{
    while (query.len > 0) {
        size_t end = 0;
        while (end < query.len && query.ptr[end] != '&') {
            end++;
        }
        size_t equals = 0;
        while (equals < end && query.ptr[equals] != '=') {
            equals++;
        }
        if (aic_str_equal((struct aic_str){query.ptr, equals}, name)) {
            size_t skip = equals < end ? equals + 1 : end;
            decode((struct aic_str){query.ptr + skip, end - skip}, to);
            return true;
        }
        end += end < query.len;
        query.ptr += end;
        query.len -= end;
    }
    return false;
}
