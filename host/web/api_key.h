/* SPDX-License-Identifier: ISC */
#ifndef WEB_API_KEY_H
#define WEB_API_KEY_H
/*
 * API keys and the cookie that stands in for one in a browser. A key is 32 random bytes; only its
 * SHA-256 is kept, which is enough for a secret that nobody can guess. The cookie carries that hash
 * with an expiry and a MAC under the server's secret: it needs no table of its own, and ends with
 * its key. Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum {
    API_KEY_RANDOM = 32,
    API_KEY_TEXT = 4 + 2 * API_KEY_RANDOM + 1, /* "aic_" and hex, with a terminating 0 */
    API_KEY_PREFIX = 13,                       /* what is shown of a key: "aic_" and 8 digits */
    API_KEY_HASH = 65,
    API_KEY_COOKIE = 192
};

/* What a key may do. */
enum {
    API_SCOPE_NONE = 0,
    API_SCOPE_READ = 1u << 0,  /* look at calls, transcripts and figures */
    API_SCOPE_CALL = 1u << 1,  /* place calls, end them, talk with agents */
    API_SCOPE_ADMIN = 1u << 2, /* users, keys and the configuration; a key can only look at them */
    API_SCOPE_ALL = API_SCOPE_READ | API_SCOPE_CALL | API_SCOPE_ADMIN
};

void api_key_make(char to[API_KEY_TEXT], const uint8_t random[API_KEY_RANDOM]);
/* False when the text has not the form of a key. */
bool api_key_hash(struct aic_str key, char hash[API_KEY_HASH]);
/* The key in the value of an Authorization header; empty when it is of another kind. */
struct aic_str api_key_in_header(struct aic_str authorization);

/* The bit of a scope's name; API_SCOPE_NONE when there is no such. */
uint32_t api_scope_find(struct aic_str name);
/* "read"; NULL for none or several. */
const char *api_scope_name(uint32_t scope);

extern const char api_key_cookie_name[];
void api_key_cookie_make(char to[API_KEY_COOKIE], const char *secret, const char *hash,
                         int64_t expires_wall_us);
/* False when it is not ours or has expired; else the hash of its key. */
bool api_key_cookie_check(struct aic_str value, const char *secret, int64_t wall_us,
                          char hash[API_KEY_HASH]);

#endif
