/* SPDX-License-Identifier: ISC */
#include "web/cookie.h"

#include "buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Takes the next "name=value" of a Cookie header. */
static bool next_cookie(struct aic_str *rest, struct aic_str *name, struct aic_str *value)
{
    while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == ';')) {
        rest->ptr++;
        rest->len--;
    }
    if (rest->len == 0) {
        return false;
    }
    const char *semicolon = memchr(rest->ptr, ';', rest->len);
    size_t length = semicolon ? (size_t)(semicolon - rest->ptr) : rest->len;
    const char *equals = memchr(rest->ptr, '=', length);
    size_t name_length = equals ? (size_t)(equals - rest->ptr) : length;
    size_t skip = equals ? name_length + 1 : length;
    *name = (struct aic_str){rest->ptr, name_length};
    *value = (struct aic_str){rest->ptr + skip, length - skip};
    rest->ptr += length;
    rest->len -= length;
    return true;
}

struct aic_str cookie_find(struct aic_str header, const char *name)
{
    struct aic_str own;
    struct aic_str value;
    while (next_cookie(&header, &own, &value)) {
        if (aic_str_equal(own, name)) {
            return value;
        }
    }
    return AIC_STR("");
}

void cookie_write(char to[COOKIE_HEADER], const char *name, const char *value, int64_t age_s,
                  bool is_https)
{
    (void)snprintf(to, COOKIE_HEADER,
                   "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Strict%s", name, value,
                   age_s, is_https ? "; Secure" : "");
}
