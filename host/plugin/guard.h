/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_GUARD_H
#define PLUGIN_GUARD_H
/*
 * Watches every crossing into a plugin: on which thread it is, and how long it takes. A [call]
 * function that keeps the loop longer than 5 ms gets the plugin's name into the log, at most once a
 * second per provider. GUARD_MAIN is for [main] functions, which run while no call waits.
 *
 *     GUARD(provider, "stt.push_audio", status = provider->stt.push_audio(session, audio));
 */
#include <aicaller/abi.h>

struct provider;

enum { GUARD_BUDGET_US = 5000, GUARD_MAIN_BUDGET_US = 500000 };

int64_t guard_begin(struct provider *provider, const char *function);
void guard_end(struct provider *provider, const char *function, int64_t began_us,
               int64_t budget_us);

#define GUARD(provider, function, statement)                                                       \
    GUARD_WITHIN(provider, function, statement, GUARD_BUDGET_US)
#define GUARD_MAIN(provider, function, statement)                                                  \
    GUARD_WITHIN(provider, function, statement, GUARD_MAIN_BUDGET_US)
#define GUARD_WITHIN(provider, function, statement, budget_us)                                     \
    do {                                                                                           \
        int64_t guard_began_us = guard_begin((provider), (function));                              \
        statement;                                                                                 \
        guard_end((provider), (function), guard_began_us, (budget_us));                            \
    } while (0)

#endif
