/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_THREAD_CHECK_H
#define AICALLER_THREAD_CHECK_H
/* Service: lets a plugin assert its thread labels. */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_THREAD_CHECK "aicaller.thread_check/1"

struct aic_thread_check_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* 1 on the thread of this instance's loop: [main] and [call]. [any] */
    int32_t (*is_loop_thread)(const struct aic_host *host);
    /* 1 on a pool thread. [any] */
    int32_t (*is_pool_thread)(const struct aic_host *host);
};

AIC_END_DECLS
#endif
