/* SPDX-License-Identifier: ISC */
#include "call/sentences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct aic_buf out;

static void take(void *data, struct aic_str sentence)
{
    (void)data;
    aic_buf_str(&out, sentence);
    aic_buf_char(&out, '|');
}

/* Cuts `text`, pushed in pieces of `step` bytes, into sentences with a bar behind each. */
static const char *cut(const char *text, size_t step)
{
    struct sentences s;
    sentences_init(&s);
    aic_buf_finish(&out);
    aic_buf_init(&out, 1 << 20);
    for (size_t at = 0; at < strlen(text); at += step) {
        size_t left = strlen(text) - at;
        sentences_push(&s, (struct aic_str){text + at, left < step ? left : step}, take, NULL);
    }
    sentences_end(&s, take, NULL);
    sentences_finish(&s);
    return aic_buf_view(&out).ptr;
}

static void expect(const char *text, const char *sentences)
{
    for (size_t step = 1; step < 40; step++) {
        if (strcmp(cut(text, step), sentences) != 0) {
            fail_msg("pieces of %zu: %s\n   instead of %s", step, out.data, sentences);
        }
    }
}

static void test_sentences_end_where_a_reader_would_stop(void **state)
{
    (void)state;
    expect("Hello. How are you? Fine!", "Hello.|How are you?|Fine!|");
    expect("It costs 3.50 euros. See example.com for more.",
           "It costs 3.50 euros.|See example.com for more.|");
    expect("Dr. Smith and Mr. J. Miller are in. Really.",
           "Dr. Smith and Mr. J. Miller are in.|Really.|");
    expect("\"Is that so?\" he said. (Yes.) Good.", "\"Is that so?\"|he said.|(Yes.)|Good.|");
    expect("Well... I think so.", "Well...|I think so.|");
    expect("no full stop", "no full stop|");
    expect("Come at 10 a.m. on Monday.", "Come at 10 a.m. on Monday.|");
    expect("", "");
}

static void test_other_scripts_have_their_own_marks(void **state)
{
    (void)state;
    expect("\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87\xe0\xa5\xa4 "
           "\xe0\xa4\xa0\xe0\xa5\x80\xe0\xa4\x95 \xe0\xa4\xb9\xe0\xa5\x88\xe0\xa5\xa4",
           "\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87\xe0\xa5\xa4|"
           "\xe0\xa4\xa0\xe0\xa5\x80\xe0\xa4\x95 \xe0\xa4\xb9\xe0\xa5\x88\xe0\xa5\xa4|");
}

static void test_the_first_clause_goes_out_early_and_later_ones_wait(void **state)
{
    (void)state;
    expect("Of course, we have three free places, at nine, at ten, and at eleven.",
           "Of course, we have three free places,|at nine, at ten, and at eleven.|");
    expect("Yes, sure. On Monday, Tuesday, or Friday, as you like.",
           "Yes, sure.|On Monday, Tuesday, or Friday, as you like.|");
}

static void test_marks_for_the_eye_are_not_spoken(void **state)
{
    (void)state;
    expect("**Bold** and `code`. \xf0\x9f\x98\x80 Fine \xe2\x9c\x85.", "Bold and code.|Fine .|");
    expect("# Title\n- one\n- two\n", "Title one two|");
    expect("***", "");
    expect("A\n\n\nB   C.", "A B C.|");
}

static void test_a_text_without_stops_is_cut_between_words(void **state)
{
    (void)state;
    char text[1200];
    memset(text, 0, sizeof(text));
    for (int i = 0; i < 200; i++) {
        memcpy(text + (size_t)i * 5, "word ", 5);
    }
    const char *all = cut(text, 7);
    assert_non_null(strchr(all, '|'));
    assert_null(strstr(all, "wo|rd"));
    assert_true(strcspn(all, "|") <= 300);
}

static void test_broken_utf8_does_no_harm(void **state)
{
    (void)state;
    expect("a\xff\xfe"
           "b. c\xc3",
           "ab.|c|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences_end_where_a_reader_would_stop),
        cmocka_unit_test(test_other_scripts_have_their_own_marks),
        cmocka_unit_test(test_the_first_clause_goes_out_early_and_later_ones_wait),
        cmocka_unit_test(test_marks_for_the_eye_are_not_spoken),
        cmocka_unit_test(test_a_text_without_stops_is_cut_between_words),
        cmocka_unit_test(test_broken_utf8_does_no_harm),
    };
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    aic_buf_finish(&out);
    return status;
}
