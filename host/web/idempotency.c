/* SPDX-License-Identifier: ISC */
#include "web/idempotency.h"

#include "json.h"

#include <openssl/evp.h>
#include <stdio.h>

bool idempotency_key_is_good(struct aic_str key)
{
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~') {
            return false;
        }
    }
    return key.len > 0 && key.len <= IDEMPOTENCY_KEY;
}

static void hash(char to[IDEMPOTENCY_FINGERPRINT], struct aic_str text)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    to[0] = '\0';
    if (EVP_Digest(text.ptr, text.len, digest, &length, EVP_sha256(), NULL)) {
        for (unsigned i = 0; i < length && 2 * i + 2 < IDEMPOTENCY_FINGERPRINT; i++) {
            (void)snprintf(to + (size_t)2 * i, 3, "%02x", digest[i]);
        }
    }
}

void idempotency_name(char to[IDEMPOTENCY_NAME], const char *owner, struct aic_str key)
{
    char digest[IDEMPOTENCY_FINGERPRINT];
    hash(digest, key);
    (void)snprintf(to, IDEMPOTENCY_NAME, "make-call/%s/%s", owner, digest);
}

void idempotency_fingerprint(char to[IDEMPOTENCY_FINGERPRINT], const struct aic_json *body)
{
    hash(to, aic_json_print(body));
}

enum idempotency idempotency_judge(const struct aic_json *row)
{
    struct aic_str state = aic_json_get_text(row, "state");
    if (!aic_json_is_object(row)) {
        return IDEMPOTENCY_UNKNOWN;
    }
    if (aic_json_get_bool(row, "mismatch", false)) {
        return IDEMPOTENCY_OTHER;
    }
    if (aic_json_get_bool(row, "first", false)) {
        return state.len > 0 ? IDEMPOTENCY_LOST : IDEMPOTENCY_FIRST;
    }
    if (aic_str_equal(state, "done")) {
        return IDEMPOTENCY_DONE;
    }
    return aic_str_equal(state, "pending") ? IDEMPOTENCY_RUNNING : IDEMPOTENCY_UNKNOWN;
}
