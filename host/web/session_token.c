/* SPDX-License-Identifier: ISC */
#include "web/session_token.h"

#include "buf.h"

#include <openssl/crypto.h>
#include <stdio.h>

const char session_cookie_name[] = "aicaller_session";

/* Keeps the MAC apart from that of any other text under the same secret. */
static const char csrf_start[] = "csrf.v1.";

void session_token_make(char to[SESSION_TOKEN], const uint8_t random[SESSION_RANDOM])
{
    digest_hex(to, random, SESSION_RANDOM);
}

bool session_token_hash(struct aic_str token, char hash[SESSION_HASH])
{
    hash[0] = '\0';
    return token.len == SESSION_TOKEN - 1 && digest_is_hex(token) && digest_make(hash, token);
}

void session_csrf_make(char to[SESSION_CSRF], const char *secret, const char *hash)
{
    char text[sizeof(csrf_start) + SESSION_HASH];
    (void)snprintf(text, sizeof(text), "%s%s", csrf_start, hash);
    to[0] = '\0';
    if (secret[0] && hash[0]) {
        (void)digest_sign(to, secret, aic_str(text));
    }
}

bool session_csrf_check(struct aic_str given, const char *secret, const char *hash)
{
    char own[SESSION_CSRF];
    session_csrf_make(own, secret, hash);
    return own[0] && given.len == SESSION_CSRF - 1 &&
           CRYPTO_memcmp(given.ptr, own, SESSION_CSRF - 1) == 0;
}
