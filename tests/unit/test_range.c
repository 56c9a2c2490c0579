/* SPDX-License-Identifier: ISC */
#include "web/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { SIZE = 1000 };

static void check(const char *header, enum range_kind kind, uint64_t first, uint64_t count)
{
    struct range range;
    assert_int_equal(range_parse(aic_str(header), SIZE, &range), kind);
    if (kind != RANGE_OUTSIDE) {
        assert_int_equal(range.first, first);
        assert_int_equal(range.count, count);
    }
}

static void test_a_range_is_the_bytes_that_it_names(void **state)
{
    (void)state;
    check("bytes=0-0", RANGE_PART, 0, 1);
    check("bytes=0-499", RANGE_PART, 0, 500);
    check("bytes=500-", RANGE_PART, 500, 500);
    check("bytes=-1", RANGE_PART, 999, 1);
    check("bytes=-5000", RANGE_PART, 0, SIZE);
    check("bytes=999-5000", RANGE_PART, 999, 1);
    check("BYTES= 1-2 ", RANGE_PART, 1, 2);
    check("bytes=0-99999999999999999999999", RANGE_PART, 0, SIZE);
}

static void test_a_range_behind_the_end_is_outside(void **state)
{
    (void)state;
    check("bytes=1000-", RANGE_OUTSIDE, 0, 0);
    check("bytes=99999999999999999999999-", RANGE_OUTSIDE, 0, 0);
    check("bytes=-0", RANGE_OUTSIDE, 0, 0);
    struct range range;
    assert_int_equal(range_parse(AIC_STR("bytes=0-"), 0, &range), RANGE_OUTSIDE);
    assert_int_equal(range_parse(AIC_STR("bytes=-1"), 0, &range), RANGE_OUTSIDE);
}

static void test_what_is_no_range_asks_for_the_whole(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",           "bytes",       "bytes=",        "bytes=a-b",   "bytes=5-4",  "bytes=-",
        "bytes=--1",  "bytes=1",     "bytes=1-2x",    "bytes=0x1-2", "lines=1-2",  "bytes 1-2",
        "bytes=+1-2", "bytes=1 - 2", "bytes=0-1,4-5", "bytes=0-1,",  "bytes=1-2-3"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        check(others[i], RANGE_WHOLE, 0, SIZE);
    }
}

static void test_a_tag_is_known_when_it_is_listed(void **state)
{
    (void)state;
    assert_true(range_is_known(AIC_STR("\"a\""), "\"a\""));
    assert_true(range_is_known(AIC_STR("\"b\" , W/\"a\",\"c\""), "\"a\""));
    assert_true(range_is_known(AIC_STR("*"), "\"a\""));
    assert_false(range_is_known(AIC_STR(""), "\"a\""));
    assert_false(range_is_known(AIC_STR("a, \"aa\", ,\"A\""), "\"a\""));
}

static void test_a_range_is_answered_only_of_the_same_file(void **state)
{
    (void)state;
    assert_true(range_is_current(AIC_STR(""), "\"a\""));
    assert_true(range_is_current(AIC_STR(" \"a\" "), "\"a\""));
    assert_false(range_is_current(AIC_STR("W/\"a\""), "\"a\""));
    assert_false(range_is_current(AIC_STR("Sun, 06 Nov 1994 08:49:37 GMT"), "\"a\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_range_is_the_bytes_that_it_names),
        cmocka_unit_test(test_a_range_behind_the_end_is_outside),
        cmocka_unit_test(test_what_is_no_range_asks_for_the_whole),
        cmocka_unit_test(test_a_tag_is_known_when_it_is_listed),
        cmocka_unit_test(test_a_range_is_answered_only_of_the_same_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
