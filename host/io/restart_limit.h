/* SPDX-License-Identifier: ISC */
#ifndef IO_RESTART_LIMIT_H
#define IO_RESTART_LIMIT_H
/*
 * How soon a dead worker is started again: at once, but after 5 deaths within 10 s with a pause
 * that doubles from 1 s to 30 s, until 60 s pass without a death. Pure.
 */
#include <stdint.h>

enum { RESTART_FREE = 5, RESTART_WINDOW_MS = 10000, RESTART_CALM_MS = 60000 };

enum { RESTART_FIRST_PAUSE_MS = 1000, RESTART_LONGEST_PAUSE_MS = 30000 };

struct restart_limit {
    int64_t deaths_us[RESTART_FREE]; /* the last ones, as a ring */
    uint32_t count;
    int64_t pause_ms; /* 0 = none yet */
};

/* Notes a death; returns how long to wait before the restart. */
int64_t restart_limit_death(struct restart_limit *limit, int64_t now_us);

#endif
