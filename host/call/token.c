/* SPDX-License-Identifier: ISC */
#include "call/token.h"

#include "buf.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 32, MAC_TEXT = 2 * MAC_BYTES };

static void hex(char *to, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    to[2 * count] = '\0';
}

static bool sign(char to[MAC_TEXT + 1], const char *secret, struct aic_str text)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text.ptr, text.len,
              mac, &length) ||
        length != MAC_BYTES) {
        return false;
    }
    hex(to, mac, MAC_BYTES);
    return true;
}

void token_make(char to[TOKEN_TEXT], const char *secret, const char *call_id,
                int64_t expires_wall_us, const uint8_t random[16])
{
    char nonce[TOKEN_NONCE];
    char mac[MAC_TEXT + 1] = "";
    hex(nonce, random, 16);
    int length =
        snprintf(to, TOKEN_TEXT, "v1.%s.%" PRId64 ".%s", call_id, expires_wall_us / 1000000, nonce);
    if (length < 0 || !sign(mac, secret, (struct aic_str){to, (size_t)length})) {
        to[0] = '\0';
        return;
    }
    (void)snprintf(to + length, TOKEN_TEXT - (size_t)length, ".%s", mac);
}

/* Cuts the next part up to a full stop off the text. */
static struct aic_str next_part(struct aic_str *text)
{
    const char *dot = text->len ? memchr(text->ptr, '.', text->len) : NULL;
    size_t length = dot ? (size_t)(dot - text->ptr) : text->len;
    struct aic_str part = {text->ptr, length};
    size_t skip = dot ? length + 1 : length;
    text->ptr += skip;
    text->len -= skip;
    return part;
}

int32_t token_check(struct aic_str text, const char *secret, const char *call_id, int64_t wall_us,
                    struct token *token)
{
    memset(token, 0, sizeof(*token));
    if (text.len <= MAC_TEXT + 1 || text.len >= TOKEN_TEXT || !secret[0]) {
        return AIC_ERROR_DENIED;
    }
    struct aic_str body = {text.ptr, text.len - MAC_TEXT - 1};
    char mac[MAC_TEXT + 1];
    if (text.ptr[body.len] != '.' || !sign(mac, secret, body) ||
        CRYPTO_memcmp(mac, text.ptr + body.len + 1, MAC_TEXT) != 0) {
        return AIC_ERROR_DENIED;
    }
    struct aic_str rest = body;
    struct aic_str version = next_part(&rest);
    struct aic_str id = next_part(&rest);
    struct aic_str expiry = next_part(&rest);
    char seconds[24];
    if (!aic_str_equal(version, "v1") || !aic_str_copy(id, token->call_id, UUID_TEXT) ||
        !aic_str_copy(expiry, seconds, sizeof(seconds)) ||
        !aic_str_copy(rest, token->nonce, TOKEN_NONCE)) {
        return AIC_ERROR_DENIED;
    }
    if (call_id && strcmp(token->call_id, call_id) != 0) {
        return AIC_ERROR_DENIED;
    }
    token->expires_wall_us = strtoll(seconds, NULL, 10) * 1000000;
    return wall_us > token->expires_wall_us ? AIC_ERROR_TIMEOUT : AIC_OK;
}
