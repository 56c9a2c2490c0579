/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_TWIML_H
#define TWILIO_TWIML_H
/*
 * What Twilio is told to do with a call, as XML. Whatever text goes in, well-formed XML comes out:
 * the five special characters are escaped, what XML does not allow is left out, bytes that are not
 * UTF-8 become U+FFFD. No I/O, no clock.
 */
#include "buf.h"

enum {
    TWILIO_TWIML_MAX_BYTES = 16 << 10,
    TWILIO_INLINE_MAX_CHARS = 4000,   /* that fit into a REST request */
    TWILIO_PARAMETER_MAX_CHARS = 499, /* of name and value together */
    TWILIO_SAY_MAX_CHARS = 4096
};

/* Where Twilio finds us. */
#define TWILIO_PATH_INBOUND "/calls/inbound/"
#define TWILIO_PATH_TWIML   "/calls/twiml/"
#define TWILIO_PATH_STATUS  "/calls/call-status/"
#define TWILIO_PATH_RESUME  "/calls/resume/"
#define TWILIO_PATH_MEDIA   "/media-stream/"

/* The voice of Twilio itself. */
struct twilio_voice {
    const char *name;     /* "Polly.Joanna"; NULL = Twilio's default */
    const char *language; /* "en-US"; NULL = Twilio's default */
};

/* An address of ours, with a call's id in its query where there is one. */
void twilio_url(struct aic_buf *to, const char *public_url, const char *path, const char *call_id);

void twilio_xml_escape(struct aic_buf *to, struct aic_str text);

/*
 * All of them write a whole document. `buf` must be empty; it fails where the document does not
 * fit.
 */

/* Opens the media stream, and comes back to us when that has ended. `is_recorded` is passed through
 * to the stream's start. */
void twilio_twiml_stream(struct aic_buf *to, const char *public_url, const char *call_id,
                         const char *token, bool is_recorded);
/* Does not take the call: a busy tone, or what the carrier has for numbers that are not in service.
 */
void twilio_twiml_reject(struct aic_buf *to, bool is_busy);
/* Hangs up, after a sentence if there is one. */
void twilio_twiml_hangup(struct aic_buf *to, const struct twilio_voice *voice, struct aic_str text);
/* Says something and goes on. */
void twilio_twiml_say(struct aic_buf *to, const struct twilio_voice *voice, struct aic_str text);
/* Sends tones, then comes back to us. */
void twilio_twiml_digits(struct aic_buf *to, const char *public_url, const char *call_id,
                         struct aic_str digits);

struct twilio_transfer {
    const char *to;          /* E.164 or sip: */
    const char *caller_id;   /* "" = Twilio's default */
    const char *whisper_url; /* what the called person hears first; "" = nothing */
    const char *action_url;  /* where the call goes when the transfer is over */
    int64_t ring_s;          /* 0 = Twilio's default */
};

void twilio_twiml_transfer(struct aic_buf *to, const struct twilio_transfer *transfer);

/* Characters of UTF-8 text, as Twilio counts them. */
size_t twilio_chars(struct aic_str text);

#endif
