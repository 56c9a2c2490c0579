/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_LLM_H
#define SCRIPT_LLM_H
/* The role: requests in, events out. All deciding is dialog.h's. */
#include "script.h"

#include <aicaller/clock.h>
#include <aicaller/llm.h>
#include <aicaller/log.h>
#include <aicaller/timer.h>

/* One provider instance. */
struct script_provider {
    const struct aic_host *host;
    const struct aic_log_service *log;
    const struct aic_timer_service *timer;
    const struct aic_clock_service *clock;
    struct script *script;
};

/* The role's table; `self` is a struct script_provider. */
const struct aic_llm *script_llm(void);

#endif
