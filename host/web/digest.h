/* SPDX-License-Identifier: ISC */
#ifndef WEB_DIGEST_H
#define WEB_DIGEST_H
/* SHA-256 and HMAC-SHA-256 as lower case hex, for what a client shows and the server keeps. Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { DIGEST_TEXT = 65 }; /* with its terminating 0 */

/* Writes 2 * count digits and a 0. */
void digest_hex(char *to, const uint8_t *bytes, size_t count);
bool digest_is_hex(struct aic_str text);
bool digest_make(char to[DIGEST_TEXT], struct aic_str text);
bool digest_sign(char to[DIGEST_TEXT], const char *secret, struct aic_str text);

#endif
