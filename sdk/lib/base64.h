/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_BASE64_H
#define AIC_LIB_BASE64_H
/* Base64 of RFC 4648, with padding. */
#include <aicaller/abi.h>

/* Room that encoding or decoding `bytes` needs. No terminating 0 is written. */
#define AIC_BASE64_ENCODED(bytes) (((bytes) + 2) / 3 * 4)
#define AIC_BASE64_DECODED(bytes) ((bytes) / 4 * 3)

/* Writes AIC_BASE64_ENCODED(bytes) characters; returns their number. */
size_t aic_base64_encode(char *to, const void *from, size_t bytes);
/* Decodes canonical text: whole groups of four, padding only at the end, no other character.
 * Returns the number of bytes, or -1. `to` must have AIC_BASE64_DECODED(length) bytes. */
int64_t aic_base64_decode(uint8_t *to, const char *from, size_t length);

#endif
