/* SPDX-License-Identifier: ISC */
#ifndef CLI_NEW_PASSWORD_H
#define CLI_NEW_PASSWORD_H
/* A password for a user: read from a file, asked for on the terminal, or made. */
#include "web/password.h"

struct new_password {
    const char *file; /* "-" = standard input; NULL: ask twice */
    bool is_made;
};

/* Its hash; `made` is the password where it was made, else "". False after saying why. */
bool new_password_hash(const struct new_password *wish, char hash[PASSWORD_HASH],
                       char made[PASSWORD_MADE]);

#endif
