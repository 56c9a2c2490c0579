/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_TELEPHONY_H
#define AICALLER_TELEPHONY_H
/*
 * Role: telephony. Two kinds of objects:
 *
 *   a call    is a record at the carrier, known by the carrier's id (provider_call_id) and by ours
 *             (call_id, a UUID). Webhooks about it may arrive at any worker, so what concerns a
 *             call goes through the provider's own sink.
 *   a leg     is the sound of a call on this worker: from MEDIA_START to MEDIA_STOP. It gets a sink
 *             of its own when the host attaches.
 *
 * The way of an inbound call: OFFER (ring) -> accept, with call_id and token -> MEDIA_START, with
 * the token -> attach -> AUDIO ... MEDIA_STOP -> STATUS completed. An outbound call: dial -> DIALED
 * -> STATUS ... -> OFFER (answered) -> accept -> MEDIA_START and so on. A carrier without webhooks
 * skips the offers.
 *
 * The plugin authenticates its carrier (signatures) and passes the token through; whether a token
 * is good, a call allowed and a number dialled is the host's business.
 */
#include <aicaller/abi.h>
#include <aicaller/audio.h>
#include <aicaller/error.h>
#include <aicaller/usage.h>

AIC_BEGIN_DECLS

#define AIC_TELEPHONY "aicaller.telephony/1"

enum {
    AIC_TEL_REMOTE_BUFFER = 1u << 0, /* audio may be sent ahead; the other end plays it in time */
    AIC_TEL_MARKS = 1u << 1,         /* tells when audio was played; else the host's clock does */
    AIC_TEL_MARKS_AFTER_CLEAR = 1u << 2, /* marks of cleared audio come back as well */
    AIC_TEL_CLEAR = 1u << 3,             /* can throw away what the other end has not played */
    AIC_TEL_DTMF_IN = 1u << 4,
    AIC_TEL_DTMF_OUT = 1u << 5,
    AIC_TEL_DIAL = 1u << 6,
    AIC_TEL_TRANSFER = 1u << 7,
    AIC_TEL_RECORD = 1u << 8,
    AIC_TEL_MACHINE_DETECTION = 1u << 9,
    AIC_TEL_NO_ECHO = 1u << 10, /* the other end cancels the agent's echo */
    AIC_TEL_NOTIFY = 1u << 11,  /* shows the conversation: wants `notify` */
    AIC_TEL_RESUMES = 1u << 12, /* comes back with OFFER (resume) when a leg's media breaks */
    AIC_TEL_PUBLIC = 1u << 13   /* real people: dialling passes the gate, numbers are E.164 */
};

struct aic_telephony_caps {
    uint32_t size; /* set by the host; the plugin fills what fits */
    uint32_t flags;
    const struct aic_format *formats_out; /* that a leg plays, best first; static data */
    uint32_t format_count;
    uint32_t format_size;       /* sizeof(struct aic_format) */
    int64_t preferred_block_us; /* of audio per send; 0 = the host's own choice */
    int64_t max_lead_us;        /* of audio sent ahead; 0 = the host's own choice */
};

/* Where a call stands. Values rise; a call never goes back. */
enum {
    AIC_CALL_NONE = 0,
    AIC_CALL_QUEUED = 1,
    AIC_CALL_RINGING = 2,
    AIC_CALL_IN_PROGRESS = 3,
    AIC_CALL_COMPLETED = 4, /* this and the following are final */
    AIC_CALL_BUSY = 5,
    AIC_CALL_NO_ANSWER = 6,
    AIC_CALL_FAILED = 7,
    AIC_CALL_CANCELED = 8
};

enum { AIC_DIRECTION_NONE = 0, AIC_DIRECTION_INBOUND = 1, AIC_DIRECTION_OUTBOUND = 2 };

enum {
    AIC_OFFER_NONE = 0,
    AIC_OFFER_RING = 1,     /* somebody calls: accept or reject */
    AIC_OFFER_ANSWERED = 2, /* a call we dialled was answered: accept or reject */
    AIC_OFFER_RESUME = 3    /* its media ended while the call lives: accept or reject (hang up) */
};

/* Why a call is turned away. */
enum {
    AIC_REJECT_NONE = 0,
    AIC_REJECT_BUSY = 1,     /* no room: a busy tone */
    AIC_REJECT_REFUSED = 2,  /* not allowed */
    AIC_REJECT_FINISHED = 3, /* to RESUME: the conversation is over */
    AIC_REJECT_FAILED = 4    /* we cannot serve it; the carrier's fallback may */
};

/* Why a leg's media ended. */
enum {
    AIC_LEG_END_NONE = 0,
    AIC_LEG_END_CALLER = 1,      /* the other end hung up */
    AIC_LEG_END_HOST = 2,        /* we did */
    AIC_LEG_END_LOST = 3,        /* the connection broke; the call may live on */
    AIC_LEG_END_TRANSFERRED = 4, /* the call goes on without us */
    AIC_LEG_END_PROTOCOL = 5     /* the other end spoke nonsense */
};

enum {
    AIC_ANSWERED_NONE = 0,
    AIC_ANSWERED_HUMAN = 1,
    AIC_ANSWERED_MACHINE_START = 2, /* a greeting is being spoken */
    AIC_ANSWERED_MACHINE_END = 3,   /* the greeting is over: leave a message now */
    AIC_ANSWERED_FAX = 4,
    AIC_ANSWERED_UNKNOWN = 5
};

enum { AIC_MARK_PLAYED = 1u << 0, /* heard */ AIC_MARK_CLEARED = 1u << 1 /* thrown away */ };

enum {
    AIC_TEL_EVENT_NONE = 0,
    /* On the provider's sink. */
    AIC_TEL_EVENT_OFFER = 1,       /* `offer`, offer_kind, ids and numbers: decide now or later */
    AIC_TEL_EVENT_DIALED = 2,      /* request_id, provider_call_id: the carrier took it */
    AIC_TEL_EVENT_STATUS = 3,      /* status, sequence, duration_s, ids; `leg` if that ended */
    AIC_TEL_EVENT_MEDIA_START = 4, /* `leg`, ids, token, formats: attach or refuse before return */
    AIC_TEL_EVENT_ANSWERED_BY = 5, /* answered_by, ids */
    AIC_TEL_EVENT_RECORDING = 6,   /* url, ids; ext tells the rest */
    AIC_TEL_EVENT_TRANSFERRED = 7, /* ids, status of the new leg (COMPLETED, BUSY ...), error */
    AIC_TEL_EVENT_RESULT = 8,      /* request_id, ext or error: answers hangup and control */
    /* On a leg's sink. */
    AIC_TEL_EVENT_AUDIO = 20,
    AIC_TEL_EVENT_DTMF = 21,       /* digits */
    AIC_TEL_EVENT_MARK = 22,       /* mark_id, mark_flags */
    AIC_TEL_EVENT_MEDIA_STOP = 23, /* cause; the leg's last event */
    AIC_TEL_EVENT_TEXT = 24,       /* text: the caller typed instead of speaking */
    /* On both. */
    AIC_TEL_EVENT_USAGE = 30,
    AIC_TEL_EVENT_WARNING = 31,
    AIC_TEL_EVENT_ERROR = 32 /* with request_id: of that request */
};

struct aic_telephony_event {
    uint32_t size;
    uint32_t kind;
    void *offer; /* valid until accept or reject */
    void *leg;   /* valid until leg_close */
    uint64_t request_id;
    uint32_t offer_kind;
    uint32_t direction;
    struct aic_str provider_call_id;
    struct aic_str call_id; /* ours, where the carrier gave it back; else empty */
    struct aic_str token;   /* ours, where the carrier gave it back; else empty */
    struct aic_str from;    /* as the carrier wrote it */
    struct aic_str to;
    struct aic_format format_in;
    struct aic_format format_out;
    const struct aic_audio *audio;
    struct aic_str digits;
    uint64_t mark_id;
    uint32_t mark_flags;
    uint32_t cause; /* AIC_LEG_END_... */
    uint32_t status;
    uint32_t answered_by;
    int64_t sequence;   /* orders statuses of one call; -1 unknown */
    int64_t duration_s; /* -1 unknown */
    struct aic_str url;
    struct aic_str text;
    const struct aic_usage *usage;
    const struct aic_error *error;
    struct aic_str ext; /* JSON object of what fits nowhere else; empty = none */
};

struct aic_telephony_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void *impl;
    /* Takes one event; never called from inside an operation, nor after `stop` or `leg_close`.
     * [call] */
    void (*event)(const struct aic_telephony_sink *sink, const struct aic_telephony_event *event);
};

struct aic_telephony_accept {
    uint32_t size;
    uint32_t reserved;   /* 0 */
    const char *call_id; /* ours */
    const char *token;   /* to come back with MEDIA_START; letters, digits, '-', '_', '.' */
};

enum {
    AIC_DIAL_DETECT_MACHINE = 1u << 0,
    AIC_DIAL_RECORD = 1u << 1 /* at the carrier, two channels */
};

/* Everything in it is copied before `dial` returns. */
struct aic_telephony_dial {
    uint32_t size;
    uint32_t flags;
    uint64_t request_id; /* DIALED or ERROR repeats it */
    const char *call_id;
    const char *token;
    const char *to;   /* E.164, or what the plugin understands ("wav:FILE") */
    const char *from; /* "" = the provider's own */
    int64_t ring_ms;  /* 0 = the carrier's default */
    int64_t limit_ms; /* of the whole call; 0 = none */
};

struct aic_telephony_transfer {
    uint32_t size;
    uint32_t reserved;      /* 0 */
    uint64_t request_id;    /* ERROR repeats it */
    const char *to;         /* E.164 or sip: */
    const char *caller_id;  /* "" = the carrier's default */
    struct aic_str whisper; /* said to the called person before the legs are joined; or empty */
    int64_t ring_ms;        /* 0 = the carrier's default */
};

struct aic_telephony {
    uint32_t size;
    uint32_t reserved; /* 0 */

    /* Fills caps. [main] */
    int32_t (*capabilities)(void *self, struct aic_telephony_caps *caps);
    /* Begins: the plugin registers its routes. `sink` is valid until `stop` returns. [main] */
    int32_t (*start)(void *self, const struct aic_telephony_sink *sink);
    /* Ends: no event of the provider after this; legs are closed before. [main] */
    void (*stop)(void *self);

    /* Takes the leg of a MEDIA_START, inside that event; its events come to `sink` from now on. May
     * be called again later, to hand the leg to another sink. [call] */
    int32_t (*leg_attach)(void *leg, const struct aic_telephony_sink *sink);
    /* Plays audio after what was sent before. AIC_ERROR_BUSY: nothing was taken. [call] */
    int32_t (*leg_send)(void *leg, const struct aic_audio *audio);
    /* Ends the call from our side. MEDIA_STOP follows. [call] */
    int32_t (*leg_hangup)(void *leg);
    /* Lets go of a leg, attached or not (that refuses it); no event after this. The leg's media
     * ends if it has not yet. Accepts NULL. [call] */
    void (*leg_close)(void *leg);

    /* Optional from here on. */

    /* Asks to be told when everything sent so far has been played; ids rise. [call] */
    int32_t (*leg_mark)(void *leg, uint64_t mark_id);
    /* Throws away what was sent and not played. [call] */
    int32_t (*leg_clear)(void *leg);
    /* Sends tones: 0-9 * # A-D, 'w' pauses half a second. [call] */
    int32_t (*leg_digits)(void *leg, struct aic_str digits);
    /* Hands the caller over; the leg's media ends. TRANSFERRED tells how it went. [call] */
    int32_t (*leg_transfer)(void *leg, const struct aic_telephony_transfer *params);
    /* Tells the other end what happens, for it to show: a JSON object with "type". [call] */
    int32_t (*leg_notify)(void *leg, struct aic_str json);

    /* Answers an offer, inside its event or later. `offer` ends with it. [call] */
    int32_t (*accept)(void *self, void *offer, const struct aic_telephony_accept *params);
    int32_t (*reject)(void *self, void *offer, uint32_t reason);
    /* Places a call. DIALED or ERROR follows. Never dials twice for one call_id. [call] */
    int32_t (*dial)(void *self, const struct aic_telephony_dial *params);
    /* Ends a call that has no leg here, whatever its state. RESULT follows; a call that is over
     * already is a success. [call] */
    int32_t (*hangup)(void *self, uint64_t request_id, struct aic_str provider_call_id);
    /* Asks the carrier whether the credentials work. RESULT follows. [call] */
    int32_t (*probe)(void *self, uint64_t request_id);
    /* Administrative verbs that only some carriers have ("number.show", "number.set",
     * "record.start"
     * ...), with JSON parameters. RESULT follows. The plugin's README lists them. [call] */
    int32_t (*control)(void *self, uint64_t request_id, const char *verb, struct aic_str json);
    /* Opens connections ahead of a call. Best effort. [call] */
    void (*prewarm)(void *self);
};

AIC_END_DECLS
#endif
