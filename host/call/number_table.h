/* SPDX-License-Identifier: ISC */
#ifndef CALL_NUMBER_TABLE_H
#define CALL_NUMBER_TABLE_H
/*
 * The data behind number.c, as packaging/make_numbers writes it: an automaton over the digits of a
 * number, and the time zones of beginnings of numbers.
 */
#include <stddef.h>
#include <stdint.h>

/* What a number is that ends in a state. */
struct number_label {
    char region[3];        /* "" = the first of its country code */
    uint8_t type;          /* enum number_type */
    uint8_t is_geographic; /* its beginning says where it is */
};

struct number_country {
    uint16_t code;
    char region[4]; /* the first; "001" = of no country */
};

/* Numbers that begin so are in these zones; the longest beginning counts. */
struct number_zone_prefix {
    uint32_t prefix;
    uint16_t set;
};

/* The zones of a region that shares its country code. */
struct number_zone_region {
    char region[4];
    uint16_t set;
};

extern const uint16_t number_start;
extern const uint16_t number_states;
/* The steps of state s: from number_steps_of[s] to number_steps_of[s + 1]. Each is digit << 16 |
 * next state, which holds from this digit on until the next step's. State 0 is a dead end. */
extern const uint16_t number_steps_of[];
extern const uint32_t number_steps[];
extern const uint8_t number_label_of[]; /* 0 = no number ends here */
extern const struct number_label number_labels[];
extern const size_t number_label_count;

extern const struct number_country number_countries[]; /* by code */
extern const size_t number_country_count;

extern const char *const number_zone_names[];
extern const size_t number_zone_count;
/* The members of set s: from number_zones_of[s] to number_zones_of[s + 1]. */
extern const uint16_t number_zones_of[];
extern const uint16_t number_zone_members[];
extern const struct number_zone_prefix number_zone_prefixes[]; /* by prefix */
extern const size_t number_zone_prefix_count;
extern const struct number_zone_region number_zone_regions[];
extern const size_t number_zone_region_count;

#endif
