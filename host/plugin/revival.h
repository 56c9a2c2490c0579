/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_REVIVAL_H
#define PLUGIN_REVIVAL_H
/*
 * Brings back a provider that its breaker keeps out, before a caller has to pay for the try: when
 * its time has come the plugin's own probe asks the vendor. A good answer closes the breaker; a bad
 * one, or none within REVIVAL_DEADLINE_MS, opens it again. While a probe runs no call is let
 * through. A plugin without a probe is tried by the next call, as breaker.h says.
 */
#include "base/sched.h"

struct provider;
struct session;

/* Shorter than the breaker's own time for a trial, so that two never run at once. */
enum { REVIVAL_DEADLINE_MS = 4000 };

/* One per role, embedded in its provider. */
struct revival {
    struct provider *provider;
    uint32_t role;
    struct sched_timer *timer; /* to the probe, of the probe, or to its end */
    struct session *probe;
    bool is_answered;
};

void revival_init(struct revival *revival, struct provider *provider, uint32_t role);
/* Accepts one that was never begun; before the provider's sessions are closed. */
void revival_finish(struct revival *revival);
/* The provider has failed in this role: if that opened its breaker, probes when its time comes. */
void revival_watch(struct revival *revival);

#endif
