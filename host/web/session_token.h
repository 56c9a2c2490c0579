/* SPDX-License-Identifier: ISC */
#ifndef WEB_SESSION_TOKEN_H
#define WEB_SESSION_TOKEN_H
/*
 * What a browser shows of a session: in a cookie 32 random bytes, of which only the SHA-256 is
 * kept, and with every change a second token, which only a page of ours can know. That one is the
 * MAC of the session's hash under the server's secret, so that nobody has to keep it. Pure.
 */
#include "web/digest.h"

enum {
    SESSION_RANDOM = 32,
    SESSION_TOKEN = 2 * SESSION_RANDOM + 1, /* hex, with a terminating 0 */
    SESSION_HASH = DIGEST_TEXT,
    SESSION_CSRF = DIGEST_TEXT
};

extern const char session_cookie_name[];

void session_token_make(char to[SESSION_TOKEN], const uint8_t random[SESSION_RANDOM]);
/* False when the text has not the form of a token. */
bool session_token_hash(struct aic_str token, char hash[SESSION_HASH]);
/* Empty without a secret. */
void session_csrf_make(char to[SESSION_CSRF], const char *secret, const char *hash);
/* Compares in constant time. */
bool session_csrf_check(struct aic_str given, const char *secret, const char *hash);

#endif
