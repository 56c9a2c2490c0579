/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_STREAM_H
#define TWILIO_STREAM_H
/*
 * A media stream: one WebSocket of Twilio; once it has said "start" it is a leg as well. It is
 * freed when the socket is gone, the host has closed the leg and the last event is out.
 */
#include "job.h"
#include "protocol.h"

enum twilio_phase {
    TWILIO_STREAM_WAITING, /* for "start" */
    TWILIO_STREAM_TALKING,
    TWILIO_STREAM_HANGING, /* Twilio was asked to end the call */
    TWILIO_STREAM_ENDING,  /* MEDIA_STOP comes with the next turn of the loop */
    TWILIO_STREAM_OVER     /* nothing more will be said of it */
};

struct twilio_session {
    struct twilio_provider *provider;
    struct twilio_session *next;
    struct aic_ws *ws; /* NULL before OPEN and after CLOSED */
    enum twilio_phase phase;
    bool has_leg;                          /* the host holds it as a leg */
    bool is_attached;                      /* ... and took it */
    bool is_in_event;                      /* must not be freed yet */
    const struct aic_telephony_sink *sink; /* the leg's */
    struct aic_timer *timer;
    struct twilio_job *job; /* a transfer or tones, while Twilio has not answered */
    uint64_t transfer_id;   /* of the host's request */
    bool is_transferring;
    bool is_playing_digits;
    uint32_t cause;
    char stream_sid[TWILIO_WORD_MAX_BYTES + 1];
    char call_sid[TWILIO_WORD_MAX_BYTES + 1];
    char call_id[TWILIO_WORD_MAX_BYTES + 1];
    struct aic_buf prefix; /* of media messages */
    struct aic_buf message;
    uint32_t generation; /* how often the sound was cleared */
    uint64_t mark_sent;
    uint64_t mark_answered;
    int64_t heard_to_ms; /* where the caller's sound ends; -1 before the first */
    int64_t credit_us;   /* of sound that may come now */
    int64_t refilled_us;
    uint32_t nonsense; /* messages that are none */
    uint64_t heard_ms;
    uint64_t lost_ms;    /* of the caller's sound: silence stands in for it */
    uint64_t dropped_ms; /* came faster than anybody can speak */
    uint64_t sent_bytes;
    uint64_t ignored;
};

/* Sound that may come at once after a stall. */
#define TWILIO_BURST_US INT64_C(2000000)

/* stream.c: the socket, and the end of it and of the leg. */
int32_t twilio_stream_start(struct twilio_provider *provider);
/* Ends a stream that has not ended: MEDIA_STOP follows if it was a leg, and the socket closes. */
void twilio_stream_end(struct twilio_session *session, uint32_t cause);
/* Twilio was asked to end the call; it gets a moment for it. */
void twilio_stream_hang(struct twilio_session *session);
struct aic_telephony_event twilio_stream_event(struct twilio_session *session, uint32_t kind);
void twilio_stream_tell(struct twilio_session *session, const struct aic_telephony_event *event);
/* Frees a stream if all is done with it. */
void twilio_stream_settle(struct twilio_session *session);
/* A stream has one timer; it takes the place of the one before. `fire` NULL: none. */
void twilio_stream_set_timer(struct twilio_session *session, int64_t deadline_us,
                             void (*fire)(void *data));
/* Ends one in which Twilio says what it never would. */
void twilio_stream_give_up(struct twilio_session *session, const char *problem);
/* Why the sound ends when it is Twilio that ends it. */
uint32_t twilio_stream_cause(const struct twilio_session *session, uint32_t usually);
void twilio_stream_stop(struct twilio_provider *provider);
void twilio_stream_finish(struct twilio_provider *provider);

/* caller.c: takes what Twilio says. */
void twilio_stream_take(struct twilio_session *session, struct aic_str text);
/* A single message that is none does not end a call; many do. */
void twilio_stream_nonsense(struct twilio_session *session, const char *problem);

/* leg.c: the host's side. */
int32_t twilio_leg_attach(void *leg, const struct aic_telephony_sink *sink);
int32_t twilio_leg_send(void *leg, const struct aic_audio *audio);
int32_t twilio_leg_hangup(void *leg);
void twilio_leg_close(void *leg);
int32_t twilio_leg_mark(void *leg, uint64_t mark_id);
int32_t twilio_leg_clear(void *leg);
int32_t twilio_leg_digits(void *leg, struct aic_str digits);
int32_t twilio_leg_transfer(void *leg, const struct aic_telephony_transfer *params);

#endif
