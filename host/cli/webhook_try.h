/* SPDX-License-Identifier: ISC */
#ifndef CLI_WEBHOOK_TRY_H
#define CLI_WEBHOOK_TRY_H
/* One webhook sent at once, to see whether its receiver takes it. */
#include "cli/conf.h"

struct webhook_try_result {
    int32_t http_status; /* 0 = no answer, */
    char error[64];      /* and why */
    int64_t took_ms;     /* -1 = unknown */
};

/* Blocks until there is an answer. */
void webhook_try(const struct conf *conf, const struct webhook_endpoint *endpoint,
                 struct webhook_try_result *result);

#endif
