/* SPDX-License-Identifier: ISC */
#include "base/counters.h"

#include <string.h>

static const struct {
    const char *group;
    const char *name;
} counters[COUNTERS] = {
    {"sound", "unheard_blocks"},   {"sound", "unsaid_ms"},        {"sound", "lost_marks"},
    {"calls", "no_room"},          {"calls", "limit_per_caller"}, {"viewers", "slow"},
    {"viewers", "access-ended"},   {"viewers", "too-many"},       {"viewers", "news-lost"},
    {"requests", "key-needed"},    {"requests", "key-unknown"},   {"requests", "scope"},
    {"requests", "loopback-only"}, {"requests", "foreign-page"},  {"requests", "too-many-requests"},
    {"requests", "not-allowed"},   {"requests", "limit"},         {"requests", "not-found"},
    {"requests", "no-agent"},      {"requests", "login-failed"},  {"requests", "locked"},
    {"requests", "csrf"},          {"requests", "other"},
};

void counter_add(enum counter counter, uint64_t amount)
{
    metrics_count(METRICS_LOSSES + (uint32_t)counter, amount);
}

void counter_refuse(const char *reason)
{
    int counter = COUNTER_REQUESTS;
    while (counter < COUNTERS - 1 && strcmp(counters[counter].name, reason) != 0) {
        counter++;
    }
    counter_add((enum counter)counter, 1);
}

const char *counter_group(enum counter counter)
{
    return counters[counter].group;
}

const char *counter_name(enum counter counter)
{
    return counters[counter].name;
}
