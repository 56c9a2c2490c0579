/* SPDX-License-Identifier: ISC */
#include "call/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static void heard(const struct ledger *ledger, int64_t us, const char *text)
{
    size_t length = ledger_heard(ledger, us);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(ledger->text.data, text, length);
}

static void test_whole_sentences_are_heard_when_their_sound_was(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger);
    size_t first = ledger_add(&ledger, AIC_STR("One two."));
    size_t second = ledger_add(&ledger, AIC_STR("Three four five."));
    ledger_point(&ledger, first, 1 * S);
    ledger_point(&ledger, second, 3 * S);
    heard(&ledger, 0, "");
    heard(&ledger, 1 * S, "One two.");
    heard(&ledger, 3 * S, "One two. Three four five.");
    heard(&ledger, 9 * S, "One two. Three four five.");
    heard(&ledger, 2 * S, "One two. Three");
    ledger_finish(&ledger);
}

static void test_words_are_counted_off_where_nothing_is_known(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger);
    ledger_add(&ledger, AIC_STR("alpha beta gamma delta"));
    heard(&ledger, 200000, "");
    heard(&ledger, 400000, "alpha");
    heard(&ledger, 1100000, "alpha beta gamma");
    heard(&ledger, 60 * S, "alpha beta gamma delta");
    ledger_finish(&ledger);
}

static void test_alignment_is_exact_and_survives_odd_pieces(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger);
    ledger_add(&ledger, AIC_STR("It is ten o'clock now."));
    ledger_align(&ledger, AIC_STR("It"), 1 * S);
    ledger_align(&ledger, AIC_STR(" is "), 2 * S);
    ledger_align(&ledger, AIC_STR("10"), 3 * S); /* normalised by the voice */
    ledger_align(&ledger, AIC_STR("o'clock"), 5 * S);
    ledger_align(&ledger, AIC_STR(""), 5 * S);
    heard(&ledger, 2 * S, "It is");
    heard(&ledger, 5 * S, "It is ten o'clock");
    ledger_finish(&ledger);
}

static void test_points_that_fall_back_are_dropped(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_init(&ledger);
    size_t end = ledger_add(&ledger, AIC_STR("One two three."));
    ledger_point(&ledger, 7, 2 * S);
    ledger_point(&ledger, 3, 3 * S);
    ledger_point(&ledger, 10, 1 * S);
    ledger_point(&ledger, 1000, 4 * S);
    assert_int_equal(ledger.count, 2);
    heard(&ledger, 4 * S, "One two three.");
    assert_int_equal(ledger_before(&ledger, end).audio_end_us, 4 * S);
    assert_int_equal(ledger_before(&ledger, 8).text_end, 7);
    ledger_rewind(&ledger, 7);
    assert_int_equal(ledger.count, 1);
    ledger_finish(&ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_sentences_are_heard_when_their_sound_was),
        cmocka_unit_test(test_words_are_counted_off_where_nothing_is_known),
        cmocka_unit_test(test_alignment_is_exact_and_survives_odd_pieces),
        cmocka_unit_test(test_points_that_fall_back_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
