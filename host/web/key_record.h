/* SPDX-License-Identifier: ISC */
#ifndef WEB_KEY_RECORD_H
#define WEB_KEY_RECORD_H
/* A new API key, as the change "api_key.add" takes it. */
#include "base/uuid.h"
#include "web/api_key.h"

struct aic_buf;

enum { KEY_PER_MINUTE_MAX = 1000000 };

struct key_record {
    const char *name;
    const char *created_by; /* NULL: the command line */
    uint32_t scopes;
    int64_t per_minute;      /* 0 = the usual */
    int64_t expires_wall_us; /* 0 = never */
};

/* Appends the parameters; `id` is the new key's. */
void key_record_write(struct aic_buf *to, const struct key_record *record, const char *key,
                      char id[UUID_TEXT]);

#endif
