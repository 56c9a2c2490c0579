/* SPDX-License-Identifier: ISC */
#include "plugin/guard.h"

#include "base/log.h"
#include "plugin/provider.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

enum { BLOCKED = 10 };

static _Thread_local struct guard *innermost;

/* The machine's clock, not the scheduler's: virtual time stands still inside a plugin. */
static int64_t machine_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void guard_enter(struct guard *guard, struct provider *provider, const char *function)
{
#ifndef NDEBUG
    struct sched *sched = provider->env->sched;
    if (sched && !sched->ops->is_loop_thread(sched)) {
        log_error(provider->name, "called on a wrong thread", LOG_S("function", function));
        abort();
    }
#endif
    *guard = (struct guard){.outer = innermost,
                            .provider = provider,
                            .name = provider->name,
                            .function = function,
                            .began_us = machine_us(CLOCK_MONOTONIC),
                            .began_cpu_us = machine_us(CLOCK_THREAD_CPUTIME_ID)};
    innermost = guard;
}

void guard_leave(struct guard *guard, int64_t budget_us)
{
    int64_t now_us = machine_us(CLOCK_MONOTONIC);
    int64_t took_us = now_us - guard->began_us;
    struct provider *provider = guard->provider;
    innermost = guard->outer;
    if (took_us <= budget_us || now_us < provider->next_complaint_us) {
        return;
    }
    /* A busy machine takes the processor away from anybody; that is not the plugin's fault. Who
     * waits for something uses no processor either, but much longer. */
    int64_t cpu_us = machine_us(CLOCK_THREAD_CPUTIME_ID) - guard->began_cpu_us;
    if (cpu_us > budget_us || took_us > BLOCKED * budget_us) {
        provider->next_complaint_us = now_us + 1000000;
        log_warn(provider->name, "kept the loop too long", LOG_S("function", guard->function),
                 LOG_I("took_us", took_us), LOG_I("cpu_us", cpu_us), LOG_I("budget_us", budget_us));
    }
}

void guard_mark(struct guard *guard, const char *name, const char *function)
{
    *guard = (struct guard){.outer = innermost, .name = name, .function = function};
    innermost = guard;
}

void guard_unmark(struct guard *guard)
{
    innermost = guard->outer;
}

/* Only what is safe in a signal handler: no allocation, no stdio. */

static void put(char line[512], size_t *at, const char *text)
{
    size_t length = strlen(text);
    size_t room = 511 - *at;
    length = length < room ? length : room;
    memcpy(line + *at, text, length);
    *at += length;
}

static void crashed(int number)
{
    char line[512];
    size_t at = 0;
    const char *name = sigdescr_np(number);
    put(line, &at, "aicaller: fatal: ");
    put(line, &at, name ? name : "signal");
    if (innermost) {
        put(line, &at, " in plugin ");
        put(line, &at, innermost->name);
        put(line, &at, ", function ");
        put(line, &at, innermost->function);
    }
    put(line, &at, "\n");
    ssize_t written = write(STDERR_FILENO, line, at);
    (void)written;
    (void)raise(number); /* the default action, as the handler is gone */
}

void guard_report_crashes(void)
{
    static char stack[16384];
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = crashed,
                               .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    (void)sigaltstack(&other, NULL);
    for (size_t i = 0; !IS_SANITIZED && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaction(numbers[i], &action, NULL);
    }
}
