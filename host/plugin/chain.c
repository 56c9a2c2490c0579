/* SPDX-License-Identifier: ISC */
#include "plugin/chain.h"

int chain_pick(const struct chain *chain, enum provider_role role, uint32_t tried)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (!(tried & 1u << i) && provider_allowed(chain->providers[i], role)) {
            return (int)i;
        }
    }
    for (size_t i = 0; i < chain->count; i++) {
        if (!(tried & 1u << i)) {
            return (int)i;
        }
    }
    return -1;
}

bool chain_has_more(const struct chain *chain, uint32_t tried)
{
    return (tried & ((1u << chain->count) - 1)) != (1u << chain->count) - 1;
}

bool chain_is_healthy(const struct provider *provider, enum provider_role role)
{
    const struct breaker *breaker = &provider->breakers[role];
    return breaker_state(breaker) == BREAKER_CLOSED ||
           sched_wall(provider->env->sched) >= breaker_retry_wall_us(breaker);
}
