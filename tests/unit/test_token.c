/* SPDX-License-Identifier: ISC */
#include "call/token.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static const char *const id = "0198f3b2-7c10-7a31-9f00-0123456789ab";
static const uint8_t random_bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255};

static void test_a_token_comes_back_whole(void **state)
{
    (void)state;
    char text[TOKEN_TEXT];
    struct token token;
    token_make(text, "secret", id, 1000 * S, random_bytes);
    assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-"), strlen(text));
    assert_int_equal(token_check(aic_str(text), "secret", NULL, 999 * S, &token), AIC_OK);
    assert_string_equal(token.call_id, id);
    assert_string_equal(token.nonce, "0102030405060708090a0b0c0d0e0fff");
    assert_int_equal(token.expires_wall_us, 1000 * S);
    assert_int_equal(token_check(aic_str(text), "secret", id, 1000 * S, &token), AIC_OK);
    assert_int_equal(token_check(aic_str(text), "secret", NULL, 1001 * S, &token),
                     AIC_ERROR_TIMEOUT);
}

static void test_every_changed_character_is_noticed(void **state)
{
    (void)state;
    char text[TOKEN_TEXT];
    struct token token;
    token_make(text, "secret", id, 1000 * S, random_bytes);
    for (size_t i = 0; i < strlen(text); i++) {
        char changed[TOKEN_TEXT];
        memcpy(changed, text, sizeof(changed));
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        assert_int_equal(token_check(aic_str(changed), "secret", NULL, 0, &token),
                         AIC_ERROR_DENIED);
        assert_int_equal(token_check((struct aic_str){text, i}, "secret", NULL, 0, &token),
                         AIC_ERROR_DENIED);
    }
    assert_int_equal(token_check(aic_str(text), "secres", NULL, 0, &token), AIC_ERROR_DENIED);
    assert_int_equal(token_check(aic_str(text), "", NULL, 0, &token), AIC_ERROR_DENIED);
    assert_int_equal(
        token_check(aic_str(text), "secret", "0198f3b2-7c10-7a31-9f00-0123456789ac", 0, &token),
        AIC_ERROR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_comes_back_whole),
        cmocka_unit_test(test_every_changed_character_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
