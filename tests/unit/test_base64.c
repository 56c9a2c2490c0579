/* SPDX-License-Identifier: ISC */
#include "base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_rfc4648_vectors(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t length = aic_base64_encode(text, pairs[i][0], strlen(pairs[i][0]));
        assert_int_equal(length, strlen(pairs[i][1]));
        assert_memory_equal(text, pairs[i][1], length);
        assert_int_equal(aic_base64_decode(bytes, text, length), strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], strlen(pairs[i][0]));
    }
}

static void test_refuses_all_but_canonical_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg=",  "Zg",   "Z===",     "====",   "Zh==", "Zm9=",
                                      "Zm 9", "Zm-9", "Zg==Zg==", "Zm9v\n", "=Zm9", "Zm9v="};
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (aic_base64_decode(bytes, bad[i], strlen(bad[i])) != -1) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void test_every_byte_survives(void **state)
{
    (void)state;
    uint8_t all[256];
    char text[AIC_BASE64_ENCODED(256)];
    uint8_t back[AIC_BASE64_DECODED(sizeof(text))];
    for (int i = 0; i < 256; i++) {
        all[i] = (uint8_t)i;
    }
    size_t length = aic_base64_encode(text, all, sizeof(all));
    assert_int_equal(length, sizeof(text));
    assert_int_equal(aic_base64_decode(back, text, length), 256);
    assert_memory_equal(all, back, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4648_vectors),
        cmocka_unit_test(test_refuses_all_but_canonical_text),
        cmocka_unit_test(test_every_byte_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
