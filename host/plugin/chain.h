/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_CHAIN_H
#define PLUGIN_CHAIN_H
/*
 * The order in which an agent's providers of one role are asked. A provider that its breaker keeps
 * out is passed over while another is there; when all are kept out the first untried one is asked
 * all the same, because a caller waits.
 */
#include "plugin/provider.h"

enum { CHAIN_MAX = 8 };

struct chain {
    struct provider *providers[CHAIN_MAX];
    size_t count;
};

/* The next one that `tried` (a bit per index) does not name; -1 when all were tried. */
int chain_pick(const struct chain *chain, enum provider_role role, uint32_t tried);
/* Whether chain_pick would still find one. */
bool chain_has_more(const struct chain *chain, uint32_t tried);
/* Whether a provider would be let in now, its breaker asked without using up a trial. */
bool chain_is_healthy(const struct provider *provider, enum provider_role role);

#endif
