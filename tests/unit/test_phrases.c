/* SPDX-License-Identifier: ISC */
#include "call/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool goodbye(const char *text)
{
    static const char *const more[] = {"Tschüss!", NULL};
    return phrases_is_goodbye(aic_str(text), more);
}

static void test_goodbyes_are_recognised(void **state)
{
    (void)state;
    static const char *const yes[] = {"Goodbye.",
                                      "bye",
                                      "Okay, bye bye!",
                                      "thank you very much and goodbye",
                                      "no thanks that's all, have a nice day",
                                      "please hang up",
                                      "That is all, thank you, bye",
                                      "अलविदा",
                                      "ठीक है, बाय बाय",
                                      "फिर मिलेंगे",
                                      "tschüss"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!goodbye(yes[i])) {
            fail_msg("not a goodbye: %s", yes[i]);
        }
    }
}

static void test_other_sentences_are_no_goodbyes(void **state)
{
    (void)state;
    static const char *const no[] = {
        "hello",
        "don't hang up",
        "please do not hang up yet",
        "before I say goodbye",
        "I would like to buy a ticket",
        "Mr. Byers called me today at noon",
        "I said goodbye to my old contract and now I want a new one from you",
        "फोन मत रखो",
        ""};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (goodbye(no[i])) {
            fail_msg("taken for a goodbye: %s", no[i]);
        }
    }
}

static void test_signs_of_listening(void **state)
{
    (void)state;
    assert_true(phrases_is_backchannel(AIC_STR("Mhm.")));
    assert_true(phrases_is_backchannel(AIC_STR("uh huh, okay")));
    assert_true(phrases_is_backchannel(AIC_STR("हाँ जी")));
    assert_false(phrases_is_backchannel(AIC_STR("okay stop")));
    assert_false(phrases_is_backchannel(AIC_STR("yes yes yes yes")));
    assert_false(phrases_is_backchannel(AIC_STR("no")));
    assert_false(phrases_is_backchannel(AIC_STR("")));
}

static void test_normalising_keeps_words_of_any_script(void **state)
{
    (void)state;
    struct aic_buf buf;
    aic_buf_init(&buf, 1000);
    phrases_normalise(&buf, AIC_STR("  It's ÄRGER -- नमस्ते, 10:30!  "));
    assert_string_equal(buf.data, "it s ärger नमस्ते 10 30");
    assert_int_equal(phrases_words(aic_buf_view(&buf)), 6);
    assert_true(phrases_contain(aic_buf_view(&buf), "s ärger"));
    assert_false(phrases_contain(aic_buf_view(&buf), "rger"));
    aic_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goodbyes_are_recognised),
        cmocka_unit_test(test_other_sentences_are_no_goodbyes),
        cmocka_unit_test(test_signs_of_listening),
        cmocka_unit_test(test_normalising_keeps_words_of_any_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
