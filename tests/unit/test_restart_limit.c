/* SPDX-License-Identifier: ISC */
#include "io/restart_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t second_us = 1000000;

static void five_deaths_in_ten_seconds_are_mended_at_once(void **state)
{
    (void)state;
    struct restart_limit limit = {.count = 0};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(restart_limit_death(&limit, 100 * second_us + i), 0);
    }
    assert_int_equal(restart_limit_death(&limit, 100 * second_us + 5), 1000);
}

static void deaths_that_are_spread_out_are_always_mended_at_once(void **state)
{
    (void)state;
    struct restart_limit limit = {.count = 0};
    for (int64_t i = 1; i < 1000; i++) {
        assert_int_equal(restart_limit_death(&limit, i * 3 * second_us), 0);
    }
}

static void the_pause_doubles_up_to_half_a_minute_and_ends_after_a_calm_minute(void **state)
{
    (void)state;
    struct restart_limit limit = {.count = 0};
    int64_t now_us = second_us;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(restart_limit_death(&limit, now_us), 0);
    }
    const int64_t pauses_ms[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(*pauses_ms); i++) {
        assert_int_equal(restart_limit_death(&limit, now_us), pauses_ms[i]);
        now_us += pauses_ms[i] * 1000;
    }
    now_us += 61 * second_us;
    assert_int_equal(restart_limit_death(&limit, now_us), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_deaths_in_ten_seconds_are_mended_at_once),
        cmocka_unit_test(deaths_that_are_spread_out_are_always_mended_at_once),
        cmocka_unit_test(the_pause_doubles_up_to_half_a_minute_and_ends_after_a_calm_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
