/* SPDX-License-Identifier: ISC */
#ifndef LOAD_VENDORS_H
#define LOAD_VENDORS_H
/*
 * Deepgram, Groq and ElevenLabs, and Twilio's REST, each after fixed times. They speak as much of
 * the protocols as the plugins ask for; what they may do besides is the business of the simulators
 * in tests/fakes/vendors.
 */
#include "load/line.h"
#include "load/trace.h"

struct vendors {
    struct pump *pump;
    struct traces *traces;
    struct line_port port;
    void (*hung_up)(void *data, struct aic_str path); /* by REST */
    void *data;
};

void vendors_open(struct vendors *vendors, struct pump *pump, struct traces *traces, int port);

/* One request or socket each; they free themselves with their line. */
void recogniser_begin(struct vendors *vendors, struct line *line, const struct http_head *head);
void model_begin(struct vendors *vendors, struct line *line, struct aic_str body);
void voice_begin(struct vendors *vendors, struct line *line, const struct http_head *head);
/* The same over HTTP. */
void voice_ask(struct vendors *vendors, struct line *line, struct aic_str body);

#endif
