/* SPDX-License-Identifier: ISC */
#include "base/timefmt.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    int64_t wall_us;
} moments[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"2026-11-22T12:17:03.250Z", INT64_C(1795349823250000)},
    {"2000-02-29T23:59:59.999Z", INT64_C(951868799999000)},
    {"2024-02-29T00:00:00.000Z", INT64_C(1709164800000000)},
    {"2100-03-01T00:00:00.000Z", INT64_C(4107542400000000)},
    {"1969-12-31T23:59:59.999Z", -1000},
    {"1900-02-28T12:00:00.000Z", INT64_C(-2203934400000000)},
    {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000000)},
    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999000)},
};

static void test_known_moments_are_written_and_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        char text[TIME_TEXT];
        time_format(text, moments[i].wall_us);
        assert_string_equal(text, moments[i].text);
        int64_t wall_us = -1;
        assert_true(time_parse(aic_str(text), &wall_us));
        assert_int_equal(wall_us, moments[i].wall_us);
    }
}

static void test_every_day_of_eight_centuries_returns_to_itself(void **state)
{
    (void)state;
    const int64_t day_us = INT64_C(86400000000);
    char before[TIME_TEXT] = "";
    for (int64_t day = -150000; day < 150000; day++) {
        char text[TIME_TEXT];
        int64_t wall_us = 0;
        time_format(text, day * day_us + 1000);
        assert_true(strcmp(before, text) < 0);
        assert_true(time_parse(aic_str(text), &wall_us));
        assert_int_equal(wall_us, day * day_us + 1000);
        memcpy(before, text, sizeof(before));
    }
}

static void test_times_out_of_range_are_held_at_its_ends(void **state)
{
    (void)state;
    char text[TIME_TEXT];
    time_format(text, INT64_MAX);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    time_format(text, INT64_MIN);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    time_format(text, 1999);
    assert_string_equal(text, "1970-01-01T00:00:00.001Z");
}

static void test_offsets_fractions_and_dates_are_read(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        int64_t wall_us;
    } good[] = {
        {"1970-01-01", 0},
        {"1970-01-02", INT64_C(86400000000)},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:01z", 1000000},
        {"1970-01-01 00:00:01Z", 1000000},
        {"1970-01-01T00:00:00.5Z", 500000},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01T00:00:00.123456789Z", 123456},
        {"1970-01-01T05:30:00+05:30", 0},
        {"1969-12-31T16:00:00-08:00", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        /* The leap second that RFC 3339 gives as its example, twice. */
        {"1990-12-31T23:59:60Z", INT64_C(662688000000000)},
        {"1990-12-31T15:59:60-08:00", INT64_C(662688000000000)},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t wall_us = -1;
        assert_true(time_parse(aic_str(good[i].text), &wall_us));
        assert_int_equal(wall_us, good[i].wall_us);
    }
}

static void test_what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "now",
        "1970",
        "1970-1-1",
        "1970-00-01",
        "1970-13-01",
        "1970-01-00",
        "1970-01-32",
        "1970-04-31",
        "1970-02-29",
        "1900-02-29",
        "2100-02-29",
        "1970-01-01T",
        "1970-01-01T00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00+0530",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+05:60",
        "1970-01-01T00:00:00Zx",
        "1970-01-01T00:00:00Z ",
        "1970/01/01",
        "-970-01-01",
        "+1970-01-01",
        "1970-01-01T0x:00:00Z",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t wall_us = 7;
        assert_false(time_parse(aic_str(bad[i]), &wall_us));
        assert_int_equal(wall_us, 7);
    }
    int64_t wall_us = 7;
    assert_false(time_parse((struct aic_str){NULL, 0}, &wall_us));
    assert_false(time_parse((struct aic_str){"1970-01-01\0", 11}, &wall_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_moments_are_written_and_read_back),
        cmocka_unit_test(test_every_day_of_eight_centuries_returns_to_itself),
        cmocka_unit_test(test_times_out_of_range_are_held_at_its_ends),
        cmocka_unit_test(test_offsets_fractions_and_dates_are_read),
        cmocka_unit_test(test_what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
