/* SPDX-License-Identifier: ISC */
#ifndef CLI_CARRIER_H
#define CLI_CARRIER_H
/* A carrier's administrative verbs (aic_telephony.control), from the command line. */
#include "cli/net.h"

struct aic_buf;

struct carrier {
    struct net *net;
    struct provider *provider;
    struct aic_telephony_sink sink;
    struct sched_timer *deadline;
    struct aic_buf *answer;
    char *why; /* of CARRIER_WHY bytes */
    int32_t status;
    bool is_waiting;
};

enum { CARRIER_WHY = 512, CARRIER_DEADLINE_MS = 20000 };

/* The first telephony provider of the agents that has such verbs, or the named one; NULL. */
const struct setup_provider *carrier_find(const struct conf *conf, const char *name);
/* Creates and starts it. AIC_ERROR_CONFIG after writing why; AIC_ERROR_UNSUPPORTED where it has no
 * such verbs. */
int32_t carrier_open(struct carrier *carrier, struct net *net, struct conf *conf,
                     const struct setup_provider *setup, char why[CARRIER_WHY]);
/* Accepts one that did not open. */
void carrier_close(struct carrier *carrier);
/*
 * Asks and waits. 0 and the answer (JSON, appended); AIC_ERROR_UNSUPPORTED where the carrier has no
 * such verb; else an error after writing why.
 */
int32_t carrier_ask(struct carrier *carrier, const char *verb, struct aic_str params,
                    struct aic_buf *answer, char why[CARRIER_WHY]);

#endif
