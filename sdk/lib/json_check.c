/* SPDX-License-Identifier: ISC */
#include "json_check.h"

#include <string.h>

struct cursor {
    const char *p;
    const char *end;
};

static bool is_next(const struct cursor *c, char wanted)
{
    return c->p < c->end && *c->p == wanted;
}

static bool take(struct cursor *c, char wanted)
{
    bool is_there = is_next(c, wanted);
    c->p += is_there ? 1 : 0;
    return is_there;
}

static void skip_space(struct cursor *c)
{
    while (is_next(c, ' ') || is_next(c, '\t') || is_next(c, '\n') || is_next(c, '\r')) {
        c->p++;
    }
}

static size_t take_digits(struct cursor *c)
{
    const char *from = c->p;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
        c->p++;
    }
    return (size_t)(c->p - from);
}

static bool take_number(struct cursor *c)
{
    (void)take(c, '-');
    if (!take(c, '0') && take_digits(c) == 0) {
        return false;
    }
    if (take(c, '.') && take_digits(c) == 0) {
        return false;
    }
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+')) {
            (void)take(c, '-');
        }
        return take_digits(c) > 0;
    }
    return true;
}

static bool take_hex4(struct cursor *c)
{
    for (int i = 0; i < 4; i++, c->p++) {
        if (c->p >= c->end || !*c->p || !strchr("0123456789abcdefABCDEF", *c->p)) {
            return false;
        }
    }
    return true;
}

static bool take_string(struct cursor *c)
{
    if (!take(c, '"')) {
        return false;
    }
    while (c->p < c->end && *c->p != '"') {
        if ((unsigned char)*c->p < 0x20) {
            return false;
        }
        if (*c->p++ != '\\') {
            continue;
        }
        if (c->p >= c->end || !*c->p || !strchr("\"\\/bfnrtu", *c->p)) {
            return false;
        }
        if (*c->p++ == 'u' && !take_hex4(c)) {
            return false;
        }
    }
    return take(c, '"');
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->p) < length || memcmp(c->p, word, length) != 0) {
        return false;
    }
    c->p += length;
    return true;
}

static bool take_value(struct cursor *c, int depth);

static bool take_members(struct cursor *c, bool is_object, int depth)
{
    char closing = is_object ? '}' : ']';
    c->p++;
    skip_space(c);
    if (take(c, closing)) {
        return true;
    }
    do {
        skip_space(c);
        if (is_object) {
            if (!take_string(c)) {
                return false;
            }
            skip_space(c);
            if (!take(c, ':')) {
                return false;
            }
        }
        if (!take_value(c, depth - 1)) {
            return false;
        }
    } while (take(c, ','));
    return take(c, closing);
}

static bool take_value(struct cursor *c, int depth)
{
    bool is_good = false;
    skip_space(c);
    if (c->p >= c->end) {
        return false;
    }
    switch (*c->p) {
    case '{':
    case '[':
        is_good = depth > 0 && take_members(c, *c->p == '{', depth);
        break;
    case '"':
        is_good = take_string(c);
        break;
    case 't':
        is_good = take_word(c, "true");
        break;
    case 'f':
        is_good = take_word(c, "false");
        break;
    case 'n':
        is_good = take_word(c, "null");
        break;
    default:
        is_good = take_number(c);
        break;
    }
    skip_space(c);
    return is_good;
}

bool aic_json_is_valid(struct aic_str text, int max_depth)
{
    struct cursor c = {text.ptr, text.ptr + text.len};
    return take_value(&c, max_depth) && c.p == c.end;
}
