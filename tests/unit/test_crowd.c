/* SPDX-License-Identifier: ISC */
#include "call/crowd.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_calls_to_and_from_a_number_are_counted_together(void **state)
{
    (void)state;
    struct aic_str list =
        AIC_STR("[{\"direction\":\"inbound\",\"from\":\"+12015550123\",\"to\":\"+12015550100\"},"
                "{\"direction\":\"outbound\",\"from\":\"+12015550100\",\"to\":\"+12015550123\"},"
                "{\"direction\":\"outbound\",\"from\":\"+12015550123\",\"to\":\"+12015550199\"}]");
    assert_int_equal(crowd_count(list, "+12015550123"), 2);
    assert_int_equal(crowd_count(list, "+12015550199"), 1);
    assert_int_equal(crowd_count(list, "+12015550100"), 0);
}

static void test_a_call_that_may_yet_be_refused_does_not_count(void **state)
{
    (void)state;
    struct aic_str list =
        AIC_STR("[{\"direction\":\"outbound\",\"to\":\"+12015550123\",\"is_admitted\":false},"
                "{\"direction\":\"outbound\",\"to\":\"+12015550123\",\"is_admitted\":true}]");
    assert_int_equal(crowd_count(list, "+12015550123"), 1);
}

static void test_what_is_no_list_counts_nothing(void **state)
{
    (void)state;
    assert_int_equal(crowd_count(AIC_STR(""), "+12015550123"), 0);
    assert_int_equal(crowd_count(AIC_STR("{}"), "+12015550123"), 0);
    assert_int_equal(crowd_count(AIC_STR("[1,null,\"x\"]"), "+12015550123"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_to_and_from_a_number_are_counted_together),
        cmocka_unit_test(test_a_call_that_may_yet_be_refused_does_not_count),
        cmocka_unit_test(test_what_is_no_list_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
