/* SPDX-License-Identifier: ISC */
#include "head.h"

#include <string.h>
#include <time.h>

/* Nothing that a vendor asks us to wait for is taken for longer than a day. */
static const double longest_ms = 86400000.0;

void openai_head_init(struct openai_head *head, int32_t status)
{
    static const struct openai_rate unknown = {.limit = -1, .remaining = -1, .reset_ms = -1};
    *head = (struct openai_head){
        .status = status, .retry_after_ms = -1, .requests = unknown, .tokens = unknown};
}

bool openai_rate_is_told(const struct openai_rate *rate)
{
    return rate->limit >= 0 || rate->remaining >= 0 || rate->reset_ms >= 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number without sign at the front of *text, which moves on; -1 where there is none. */
static double take_number(struct aic_str *text)
{
    double value = 0;
    double unit = 1;
    bool has_digits = false;
    bool has_point = false;
    while (text->len > 0 && (is_digit(text->ptr[0]) || (text->ptr[0] == '.' && !has_point))) {
        char c = text->ptr[0];
        if (c == '.') {
            has_point = true;
        } else if (has_point) {
            unit /= 10;
            value += unit * (c - '0');
        } else if (value < longest_ms) {
            value = value * 10 + (c - '0');
        }
        has_digits = has_digits || c != '.';
        *text = (struct aic_str){text->ptr + 1, text->len - 1};
    }
    return has_digits ? value : -1;
}

/* Milliseconds of the unit at the front of *text, which moves on; seconds where there is none. */
static double take_unit(struct aic_str *text)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (aic_str_starts(*text, units[i].name)) {
            size_t length = strlen(units[i].name);
            *text = (struct aic_str){text->ptr + length, text->len - length};
            return units[i].ms;
        }
    }
    return 1000;
}

int64_t openai_duration_ms(struct aic_str text)
{
    double total = 0;
    double number = take_number(&text);
    if (number < 0) {
        return -1;
    }
    while (number >= 0) {
        total += number * take_unit(&text);
        number = take_number(&text);
    }
    return (int64_t)((total < longest_ms ? total : longest_ms) + 0.5);
}

static int64_t count(struct aic_str text)
{
    double number = take_number(&text);
    return number < 0 ? -1 : (int64_t)number;
}

/* "Wed, 21 Oct 2026 07:28:00 GMT" as the time from now until then. */
static int64_t date_ms(struct aic_str text, int64_t wall_us)
{
    char date[48];
    struct tm parts = {0};
    if (!aic_str_copy(text, date, sizeof(date)) ||
        !strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &parts)) {
        return -1;
    }
    int64_t ms = (int64_t)timegm(&parts) * 1000 - wall_us / 1000;
    if (ms < 0) {
        return 0;
    }
    return ms < (int64_t)longest_ms ? ms : (int64_t)longest_ms;
}

static int64_t retry_after_ms(struct aic_str text, int64_t wall_us)
{
    int64_t ms = openai_duration_ms(text);
    return ms >= 0 ? ms : date_ms(text, wall_us);
}

static void take_type(struct openai_head *head, struct aic_str value)
{
    const char *end = value.len > 0 ? memchr(value.ptr, ';', value.len) : NULL;
    size_t length = end ? (size_t)(end - value.ptr) : value.len;
    while (length > 0 && value.ptr[length - 1] == ' ') {
        length--;
    }
    (void)aic_str_copy((struct aic_str){value.ptr, length}, head->type, sizeof(head->type));
}

/* Whether it was a header of the rate limit. */
static bool take_rate(struct openai_head *head, struct aic_str name, struct aic_str value)
{
    const struct {
        const char *name;
        int64_t *to;
        int64_t (*read)(struct aic_str text);
    } rates[] = {
        {"x-ratelimit-limit-requests", &head->requests.limit, count},
        {"x-ratelimit-limit-tokens", &head->tokens.limit, count},
        {"x-ratelimit-remaining-requests", &head->requests.remaining, count},
        {"x-ratelimit-remaining-tokens", &head->tokens.remaining, count},
        {"x-ratelimit-reset-requests", &head->requests.reset_ms, openai_duration_ms},
        {"x-ratelimit-reset-tokens", &head->tokens.reset_ms, openai_duration_ms},
    };

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        if (aic_str_equal_nocase(name, rates[i].name)) {
            *rates[i].to = rates[i].read(value);
            return true;
        }
    }
    return false;
}

void openai_head_take(struct openai_head *head, struct aic_str name, struct aic_str value,
                      int64_t wall_us)
{
    if (take_rate(head, name, value)) {
        return;
    }
    if (aic_str_equal_nocase(name, "content-type")) {
        take_type(head, value);
    } else if (aic_str_equal_nocase(name, "x-request-id")) {
        (void)aic_str_copy(value, head->request_id, sizeof(head->request_id));
    } else if (aic_str_equal_nocase(name, "retry-after-ms")) {
        double ms = take_number(&value);
        head->retry_after_ms = ms < 0 ? -1 : (int64_t)(ms < longest_ms ? ms : longest_ms);
    } else if (aic_str_equal_nocase(name, "retry-after") && head->retry_after_ms < 0) {
        head->retry_after_ms = retry_after_ms(value, wall_us);
    } else if (aic_str_equal_nocase(name, "x-should-retry")) {
        head->should_retry = aic_str_equal_nocase(value, "true")    ? 1
                             : aic_str_equal_nocase(value, "false") ? -1
                                                                    : 0;
    }
}
