/* SPDX-License-Identifier: ISC */
#include "call/webhook.h"

#include "base/uuid.h"

#include "base64.h"
#include "buf.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { MAC_BYTES = 32, TIME_DIGITS = 12 /* of an id: its 48 bits of milliseconds */ };

static const char *const names[WEBHOOK_EVENTS + 1] = {
    "call.started",     "call.answered",    "call.ended",      "call.transcript",
    "call.failed_over", "opt_out.recorded", "recording.ready", NULL};

const char *webhook_event_name(enum webhook_event event)
{
    return names[event];
}

const char *const *webhook_event_names(void)
{
    return names;
}

bool webhook_event_find(struct aic_str name, enum webhook_event *event)
{
    for (int i = 0; i < WEBHOOK_EVENTS; i++) {
        if (aic_str_equal(name, names[i])) {
            *event = (enum webhook_event)i;
            return true;
        }
    }
    return false;
}

int32_t webhook_secret_read(struct webhook_secret *secret, struct aic_str text)
{
    static const char prefix[] = "whsec_";
    uint8_t key[AIC_BASE64_DECODED(AIC_BASE64_ENCODED(WEBHOOK_KEY_MAX))];
    size_t skip = sizeof(prefix) - 1;
    *secret = (struct webhook_secret){.bytes = 0};
    if (!aic_str_starts(text, prefix) || text.len - skip > AIC_BASE64_ENCODED(WEBHOOK_KEY_MAX)) {
        return AIC_ERROR_INVALID;
    }
    int64_t bytes = aic_base64_decode(key, text.ptr + skip, text.len - skip);
    if (bytes < WEBHOOK_KEY_MIN || bytes > WEBHOOK_KEY_MAX) {
        return AIC_ERROR_INVALID;
    }
    memcpy(secret->key, key, (size_t)bytes);
    secret->bytes = (size_t)bytes;
    return AIC_OK;
}

/* Over "id.timestamp.body". */
static bool make_mac(uint8_t mac[MAC_BYTES], const struct webhook_secret *secret,
                     struct aic_str head, struct aic_str body)
{
    size_t length = 0;
    EVP_PKEY *key = EVP_PKEY_new_mac_key(EVP_PKEY_HMAC, NULL, secret->key, (int)secret->bytes);
    EVP_MD_CTX *context = key ? EVP_MD_CTX_new() : NULL;
    bool is_made = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                   EVP_DigestSignUpdate(context, head.ptr, head.len) == 1 &&
                   EVP_DigestSignUpdate(context, body.ptr, body.len) == 1;
    length = MAC_BYTES;
    is_made = is_made && EVP_DigestSignFinal(context, mac, &length) == 1 && length == MAC_BYTES;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_made;
}

void webhook_sign(char to[WEBHOOK_SIGNATURES], const struct webhook_secret *secrets, size_t count,
                  const char *id, int64_t timestamp_s, struct aic_str body)
{
    char head[128];
    uint8_t mac[MAC_BYTES];
    size_t used = 0;
    int length = snprintf(head, sizeof(head), "%s.%" PRId64 ".", id, timestamp_s);
    to[0] = '\0';
    for (size_t i = 0; i < count && length > 0 && (size_t)length < sizeof(head); i++) {
        if (!make_mac(mac, &secrets[i], (struct aic_str){head, (size_t)length}, body)) {
            to[0] = '\0';
            return;
        }
        used += (size_t)snprintf(to + used, WEBHOOK_SIGNATURES - used, i > 0 ? " v1," : "v1,");
        used += aic_base64_encode(to + used, mac, MAC_BYTES);
        to[used] = '\0';
    }
}

int64_t webhook_delay_ms(int64_t tries, uint32_t random)
{
    static const int64_t delays_s[WEBHOOK_TRIES - 1] = {
        5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600};
    if (tries >= WEBHOOK_TRIES) {
        return -1;
    }
    int64_t delay_ms = delays_s[tries > 0 ? tries - 1 : 0] * 1000;
    return delay_ms * 4 / 5 + (int64_t)((uint64_t)delay_ms * 2 / 5 * random / UINT32_MAX);
}

void webhook_derive_id(char *to, const char *from_id, const char *word)
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    char text[128];
    unsigned bytes = 0;
    int length = snprintf(text, sizeof(text), "%s %s", from_id, word);
    if (length > 0) {
        (void)EVP_Digest(text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1,
                         digest, &bytes, EVP_sha256(), NULL);
    }
    uuid7_format(to, 0, digest);
    /* The first 48 bits with their hyphen: "019b8d2c-8f40". */
    memcpy(to, from_id, TIME_DIGITS + 1);
}
