/* SPDX-License-Identifier: ISC */
#include "web/range.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct aic_str trim(struct aic_str text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Takes digits from the front; what is too large stays the largest. False when there are none. */
static bool take_number(struct aic_str *text, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') {
        uint64_t digit = (uint64_t)(text->ptr[digits] - '0');
        bool fits = *number <= (UINT64_MAX - digit) / 10;
        *number = fits ? *number * 10 + digit : UINT64_MAX;
        digits++;
    }
    text->ptr += digits;
    text->len -= digits;
    return digits > 0;
}

/* The last `count` bytes. */
static enum range_kind take_suffix(struct aic_str rest, uint64_t size, struct range *range)
{
    uint64_t count = 0;
    if (!take_number(&rest, &count) || rest.len > 0) {
        return RANGE_WHOLE;
    }
    if (count == 0 || size == 0) {
        return RANGE_OUTSIDE;
    }
    count = count < size ? count : size;
    *range = (struct range){.first = size - count, .count = count};
    return RANGE_PART;
}

static enum range_kind take_range(struct aic_str text, uint64_t size, struct range *range)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    if (text.len > 0 && text.ptr[0] == '-') {
        return take_suffix((struct aic_str){text.ptr + 1, text.len - 1}, size, range);
    }
    if (!take_number(&text, &first) || text.len == 0 || text.ptr[0] != '-') {
        return RANGE_WHOLE;
    }
    text.ptr++;
    text.len--;
    bool has_last = text.len > 0;
    if ((has_last && !take_number(&text, &last)) || text.len > 0 || last < first) {
        return RANGE_WHOLE;
    }
    if (first >= size) {
        return RANGE_OUTSIDE;
    }
    last = last < size ? last : size - 1;
    *range = (struct range){.first = first, .count = last - first + 1};
    return RANGE_PART;
}

enum range_kind range_parse(struct aic_str header, uint64_t size, struct range *range)
{
    static const char unit[] = "bytes";

    enum { UNIT = sizeof(unit) - 1 };

    *range = (struct range){.first = 0, .count = size};
    header = trim(header);
    if (header.len <= UNIT || header.ptr[UNIT] != '=' ||
        !aic_str_equal_nocase((struct aic_str){header.ptr, UNIT}, unit)) {
        return RANGE_WHOLE;
    }
    struct aic_str set = trim((struct aic_str){header.ptr + UNIT + 1, header.len - UNIT - 1});
    /* Nobody who plays a recording asks for several parts at once. */
    return memchr(set.ptr, ',', set.len) ? RANGE_WHOLE : take_range(set, size, range);
}

bool range_is_current(struct aic_str if_range, const char *tag)
{
    if_range = trim(if_range);
    return if_range.len == 0 || aic_str_equal(if_range, tag);
}

bool range_is_known(struct aic_str if_none_match, const char *tag)
{
    struct aic_str rest = trim(if_none_match);
    if (aic_str_equal(rest, "*")) {
        return true;
    }
    while (rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t length = comma ? (size_t)(comma - rest.ptr) : rest.len;
        struct aic_str one = trim((struct aic_str){rest.ptr, length});
        if (aic_str_starts(one, "W/")) {
            one.ptr += 2;
            one.len -= 2;
        }
        if (aic_str_equal(one, tag)) {
            return true;
        }
        rest.ptr += length + (comma != NULL);
        rest.len -= length + (comma != NULL);
    }
    return false;
}
