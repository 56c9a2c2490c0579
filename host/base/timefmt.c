/* SPDX-License-Identifier: ISC */
#include "timefmt.h"

#include <stdio.h>

#define SECOND_US   INT64_C(1000000)
#define DAY_SECONDS INT64_C(86400)
/* 0000-01-01 and the last second of 9999, in seconds since 1970. */
#define FIRST_SECOND INT64_C(-62167219200)
#define LAST_SECOND  INT64_C(253402300799)

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0000-01-01 to the first day of `year`. */
static int64_t days_before_year(int64_t year)
{
    if (year == 0) {
        return 0;
    }
    int64_t last = year - 1;
    return year * 365 + last / 4 - last / 100 + last / 400 + 1;
}

static int64_t days_before_month(int64_t year, int64_t month)
{
    int64_t days = 0;
    for (int64_t m = 1; m < month; m++) {
        days += days_in_month(year, m);
    }
    return days;
}

void time_format(char to[TIME_TEXT], int64_t wall_us)
{
    int64_t second = wall_us / SECOND_US;
    int64_t rest_us = wall_us % SECOND_US;
    if (rest_us < 0) {
        rest_us += SECOND_US;
        second--;
    }
    if (second < FIRST_SECOND || second > LAST_SECOND) {
        rest_us = second < 0 ? 0 : SECOND_US - 1;
        second = second < 0 ? FIRST_SECOND : LAST_SECOND;
    }
    second -= FIRST_SECOND;
    int64_t day = second / DAY_SECONDS;
    second %= DAY_SECONDS;
    int64_t year = day * 400 / 146097;
    while (days_before_year(year + 1) <= day) {
        year++;
    }
    while (days_before_year(year) > day) {
        year--;
    }
    day -= days_before_year(year);
    int64_t month = 1;
    while (day >= days_in_month(year, month)) {
        day -= days_in_month(year, month);
        month++;
    }
    /* The casts bound the numbers for the compiler, which checks the room for them. */
    (void)snprintf(to, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)year % 10000u,
                   (unsigned)month % 100u, (unsigned)(day + 1) % 100u,
                   (unsigned)(second / 3600) % 100u, (unsigned)(second / 60 % 60),
                   (unsigned)(second % 60), (unsigned)(rest_us / 1000) % 1000u);
}

/* What is left to read. */
struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *c, const char *any_of)
{
    for (; c->at < c->end && *any_of; any_of++) {
        if (*c->at == *any_of) {
            c->at++;
            return true;
        }
    }
    return false;
}

static bool take_digits(struct cursor *c, int count, int64_t least, int64_t most, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (c->at == c->end || *c->at < '0' || *c->at > '9') {
            return false;
        }
        *value = *value * 10 + (*c->at++ - '0');
    }
    return *value >= least && *value <= most;
}

/* Any number of digits behind the point; those below a microsecond are dropped. */
static bool take_fraction(struct cursor *c, int64_t *us)
{
    *us = 0;
    if (!take(c, ".")) {
        return true;
    }
    int64_t weight = SECOND_US / 10;
    const char *first = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        *us += (*c->at++ - '0') * weight;
        weight /= 10;
    }
    return c->at > first;
}

static bool take_offset(struct cursor *c, int64_t *seconds)
{
    *seconds = 0;
    if (take(c, "Zz")) {
        return true;
    }
    int64_t sign = take(c, "+") ? 1 : -1;
    int64_t hours = 0;
    int64_t minutes = 0;
    if ((sign < 0 && !take(c, "-")) || !take_digits(c, 2, 0, 23, &hours) || !take(c, ":") ||
        !take_digits(c, 2, 0, 59, &minutes)) {
        return false;
    }
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_date(struct cursor *c, int64_t *second)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!take_digits(c, 4, 0, 9999, &year) || !take(c, "-") || !take_digits(c, 2, 1, 12, &month) ||
        !take(c, "-") || !take_digits(c, 2, 1, days_in_month(year, month), &day)) {
        return false;
    }
    int64_t days = days_before_year(year) + days_before_month(year, month) + day - 1;
    *second = FIRST_SECOND + days * DAY_SECONDS;
    return true;
}

bool time_parse(struct aic_str text, int64_t *wall_us)
{
    struct cursor c = {text.ptr, text.ptr ? text.ptr + text.len : NULL};
    int64_t second = 0;
    if (!take_date(&c, &second)) {
        return false;
    }
    if (c.at == c.end) {
        *wall_us = second * SECOND_US;
        return true;
    }
    int64_t h = 0;
    int64_t m = 0;
    int64_t s = 0;
    int64_t us = 0;
    int64_t offset = 0;
    if (!take(&c, "Tt ") || !take_digits(&c, 2, 0, 23, &h) || !take(&c, ":") ||
        !take_digits(&c, 2, 0, 59, &m) || !take(&c, ":") || !take_digits(&c, 2, 0, 60, &s) ||
        !take_fraction(&c, &us) || !take_offset(&c, &offset) || c.at != c.end) {
        return false;
    }
    second += h * 3600 + m * 60 + s - offset;
    /* A leap second is the last one of a day in UTC; it is told as the first of the next. */
    if (s == 60 && second % DAY_SECONDS != 0) {
        return false;
    }
    *wall_us = second * SECOND_US + us;
    return true;
}
