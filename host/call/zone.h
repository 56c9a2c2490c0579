/* SPDX-License-Identifier: ISC */
#ifndef CALL_ZONE_H
#define CALL_ZONE_H
/*
 * What the clocks of a time zone show, from its file in /usr/share/zoneinfo (TZif, RFC 8536,
 * version 2 or later). Pure: bytes in, times out.
 */
#include "call/zone_rule.h"

enum { ZONE_TRANSITIONS = 64 }; /* the newest are kept; what was before 2000 is nobody's concern */

struct zone {
    int64_t at_s[ZONE_TRANSITIONS]; /* from then on, in UTC ... */
    int32_t offset_s[ZONE_TRANSITIONS];
    size_t count;
    int32_t before_s;      /* the offset before the first of them */
    struct zone_rule rule; /* after the last of them */
    bool has_rule;
};

struct zone_time {
    int weekday; /* 0 = Monday */
    int minute;  /* of the day */
};

/* AIC_ERROR_PROTOCOL: this is no such file; AIC_ERROR_UNSUPPORTED: one of version 1. */
int32_t zone_parse(struct zone *zone, const uint8_t *bytes, size_t count);
/* Seconds east of UTC. */
int32_t zone_offset_s(const struct zone *zone, int64_t utc_s);
struct zone_time zone_time(const struct zone *zone, int64_t utc_s);

#endif
