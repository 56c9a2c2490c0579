/* SPDX-License-Identifier: ISC */
#include "buf.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_refuses_bad_sequences(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xff",
                                      "a\xc3(b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(aic_utf8_valid(aic_str(bad[i])));
    }
    assert_true(aic_utf8_valid(AIC_STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf")));
}

static void test_finds_a_character_cut_short(void **state)
{
    (void)state;
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("abc")), 0);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("ab\xc3")), 1);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("a\xe2\x82")), 2);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("\xf0\x9f\x98")), 3);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("\xf0\x9f\x98\x80")), 0);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("\x80\x80\x80\x80")), 0);
    assert_int_equal(aic_utf8_incomplete_tail(AIC_STR("")), 0);
}

static void test_cuts_between_characters(void **state)
{
    (void)state;
    struct aic_str text = AIC_STR("a\xe2\x82\xac"
                                  "b");
    assert_int_equal(aic_utf8_cut(text, 5), 5);
    assert_int_equal(aic_utf8_cut(text, 4), 4);
    assert_int_equal(aic_utf8_cut(text, 3), 1);
    assert_int_equal(aic_utf8_cut(text, 1), 1);
    assert_int_equal(aic_utf8_cut(text, 0), 0);
}

static void test_cleans_what_can_not_be_stored(void **state)
{
    (void)state;
    struct aic_buf buf;
    aic_buf_init(&buf, 100);
    aic_utf8_clean(&buf, (struct aic_str){"a\0b\xff\xc3\xa9", 6});
    assert_string_equal(buf.data, "a\xef\xbf\xbd"
                                  "b\xef\xbf\xbd\xc3\xa9");
    aic_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_bad_sequences),
        cmocka_unit_test(test_finds_a_character_cut_short),
        cmocka_unit_test(test_cuts_between_characters),
        cmocka_unit_test(test_cleans_what_can_not_be_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
