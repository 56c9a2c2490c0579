/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_HOOK_H
#define TWILIO_HOOK_H
/*
 * One request of Twilio on its way through here. Its files: webhook.c (whether it is Twilio's, and
 * what it wants to be told), status.c (what it tells).
 */
#include "form.h"
#include "protocol.h"
#include "provider.h"

struct twilio_hook {
    struct twilio_provider *provider;
    struct aic_exchange *exchange;
    const struct aic_request *request;
    bool has_form;
    struct twilio_form query;
    struct twilio_form form; /* what was posted */
};

/* status.c */
/* A field of the form, of the query where there is none. */
struct aic_str twilio_hook_get(const struct twilio_hook *hook, const char *name);
/* A call's id of ours, which is in the addresses that we gave out; empty where it is not. */
struct aic_str twilio_hook_call_id(const struct twilio_hook *hook);
uint32_t twilio_hook_direction(const struct twilio_hook *hook);
/* An event about the call that the request names. */
struct aic_telephony_event twilio_hook_event(const struct twilio_hook *hook, uint32_t kind);
/* Whole numbers; -1 for other texts. */
int64_t twilio_hook_number(struct aic_str text);
void twilio_hook_answered_by(struct twilio_hook *hook);
/* What became of a transfer; true: somebody has talked with the caller. */
bool twilio_hook_transferred(struct twilio_hook *hook, struct aic_str dial_status);
/* All that Twilio tells without waiting for instructions. */
void twilio_hook_status(struct twilio_hook *hook);

#endif
