/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_TONES_H
#define TWILIO_TONES_H
/*
 * The sound of telephone keys (ITU-T Q.23), as mu-law at 8000 Hz: a media stream takes no keys, but
 * it takes sound. No I/O, no clock.
 */
#include "buf.h"

enum {
    TWILIO_TONE_MS = 120,
    TWILIO_TONE_GAP_MS = 80,
    TWILIO_TONE_PAUSE_MS = 500, /* of a `w` */
    TWILIO_TONES_MAX_DIGITS = 32,
    TWILIO_TONES_MAX_BYTES = TWILIO_TONES_MAX_DIGITS * TWILIO_TONE_PAUSE_MS * 8
};

/* Appends tone and silence of each digit; others than 0-9 * # A-D w are left out. */
void twilio_tones_write(struct aic_buf *to, struct aic_str digits);

#endif
