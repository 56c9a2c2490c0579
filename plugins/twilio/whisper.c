/* SPDX-License-Identifier: ISC */
#include "whisper.h"

#include <sodium.h>
#include <string.h>

_Static_assert((int)TWILIO_NONCE_BYTES == (int)crypto_secretbox_NONCEBYTES,
               "the length of a nonce is libsodium's");

enum {
    SEALED_MAX_BYTES =
        TWILIO_NONCE_BYTES + (int)crypto_secretbox_MACBYTES + TWILIO_WHISPER_MAX_BYTES,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

static void make_key(uint8_t key[crypto_secretbox_KEYBYTES], const char *auth_token)
{
    static const char purpose[] = "aicaller whisper";
    (void)crypto_generichash(key, crypto_secretbox_KEYBYTES, (const uint8_t *)auth_token,
                             strlen(auth_token), (const uint8_t *)purpose, sizeof(purpose) - 1);
}

int32_t twilio_whisper_seal(struct aic_buf *to, const char *auth_token,
                            const uint8_t nonce[TWILIO_NONCE_BYTES], struct aic_str text)
{
    uint8_t key[crypto_secretbox_KEYBYTES];
    uint8_t sealed[SEALED_MAX_BYTES];
    char printed[sodium_base64_ENCODED_LEN(SEALED_MAX_BYTES, VARIANT)];
    if (text.len > TWILIO_WHISPER_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    make_key(key, auth_token);
    memcpy(sealed, nonce, TWILIO_NONCE_BYTES);
    (void)crypto_secretbox_easy(sealed + TWILIO_NONCE_BYTES, (const uint8_t *)text.ptr, text.len,
                                nonce, key);
    sodium_memzero(key, sizeof(key));
    size_t bytes = TWILIO_NONCE_BYTES + crypto_secretbox_MACBYTES + text.len;
    (void)sodium_bin2base64(printed, sizeof(printed), sealed, bytes, VARIANT);
    return aic_buf_text(to, printed);
}

int32_t twilio_whisper_open(struct aic_buf *to, const char *auth_token, struct aic_str sealed)
{
    uint8_t key[crypto_secretbox_KEYBYTES];
    uint8_t bytes[SEALED_MAX_BYTES];
    uint8_t text[TWILIO_WHISPER_MAX_BYTES];
    size_t count = 0;
    if (sodium_base642bin(bytes, sizeof(bytes), sealed.ptr, sealed.len, NULL, &count, NULL,
                          VARIANT) != 0 ||
        count < TWILIO_NONCE_BYTES + crypto_secretbox_MACBYTES) {
        return AIC_ERROR_DENIED;
    }
    make_key(key, auth_token);
    int result = crypto_secretbox_open_easy(text, bytes + TWILIO_NONCE_BYTES,
                                            count - TWILIO_NONCE_BYTES, bytes, key);
    sodium_memzero(key, sizeof(key));
    if (result != 0) {
        return AIC_ERROR_DENIED;
    }
    return aic_buf_add(to, text, count - TWILIO_NONCE_BYTES - crypto_secretbox_MACBYTES);
}
