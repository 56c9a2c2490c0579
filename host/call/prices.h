/* SPDX-License-Identifier: ISC */
#ifndef CALL_PRICES_H
#define CALL_PRICES_H
/*
 * What providers cost, as the operator's price table says, in one currency of his own choosing.
 * Pure, but for reading the configuration.
 */
#include "base/config.h"
#include "base/settings.h"

#include <aicaller/usage.h>
#include <stdbool.h>

struct setup;

enum { PRICES_MAX = 64 };

struct price {
    const char *provider; /* borrowed from the configuration */
    struct settings *settings;
};

struct prices {
    struct price list[PRICES_MAX];
    size_t count;
};

extern const struct settings_table price_table;

/* Reads the group `prices` (NULL: nothing has a price). */
void prices_load(struct prices *prices, const struct config_node *group, const struct setup *setup,
                 struct config_problems *problems);
void prices_finish(struct prices *prices);
bool prices_have(const struct prices *prices, const char *provider);
/* What an amount costs; 0 where nothing is known. */
double prices_of(const struct prices *prices, const char *provider, const struct aic_usage *usage);

/* Adds what `now`, totals of a session, has more than `before`; a smaller total is a new session.
 */
void usage_add_difference(struct aic_usage *sum, const struct aic_usage *now,
                          const struct aic_usage *before);

#endif
