/* SPDX-License-Identifier: ISC */
#include "g711.h"

enum { MULAW_BIAS = 0x84, MULAW_CLIP = 32635 };

/* Position of the highest set bit of a value from 1 to 0x7FFF. */
static int top_bit(int value)
{
    return 31 - __builtin_clz((unsigned)value);
}

uint8_t aic_mulaw_from_linear(int16_t sample)
{
    int value = sample;
    int sign = 0;
    if (value < 0) {
        value = -value;
        sign = 0x80;
    }
    if (value > MULAW_CLIP) {
        value = MULAW_CLIP;
    }
    value += MULAW_BIAS;
    int exponent = top_bit(value) - 7;
    int mantissa = value >> (exponent + 3) & 0x0F;
    return (uint8_t) ~(sign | exponent << 4 | mantissa);
}

int16_t aic_mulaw_to_linear(uint8_t code)
{
    int bits = ~code & 0xFF;
    int exponent = bits >> 4 & 7;
    int value = (((bits & 0x0F) << 3) + MULAW_BIAS) << exponent;
    value -= MULAW_BIAS;
    return (int16_t)(bits & 0x80 ? -value : value);
}

uint8_t aic_alaw_from_linear(int16_t sample)
{
    int value = sample;
    int mask = 0xD5;
    if (value < 0) {
        value = -value - 1;
        mask = 0x55;
    }
    int code = 0;
    if (value < 256) {
        code = value >> 4;
    } else {
        int exponent = top_bit(value) - 7;
        code = exponent << 4 | (value >> (exponent + 3) & 0x0F);
    }
    return (uint8_t)(code ^ mask);
}

int16_t aic_alaw_to_linear(uint8_t code)
{
    int bits = code ^ 0x55;
    int exponent = bits >> 4 & 7;
    int value = (bits & 0x0F) << 4;
    if (exponent == 0) {
        value += 8;
    } else {
        value = (value + 0x108) << (exponent - 1);
    }
    return (int16_t)(bits & 0x80 ? value : -value);
}

void aic_mulaw_decode(int16_t *to, const uint8_t *from, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        to[i] = aic_mulaw_to_linear(from[i]);
    }
}

void aic_mulaw_encode(uint8_t *to, const int16_t *from, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        to[i] = aic_mulaw_from_linear(from[i]);
    }
}

void aic_alaw_decode(int16_t *to, const uint8_t *from, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        to[i] = aic_alaw_to_linear(from[i]);
    }
}

void aic_alaw_encode(uint8_t *to, const int16_t *from, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        to[i] = aic_alaw_from_linear(from[i]);
    }
}
