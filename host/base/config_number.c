/* SPDX-License-Identifier: ISC */
#include "config_number.h"

#include "buf.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* No number that makes sense is longer. */
enum { NUMBER_MAX = 64 };

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

static enum config_number classify_int(const char *text, size_t length, int base)
{
    const char *suffix = text + length;
    bool is_marked = strcmp(suffix, "L") == 0 || strcmp(suffix, "LL") == 0;
    if (!is_marked && *suffix != '\0') {
        return CONFIG_NUMBER_NONE;
    }
    errno = 0;
    long long value = strtoll(text, NULL, base);
    if (errno == ERANGE) {
        return CONFIG_NUMBER_TOO_LARGE;
    }
    if (is_marked) {
        return CONFIG_NUMBER_INT64;
    }
    return value < INT32_MIN || value > INT32_MAX ? CONFIG_NUMBER_NEEDS_L : CONFIG_NUMBER_INT;
}

/* Length of an exponent, 0 for none. */
static size_t exponent(const char *p)
{
    if (*p != 'e' && *p != 'E') {
        return 0;
    }
    size_t sign = p[1] == '-' || p[1] == '+' ? 1 : 0;
    size_t count = digits(p + 1 + sign);
    return count > 0 ? 1 + sign + count : 0;
}

static enum config_number classify_float(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+' ? 1 : 0);
    size_t whole = digits(p);
    p += whole;
    bool has_point = *p == '.';
    size_t fraction = has_point ? digits(p + 1) : 0;
    p += has_point ? 1 + fraction : 0;
    size_t power = exponent(p);
    if (whole + fraction == 0 || (!has_point && power == 0) || p[power] != '\0') {
        return CONFIG_NUMBER_NONE;
    }
    return isfinite(strtod(text, NULL)) ? CONFIG_NUMBER_FLOAT : CONFIG_NUMBER_TOO_LARGE;
}

enum config_number config_number_classify(struct aic_str text)
{
    char copy[NUMBER_MAX];
    if (!aic_str_copy(text, copy, sizeof(copy)) || strlen(copy) != text.len) {
        return CONFIG_NUMBER_NONE;
    }
    if (copy[0] == '0' && (copy[1] == 'x' || copy[1] == 'X')) {
        size_t count = strspn(copy + 2, "0123456789abcdefABCDEF");
        return count > 0 ? classify_int(copy, 2 + count, 16) : CONFIG_NUMBER_NONE;
    }
    size_t sign = copy[0] == '-' || copy[0] == '+' ? 1 : 0;
    size_t count = digits(copy + sign);
    enum config_number kind = CONFIG_NUMBER_NONE;
    if (count > 0) {
        kind = classify_int(copy, sign + count, 10);
    }
    return kind == CONFIG_NUMBER_NONE ? classify_float(copy) : kind;
}
