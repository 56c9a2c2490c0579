/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_SERVICES_H
#define PLUGIN_SERVICES_H
/* The function tables that a plugin gets from the host, made from sched, http, ws and server. */
#include <aicaller/host.h>

struct provider;

/* Fills the host struct of an instance. `provider` stays the owner of everything it makes. */
void services_init(struct provider *provider, struct aic_host *host);
/* Takes the instance's routes off the server and refuses further posts. */
void services_finish(struct provider *provider);

#endif
