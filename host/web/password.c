/* SPDX-License-Identifier: ISC */
#include "web/password.h"

#include "web/api_key.h"

#include "buf.h"
#include "utf8.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

_Static_assert((int)PASSWORD_HASH >= (int)crypto_pwhash_argon2id_STRBYTES, "a hash fits");

/* Of no password that anybody has: what an unknown name is checked against. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$"
                             "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const char *user_name_problem(struct aic_str name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@_-+";
    if (name.len == 0 || name.len >= USER_NAME) {
        return "A name has 1 to 64 characters.";
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(allowed, name.ptr[i], sizeof(allowed) - 1)) {
            return "A name is made of letters a to z, digits and . @ _ - +";
        }
    }
    return NULL;
}

const char *password_problem(struct aic_str password)
{
    size_t characters = 0;
    for (size_t i = 0; i < password.len; i++) {
        characters += ((unsigned char)password.ptr[i] & 0xc0) != 0x80;
    }
    if (characters < PASSWORD_MIN) {
        return "A password has at least 12 characters.";
    }
    if (characters > PASSWORD_MAX || password.len > PASSWORD_MAX_BYTES) {
        return "A password has at most 1,000 characters.";
    }
    if (!aic_utf8_valid(password) || memchr(password.ptr, '\0', password.len)) {
        return "A password is text in UTF-8, without a NUL.";
    }
    return NULL;
}

uint32_t user_role_scopes(struct aic_str role)
{
    if (aic_str_equal(role, "viewer")) {
        return API_SCOPE_READ;
    }
    if (aic_str_equal(role, "operator")) {
        return API_SCOPE_READ | API_SCOPE_CALL;
    }
    return aic_str_equal(role, "admin") ? API_SCOPE_ALL : API_SCOPE_NONE;
}

/* One and the same accented letter is one or two code points, as the keyboard likes: NFC, as in
 * RFC 8265. Freed by forget(). */
static char *normal_form(struct aic_str password, size_t *length)
{
    utf8proc_uint8_t *text = NULL;
    utf8proc_ssize_t bytes =
        utf8proc_map((const utf8proc_uint8_t *)password.ptr, (utf8proc_ssize_t)password.len, &text,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    *length = bytes >= 0 ? (size_t)bytes : 0;
    return bytes >= 0 ? (char *)text : NULL;
}

static void forget(char *text, size_t length)
{
    if (text) {
        sodium_memzero(text, length);
        free(text);
    }
}

bool password_hash(char to[PASSWORD_HASH], struct aic_str password)
{
    size_t length = 0;
    char *text = normal_form(password, &length);
    bool is_made =
        text && sodium_init() >= 0 &&
        crypto_pwhash_argon2id_str(to, text, length, crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
                                   crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE) == 0;
    forget(text, length);
    if (!is_made) {
        to[0] = '\0';
    }
    return is_made;
}

bool password_check(const char *hash, struct aic_str password)
{
    size_t length = 0;
    bool is_known = strncmp(hash, "$argon2id$", 10) == 0;
    char *text = normal_form(password, &length);
    bool is_same = text && sodium_init() >= 0 &&
                   crypto_pwhash_argon2id_str_verify(is_known ? hash : nobody, text, length) == 0;
    forget(text, length);
    return is_same && is_known;
}

void password_make(char to[PASSWORD_MADE])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none that look alike */
    int at = 0;
    for (int i = 0; i < 20; i++) {
        if (i > 0 && i % 5 == 0) {
            to[at++] = '-';
        }
        to[at++] = letters[randombytes_uniform(sizeof(letters) - 1)];
    }
    to[at] = '\0';
}
