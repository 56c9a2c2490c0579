/* SPDX-License-Identifier: ISC */
#include "sphinx/number.h"
#include "sphinx/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *phrase, const char *words)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 4096);
    sphinx_text_normalise(aic_str(phrase), &buf);
    assert_string_equal(aic_buf_view(&buf).ptr, words);
    aic_buf_finish(&buf);
}

static void test_case_and_punctuation_go(void **state)
{
    (void)state;
    expect("Hello, World!", "hello world");
    expect("  What's   up?\t(yes) ", "what's up yes");
    expect("'quoted' words and o'clock", "quoted words and o'clock");
    expect("check-in, e-mail", "check in e mail");
    expect("", "");
    expect(" ... ", "");
}

static void test_titles_and_signs_are_said(void **state)
{
    (void)state;
    expect("Mr. Lee & Dr. Smith", "mister lee and doctor smith");
    expect("100%", "one hundred percent");
    expect("$20, \xc2\xa3"
           "5 and \xe2\x82\xac"
           "1,500",
           "twenty dollars five pounds and one thousand five hundred euros");
    expect("+49", "plus forty nine");
    expect("a $ alone", "a alone");
}

static void test_numbers_are_spelled_out(void **state)
{
    (void)state;
    expect("0", "zero");
    expect("7 12 20 42 100 115", "seven twelve twenty forty two one hundred one hundred fifteen");
    expect("1,000", "one thousand");
    expect("12,345", "twelve thousand three hundred forty five");
    expect("1999 2000 2005 2026",
           "nineteen ninety nine two thousand two thousand five twenty twenty six");
    expect("1905 1900", "nineteen oh five nineteen hundred");
    expect("3.14", "three point one four");
    expect("555 0123", "five hundred fifty five zero one two three");
    expect("5550123", "five five five zero one two three");
    expect("007", "zero zero seven");
    expect("999999999999999999999999999999999999999999999999",
           "nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine "
           "nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine");
}

static void test_ordinals_are_spelled_out(void **state)
{
    (void)state;
    expect("1st 2nd 3rd 4th 12th", "first second third fourth twelfth");
    expect("the 21st", "the twenty first");
    expect("30th 100th 1000th", "thirtieth one hundredth one thousandth");
    expect("5thx", "five thx");
}

static void test_times_are_said_as_people_say_them(void **state)
{
    (void)state;
    expect("10:30", "ten thirty");
    expect("at 9:05 am", "at nine oh five a.m.");
    expect("3:00", "three o'clock");
    expect("3:00 p.m.", "three p.m.");
    expect("15:45", "three forty five");
    expect("0:15 or 12:00", "twelve fifteen or twelve o'clock");
    expect("3pm", "three p.m.");
    expect("I am here at 8 AM", "i am here at eight a.m.");
    expect("10:99", "ten ninety nine");
}

static void test_other_alphabets_lose_what_can_not_be_said(void **state)
{
    (void)state;
    expect("Caf\xc3\xa9 M\xc3\xbcller", "cafe muller");
    expect("it\xe2\x80\x99s", "it's");
    expect("\xe0\xa4\xb9\xe0\xa4\xbe\xe0\xa4\x81 yes", "yes");
    expect("\xff\xfe\x80yes\xc3", "yes");
}

static void test_what_is_too_long_is_left_out(void **state)
{
    (void)state;
    char word[200];
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    expect(word, "");
    struct aic_buf small;
    aic_buf_init(&small, 8);
    sphinx_text_normalise(AIC_STR("hello there"), &small);
    assert_true(small.failed);
    aic_buf_finish(&small);
}

static void test_words_come_off_the_front(void **state)
{
    (void)state;
    struct aic_str rest = AIC_STR("one two");
    struct aic_str word;
    assert_true(sphinx_text_word(&rest, &word));
    assert_true(aic_str_equal(word, "one"));
    assert_true(sphinx_text_word(&rest, &word));
    assert_true(aic_str_equal(word, "two"));
    assert_false(sphinx_text_word(&rest, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_and_punctuation_go),
        cmocka_unit_test(test_titles_and_signs_are_said),
        cmocka_unit_test(test_numbers_are_spelled_out),
        cmocka_unit_test(test_ordinals_are_spelled_out),
        cmocka_unit_test(test_times_are_said_as_people_say_them),
        cmocka_unit_test(test_other_alphabets_lose_what_can_not_be_said),
        cmocka_unit_test(test_what_is_too_long_is_left_out),
        cmocka_unit_test(test_words_come_off_the_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
