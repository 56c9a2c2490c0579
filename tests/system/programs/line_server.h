/* SPDX-License-Identifier: ISC */
#ifndef LINE_SERVER_H
#define LINE_SERVER_H
/* A server around the real master whose configuration and worker obey the tests. */
#include <stddef.h>

/* The value of "key = value" in a configuration text, in a buffer of the caller's. */
const char *conf_value(const char *text, const char *key, const char *fallback, char *to,
                       size_t bytes);

int worker_main(void);

#endif
