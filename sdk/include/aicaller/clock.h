/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_CLOCK_H
#define AICALLER_CLOCK_H
/*
 * Service: the host's clock. In tests it is virtual: a plugin that asks any other clock can not be
 * tested in virtual time.
 */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_CLOCK "aicaller.clock/1"

struct aic_clock_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Monotonic microseconds since an arbitrary start. [any] */
    int64_t (*now_us)(const struct aic_host *host);
    /* Microseconds since 1970-01-01T00:00:00Z. May jump. [any] */
    int64_t (*wall_us)(const struct aic_host *host);
    /* Fills `bytes` from the host's random source; in tests it is seeded. [any] */
    void (*random)(const struct aic_host *host, void *to, size_t bytes);
};

AIC_END_DECLS
#endif
