/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"
#include "base/metrics.h"
#include "plugin/provider.h"

#include "json.h"

#include <string.h>

/*
 * What a call uses of each provider in each role: one row that grows with the call, and its cost.
 */

static const char *const role_names[] = {"telephony", "stt", "llm", "tts"};

static struct usage_line *find_line(struct call *call, int role, const struct provider *provider)
{
    for (size_t i = 0; i < call->usage_count; i++) {
        struct usage_line *line = &call->usage[i];
        if (line->role == role && line->provider == provider) {
            return line;
        }
    }
    if (call->usage_count == CALL_USAGE_LINES) {
        return NULL;
    }
    struct usage_line *line = &call->usage[call->usage_count++];
    uint8_t random[10];
    call_random(call, random);
    *line = (struct usage_line){.role = role, .provider = provider};
    uuid7_format(line->id, sched_wall(call->env.sched), random);
    return line;
}

static void add_up(struct call *call)
{
    call->cost = 0;
    for (size_t i = 0; i < call->usage_count; i++) {
        call->cost += call->usage[i].cost;
    }
}

static void check_limit(struct call *call)
{
    bool is_over = call->env.max_cost > 0 && call->cost >= call->env.max_cost;
    if (is_over && !call->is_over_cost && call->state == CALL_TALKING) {
        call->is_over_cost = true;
        log_warn("call", "costs more than a call may", LOG_S("call", call->id));
        call_end(call, "cost_limit", true);
    }
}

void call_use(struct call *call, int role, const struct provider *provider,
              const struct aic_usage *usage)
{
    struct usage_line *line = find_line(call, role, provider);
    if (!line) {
        return;
    }
    bool is_cumulative = (usage->flags & AIC_USAGE_CUMULATIVE) != 0;
    usage_add_difference(&line->total, usage, is_cumulative ? &line->session : NULL);
    if (is_cumulative) {
        line->session = *usage;
    }
    line->total.flags |= usage->flags & AIC_USAGE_ESTIMATED;
    if (call->env.prices) {
        double before = line->cost;
        line->cost = prices_of(call->env.prices, provider->name, &line->total);
        metrics_count_cost(provider->name, before, line->cost);
    }
    add_up(call);
    call_record_usage(call, line, role_names[role]);
    check_limit(call);
}

double call_cost(const struct call *call)
{
    return call->cost;
}

void call_use_line(struct call *call)
{
    struct provider *provider = call->leg_provider;
    if (!provider || !call->env.prices || !prices_have(call->env.prices, provider->name)) {
        return;
    }
    const struct aic_usage usage = {.size = sizeof(usage),
                                    .flags = AIC_USAGE_CUMULATIVE | AIC_USAGE_ESTIMATED,
                                    .connection_us =
                                        sched_now(call->env.sched) - call->answered_us};
    call_use(call, CALL_ROLE_LINE, provider, &usage);
}
