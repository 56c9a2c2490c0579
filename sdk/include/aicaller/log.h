/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_LOG_H
#define AICALLER_LOG_H
/*
 * Service: log lines, with the provider's name put in front by the host. The host masks secrets it
 * knows and telephone numbers; still, never log keys, prompts or a caller's words.
 */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_LOG "aicaller.log/1"

enum {
    AIC_LOG_NONE = 0,
    AIC_LOG_DEBUG = 1, /* protocol detail; off by default */
    AIC_LOG_INFO = 2,  /* an operator may want to know */
    AIC_LOG_WARN = 3,  /* works, but somebody should look */
    AIC_LOG_ERROR = 4  /* something was lost or refused */
};

struct aic_log_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Writes one line; `text` is UTF-8 without a line feed, at most 4096 bytes are kept. [any] */
    void (*write)(const struct aic_host *host, uint32_t level, struct aic_str text);
    /* 1 if lines of this level are written at all; spares the formatting. [any] */
    int32_t (*enabled)(const struct aic_host *host, uint32_t level);
};

AIC_END_DECLS
#endif
