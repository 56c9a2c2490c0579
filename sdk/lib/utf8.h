/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_UTF8_H
#define AIC_LIB_UTF8_H
/* UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include <aicaller/abi.h>
#include <stdbool.h>

struct aic_buf;

/* Bytes of the well-formed character at `p` (1 to 4), or 0 where there is none. */
size_t aic_utf8_sequence(const char *p, size_t bytes);
bool aic_utf8_valid(struct aic_str text);
/* Bytes at the end of `text` that may be the beginning of a character cut short (0 to 3). */
size_t aic_utf8_incomplete_tail(struct aic_str text);
/* Length of `text` cut to at most `max` bytes without splitting a character. */
size_t aic_utf8_cut(struct aic_str text, size_t max);
/* Appends `text`; each bad byte becomes U+FFFD, and so does NUL. */
void aic_utf8_clean(struct aic_buf *to, struct aic_str text);
/* Decodes the character at `p` into *code; returns its bytes, 0 where there is none. */
size_t aic_utf8_decode(const char *p, size_t bytes, uint32_t *code);

#endif
