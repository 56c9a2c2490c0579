/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_DIAL_H
#define TWILIO_DIAL_H
/*
 * Inside of dials. Its files: dial.c (the queue and its pace), dial_form.c (what Twilio is asked
 * for), dial_lookup.c (what became of one whose answer was lost).
 */
#include "job.h"
#include "listing.h"

enum twilio_dial_phase {
    TWILIO_DIAL_WAITING, /* for its turn */
    TWILIO_DIAL_POSTING,
    TWILIO_DIAL_LOOKING, /* for it in Twilio's list */
    TWILIO_DIAL_WITHDRAWN
};

struct twilio_dial {
    struct twilio_provider *provider;
    struct twilio_dial *next;
    enum twilio_dial_phase phase;
    uint64_t request_id;
    char *call_id;
    char *to;
    char *from;
    struct aic_buf form;
    struct twilio_request *request;
    struct aic_timer *timer;
    int64_t posted_us;
    int tries;
    bool is_withdrawn;                       /* to be hung up as soon as its id is known */
    char seen_sid[TWILIO_LISTING_SID_BYTES]; /* a webhook has told of it */
    /* Of a lost answer. */
    struct twilio_problem problem;
    bool was_failed; /* Twilio itself has said so: 5xx with a code of its own */
    int looks;
    int empty_looks; /* that did not show it */
};

/* dial.c */
/* It is at Twilio under this id: tells so, and the dial is gone. */
void twilio_dial_succeed(struct twilio_dial *dial, struct aic_str call_sid);
/* The same for one that is not. */
void twilio_dial_fail(struct twilio_dial *dial, const struct aic_error *error);
/* It may go out again, when its turn comes. */
void twilio_dial_again(struct twilio_dial *dial);
/* Whether a call is known to be that of another dial. `data` is the provider. */
bool twilio_dial_is_other(void *data, struct aic_str call_sid);

/* dial_form.c */
void twilio_dial_write(struct twilio_dial *dial, const struct aic_telephony_dial *params);
/* What keeps a dial from going out; NULL: nothing. */
const char *twilio_dial_obstacle(const struct twilio_dial *dial);

/* dial_lookup.c */
void twilio_dial_look_up(struct twilio_dial *dial, const struct twilio_problem *problem);

#endif
