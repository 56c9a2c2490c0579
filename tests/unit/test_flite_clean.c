/* SPDX-License-Identifier: ISC */
#include "flite/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *clean_text)
{
    struct flt_clean clean;
    assert_int_equal(flt_clean_init(&clean, aic_str(text)), AIC_OK);
    assert_string_equal(clean.text, clean_text);
    assert_int_equal(clean.len, strlen(clean_text));
    for (size_t i = 1; i <= clean.len; i++) {
        assert_true(clean.origin[i] >= clean.origin[i - 1]);
    }
    assert_int_equal(clean.origin[clean.len], strlen(text));
    flt_clean_finish(&clean);
}

static void test_plain_text_stays(void **state)
{
    (void)state;
    expect("", "");
    expect("Hello, it's 10:30!", "Hello, it's 10:30!");
}

static void test_other_signs_become_what_is_said(void **state)
{
    (void)state;
    expect("Caf\xc3\xa9", "Cafe");
    expect("\xe2\x80\x9cso\xe2\x80\x9d it\xe2\x80\x99s", "\"so\" it's");
    expect("5\xe2\x82\xac", "5 euros ");
    expect("20\xc2\xb0", "20 degrees ");
    expect("Stra\xc3\x9f"
           "e",
           "Strasse");
}

static void test_what_can_not_be_said_becomes_a_space(void **state)
{
    (void)state;
    expect("a\xe4\xbd\xa0"
           "b",
           "a b");
    expect("a\xff"
           "b\x01"
           "c\n",
           "a b c ");
    expect("\xc3", " ");
}

static void test_signs_that_shape_a_text_are_not_spoken(void **state)
{
    (void)state;
    expect("**Hello**, *you*", "Hello, you");
    expect("# Hours\n* ten", " Hours  ten");
    expect("call `help` _now_ or ~~never~~", "call help now or never");
    expect("<b>yes</b>, <break time=\"1s\"/>no", " yes ,  no");
    expect("3 * 4 < 5 and 2*2 #1 a_b a<b", "3 * 4 < 5 and 2*2 #1 a_b a<b");
    expect("<", "<");
    expect("*", "");
}

static void test_every_byte_keeps_its_place(void **state)
{
    (void)state;
    struct flt_clean clean;
    assert_int_equal(flt_clean_init(&clean, AIC_STR("\xc3\xa9\xe2\x82\xac"
                                                    "x")),
                     AIC_OK);
    assert_string_equal(clean.text, "e euros x");
    assert_int_equal(clean.origin[0], 0);
    assert_int_equal(clean.origin[1], 2);
    assert_int_equal(clean.origin[7], 2);
    assert_int_equal(clean.origin[8], 5);
    flt_clean_finish(&clean);
}

static void test_words_are_told_from_mere_signs(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        bool has_words;
    } cases[] = {{"", false}, {" .,!", false}, {"7", true}, {"- a", true}, {"\xe4\xbd\xa0", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flt_clean clean;
        assert_int_equal(flt_clean_init(&clean, aic_str(cases[i].text)), AIC_OK);
        assert_int_equal(flt_clean_has_words(&clean), cases[i].has_words);
        flt_clean_finish(&clean);
    }
}

static void test_a_giant_text_is_refused(void **state)
{
    (void)state;
    struct flt_clean clean;
    static char text[70000];
    assert_int_equal(flt_clean_init(&clean, (struct aic_str){text, sizeof(text)}),
                     AIC_ERROR_TOO_LARGE);
    flt_clean_finish(&clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text_stays),
        cmocka_unit_test(test_other_signs_become_what_is_said),
        cmocka_unit_test(test_what_can_not_be_said_becomes_a_space),
        cmocka_unit_test(test_signs_that_shape_a_text_are_not_spoken),
        cmocka_unit_test(test_every_byte_keeps_its_place),
        cmocka_unit_test(test_words_are_told_from_mere_signs),
        cmocka_unit_test(test_a_giant_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
