/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H
/*
 * Watches every crossing into a plugin: on which thread it is, how long it takes, and whose fault
 * it is when the process dies inside. A [call] function that keeps the loop longer than 5 ms gets
 * the plugin's name into the log, at most once a second per provider. GUARD_MAIN is for [main]
 * functions, which run while no call waits.
 *
 *     GUARD(provider, "stt.push_audio", status = provider->stt.push_audio(session, audio));
 */
#include <aicaller/abi.h>

struct provider;

enum { GUARD_BUDGET_US = 5000, GUARD_MAIN_BUDGET_US = 500000 };

/* One crossing, on the stack; they nest where a plugin calls back. */
struct guard {
    struct guard *outer;
    struct provider *provider;
    const char *name;
    const char *function;
    int64_t began_us;
    int64_t began_cpu_us;
};

void guard_enter(struct guard *guard, struct provider *provider, const char *function);
void guard_leave(struct guard *guard, int64_t budget_us);
/* The same where a plugin's code runs on another thread or has no provider yet; no budget. */
void guard_mark(struct guard *guard, const char *name, const char *function);
void guard_unmark(struct guard *guard);

/* From now on a fatal signal says in which plugin it came, before it ends the process as usual. Not
 * under sanitizers, which say more. */
void guard_report_crashes(void);

#define GUARD(provider, function, statement)                                                       \
    GUARD_WITHIN(provider, function, statement, GUARD_BUDGET_US)
#define GUARD_MAIN(provider, function, statement)                                                  \
    GUARD_WITHIN(provider, function, statement, GUARD_MAIN_BUDGET_US)
#define GUARD_WITHIN(provider, function, statement, budget_us)                                     \
    do {                                                                                           \
        struct guard guard_here;                                                                   \
        guard_enter(&guard_here, (provider), (function));                                          \
        statement;                                                                                 \
        guard_leave(&guard_here, (budget_us));                                                     \
    } while (0)

#endif
