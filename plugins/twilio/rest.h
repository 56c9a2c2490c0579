/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_REST_H
#define TWILIO_REST_H
/*
 * Requests to Twilio's REST API. What Twilio has refused for being too busy is repeated after a
 * random pause, and so is what failed, where it may be done twice: a few times, and not for ever.
 * At most a few dozen are under way at once; the others wait.
 */
#include "problem.h"
#include "provider.h"

struct twilio_request;

/* Borrowed until `done` returns. */
struct twilio_answer {
    const struct aic_json *body;          /* of a 2xx: an object */
    const struct twilio_problem *problem; /* NULL: it was done */
    bool is_unknown;                      /* a problem, and nobody knows whether it was done */
    struct aic_str date;                  /* Twilio's clock; may be empty */
};

struct twilio_ask {
    const char *method;
    struct aic_str path; /* behind the account's: "/Calls.json" */
    struct aic_str form; /* of a POST */
    bool is_once;        /* must not be done twice */
    void (*done)(void *data, const struct twilio_answer *answer);
    void *data;
};

/* `done` is called once, later, unless the request is cancelled. */
int32_t twilio_rest_start(struct twilio_provider *provider, const struct twilio_ask *ask,
                          struct twilio_request **request);
/* NULL is fine. */
void twilio_rest_cancel(struct twilio_request *request);
void twilio_rest_stop(struct twilio_provider *provider);

#endif
