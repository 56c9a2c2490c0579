/* SPDX-License-Identifier: ISC */
#include "web/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { DIGEST_BYTES = (DIGEST_TEXT - 1) / 2 };

void digest_hex(char *to, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    to[2 * count] = '\0';
}

bool digest_is_hex(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
            return false;
        }
    }
    return true;
}

bool digest_make(char to[DIGEST_TEXT], struct aic_str text)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    to[0] = '\0';
    if (!EVP_Digest(text.ptr, text.len, digest, &length, EVP_sha256(), NULL) ||
        length != DIGEST_BYTES) {
        return false;
    }
    digest_hex(to, digest, DIGEST_BYTES);
    return true;
}

bool digest_sign(char to[DIGEST_TEXT], const char *secret, struct aic_str text)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    to[0] = '\0';
    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text.ptr, text.len,
              mac, &length) ||
        length != DIGEST_BYTES) {
        return false;
    }
    digest_hex(to, mac, DIGEST_BYTES);
    return true;
}
