/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_TIMER_H
#define AICALLER_TIMER_H
/* Service: timers with absolute deadlines on the instance's loop. */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_TIMER "aicaller.timer/1"

struct aic_timer; /* the host's */

struct aic_timer_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /*
     * Calls `fire(data)` once when now_us reaches `deadline_us`; a past deadline fires on the next
     * turn of the loop. *timer is valid until it fires or is stopped. [main, call]
     */
    int32_t (*start)(const struct aic_host *host, int64_t deadline_us, void (*fire)(void *data),
                     void *data, struct aic_timer **timer);
    /* Stops a timer that has not fired; its function is not called after this. NULL is fine.
     * [main, call] */
    void (*stop)(const struct aic_host *host, struct aic_timer *timer);
};

AIC_END_DECLS
#endif
