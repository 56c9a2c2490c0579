/* SPDX-License-Identifier: ISC */
#include "web/api_key.h"

#include "web/digest.h"

#include "buf.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_DIGITS = DIGEST_TEXT - 1 };

static const char key_start[] = "aic_";
/* Also keeps the MAC apart from that of any other text under the same secret. */
static const char cookie_start[] = "key.v1.";

const char api_key_cookie_name[] = "aicaller_key";

static const struct {
    const char *name;
    uint32_t scope;
} scopes[] = {{"read", API_SCOPE_READ}, {"call", API_SCOPE_CALL}, {"admin", API_SCOPE_ADMIN}};

void api_key_make(char to[API_KEY_TEXT], const uint8_t random[API_KEY_RANDOM])
{
    size_t start = strlen(key_start);
    memcpy(to, key_start, start);
    digest_hex(to + start, random, API_KEY_RANDOM);
}

bool api_key_hash(struct aic_str key, char hash[API_KEY_HASH])
{
    size_t start = strlen(key_start);
    hash[0] = '\0';
    return key.len == API_KEY_TEXT - 1 && aic_str_starts(key, key_start) &&
           digest_is_hex((struct aic_str){key.ptr + start, key.len - start}) &&
           digest_make(hash, key);
}

struct aic_str api_key_in_header(struct aic_str authorization)
{
    static const char scheme[] = "bearer ";
    size_t skip = sizeof(scheme) - 1;
    struct aic_str start = {authorization.ptr, skip};
    if (authorization.len <= skip || !aic_str_equal_nocase(start, scheme)) {
        return AIC_STR("");
    }
    struct aic_str key = {authorization.ptr + skip, authorization.len - skip};
    while (key.len > 0 && key.ptr[0] == ' ') {
        key.ptr++;
        key.len--;
    }
    return key;
}

uint32_t api_scope_find(struct aic_str name)
{
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (aic_str_equal(name, scopes[i].name)) {
            return scopes[i].scope;
        }
    }
    return API_SCOPE_NONE;
}

const char *api_scope_name(uint32_t scope)
{
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (scopes[i].scope == scope) {
            return scopes[i].name;
        }
    }
    return NULL;
}

void api_key_cookie_make(char to[API_KEY_COOKIE], const char *secret, const char *hash,
                         int64_t expires_wall_us)
{
    char mac[DIGEST_TEXT];
    int length = snprintf(to, API_KEY_COOKIE, "%s%" PRId64 ".%s", cookie_start,
                          expires_wall_us / 1000000, hash);
    if (!secret[0] || !digest_sign(mac, secret, (struct aic_str){to, (size_t)length})) {
        to[0] = '\0';
        return;
    }
    (void)snprintf(to + length, API_KEY_COOKIE - (size_t)length, ".%s", mac);
}

bool api_key_cookie_check(struct aic_str value, const char *secret, int64_t wall_us,
                          char hash[API_KEY_HASH])
{
    char text[API_KEY_COOKIE];
    char mac[DIGEST_TEXT];
    const size_t tail = 1 + DIGEST_DIGITS; /* a dot, and a hash or a MAC */
    size_t start = sizeof(cookie_start) - 1;
    hash[0] = '\0';
    if (!secret[0] || value.len <= start + 2 * tail || !aic_str_starts(value, cookie_start) ||
        !aic_str_copy(value, text, sizeof(text))) {
        return false;
    }
    struct aic_str body = {text, value.len - tail};
    if (text[body.len] != '.' || !digest_sign(mac, secret, body) ||
        CRYPTO_memcmp(mac, text + body.len + 1, DIGEST_DIGITS) != 0) {
        return false;
    }
    /* From here on it is what api_key_cookie_make wrote. */
    int64_t expires_s = strtoll(text + start, NULL, 10);
    if (wall_us / 1000000 >= expires_s) {
        return false;
    }
    return aic_str_copy((struct aic_str){text + body.len - DIGEST_DIGITS, DIGEST_DIGITS}, hash,
                        API_KEY_HASH);
}
