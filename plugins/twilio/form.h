/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_FORM_H
#define TWILIO_FORM_H
/*
 * Forms as Twilio sends and takes them (application/x-www-form-urlencoded), also as the query of an
 * address. Bytes to structs and back: no I/O.
 */
#include "buf.h"

enum { TWILIO_FORM_PAIRS = 200 };

struct twilio_pair {
    struct aic_str name;
    struct aic_str value;
};

struct twilio_form {
    struct twilio_pair pairs[TWILIO_FORM_PAIRS];
    size_t count;
    char *memory; /* what the texts lie in */
};

/*
 * Decodes a form: '+' is a space, "%41" an A, a bad escape stands for itself, a name without '='
 * has an empty value. AIC_ERROR_TOO_LARGE: more pairs than fit. On success it must be finished.
 */
int32_t twilio_form_parse(struct aic_str text, struct twilio_form *form);
void twilio_form_finish(struct twilio_form *form);

/* The first value of that name; empty when absent, and when it is not UTF-8 or holds a 0. */
struct aic_str twilio_form_get(const struct twilio_form *form, const char *name);

/*
 * What a signature covers of a form: names and values without anything between them, sorted by
 * their bytes; of equal pairs one.
 */
void twilio_form_join(struct aic_buf *to, struct twilio_form *form);

/* Appends "name=value" with '&' before it where something stands there already. */
void twilio_form_add(struct aic_buf *to, const char *name, struct aic_str value);
/* Appends text as it may stand in a query, in a form, in a path. */
void twilio_form_escape(struct aic_buf *to, struct aic_str text);

#endif
