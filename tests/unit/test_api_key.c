/* SPDX-License-Identifier: ISC */
/* API keys, the header that carries one, and the cookie that stands in for one. */
#include "web/api_key.h"
#include "web/cookie.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char secret[] = "a secret of the server";
static const int64_t now_us = INT64_C(1795348800) * 1000000;
/* Of the key "aic_" and 64 zeros, by sha256sum. */
static const char zero_hash[] = "1556389cd6df2a757b9df48e31e33fa47073afa65114c7cdbc029a30db5f47d1";

static void make_zero_key(char key[API_KEY_TEXT])
{
    const uint8_t random[API_KEY_RANDOM] = {0};
    api_key_make(key, random);
}

static void test_a_key_is_its_random_bytes_in_hex(void **state)
{
    (void)state;
    uint8_t random[API_KEY_RANDOM];
    char key[API_KEY_TEXT];
    for (size_t i = 0; i < sizeof(random); i++) {
        random[i] = (uint8_t)(i * 8 + 7);
    }
    api_key_make(key, random);
    assert_string_equal(key, "aic_070f171f272f373f474f575f676f777f"
                             "878f979fa7afb7bfc7cfd7dfe7eff7ff");
}

static void test_the_hash_is_sha256_of_the_whole_key(void **state)
{
    (void)state;
    char key[API_KEY_TEXT];
    char hash[API_KEY_HASH];
    make_zero_key(key);
    assert_true(api_key_hash(aic_str(key), hash));
    assert_string_equal(hash, zero_hash);
}

static void test_what_has_not_the_form_of_a_key_has_no_hash(void **state)
{
    (void)state;
    char key[API_KEY_TEXT];
    char hash[API_KEY_HASH];
    make_zero_key(key);

    static const struct {
        size_t at;
        char c;
    } changes[] = {{0, 'A'}, {3, '-'}, {4, 'A'}, {4, 'g'}, {67, ' '}, {30, '\0'}};

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char changed[API_KEY_TEXT];
        memcpy(changed, key, sizeof(changed));
        changed[changes[i].at] = changes[i].c;
        assert_false(api_key_hash((struct aic_str){changed, API_KEY_TEXT - 1}, hash));
        assert_string_equal(hash, "");
    }
    assert_false(api_key_hash((struct aic_str){key, API_KEY_TEXT - 2}, hash));
    assert_false(api_key_hash((struct aic_str){key, API_KEY_TEXT}, hash));
    assert_false(api_key_hash((struct aic_str){NULL, 0}, hash));
}

static void test_the_header_names_its_scheme_in_any_case(void **state)
{
    (void)state;

    static const struct {
        const char *header;
        const char *key;
    } cases[] = {{"Bearer k", "k"}, {"bearer k", "k"}, {"BEARER   k", "k"}, {"Bearer k l", "k l"},
                 {"Bearer", ""},    {"Bearer ", ""},   {"Bearerk", ""},     {"Basic k", ""},
                 {"", ""},          {"k", ""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(aic_str_equal(api_key_in_header(aic_str(cases[i].header)), cases[i].key));
    }
}

static void test_scopes_have_names(void **state)
{
    (void)state;
    assert_int_equal(api_scope_find(AIC_STR("read")), API_SCOPE_READ);
    assert_int_equal(api_scope_find(AIC_STR("call")), API_SCOPE_CALL);
    assert_int_equal(api_scope_find(AIC_STR("calls")), API_SCOPE_NONE);
    assert_int_equal(api_scope_find(AIC_STR("")), API_SCOPE_NONE);
    assert_string_equal(api_scope_name(API_SCOPE_CALL), "call");
    assert_null(api_scope_name(API_SCOPE_NONE));
}

static void test_a_cookie_gives_back_its_hash_until_it_expires(void **state)
{
    (void)state;
    char cookie[API_KEY_COOKIE];
    char hash[API_KEY_HASH];
    api_key_cookie_make(cookie, secret, zero_hash, now_us + 10 * 1000000);
    assert_true(api_key_cookie_check(aic_str(cookie), secret, now_us, hash));
    assert_string_equal(hash, zero_hash);
    assert_true(api_key_cookie_check(aic_str(cookie), secret, now_us + 9 * 1000000, hash));
    assert_false(api_key_cookie_check(aic_str(cookie), secret, now_us + 10 * 1000000, hash));
    assert_string_equal(hash, "");
}

static void test_a_cookie_under_another_secret_is_not_ours(void **state)
{
    (void)state;
    char cookie[API_KEY_COOKIE];
    char hash[API_KEY_HASH];
    api_key_cookie_make(cookie, "another secret", zero_hash, now_us + 1000000);
    assert_false(api_key_cookie_check(aic_str(cookie), secret, now_us, hash));
    /* Without a secret nothing is signed and nothing believed. */
    api_key_cookie_make(cookie, "", zero_hash, now_us + 1000000);
    assert_string_equal(cookie, "");
    api_key_cookie_make(cookie, secret, zero_hash, now_us + 1000000);
    assert_false(api_key_cookie_check(aic_str(cookie), "", now_us, hash));
}

static void test_no_byte_of_a_cookie_can_be_changed(void **state)
{
    (void)state;
    char cookie[API_KEY_COOKIE];
    char hash[API_KEY_HASH];
    api_key_cookie_make(cookie, secret, zero_hash, now_us + 1000000);
    size_t length = strlen(cookie);
    for (size_t i = 0; i < length; i++) {
        cookie[i] ^= 1;
        assert_false(api_key_cookie_check((struct aic_str){cookie, length}, secret, now_us, hash));
        cookie[i] ^= 1;
    }
    for (size_t cut = 0; cut < length; cut++) {
        assert_false(api_key_cookie_check((struct aic_str){cookie, cut}, secret, now_us, hash));
    }
    assert_true(api_key_cookie_check((struct aic_str){cookie, length}, secret, now_us, hash));
}

static void test_the_cookie_is_found_among_others(void **state)
{
    (void)state;

    static const struct {
        const char *header;
        const char *value;
    } cases[] = {{"aicaller_key=v", "v"},
                 {"a=b; aicaller_key=v; c=d", "v"},
                 {"a=b;aicaller_key=v", "v"},
                 {"x; ;; aicaller_key=v=w;", "v=w"},
                 {"xaicaller_key=v", ""},
                 {"aicaller_key2=v", ""},
                 {"aicaller_key", ""},
                 {"AICALLER_KEY=v", ""},
                 {"", ""},
                 {";", ""}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(aic_str_equal(cookie_find(aic_str(cases[i].header), api_key_cookie_name),
                                  cases[i].value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_its_random_bytes_in_hex),
        cmocka_unit_test(test_the_hash_is_sha256_of_the_whole_key),
        cmocka_unit_test(test_what_has_not_the_form_of_a_key_has_no_hash),
        cmocka_unit_test(test_the_header_names_its_scheme_in_any_case),
        cmocka_unit_test(test_scopes_have_names),
        cmocka_unit_test(test_a_cookie_gives_back_its_hash_until_it_expires),
        cmocka_unit_test(test_a_cookie_under_another_secret_is_not_ours),
        cmocka_unit_test(test_no_byte_of_a_cookie_can_be_changed),
        cmocka_unit_test(test_the_cookie_is_found_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
