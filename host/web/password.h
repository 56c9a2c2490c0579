/* SPDX-License-Identifier: ISC */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H
/*
 * Names, roles and passwords of the people who log in: what is acceptable, and Argon2id with 64 MiB
 * and two passes. The last two functions take a tenth of a second and that memory: they are for
 * pool threads and commands.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum {
    USER_NAME = 65, /* with a terminating 0 */
    PASSWORD_MIN = 12,
    PASSWORD_MAX = 1000,       /* characters */
    PASSWORD_MAX_BYTES = 4000, /* of them in UTF-8 */
    PASSWORD_HASH = 128
};

/* What is wrong with it, for people; NULL when nothing is. */
const char *user_name_problem(struct aic_str name);
const char *password_problem(struct aic_str password);
/* What a role may do, API_SCOPE_...; NONE when there is no such role. */
uint32_t user_role_scopes(struct aic_str role);

bool password_hash(char to[PASSWORD_HASH], struct aic_str password);
/* `hash` "" or malformed: false, after the same work. */
bool password_check(const char *hash, struct aic_str password);

/* 20 characters that nobody can guess, and that can be read out. */
enum { PASSWORD_MADE = 24 };

void password_make(char to[PASSWORD_MADE]);

#endif
