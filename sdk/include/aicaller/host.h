/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_HOST_H
#define AICALLER_HOST_H
/*
 * What the host gives to a provider instance at `create`. Everything else is a service, fetched by
 * its id: see http.h, websocket.h, timer.h, pool.h, post.h, route.h, clock.h, log.h,
 * thread_check.h. A plugin links against no symbol of the host, so that a test can stand in for it.
 */
#include <aicaller/abi.h>

AIC_BEGIN_DECLS

struct aic_host {
    uint32_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;   /* 0 */
    void *impl;          /* the host's own */
    const char *name;    /* "aicaller" */
    const char *version; /* of the host, "0.1.0" */

    /*
     * A service table by id, or NULL where this host has none. Valid until the instance's
     * `destroy` returns. Pass the same `host` to the table's functions. [any]
     */
    const void *(*get_service)(const struct aic_host *host, const char *id);
};

AIC_END_DECLS
#endif
