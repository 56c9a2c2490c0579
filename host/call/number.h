/* SPDX-License-Identifier: ISC */
#ifndef CALL_NUMBER_H
#define CALL_NUMBER_H
/*
 * What is known of a telephone number from its digits: its region, its type, the time zones it may
 * be in. Pure; from a table (number_table.h) as of the day it was made.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum number_kind {
    NUMBER_NONE = 0,
    NUMBER_NOT_E164 = 1, /* not "+" and 1 to 15 digits, the first not 0 */
    NUMBER_SHORT = 2,    /* a service or emergency number, or one with digits missing */
    NUMBER_UNKNOWN = 3,  /* nobody has it, or it is newer than the table */
    NUMBER_KNOWN = 4
};

/* Values as in number_table.c. */
enum number_type {
    NUMBER_TYPE_NONE = 0,
    NUMBER_FIXED_LINE = 1,
    NUMBER_MOBILE = 2,
    NUMBER_FIXED_OR_MOBILE = 3,
    NUMBER_TOLL_FREE = 4,
    NUMBER_PREMIUM_RATE = 5,
    NUMBER_SHARED_COST = 6,
    NUMBER_VOIP = 7,
    NUMBER_PERSONAL = 8,
    NUMBER_PAGER = 9,
    NUMBER_COMPANY = 10, /* one number for all places of a company */
    NUMBER_VOICEMAIL = 11
};

enum { NUMBER_ZONES = 64 }; /* more than any number has */

struct number {
    enum number_kind kind;
    enum number_type type; /* of a known one */
    char region[4];        /* "IN"; "001" = of no country; "" = unknown */
    uint16_t country_code; /* 0 = there is none like that */
    /* Indexes of zones, in order of their names; none for numbers of no country. */
    uint16_t zones[NUMBER_ZONES];
    size_t zone_count;
    bool is_placed; /* its digits say where in the country it is */
};

void number_parse(struct number *number, struct aic_str text);
/* "mobile", "premium_rate" ... */
const char *number_type_name(enum number_type type);
/* Whether the table has such a region; "001" is none. */
bool number_region_exists(struct aic_str region);

size_t number_zones(void); /* how many there are */
const char *number_zone_name(size_t zone);

#endif
