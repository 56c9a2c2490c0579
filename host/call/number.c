/* SPDX-License-Identifier: ISC */
#include "call/number.h"

#include "call/number_table.h"

#include "buf.h"

#include <string.h>

/* E.164: at most 15 digits. Fewer than 7 with the country code are nobody's own number. */
enum { MOST_DIGITS = 15, LEAST_DIGITS = 7, SHORT_DIGITS = 6, PREFIX_DIGITS = 8 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool are_digits(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

static uint16_t step(uint16_t state, unsigned digit)
{
    uint16_t next = 0;
    for (size_t i = number_steps_of[state]; i < number_steps_of[state + 1]; i++) {
        if (number_steps[i] >> 16 > digit) {
            break;
        }
        next = number_steps[i] & 0xffff;
    }
    return next;
}

static const struct number_country *find_country(struct aic_str digits)
{
    unsigned code = 0;
    for (size_t i = 0; i < 3 && i < digits.len; i++) {
        code = code * 10 + (unsigned)(digits.ptr[i] - '0');
        for (size_t c = 0; c < number_country_count && number_countries[c].code <= code; c++) {
            if (number_countries[c].code == code) {
                return &number_countries[c];
            }
        }
    }
    return NULL;
}

static const struct number_zone_prefix *find_prefix(uint32_t prefix)
{
    size_t from = 0;
    size_t until = number_zone_prefix_count;
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        if (number_zone_prefixes[middle].prefix == prefix) {
            return &number_zone_prefixes[middle];
        }
        if (number_zone_prefixes[middle].prefix < prefix) {
            from = middle + 1;
        } else {
            until = middle;
        }
    }
    return NULL;
}

static void take_set(struct number *number, uint16_t set)
{
    for (size_t i = number_zones_of[set]; i < number_zones_of[set + 1]; i++) {
        if (number->zone_count < NUMBER_ZONES) {
            number->zones[number->zone_count++] = number_zone_members[i];
        }
    }
}

/* The zones of the longest beginning that is known. */
static void take_zones_of_place(struct number *number, struct aic_str digits)
{
    const struct number_zone_prefix *best = NULL;
    uint32_t prefix = 0;
    for (size_t i = 0; i < digits.len && i < PREFIX_DIGITS; i++) {
        prefix = prefix * 10 + (uint32_t)(digits.ptr[i] - '0');
        const struct number_zone_prefix *found = find_prefix(prefix);
        best = found ? found : best;
    }
    if (best) {
        take_set(number, best->set);
    }
}

/* Where such a number is, only its region says. */
static void take_zones_of_region(struct number *number)
{
    for (size_t i = 0; i < number_zone_region_count; i++) {
        if (strcmp(number_zone_regions[i].region, number->region) == 0) {
            take_set(number, number_zone_regions[i].set);
            return;
        }
    }
    const struct number_zone_prefix *found = find_prefix(number->country_code);
    if (found) {
        take_set(number, found->set);
    }
}

static void take_label(struct number *number, const struct number_label *label,
                       const struct number_country *country)
{
    const char *region = label->region[0] ? label->region : country->region;
    number->kind = NUMBER_KNOWN;
    number->type = (enum number_type)label->type;
    number->is_placed = label->is_geographic != 0;
    (void)aic_str_copy(aic_str(region), number->region, sizeof(number->region));
}

void number_parse(struct number *number, struct aic_str text)
{
    *number = (struct number){.kind = NUMBER_NOT_E164};
    if (text.len <= SHORT_DIGITS && are_digits(text)) {
        number->kind = NUMBER_SHORT;
        return;
    }
    if (text.len < 2 || text.len > MOST_DIGITS + 1 || text.ptr[0] != '+' || text.ptr[1] == '0') {
        return;
    }
    struct aic_str digits = {text.ptr + 1, text.len - 1};
    if (!are_digits(digits)) {
        return;
    }
    uint16_t state = number_start;
    for (size_t i = 0; i < digits.len; i++) {
        state = step(state, (unsigned)(digits.ptr[i] - '0'));
    }
    const struct number_country *country = find_country(digits);
    const struct number_label *label = &number_labels[number_label_of[state]];
    number->country_code = country ? country->code : 0;
    number->kind = state != 0 || digits.len < LEAST_DIGITS ? NUMBER_SHORT : NUMBER_UNKNOWN;
    if (label->type != NUMBER_TYPE_NONE && country && digits.len >= LEAST_DIGITS) {
        take_label(number, label, country);
    }
    if (number->is_placed) {
        take_zones_of_place(number, digits);
    } else if (country && number->kind != NUMBER_SHORT) {
        take_zones_of_region(number);
    }
}

const char *number_type_name(enum number_type type)
{
    static const char *const names[] = {
        "none",         "fixed_line",  "mobile", "fixed_or_mobile", "toll_free",
        "premium_rate", "shared_cost", "voip",   "personal_number", "pager",
        "uan",          "voicemail"};
    return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : "none";
}

bool number_region_exists(struct aic_str region)
{
    for (size_t i = 0; i < number_country_count; i++) {
        if (aic_str_equal(region, number_countries[i].region) && !aic_str_equal(region, "001")) {
            return true;
        }
    }
    for (size_t i = 0; i < number_label_count; i++) {
        if (region.len > 0 && aic_str_equal(region, number_labels[i].region)) {
            return true;
        }
    }
    return false;
}

size_t number_zones(void)
{
    return number_zone_count;
}

const char *number_zone_name(size_t zone)
{
    return zone < number_zone_count ? number_zone_names[zone] : "";
}
