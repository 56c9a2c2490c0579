/* SPDX-License-Identifier: ISC */
#include "io/restart_limit.h"

int64_t restart_limit_death(struct restart_limit *limit, int64_t now_us)
{
    uint32_t last = (limit->count + RESTART_FREE - 1) % RESTART_FREE;
    if (limit->count > 0 && now_us - limit->deaths_us[last] > RESTART_CALM_MS * INT64_C(1000)) {
        *limit = (struct restart_limit){.count = 0};
    }
    int64_t *oldest_us = &limit->deaths_us[limit->count % RESTART_FREE];
    int64_t window_us = RESTART_WINDOW_MS * INT64_C(1000);
    if (limit->pause_ms > 0) {
        limit->pause_ms *= 2;
    } else if (limit->count >= RESTART_FREE && now_us - *oldest_us <= window_us) {
        limit->pause_ms = RESTART_FIRST_PAUSE_MS;
    }
    if (limit->pause_ms > RESTART_LONGEST_PAUSE_MS) {
        limit->pause_ms = RESTART_LONGEST_PAUSE_MS;
    }
    *oldest_us = now_us;
    limit->count++;
    return limit->pause_ms;
}
