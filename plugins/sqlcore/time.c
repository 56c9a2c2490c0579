/* SPDX-License-Identifier: ISC */
#include "sqlcore/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000 };

static const int64_t LAST_MS = 253402300799999; /* the end of the year 9999 */

/* Days since 1970-01-01 of a date in the Gregorian calendar; years count from March. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = days / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Reads exactly `digits` digits at *at and moves on. */
static bool number(struct aic_str text, size_t *at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9') {
            return false;
        }
        *value = *value * 10 + (text.ptr[*at] - '0');
    }
    return true;
}

static bool letter(struct aic_str text, size_t *at, const char *any)
{
    if (*at >= text.len || text.ptr[*at] == '\0' || !strchr(any, text.ptr[*at])) {
        return false;
    }
    (*at)++;
    return true;
}

static bool fraction(struct aic_str text, size_t *at, int64_t *ms)
{
    if (!letter(text, at, ".,")) {
        return true;
    }
    size_t from = *at;
    for (int64_t unit = 100; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9';
         (*at)++, unit /= 10) {
        *ms += (text.ptr[*at] - '0') * unit;
    }
    return *at > from;
}

static bool offset(struct aic_str text, size_t *at, int64_t *ms)
{
    if (letter(text, at, "Zz")) {
        return true;
    }
    bool minus = *at < text.len && text.ptr[*at] == '-';
    int hours = 0;
    int minutes = 0;
    if (!letter(text, at, "+-") || !number(text, at, 2, &hours) || hours > 23 ||
        (letter(text, at, ":"), !number(text, at, 2, &minutes)) || minutes > 59) {
        return false;
    }
    int64_t shift = (hours * 60 + minutes) * INT64_C(60000);
    *ms -= minus ? -shift : shift;
    return true;
}

static bool time_of_day(struct aic_str text, size_t *at, int64_t *ms)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!letter(text, at, "Tt ") || !number(text, at, 2, &hour) || !letter(text, at, ":") ||
        !number(text, at, 2, &minute) || !letter(text, at, ":") || !number(text, at, 2, &second) ||
        hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    /* A leap second is written as the second before it, which keeps the order. */
    *ms += ((hour * 60 + minute) * 60 + (second == 60 ? 59 : second)) * INT64_C(1000);
    return fraction(text, at, ms) && offset(text, at, ms);
}

bool sql_time_read(struct aic_str text, int64_t *ms)
{
    size_t at = 0;
    int year = 0;
    int month = 0;
    int day = 0;
    if (text.len < 10 || !number(text, &at, 4, &year) || !letter(text, &at, "-") ||
        !number(text, &at, 2, &month) || !letter(text, &at, "-") || !number(text, &at, 2, &day) ||
        year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month)) {
        return false;
    }
    *ms = days_of(year, month, day) * DAY_MS;
    if (at < text.len && !time_of_day(text, &at, ms)) {
        return false;
    }
    return at == text.len && *ms >= 0 && *ms <= LAST_MS;
}

void sql_time_write(char to[SQL_TIME_TEXT + 1], int64_t ms)
{
    ms = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
    int year = 0;
    int month = 0;
    int day = 0;
    date_of(ms / DAY_MS, &year, &month, &day);
    int of_day = (int)(ms % DAY_MS);
    char text[64];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day,
                   of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60, of_day % 1000);
    memcpy(to, text, SQL_TIME_TEXT);
    to[SQL_TIME_TEXT] = '\0';
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool sql_uuid_valid(struct aic_str text)
{
    if (text.len != SQL_UUID_TEXT) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text.ptr[i] != '-' : hex(text.ptr[i]) < 0) {
            return false;
        }
    }
    return true;
}

int64_t sql_uuid_time_ms(struct aic_str uuid)
{
    if (!sql_uuid_valid(uuid) || uuid.ptr[14] != '7') {
        return -1;
    }
    uint64_t ms = 0;
    for (size_t i = 0; i < 13; i++) {
        if (i != 8) {
            ms = ms << 4 | ((unsigned)hex(uuid.ptr[i]) & 15);
        }
    }
    return (int64_t)ms;
}

void sql_uuid_bound(char to[SQL_UUID_TEXT + 1], int64_t ms)
{
    ms = ms < 0 ? 0 : ms > LAST_MS ? LAST_MS : ms;
    (void)snprintf(to, SQL_UUID_TEXT + 1, "%08" PRIx64 "-%04" PRIx64 "-7000-8000-000000000000",
                   (uint64_t)ms >> 16, (uint64_t)ms & 0xffff);
}
