/* SPDX-License-Identifier: ISC */
/* What a browser shows of a session, and the cookie it is in. */
#include "web/cookie.h"
#include "web/session_token.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t random_bytes[SESSION_RANDOM] = {1, 2, 3};
static const char secret[] = "a secret of the server";

static void make(char hash[SESSION_HASH])
{
    char token[SESSION_TOKEN];
    session_token_make(token, random_bytes);
    assert_true(session_token_hash(aic_str(token), hash));
}

static void test_a_token_is_kept_by_its_hash(void **state)
{
    char token[SESSION_TOKEN];
    char hash[SESSION_HASH];
    (void)state;
    session_token_make(token, random_bytes);
    assert_int_equal(strlen(token), 2 * SESSION_RANDOM);
    make(hash);
    assert_int_equal(strlen(hash), SESSION_HASH - 1);
    assert_string_not_equal(token, hash);
}

static void test_what_has_not_the_form_of_a_token_has_no_hash(void **state)
{
    char token[SESSION_TOKEN + 1] = "";
    char hash[SESSION_HASH];
    (void)state;
    session_token_make(token, random_bytes);
    assert_false(session_token_hash((struct aic_str){token, SESSION_TOKEN - 2}, hash));
    assert_string_equal(hash, "");
    assert_false(session_token_hash((struct aic_str){token, SESSION_TOKEN}, hash));
    token[0] = 'A';
    assert_false(session_token_hash(aic_str(token), hash));
    assert_false(session_token_hash(AIC_STR(""), hash));
}

static void test_the_second_token_belongs_to_session_and_secret(void **state)
{
    char hash[SESSION_HASH];
    char csrf[SESSION_CSRF];
    (void)state;
    make(hash);
    session_csrf_make(csrf, secret, hash);
    assert_int_equal(strlen(csrf), SESSION_CSRF - 1);
    assert_string_not_equal(csrf, hash);
    assert_true(session_csrf_check(aic_str(csrf), secret, hash));
    assert_false(session_csrf_check(aic_str(csrf), "another secret", hash));
    assert_false(session_csrf_check((struct aic_str){csrf, SESSION_CSRF - 2}, secret, hash));
    assert_false(session_csrf_check(AIC_STR(""), secret, hash));
    for (size_t i = 0; i + 1 < SESSION_CSRF; i++) {
        csrf[i] ^= 1;
        assert_false(session_csrf_check(aic_str(csrf), secret, hash));
        csrf[i] ^= 1;
    }
    hash[0] = hash[0] == '0' ? '1' : '0';
    assert_false(session_csrf_check(aic_str(csrf), secret, hash));
}

static void test_without_a_secret_or_session_nothing_is_right(void **state)
{
    char hash[SESSION_HASH];
    char csrf[SESSION_CSRF];
    (void)state;
    make(hash);
    session_csrf_make(csrf, "", hash);
    assert_string_equal(csrf, "");
    assert_false(session_csrf_check(AIC_STR(""), "", hash));
    assert_false(session_csrf_check(AIC_STR(""), secret, ""));
}

static void test_a_cookie_is_written_and_thrown_away(void **state)
{
    char cookie[COOKIE_HEADER];
    (void)state;
    cookie_write(cookie, "name", "value", 60, true);
    assert_string_equal(cookie,
                        "name=value; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
    cookie_write(cookie, "name", "", 0, false);
    assert_string_equal(cookie, "name=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_is_kept_by_its_hash),
        cmocka_unit_test(test_what_has_not_the_form_of_a_token_has_no_hash),
        cmocka_unit_test(test_the_second_token_belongs_to_session_and_secret),
        cmocka_unit_test(test_without_a_secret_or_session_nothing_is_right),
        cmocka_unit_test(test_a_cookie_is_written_and_thrown_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
