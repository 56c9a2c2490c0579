/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_POST_H
#define AICALLER_POST_H
/* Service: the way back to the loop for a plugin's own threads. */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_POST "aicaller.post/1"

struct aic_post_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /*
     * Calls `run(data)` on the instance's loop soon, in the order of posting. AIC_ERROR_CLOSED once
     * the instance is being destroyed: then `run` is never called and `data` stays the caller's.
     * [any]
     */
    int32_t (*post)(const struct aic_host *host, void (*run)(void *data), void *data);
};

AIC_END_DECLS
#endif
