/* SPDX-License-Identifier: ISC */
#ifndef CALL_TOKEN_H
#define CALL_TOKEN_H
/*
 * One-time tokens that a media socket brings back: "v1.<call id>.<expiry, seconds>.<nonce>.<MAC>",
 * the MAC being HMAC-SHA256 under the server's secret. Checked without storage; that a nonce is
 * used once is the master's business. Pure.
 */
#include "base/uuid.h"

enum { TOKEN_TEXT = 160, TOKEN_NONCE = 33 };

struct token {
    char call_id[UUID_TEXT];
    char nonce[TOKEN_NONCE];
    int64_t expires_wall_us;
};

void token_make(char to[TOKEN_TEXT], const char *secret, const char *call_id,
                int64_t expires_wall_us, const uint8_t random[16]);
/* AIC_ERROR_DENIED: not ours, or for another call; AIC_ERROR_TIMEOUT: expired. `call_id` may be
 * NULL when the token itself says. */
int32_t token_check(struct aic_str text, const char *secret, const char *call_id, int64_t wall_us,
                    struct token *token);

#endif
