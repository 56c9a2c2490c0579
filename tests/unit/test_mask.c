/* SPDX-License-Identifier: ISC */
#include "base/mask.h"

#include "buf.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct mask_secrets secrets;

static int add_secrets(void **state)
{
    (void)state;
    static const char *const values[] = {"sk-first-secret", "sk-first-secret-and-more",
                                         "secret-and-tail", "4930123456",
                                         "short",           "sk-first-secret"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (mask_add(&secrets, aic_str(values[i])) != AIC_OK) {
            return -1;
        }
    }
    return 0;
}

static int finish_secrets(void **state)
{
    (void)state;
    mask_finish(&secrets);
    mask_finish(&secrets);
    return 0;
}

static const char *masked(const char *text)
{
    static char to[512];
    size_t length = mask_text(&secrets, aic_str(text), false, to, sizeof(to));
    assert_int_equal(length, strlen(to));
    return to;
}

static void test_short_and_known_values_are_not_kept(void **state)
{
    (void)state;
    assert_int_equal(secrets.count, 4);
    assert_string_equal(masked("a short text"), "a short text");
}

static void test_secrets_become_stars(void **state)
{
    (void)state;
    assert_string_equal(masked("sk-first-secret"), "***");
    assert_string_equal(masked("key=sk-first-secret;"), "key=***;");
    assert_string_equal(masked("sk-first-secretsk-first-secret"), "******");
    assert_string_equal(masked("sk-first-secre"), "sk-first-secre");
    assert_string_equal(masked(""), "");
}

static void test_the_longest_and_the_overlapping_secret_are_hidden_whole(void **state)
{
    (void)state;
    assert_string_equal(masked("<sk-first-secret-and-more>"), "<***>");
    assert_string_equal(masked("<sk-first-secret-and-tail>"), "<***>");
    assert_string_equal(masked("<sk-first-secret-and-m>"), "<***-and-m>");
}

static void test_numbers_keep_their_ends(void **state)
{
    (void)state;
    assert_string_equal(masked("+49151234567"), "+49151*****67");
    assert_string_equal(masked("to +14155550100, from"), "to +14155*****00, from");
    assert_string_equal(masked("+12345678"), "+12345*****78");
    assert_string_equal(masked("+1234567"), "+1234567");
    assert_string_equal(masked("+123456"), "+123456");
    assert_string_equal(masked("+12345"), "+12345");
    assert_string_equal(masked("+"), "+");
    assert_string_equal(masked("++4915123456789x"), "++49151*****89x");
    assert_string_equal(masked("1+2=3, 12345678901"), "1+2=3, 12345678901");
    assert_string_equal(masked("To=%2B14155550100&x"), "To=%2B14155*****00&x");
    assert_string_equal(masked("To=%2b14155550100"), "To=%2b14155*****00");
}

static void test_a_secret_inside_a_number_is_hidden_first(void **state)
{
    (void)state;
    assert_string_equal(masked("+4930123456"), "+***");
    assert_string_equal(masked("+0000004930123456789"), "+000000***789");
}

static void test_the_beginning_of_a_secret_at_a_cut_end_is_hidden(void **state)
{
    (void)state;
    char to[64];
    (void)mask_text(&secrets, AIC_STR("key sk-first-se"), true, to, sizeof(to));
    assert_string_equal(to, "key ***");
    (void)mask_text(&secrets, AIC_STR("key sk-first-se"), false, to, sizeof(to));
    assert_string_equal(to, "key sk-first-se");
    (void)mask_text(&secrets, AIC_STR("caf\xc3"), true, to, sizeof(to));
    assert_string_equal(to, "caf");
}

static void test_a_small_buffer_never_shows_a_part_of_a_character_or_secret(void **state)
{
    (void)state;
    static const char text[] = "\xc3\xa9 sk-first-secret +49151234567 \xe2\x82\xac";
    for (size_t bytes = 1; bytes < 64; bytes++) {
        char to[64];
        memset(to, 'x', sizeof(to));
        size_t length = mask_text(&secrets, AIC_STR(text), false, to, bytes);
        assert_true(length < bytes);
        assert_int_equal(to[length], '\0');
        assert_true(aic_utf8_valid(aic_str(to)));
        assert_null(strstr(to, "sk"));
        assert_null(strstr(to, "1234"));
    }
    char none = 'x';
    assert_int_equal(mask_text(&secrets, AIC_STR(text), false, &none, 0), 0);
    assert_int_equal(none, 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_and_known_values_are_not_kept),
        cmocka_unit_test(test_secrets_become_stars),
        cmocka_unit_test(test_the_longest_and_the_overlapping_secret_are_hidden_whole),
        cmocka_unit_test(test_numbers_keep_their_ends),
        cmocka_unit_test(test_a_secret_inside_a_number_is_hidden_first),
        cmocka_unit_test(test_the_beginning_of_a_secret_at_a_cut_end_is_hidden),
        cmocka_unit_test(test_a_small_buffer_never_shows_a_part_of_a_character_or_secret),
    };
    return cmocka_run_group_tests(tests, add_secrets, finish_secrets);
}
