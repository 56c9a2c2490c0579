/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_POOL_H
#define AICALLER_POOL_H
/*
 * Service: threads for work that blocks or computes. Work is queued on lanes: jobs of one lane run
 * in order and never at the same time, so that state used only by a lane's jobs needs no lock.
 */
#include <aicaller/abi.h>
#include <aicaller/host.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_POOL "aicaller.pool/1"

struct aic_lane; /* the host's */

struct aic_pool_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Opens a lane. [main, call] */
    int32_t (*lane_open)(const struct aic_host *host, struct aic_lane **lane);
    /*
     * Queues `work(data)` for a pool thread; afterwards `done(data, status)` is called on the loop
     * with AIC_OK, or AIC_ERROR_CANCELLED where the lane was closed before the job began; `work`
     * did not run then. `done` may be NULL. AIC_ERROR_BUSY: 1024 jobs wait on this lane. [main,
     * call]
     */
    int32_t (*run)(const struct aic_host *host, struct aic_lane *lane, void (*work)(void *data),
                   void (*done)(void *data, int32_t status), void *data);
    /*
     * Closes a lane: waiting jobs are cancelled, a running one ends by itself. Every job's `done`
     * is still called, and `closed(data)` after the last of them, when nothing of the lane is in
     * use. `closed` may be NULL. [main, call]
     */
    void (*lane_close)(const struct aic_host *host, struct aic_lane *lane,
                       void (*closed)(void *data), void *data);
};

AIC_END_DECLS
#endif
