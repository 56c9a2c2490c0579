/* SPDX-License-Identifier: ISC */
#include "call/opt_out.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_a_wish_not_to_be_called_is_recognised(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "Stop calling me!",
        "please stop calling this number",
        "Don't call me again.",
        "don’t call here any more",
        "Do not call me.",
        "I said, do not call",
        "could you put me on your do-not-call list",
        "take me off your list please",
        "Remove my number from your database",
        "I don't want any more calls",
        "I do not want to be called",
        "unsubscribe",
        "I want to opt out",
        "never call me again before I lose my temper",
        "मुझे फोन मत करना",
        "मुझे फ़ोन मत करना",
        "मुझे फ़ोन मत करना",
        "दोबारा कॉल मत करो।",
        "कृपया मुझे कॉल न करें",
        "फोन करना बंद करो",
        "मत फोन करो मुझे",
        "मेरा नंबर हटा दीजिए",
        "मुझे परेशान मत करो",
        "mujhe phone mat karna",
        "Mujhe call mat karo!",
        "please call karna band karo",
        "mera number hata do",
    };
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!opt_out_is_said(aic_str(yes[i]))) {
            fail_msg("not taken for a wish: %s", yes[i]);
        }
    }
}

static void test_other_sentences_are_no_such_wish(void **state)
{
    (void)state;
    static const char *const no[] = {
        "",
        "hello",
        "Thank you for calling me.",
        "Please call me tomorrow",
        "stop",
        "goodbye",
        "I did not call you",
        "Do not call me before nine, please",
        "don't call after eight, come over",
        "do not hang up",
        "the bus stop on Calling Road",
        "फोन मत काटना",
        "फोन मत रखो",
        "मैंने फोन नहीं किया",
        "अभी फोन मत करो",
        "मुझे फोन करना",
        "abhi call mat karo",
        "kal phone karna",
    };
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (opt_out_is_said(aic_str(no[i]))) {
            fail_msg("taken for a wish: %s", no[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wish_not_to_be_called_is_recognised),
        cmocka_unit_test(test_other_sentences_are_no_such_wish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
