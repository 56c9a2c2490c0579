/* SPDX-License-Identifier: ISC */
#include "base/metrics.h"

#include "buf.h"

#include <aicaller/telephony.h>

const int64_t metrics_bounds_ms[METRICS_BOUNDS] = {50,   100,  200,  300,  500,   750,  1000,
                                                   1500, 2000, 3000, 5000, 10000, 20000};

static _Atomic uint64_t own_cells[METRICS_CELLS];
static struct metrics_name own_names[METRICS_PROVIDERS];

static struct {
    _Atomic uint64_t *cells;
    struct metrics_name *names;
} place = {own_cells, own_names};

void metrics_use(_Atomic uint64_t *cells, struct metrics_name *names)
{
    place.cells = cells ? cells : own_cells;
    place.names = names ? names : own_names;
}

void metrics_count(uint32_t cell, uint64_t amount)
{
    if (cell < METRICS_CELLS && amount > 0) {
        (void)atomic_fetch_add_explicit(&place.cells[cell], amount, memory_order_relaxed);
    }
}

void metrics_observe(uint32_t cell, int64_t ms)
{
    if (ms < 0) {
        return;
    }
    uint32_t bucket = 0;
    while (bucket < METRICS_BOUNDS && ms > metrics_bounds_ms[bucket]) {
        bucket++;
    }
    metrics_count(cell + METRICS_BOUNDS + 1, (uint64_t)ms);
    metrics_count(cell + bucket, 1);
}

void metrics_count_end(enum metrics_direction direction, uint32_t status)
{
    if (status >= AIC_CALL_COMPLETED && status < AIC_CALL_COMPLETED + METRICS_ENDS) {
        metrics_count(
            METRICS_CALLS + (uint32_t)direction * METRICS_ENDS + status - AIC_CALL_COMPLETED, 1);
    }
}

uint32_t metrics_stage_cell(enum metrics_stage stage, uint32_t provider)
{
    return METRICS_STAGE + ((uint32_t)stage * METRICS_PROVIDERS + provider) * METRICS_HISTOGRAM;
}

void metrics_observe_stage(enum metrics_stage stage, const char *provider, int64_t ms)
{
    if (ms >= 0 && provider && provider[0]) {
        metrics_observe(metrics_stage_cell(stage, metrics_provider(place.names, provider)), ms);
    }
}

void metrics_count_failover(uint32_t role, const char *from)
{
    if (role < METRICS_ROLES) {
        metrics_count(
            METRICS_FAILOVERS + role * METRICS_PROVIDERS + metrics_provider(place.names, from), 1);
    }
}

void metrics_count_cost(const char *provider, double before, double after)
{
    /* Each end is rounded by itself, so that the sum of all steps is that of the whole. */
    if (before >= 0 && after > before && after < 1e12) {
        metrics_count(METRICS_COST + metrics_provider(place.names, provider),
                      (uint64_t)(after * 1e6) - (uint64_t)(before * 1e6));
    }
}

void metrics_count_http(int32_t status)
{
    if (status >= 0 && status < METRICS_HTTP_CLASSES * 100) {
        metrics_count(METRICS_HTTP + (uint32_t)status / 100, 1);
    }
}

static uint64_t key_of(const char *name)
{
    uint64_t key = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++) {
        key = (key ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return key ? key : 1;
}

uint32_t metrics_provider(struct metrics_name *names, const char *name)
{
    /* Names that are the same as far as they are kept are one. */
    char kept[METRICS_PROVIDER_NAME];
    (void)aic_str_copy(aic_str(name), kept, sizeof(kept));
    uint64_t key = key_of(kept);
    for (uint32_t i = 1; i < METRICS_PROVIDERS; i++) {
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&names[i].key, &found, key)) {
            (void)aic_str_copy(aic_str(kept), names[i].name, sizeof(names[i].name));
            return i;
        }
        if (found == key) {
            return i;
        }
    }
    return 0;
}
