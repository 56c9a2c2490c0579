/* SPDX-License-Identifier: ISC */
#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value of each character, 64 for the others. */
static const uint8_t values[256] = {
#define X 64
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62, X,  X,  X,  63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  X,  X,  X,  X,  0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X,  X,  X,  X,  X,
    X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
#undef X
};

size_t aic_base64_encode(char *to, const void *from, size_t bytes)
{
    const uint8_t *in = from;
    char *out = to;
    size_t i = 0;
    for (; i + 3 <= bytes; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = digits[group >> 6 & 63];
        *out++ = digits[group & 63];
    }
    if (i < bytes) {
        uint32_t group = (uint32_t)in[i] << 16;
        if (i + 1 < bytes) {
            group |= (uint32_t)in[i + 1] << 8;
        }
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = '=';
        if (i + 1 < bytes) {
            out[-1] = digits[group >> 6 & 63];
        }
        *out++ = '=';
    }
    return (size_t)(out - to);
}

int64_t aic_base64_decode(uint8_t *to, const char *from, size_t length)
{
    if (length % 4 != 0) {
        return -1;
    }
    if (length == 0) {
        return 0;
    }
    const uint8_t *in = (const uint8_t *)from;
    uint8_t *out = to;
    size_t whole = length - 4;
    for (size_t i = 0; i < whole; i += 4) {
        uint32_t a = values[in[i]];
        uint32_t b = values[in[i + 1]];
        uint32_t c = values[in[i + 2]];
        uint32_t d = values[in[i + 3]];
        if ((a | b | c | d) & 64u) {
            return -1;
        }
        *out++ = (uint8_t)(a << 2 | b >> 4);
        *out++ = (uint8_t)(b << 4 | c >> 2);
        *out++ = (uint8_t)(c << 6 | d);
    }
    in += whole;
    size_t padding = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    uint32_t a = values[in[0]];
    uint32_t b = values[in[1]];
    uint32_t c = padding < 2 ? values[in[2]] : 0;
    uint32_t d = padding < 1 ? values[in[3]] : 0;
    if ((a | b | c | d) & 64u || (padding == 2 && b & 15u) || (padding == 1 && c & 3u)) {
        return -1;
    }
    *out++ = (uint8_t)(a << 2 | b >> 4);
    if (padding < 2) {
        *out++ = (uint8_t)(b << 4 | c >> 2);
    }
    if (padding < 1) {
        *out++ = (uint8_t)(c << 6 | d);
    }
    return out - to;
}
