/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_WHISPER_H
#define TWILIO_WHISPER_H
/*
 * What is said to the called person before a transfer travels through Twilio in the query of an
 * address, since any worker may be asked for it. It may hold what the caller has said, and proxies
 * write queries into their logs, so it is encrypted (libsodium's secretbox) under a key made of the
 * auth token. No I/O, no clock.
 */
#include "buf.h"

enum { TWILIO_WHISPER_MAX_BYTES = 600, TWILIO_NONCE_BYTES = 24 };

/* Appends the sealed text, in letters, digits, '-' and '_'. AIC_ERROR_TOO_LARGE: it is too long. */
int32_t twilio_whisper_seal(struct aic_buf *to, const char *auth_token,
                            const uint8_t nonce[TWILIO_NONCE_BYTES], struct aic_str text);
/* Appends the text. AIC_ERROR_DENIED: it was not sealed with this token. */
int32_t twilio_whisper_open(struct aic_buf *to, const char *auth_token, struct aic_str sealed);

#endif
