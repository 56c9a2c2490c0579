/* SPDX-License-Identifier: ISC */
#ifndef CALL_ZONE_RULE_H
#define CALL_ZONE_RULE_H
/*
 * A time zone's rule for the years to come, as the last line of a zone file has it:
 * "IST-5:30", "EST5EDT,M3.2.0,M11.1.0". Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum zone_day_kind {
    ZONE_DAY_NONE = 0,
    ZONE_DAY_JULIAN = 1,  /* 1 to 365, the 29th of February is not counted */
    ZONE_DAY_ORDINAL = 2, /* 0 to 365 */
    ZONE_DAY_OF_MONTH = 3 /* such as the last Sunday in March */
};

/* When the clocks change, in the time before the change. */
struct zone_change {
    enum zone_day_kind kind;
    int32_t month; /* 1 to 12 */
    int32_t week;  /* 1 to 5, 5 = the last */
    int32_t day;   /* of the week, 0 = Sunday; else of the year */
    int32_t time_s;
};

struct zone_rule {
    int32_t standard_s; /* east of UTC is positive */
    int32_t summer_s;
    bool has_summer;
    struct zone_change begins;
    struct zone_change ends;
};

/* AIC_ERROR_PROTOCOL: the text is no rule. */
int32_t zone_rule_parse(struct zone_rule *rule, struct aic_str text);
int32_t zone_rule_offset_s(const struct zone_rule *rule, int64_t utc_s);

#endif
