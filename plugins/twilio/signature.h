/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_SIGNATURE_H
#define TWILIO_SIGNATURE_H
/*
 * X-Twilio-Signature: base64 of an HMAC-SHA1, under the account's auth token, over the address that
 * Twilio was given and the form that it sends. Which port and which closing slash Twilio had in
 * mind is not always clear, so that a few spellings of the address count. They are made from the
 * operator's own public_url, never from what a request says of itself. No I/O, no clock.
 */
#include "form.h"

enum { TWILIO_SIGNATURE_CHARS = 28, TWILIO_TOKENS = 2 };

/* What one request was signed with. */
struct twilio_signed {
    const char *public_url; /* "https://voice.example.com", without a closing slash */
    struct aic_str path;
    struct aic_str query;     /* without '?'; empty = none */
    struct twilio_form *form; /* of a POST; NULL = none. It gets sorted. */
    struct aic_str body;      /* counts where there is no form */
    bool is_websocket;
};

/* Auth tokens; while one replaces the other both are good. NULL = none. */
struct twilio_tokens {
    const char *token[TWILIO_TOKENS];
};

/* Signs `url` and what is behind it. Terminated; empty on failure, which no header equals. */
void twilio_signature_make(char to[TWILIO_SIGNATURE_CHARS + 1], const char *token,
                           struct aic_str text);

/* Whether a header is the signature of this request. Without a token nothing is. */
bool twilio_signature_matches(const struct twilio_signed *request,
                              const struct twilio_tokens *tokens, struct aic_str header);

#endif
