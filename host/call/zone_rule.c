/* SPDX-License-Identifier: ISC */
#include "call/zone_rule.h"

enum { DAY_S = 86400, HOUR_S = 3600, MOST_OFFSET_HOURS = 24, MOST_TIME_HOURS = 167 };

struct reader {
    const char *at;
    const char *end;
    bool failed;
};

static char peek(const struct reader *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static bool take(struct reader *r, char c)
{
    bool is_there = r->at < r->end && *r->at == c;
    r->at += is_there;
    return is_there;
}

static int32_t take_number(struct reader *r, int32_t least, int32_t most)
{
    const char *start = r->at;
    int32_t value = 0;
    while (peek(r) >= '0' && peek(r) <= '9' && value <= most) {
        value = value * 10 + (*r->at++ - '0');
    }
    r->failed = r->failed || r->at == start || value < least || value > most;
    return r->failed ? 0 : value;
}

/* "EST" or "<+0330>". */
static void take_name(struct reader *r)
{
    const char *start = r->at;
    if (take(r, '<')) {
        while (r->at < r->end && *r->at != '>') {
            r->at++;
        }
        r->failed = r->failed || !take(r, '>');
        return;
    }
    while ((peek(r) >= 'A' && peek(r) <= 'Z') || (peek(r) >= 'a' && peek(r) <= 'z')) {
        r->at++;
    }
    r->failed = r->failed || r->at - start < 3;
}

/* [+-]hours[:minutes[:seconds]] */
static int32_t take_time(struct reader *r, int32_t most_hours)
{
    bool is_negative = take(r, '-');
    if (!is_negative) {
        (void)take(r, '+');
    }
    int32_t seconds = take_number(r, 0, most_hours) * HOUR_S;
    if (take(r, ':')) {
        seconds += take_number(r, 0, 59) * 60;
        if (take(r, ':')) {
            seconds += take_number(r, 0, 59);
        }
    }
    return is_negative ? -seconds : seconds;
}

static void take_change(struct reader *r, struct zone_change *change)
{
    r->failed = r->failed || !take(r, ',');
    *change = (struct zone_change){.time_s = 2 * HOUR_S};
    if (take(r, 'M')) {
        change->kind = ZONE_DAY_OF_MONTH;
        change->month = take_number(r, 1, 12);
        r->failed = r->failed || !take(r, '.');
        change->week = take_number(r, 1, 5);
        r->failed = r->failed || !take(r, '.');
        change->day = take_number(r, 0, 6);
    } else if (take(r, 'J')) {
        change->kind = ZONE_DAY_JULIAN;
        change->day = take_number(r, 1, 365);
    } else {
        change->kind = ZONE_DAY_ORDINAL;
        change->day = take_number(r, 0, 365);
    }
    if (take(r, '/')) {
        change->time_s = take_time(r, MOST_TIME_HOURS);
    }
}

int32_t zone_rule_parse(struct zone_rule *rule, struct aic_str text)
{
    struct reader r = {text.ptr, text.ptr + text.len, text.len == 0};
    *rule = (struct zone_rule){.has_summer = false};
    if (r.failed) {
        return AIC_ERROR_PROTOCOL;
    }
    /* What it says is how far west of UTC the place is. */
    take_name(&r);
    rule->standard_s = -take_time(&r, MOST_OFFSET_HOURS);
    if (!r.failed && r.at < r.end) {
        rule->has_summer = true;
        take_name(&r);
        bool has_offset = peek(&r) != ',' && r.at < r.end;
        rule->summer_s = has_offset ? -take_time(&r, MOST_OFFSET_HOURS) : rule->standard_s + HOUR_S;
        take_change(&r, &rule->begins);
        take_change(&r, &rule->ends);
    }
    return r.failed || r.at != r.end ? AIC_ERROR_PROTOCOL : AIC_OK;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days before a year, of all years since the year 0. */
static int64_t days_before_year(int64_t year)
{
    int64_t last = year - 1;
    return year * 365 + last / 4 - last / 100 + last / 400;
}

static int64_t days_to_year(int64_t year)
{
    return days_before_year(year) - days_before_year(1970);
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = seconds / DAY_S - (seconds < 0);
    int64_t year = 1969 + days / 366;
    while (days_to_year(year + 1) <= days) {
        year++;
    }
    return year;
}

static int64_t day_of_month_rule(const struct zone_change *change, int64_t year)
{
    static const int32_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int32_t leap = is_leap(year);
    int64_t first = days_to_year(year) + before[change->month - 1] + (change->month > 2 ? leap : 0);
    int32_t length =
        before[change->month] - before[change->month - 1] + (change->month == 2 ? leap : 0);
    /* The first day of 1970 was a Thursday. */
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = (change->day - weekday + 7) % 7 + INT64_C(7) * (change->week - 1);
    return first + (day < length ? day : day - 7);
}

/* The change as if local time were UTC. */
static int64_t change_s(const struct zone_change *change, int64_t year)
{
    int64_t day = days_to_year(year);
    switch (change->kind) {
    case ZONE_DAY_JULIAN:
        day += change->day - 1 + (is_leap(year) && change->day >= 60);
        break;
    case ZONE_DAY_ORDINAL:
        day += change->day;
        break;
    default:
        day = day_of_month_rule(change, year);
        break;
    }
    return day * DAY_S + change->time_s;
}

int32_t zone_rule_offset_s(const struct zone_rule *rule, int64_t utc_s)
{
    /* Rules are for times to come; no clock of ours gets to the far end. */
    static const int64_t limit_s = INT64_C(1) << 40;
    if (!rule->has_summer || utc_s < 0 || utc_s > limit_s) {
        return rule->standard_s;
    }
    int64_t year = year_of(utc_s + rule->standard_s);
    int64_t begins_s = change_s(&rule->begins, year) - rule->standard_s;
    int64_t ends_s = change_s(&rule->ends, year) - rule->summer_s;
    bool is_summer = begins_s < ends_s ? utc_s >= begins_s && utc_s < ends_s
                                       : utc_s >= begins_s || utc_s < ends_s;
    return is_summer ? rule->summer_s : rule->standard_s;
}
