/* SPDX-License-Identifier: ISC */
#ifndef BASE_MASK_H
#define BASE_MASK_H
/*
 * Hides known secrets and telephone numbers in a text. Pure; log.h keeps the secrets of the
 * process.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { MASK_SECRET_MIN = 6 }; /* shorter values would hide innocent words */

struct mask_secret {
    char *text;
    size_t len;
};

struct mask_secrets {
    struct mask_secret *list;
    size_t count;
    bool starts[256]; /* whether a secret begins with this byte */
};

/* Copies a value; one that is too short or known already is passed over. */
int32_t mask_add(struct mask_secrets *secrets, struct aic_str value);
/* Accepts a zeroed one. */
void mask_finish(struct mask_secrets *secrets);

/*
 * Writes `text` with each secret as "***", and each number of 8 digits or more behind a '+' (or
 * "%2B") as its first 5 digits, "*****" and its last 2. `is_cut` tells that more text followed: the
 * beginning of a secret at its end is hidden, too. Cut to `bytes` between characters, always
 * terminated; returns the length.
 */
size_t mask_text(const struct mask_secrets *secrets, struct aic_str text, bool is_cut, char *to,
                 size_t bytes);

#endif
