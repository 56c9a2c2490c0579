/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_LISTING_H
#define TWILIO_LISTING_H
/*
 * Looks in Twilio's list of calls for one whose answer to a dial got lost. No I/O, no clock.
 */
#include "json.h"

enum { TWILIO_LISTING_SID_BYTES = 65 };

/* Seconds since 1970 of "Tue, 31 Aug 2010 20:36:28 +0000", of "... GMT" as well; -1: no date. */
int64_t twilio_date(struct aic_str text);

struct twilio_listing {
    struct aic_str to;
    struct aic_str from;
    int64_t now_s; /* on Twilio's clock */
    int64_t age_s; /* older calls are not ours */
    /* Calls that the asker knows to be others. */
    bool (*is_known)(void *data, struct aic_str call_sid);
    void *data;
};

/*
 * Counts the outbound calls in the list that fit, and gives the id of the last of them. -1: that is
 * no list of calls.
 */
int twilio_listing_find(const struct twilio_listing *wanted, const struct aic_json *body,
                        char call_sid[TWILIO_LISTING_SID_BYTES]);

#endif
