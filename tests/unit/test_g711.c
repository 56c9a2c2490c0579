/* SPDX-License-Identifier: ISC */
#include "g711.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* What spandsp 0.0.6 gives for these samples. */
static const struct {
    int16_t sample;
    uint8_t mulaw;
    int16_t mulaw_back;
    uint8_t alaw;
    int16_t alaw_back;
} vectors[] = {
    {0, 0xFF, 0, 0xD5, 8},
    {-1, 0x7F, 0, 0x55, -8},
    {4, 0xFE, 8, 0xD5, 8},
    {-4, 0x7E, -8, 0x55, -8},
    {100, 0xF2, 104, 0xD3, 104},
    {-100, 0x72, -104, 0x53, -104},
    {1000, 0xCE, 988, 0xFA, 1008},
    {-1000, 0x4E, -988, 0x7A, -1008},
    {8031, 0xA0, 7932, 0x8A, 8064},
    {16000, 0x90, 15996, 0xBA, 16128},
    {-16000, 0x10, -15996, 0x3A, -16128},
    {32767, 0x80, 32124, 0xAA, 32256},
    {-32768, 0x00, -32124, 0x2A, -32256},
};

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_int_equal(aic_mulaw_from_linear(vectors[i].sample), vectors[i].mulaw);
        assert_int_equal(aic_mulaw_to_linear(vectors[i].mulaw), vectors[i].mulaw_back);
        assert_int_equal(aic_alaw_from_linear(vectors[i].sample), vectors[i].alaw);
        assert_int_equal(aic_alaw_to_linear(vectors[i].alaw), vectors[i].alaw_back);
    }
}

static void test_every_code_returns_to_itself(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        int16_t sample = aic_mulaw_to_linear((uint8_t)code);
        /* 0x7F is a second zero. */
        assert_int_equal(aic_mulaw_from_linear(sample), code == 0x7F ? 0xFF : code);
        assert_int_equal(aic_alaw_from_linear(aic_alaw_to_linear((uint8_t)code)), code);
    }
}

static void test_blocks_equal_single_samples(void **state)
{
    (void)state;
    int16_t samples[7] = {0, 5, -5, 1234, -4321, 32767, -32768};
    uint8_t codes[7];
    int16_t back[7];
    aic_mulaw_encode(codes, samples, 7);
    aic_mulaw_decode(back, codes, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(codes[i], aic_mulaw_from_linear(samples[i]));
        assert_int_equal(back[i], aic_mulaw_to_linear(codes[i]));
    }
    aic_alaw_encode(codes, samples, 7);
    aic_alaw_decode(back, codes, 7);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(codes[i], aic_alaw_from_linear(samples[i]));
        assert_int_equal(back[i], aic_alaw_to_linear(codes[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_code_returns_to_itself),
        cmocka_unit_test(test_blocks_equal_single_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
