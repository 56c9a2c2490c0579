/* SPDX-License-Identifier: ISC */
#ifndef CALL_WEBHOOK_H
#define CALL_WEBHOOK_H
/*
 * What a webhook is: which events there are, how one is signed (Standard Webhooks 1.0.0), and when
 * it is tried again. Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

/* In the order of the names in webhook.c. */
enum webhook_event {
    WEBHOOK_CALL_STARTED = 0,
    WEBHOOK_CALL_ANSWERED = 1,
    WEBHOOK_CALL_ENDED = 2,
    WEBHOOK_CALL_TRANSCRIPT = 3,
    WEBHOOK_CALL_FAILED_OVER = 4,
    WEBHOOK_OPT_OUT_RECORDED = 5,
    WEBHOOK_RECORDING_READY = 6,
    WEBHOOK_EVENTS = 7
};

enum {
    WEBHOOK_KEY_MIN = 24, /* bytes of a secret, as the standard has it */
    WEBHOOK_KEY_MAX = 64,
    WEBHOOK_SECRETS = 2,     /* the new one and, while receivers change over, the old one */
    WEBHOOK_SIGNATURE = 48,  /* "v1," and base64 of 32 bytes, terminated */
    WEBHOOK_SIGNATURES = 96, /* one for each secret, with a space in between */
    WEBHOOK_TRIES = 10,
    WEBHOOK_TIMEOUT_MS = 15000
};

/* "call.ended" */
const char *webhook_event_name(enum webhook_event event);
/* False: there is none of this name. */
bool webhook_event_find(struct aic_str name, enum webhook_event *event);
/* NULL-terminated, for messages. */
const char *const *webhook_event_names(void);

struct webhook_secret {
    uint8_t key[WEBHOOK_KEY_MAX];
    size_t bytes;
};

/* Reads "whsec_" and base64 of 24 to 64 bytes; AIC_ERROR_INVALID for anything else. */
int32_t webhook_secret_read(struct webhook_secret *secret, struct aic_str text);
/* Writes the value of webhook-signature; "" when the library refuses. */
void webhook_sign(char to[WEBHOOK_SIGNATURES], const struct webhook_secret *secrets, size_t count,
                  const char *id, int64_t timestamp_s, struct aic_str body);

/* How long to wait after so many tries that failed, give or take a fifth by `random`; -1: that was
 * the last one, after three days. */
int64_t webhook_delay_ms(int64_t tries, uint32_t random);

/*
 * An id that is always the same for the same call and word, so that an event which two workers tell
 * is one event. The call's own time stays in it. `to` has UUID_TEXT bytes.
 */
void webhook_derive_id(char *to, const char *from_id, const char *word);

#endif
