/* SPDX-License-Identifier: ISC */
#include "plugin/guard.h"

#include "base/log.h"
#include "plugin/provider.h"

#include <stdlib.h>
#include <time.h>

/* The machine's clock, not the scheduler's: virtual time stands still inside a plugin. */
static int64_t machine_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t guard_begin(struct provider *provider, const char *function)
{
#ifndef NDEBUG
    struct sched *sched = provider->env->sched;
    if (sched && !sched->ops->is_loop_thread(sched)) {
        log_error(provider->name, "called on a wrong thread", LOG_S("function", function));
        abort();
    }
#else
    (void)provider;
    (void)function;
#endif
    return machine_us();
}

void guard_end(struct provider *provider, const char *function, int64_t began_us, int64_t budget_us)
{
    int64_t now_us = machine_us();
    if (now_us - began_us > budget_us && now_us >= provider->next_complaint_us) {
        provider->next_complaint_us = now_us + 1000000;
        log_warn(provider->name, "kept the loop too long", LOG_S("function", function),
                 LOG_I("took_us", now_us - began_us), LOG_I("budget_us", budget_us));
    }
}
