/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_PROTOCOL_H
#define TWILIO_PROTOCOL_H
/*
 * Media Streams: what Twilio says over the WebSocket of a call, and what it is told. Bytes to
 * structs and back: no I/O, no clock.
 */
#include "json.h"
#include "media.h"

enum {
    TWILIO_RATE_HZ = 8000, /* mu-law, one channel: a byte is a sample */
    TWILIO_BYTES_PER_MS = TWILIO_RATE_HZ / 1000,
    TWILIO_MESSAGE_MAX_BYTES = 64 << 10,
    TWILIO_WORD_MAX_BYTES = 64,    /* of a SID, of a call's id */
    TWILIO_TOKEN_MAX_BYTES = 400,  /* that fit into a parameter */
    TWILIO_CONTROL_MAX_BYTES = 256 /* of a mark, of a clear */
};

enum twilio_kind {
    TWILIO_UNKNOWN, /* a later version's message, or another program's mark: to be ignored */
    TWILIO_CONNECTED,
    TWILIO_START,
    TWILIO_MEDIA,
    TWILIO_DTMF,
    TWILIO_MARK,
    TWILIO_STOP
};

struct twilio_message {
    enum twilio_kind kind;
    struct aic_str stream_sid;
    struct aic_media_message media; /* of MEDIA */
    /* Of START: words of letters and digits, but for the token and the call's id that we gave
     * along, which may be empty. */
    struct aic_str account_sid;
    struct aic_str call_sid;
    struct aic_str token;
    struct aic_str call_id;
    bool is_recorded;     /* START: Twilio is to record the call */
    struct aic_str digit; /* of DTMF: one of 0-9 * # A-D */
    /* Of MARK. */
    uint32_t generation;
    uint64_t mark_id;
    struct aic_json *document; /* what the texts lie in; NULL: in the message itself */
};

/*
 * Parses a text message. AIC_ERROR_PROTOCOL: it is none, and *problem says why. On success the
 * message must be finished. Media messages in their usual form take no memory.
 */
int32_t twilio_message_parse(struct aic_str text, struct twilio_message *message,
                             const char **problem);
void twilio_message_finish(struct twilio_message *message);

/* Letters and digits, and of `signs`: 1 to `max` of them. */
bool twilio_is_word(struct aic_str text, const char *signs, size_t max);
bool twilio_is_sid(struct aic_str text);
/* A call's id of ours, as it may come back from outside. */
bool twilio_is_call_id(struct aic_str text);
/* "+" and 7 to 15 digits. */
bool twilio_is_number(struct aic_str text);
/* What keys a telephone has; `w` pauses half a second. */
bool twilio_are_digits(struct aic_str text, size_t max);

/* What stands before the sound in our media messages, and behind it. */
void twilio_write_media_prefix(struct aic_buf *to, const char *stream_sid);
#define TWILIO_MEDIA_SUFFIX "\"}}"

/* Marks carry the number of clears before them, so that one that comes late tells which sound it
 * belongs to. Both return the length of the text. */
size_t twilio_write_mark(char to[TWILIO_CONTROL_MAX_BYTES], const char *stream_sid,
                         uint32_t generation, uint64_t mark_id);
size_t twilio_write_clear(char to[TWILIO_CONTROL_MAX_BYTES], const char *stream_sid);

#endif
