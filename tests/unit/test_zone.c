/* SPDX-License-Identifier: ISC */
#include "call/number.h"
#include "call/zones.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define FOLDER "/usr/share/zoneinfo"

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute};
    return (int64_t)timegm(&tm);
}

static int32_t by_rule(const char *text, int64_t utc_s)
{
    struct zone_rule rule;
    assert_int_equal(zone_rule_parse(&rule, aic_str(text)), AIC_OK);
    return zone_rule_offset_s(&rule, utc_s);
}

static void test_a_rule_changes_the_clocks_at_its_second(void **state)
{
    (void)state;
    const char *new_york = "EST5EDT,M3.2.0,M11.1.0";
    int64_t spring = utc(2026, 3, 8, 7, 0);
    int64_t autumn = utc(2026, 11, 1, 6, 0);
    assert_int_equal(by_rule(new_york, spring - 1), -5 * 3600);
    assert_int_equal(by_rule(new_york, spring), -4 * 3600);
    assert_int_equal(by_rule(new_york, autumn - 1), -4 * 3600);
    assert_int_equal(by_rule(new_york, autumn), -5 * 3600);
    /* The last Sunday, at one o'clock UTC. */
    const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    assert_int_equal(by_rule(berlin, utc(2026, 3, 29, 1, 0) - 1), 3600);
    assert_int_equal(by_rule(berlin, utc(2026, 3, 29, 1, 0)), 7200);
    assert_int_equal(by_rule(berlin, utc(2026, 10, 25, 1, 0) - 1), 7200);
    assert_int_equal(by_rule(berlin, utc(2026, 10, 25, 1, 0)), 3600);
}

static void test_summer_in_the_south_spans_the_new_year(void **state)
{
    (void)state;
    const char *sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
    assert_int_equal(by_rule(sydney, utc(2026, 1, 1, 0, 0)), 11 * 3600);
    assert_int_equal(by_rule(sydney, utc(2026, 12, 31, 23, 0)), 11 * 3600);
    assert_int_equal(by_rule(sydney, utc(2026, 7, 1, 0, 0)), 10 * 3600);
    assert_int_equal(by_rule(sydney, utc(2026, 4, 4, 16, 0) - 1), 11 * 3600);
    assert_int_equal(by_rule(sydney, utc(2026, 4, 4, 16, 0)), 10 * 3600);
}

static void test_rules_of_other_forms(void **state)
{
    (void)state;
    assert_int_equal(by_rule("IST-5:30", utc(2026, 6, 1, 0, 0)), 19800);
    assert_int_equal(by_rule("<+0545>-5:45", utc(2026, 6, 1, 0, 0)), 20700);
    /* Greenland changes on Saturday at 24:00 less an hour; Ireland's summer is its standard. */
    assert_int_equal(by_rule("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", utc(2026, 3, 29, 1, 0)), -3600);
    assert_int_equal(by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", utc(2026, 1, 1, 0, 0)), 0);
    assert_int_equal(by_rule("IST-1GMT0,M10.5.0,M3.5.0/1", utc(2026, 7, 1, 0, 0)), 3600);
    /* The 60th day is the first of March, leap year or not; counted from 0 it is not. */
    assert_int_equal(by_rule("AAA0BBB,J60/0,J61/0", utc(2028, 3, 1, 12, 0)), 3600);
    assert_int_equal(by_rule("AAA0BBB,59/0,60/0", utc(2028, 2, 29, 12, 0)), 3600);
}

static void test_what_is_no_rule_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "IST",
                                      "ES5",
                                      "<+03-3",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "EST5EDT,J0,J365",
                                      "EST5EDT,366,J365",
                                      "EST25",
                                      "EST5EDT,M3.2.0/168,M11.1.0",
                                      "EST5:60"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct zone_rule rule;
        assert_int_equal(zone_rule_parse(&rule, aic_str(bad[i])), AIC_ERROR_PROTOCOL);
    }
}

static struct zones *load(void)
{
    struct zones *zones = zones_load(FOLDER);
    assert_non_null(zones);
    if (zones_missing(zones) == number_zones()) {
        zones_destroy(zones);
        print_message("skipped: tzdata is not installed\n");
        skip();
    }
    return zones;
}

static void assert_time(const struct zones *zones, const char *name, int64_t utc_s, int weekday,
                        int minute)
{
    const struct zone *zone = zones_find(zones, name);
    assert_non_null(zone);
    struct zone_time time = zone_time(zone, utc_s);
    assert_int_equal(time.weekday, weekday);
    assert_int_equal(time.minute, minute);
}

static void test_a_clock_shows_the_day_and_the_minute(void **state)
{
    (void)state;
    struct zones *zones = load();
    /* Sunday in London, Monday in India already. */
    assert_time(zones, "Europe/London", utc(2026, 11, 22, 18, 45), 6, 18 * 60 + 45);
    assert_time(zones, "Asia/Calcutta", utc(2026, 11, 22, 18, 45), 0, 15);
    assert_time(zones, "America/New_York", utc(2026, 3, 8, 6, 59), 6, 119);
    assert_time(zones, "America/New_York", utc(2026, 3, 8, 7, 0), 6, 180);
    assert_time(zones, "Australia/Sydney", utc(2026, 1, 5, 22, 0), 1, 9 * 60);
    zones_destroy(zones);
}

/* The C library reads the same files in its own way. */
static void test_every_zone_has_the_time_of_the_c_library(void **state)
{
    (void)state;
    struct zones *zones = load();
    size_t compared = 0;
    for (size_t i = 0; i < number_zones(); i++) {
        const struct zone *zone = zones_get(zones, i);
        if (!zone) {
            continue;
        }
        assert_int_equal(setenv("TZ", number_zone_name(i), 1), 0);
        tzset();
        for (int64_t at = utc(2010, 1, 1, 0, 0); at < utc(2090, 1, 1, 0, 0); at += 700001) {
            struct tm tm;
            time_t clock = (time_t)at;
            assert_non_null(localtime_r(&clock, &tm));
            if (tm.tm_gmtoff != zone_offset_s(zone, at)) {
                fail_msg("%s at %lld: %d s, expected %ld", number_zone_name(i), (long long)at,
                         zone_offset_s(zone, at), tm.tm_gmtoff);
            }
            compared++;
        }
    }
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    assert_true(compared > 500000);
    zones_destroy(zones);
}

static void test_without_files_no_zone_is_known(void **state)
{
    (void)state;
    struct zones *zones = zones_load("/nonexistent");
    assert_int_equal(zones_missing(zones), number_zones());
    assert_null(zones_get(zones, 0));
    assert_null(zones_find(zones, "Europe/London"));
    zones_destroy(zones);
}

static size_t read_file(const char *name, uint8_t *to, size_t room)
{
    char path[256];
    (void)snprintf(path, sizeof(path), FOLDER "/%s", name);
    FILE *file = fopen(path, "re");
    if (!file) {
        print_message("skipped: tzdata is not installed\n");
        skip();
    }
    size_t count = fread(to, 1, room, file);
    (void)fclose(file);
    return count;
}

static void test_a_file_that_is_cut_or_of_version_1_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[16384];
    static struct zone zone;
    size_t count = read_file("Europe/London", bytes, sizeof(bytes));
    assert_int_equal(zone_parse(&zone, bytes, count), AIC_OK);
    for (size_t cut = 0; cut < count; cut++) {
        assert_int_equal(zone_parse(&zone, bytes, cut), AIC_ERROR_PROTOCOL);
    }
    bytes[4] = '\0';
    assert_int_equal(zone_parse(&zone, bytes, count), AIC_ERROR_UNSUPPORTED);
    bytes[0] = 'X';
    assert_int_equal(zone_parse(&zone, bytes, count), AIC_ERROR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rule_changes_the_clocks_at_its_second),
        cmocka_unit_test(test_summer_in_the_south_spans_the_new_year),
        cmocka_unit_test(test_rules_of_other_forms),
        cmocka_unit_test(test_what_is_no_rule_is_refused),
        cmocka_unit_test(test_a_clock_shows_the_day_and_the_minute),
        cmocka_unit_test(test_every_zone_has_the_time_of_the_c_library),
        cmocka_unit_test(test_without_files_no_zone_is_known),
        cmocka_unit_test(test_a_file_that_is_cut_or_of_version_1_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
