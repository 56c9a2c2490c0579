/* SPDX-License-Identifier: ISC */
/* What names, roles and passwords are acceptable, and what is kept of a password. */
#include "web/api_key.h"
#include "web/password.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_a_name_is_of_a_safe_set(void **state)
{
    static const char *const good[] = {"a", "ann", "Ann.Example", "ann@example.com", "a_b-c+1"};
    static const char *const bad[] = {"",    " ",    "a b",      "a/b", "a'b",
                                      "<a>", "a\nb", "\xc3\xa5", "a:b"};
    char name[USER_NAME + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(user_name_problem(aic_str(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(user_name_problem(aic_str(bad[i])));
    }
    memset(name, 'a', sizeof(name));
    assert_null(user_name_problem((struct aic_str){name, USER_NAME - 1}));
    assert_non_null(user_name_problem((struct aic_str){name, USER_NAME}));
    assert_non_null(user_name_problem((struct aic_str){"a\0b", 3}));
}

static void test_a_password_is_counted_in_characters(void **state)
{
    char text[PASSWORD_MAX_BYTES + 4];
    (void)state;
    assert_non_null(password_problem(AIC_STR("")));
    assert_non_null(password_problem(AIC_STR("elevenchars")));
    assert_null(password_problem(AIC_STR("twelve chars")));
    for (size_t i = 0; i < sizeof(text); i += 4) {
        memcpy(text + i, "\xf0\x9f\x94\x91", 4);
    }
    assert_non_null(password_problem((struct aic_str){text, 11 * 4}));
    assert_null(password_problem((struct aic_str){text, 12 * 4}));
    assert_null(password_problem((struct aic_str){text, PASSWORD_MAX_BYTES}));
    assert_non_null(password_problem((struct aic_str){text, PASSWORD_MAX_BYTES + 4}));
    memset(text, 'x', sizeof(text));
    assert_null(password_problem((struct aic_str){text, PASSWORD_MAX}));
    assert_non_null(password_problem((struct aic_str){text, PASSWORD_MAX + 1}));
    assert_non_null(password_problem(AIC_STR("\xff\xfe not text at all")));
    assert_non_null(password_problem((struct aic_str){"a NUL\0 is inside", 16}));
}

static void test_a_role_gives_scopes(void **state)
{
    (void)state;
    assert_int_equal(user_role_scopes(AIC_STR("viewer")), API_SCOPE_READ);
    assert_int_equal(user_role_scopes(AIC_STR("operator")), API_SCOPE_READ | API_SCOPE_CALL);
    assert_int_equal(user_role_scopes(AIC_STR("admin")), API_SCOPE_ALL);
    assert_int_equal(user_role_scopes(AIC_STR("Admin")), API_SCOPE_NONE);
    assert_int_equal(user_role_scopes(AIC_STR("")), API_SCOPE_NONE);
}

static void test_only_the_password_itself_fits_its_hash(void **state)
{
    char hash[PASSWORD_HASH];
    char other[PASSWORD_HASH];
    (void)state;
    assert_true(password_hash(hash, AIC_STR("\xc3\x85ngstr\xc3\xb6m's one")));
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
    assert_true(password_check(hash, AIC_STR("\xc3\x85ngstr\xc3\xb6m's one")));
    assert_true(password_check(hash, AIC_STR("A\xcc\x8angstro\xcc\x88m's one")));
    assert_false(password_check(hash, AIC_STR("Angstrom's one")));
    assert_true(password_hash(other, AIC_STR("\xc3\x85ngstr\xc3\xb6m's one")));
    assert_string_not_equal(hash, other);
}

static void test_what_is_no_hash_fits_nothing(void **state)
{
    static const char *const hashes[] = {"", "x", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$AA$AA",
                                         "correct horse battery"};
    (void)state;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        assert_false(password_check(hashes[i], AIC_STR("correct horse battery")));
    }
    assert_false(password_check("", AIC_STR("")));
    assert_false(password_check("", AIC_STR("\xff")));
}

static void test_made_passwords_are_good_and_differ(void **state)
{
    char one[PASSWORD_MADE];
    char two[PASSWORD_MADE];
    (void)state;
    password_make(one);
    password_make(two);
    assert_null(password_problem(aic_str(one)));
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), PASSWORD_MADE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_of_a_safe_set),
        cmocka_unit_test(test_a_password_is_counted_in_characters),
        cmocka_unit_test(test_a_role_gives_scopes),
        cmocka_unit_test(test_only_the_password_itself_fits_its_hash),
        cmocka_unit_test(test_what_is_no_hash_fits_nothing),
        cmocka_unit_test(test_made_passwords_are_good_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
