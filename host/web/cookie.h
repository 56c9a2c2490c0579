/* SPDX-License-Identifier: ISC */
#ifndef WEB_COOKIE_H
#define WEB_COOKIE_H
/* Reads a Cookie header and writes Set-Cookie. Pure. */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { COOKIE_HEADER = 320 };

/* The value of the first cookie of that name; empty when it is not there. */
struct aic_str cookie_find(struct aic_str header, const char *name);
/* A cookie that no script can read and no foreign page can send. `age_s` 0 throws it away. */
void cookie_write(char to[COOKIE_HEADER], const char *name, const char *value, int64_t age_s,
                  bool is_https);

#endif
