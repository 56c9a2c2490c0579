/* SPDX-License-Identifier: ISC */
#include "listing.h"

#include "protocol.h"

#include <string.h>

/* A number of `digits` digits at the front; -1: there is none. */
static int take_number(struct aic_str *text, size_t digits)
{
    int number = 0;
    if (text->len < digits) {
        return -1;
    }
    for (size_t i = 0; i < digits; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9') {
            return -1;
        }
        number = number * 10 + (text->ptr[i] - '0');
    }
    *text = (struct aic_str){text->ptr + digits, text->len - digits};
    return number;
}

static bool take_char(struct aic_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c) {
        return false;
    }
    *text = (struct aic_str){text->ptr + 1, text->len - 1};
    return true;
}

static int take_month(struct aic_str *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t i = 0; i < 12 && text->len >= 3; i++) {
        if (memcmp(text->ptr, months + 3 * i, 3) == 0) {
            *text = (struct aic_str){text->ptr + 3, text->len - 3};
            return (int)i + 1;
        }
    }
    return -1;
}

/* Days since 1970-01-01 of the Gregorian calendar; years begin in March here, so that the leap day
 * is their last. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t twilio_date(struct aic_str text)
{
    if (text.len < 25 || text.ptr[3] != ',' || text.ptr[4] != ' ') {
        return -1;
    }
    text = (struct aic_str){text.ptr + 5, text.len - 5};
    int day = take_number(&text, 2);
    int month = take_char(&text, ' ') ? take_month(&text) : -1;
    int year = take_char(&text, ' ') ? take_number(&text, 4) : -1;
    int hour = take_char(&text, ' ') ? take_number(&text, 2) : -1;
    int minute = take_char(&text, ':') ? take_number(&text, 2) : -1;
    int second = take_char(&text, ':') ? take_number(&text, 2) : -1;
    if (day < 1 || day > 31 || month < 1 || year < 1970 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60 ||
        (!aic_str_equal(text, " +0000") && !aic_str_equal(text, " GMT"))) {
        return -1;
    }
    return ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

static bool fits(const struct twilio_listing *wanted, const struct aic_json *call)
{
    struct aic_str to = aic_json_get_text(call, "to");
    struct aic_str from = aic_json_get_text(call, "from");
    int64_t created_s = twilio_date(aic_json_get_text(call, "date_created"));
    return created_s >= wanted->now_s - wanted->age_s && to.len == wanted->to.len &&
           memcmp(to.ptr, wanted->to.ptr, to.len) == 0 && from.len == wanted->from.len &&
           memcmp(from.ptr, wanted->from.ptr, from.len) == 0 &&
           aic_str_equal(aic_json_get_text(call, "direction"), "outbound-api") &&
           twilio_is_sid(aic_json_get_text(call, "sid")) &&
           !wanted->is_known(wanted->data, aic_json_get_text(call, "sid"));
}

int twilio_listing_find(const struct twilio_listing *wanted, const struct aic_json *body,
                        char call_sid[TWILIO_LISTING_SID_BYTES])
{
    const struct aic_json *calls = aic_json_get(body, "calls");
    int count = 0;
    if (!aic_json_is_array(calls)) {
        return -1;
    }
    for (size_t i = 0; i < aic_json_count(calls); i++) {
        const struct aic_json *call = aic_json_at(calls, i);
        if (fits(wanted, call)) {
            (void)aic_str_copy(aic_json_get_text(call, "sid"), call_sid, TWILIO_LISTING_SID_BYTES);
            count++;
        }
    }
    return count;
}
