/* SPDX-License-Identifier: ISC */
#ifndef LOAD_CARRIER_H
#define LOAD_CARRIER_H
/*
 * Twilio and the people who call: each call is announced by a signed webhook, opens the stream that
 * the answer names, and then sends a frame every 20 ms whatever comes. The caller hears the
 * greeting, and then there are turns: to speak, to be answered, to listen or to interrupt.
 */
#include "load/line.h"
#include "load/trace.h"

struct caller;

struct carrier {
    struct pump *pump;
    struct traces *traces;
    struct caller *callers;
    struct pump_timer end;
    int over;
    int failed; /* calls that ended before their last turn */
};

void carrier_open(struct carrier *carrier, struct pump *pump, struct traces *traces);
/* Begins all calls, spread over some seconds. The pump is over when they are. */
void carrier_begin(struct carrier *carrier);
void carrier_close(struct carrier *carrier);
/* The server ended a call by REST: a path with its CallSid. */
void carrier_hung_up(void *data, struct aic_str path);

#endif
