/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_PROVIDER_H
#define TWILIO_PROVIDER_H
/*
 * What the files of this plugin share. Webhooks of a call may come to any worker, so the provider
 * knows nothing of a call but what is under way here: dials (dial.c), offers that the host has not
 * answered (offer.c), requests to Twilio (rest.c) and what waits for them (job.c), and the media
 * streams that came to this worker (stream.c, leg.c). A call's id of ours travels in the addresses
 * that Twilio is given.
 */
#include "json.h"
#include "rings.h"
#include "signature.h"
#include "twiml.h"

#include <aicaller/aicaller.h>

enum {
    TWILIO_QUEUE_MAX_BYTES = 256 << 10, /* that wait for a socket to take them */
    TWILIO_SOUND_MAX_BYTES = 48 << 10,  /* in one message, either way */
    TWILIO_TEXT_MAX_BYTES = 16 << 10,   /* of a form, of an answer to the host */
    TWILIO_LOG_MAX_BYTES = 600
};

enum twilio_digits { TWILIO_DIGITS_TONES, TWILIO_DIGITS_PLAY };

struct twilio_settings {
    const char *account_sid;
    struct twilio_tokens tokens;
    const char *from;      /* NULL: this provider does not dial */
    const char *detection; /* "Enable", "DetectMessageEnd"; NULL = only where a dial asks for it */
    bool records;
    double calls_per_second;
    int64_t ring_s; /* 0 = Twilio's default */
    int64_t timeout_ms;
    enum twilio_digits digits;
    struct twilio_voice voice;
    const char *apology;
    char *base;          /* "https://api.twilio.com/2010-04-01/Accounts/AC..." */
    char *authorization; /* "Basic ..." */
    char *extra;         /* further parameters of a dial, as a form; may be NULL */
};

/* How often something was refused or dropped, for operators to see. */
struct twilio_counters {
    uint64_t webhooks;       /* that were believed */
    uint64_t unsigned_hooks; /* refused: no signature, or a wrong one */
    uint64_t bad_hooks;      /* refused: no form, or something missing in it */
    uint64_t replays;
    uint64_t streams;
    uint64_t unsigned_streams;
    uint64_t bad_streams;   /* ended: not what Twilio would send */
    uint64_t stream_errors; /* that Twilio told of */
    uint64_t dials;
    uint64_t lost_answers; /* of dials; what became of them had to be looked up */
    uint64_t requests;
    uint64_t repeats; /* of requests */
};

/* A line that is written once a minute at most, with the number of those that were not. */
struct twilio_rarely {
    bool was_written;
    int64_t at_us;
    uint64_t kept_back;
};

struct twilio_route {
    struct twilio_provider *provider;
    const struct twilio_webhook *webhook;
};

enum { TWILIO_ROUTES = 4 };

struct twilio_provider {
    const struct aic_host *host;
    const struct aic_log_service *log;
    const struct aic_clock_service *clock;
    const struct aic_timer_service *timer;
    const struct aic_http_service *http;
    const struct aic_websocket_service *ws;
    const struct aic_route_service *route;
    struct twilio_settings settings;
    struct twilio_counters counters;
    struct twilio_rarely unsigned_hook_line;
    struct twilio_rarely unsigned_stream_line;
    const struct aic_telephony_sink *sink; /* NULL before `start` and after `stop` */
    bool has_routes;
    struct twilio_route routes[TWILIO_ROUTES];

    struct twilio_rings rings;
    struct twilio_offer *offers;
    size_t offer_count;

    struct twilio_request *requests; /* oldest first */
    size_t request_count;
    size_t running;
    int64_t not_before_us; /* Twilio has asked for silence until then */

    struct twilio_job *jobs;

    struct twilio_dial *dials; /* in the order in which they came */
    size_t dial_count;
    int64_t next_dial_us;
    struct aic_timer *dial_timer;
    struct twilio_dialed *dialed; /* a circle of those that are done; NULL before the first */
    size_t dialed_next;

    struct twilio_session *sessions;
    uint32_t waiting;                      /* sessions that have not had their "start" */
    uint8_t sound[TWILIO_SOUND_MAX_BYTES]; /* of the message that is being taken */
};

/* events.c */
int64_t twilio_now(const struct twilio_provider *provider);
/* 0 to limit - 1. */
int64_t twilio_random_below(const struct twilio_provider *provider, int64_t limit);
/* The origin under which Twilio reaches us; NULL: the operator has set none. */
const char *twilio_public_url(const struct twilio_provider *provider);
void twilio_log(const struct twilio_provider *provider, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void twilio_warn_rarely(const struct twilio_provider *provider, struct twilio_rarely *line,
                        const char *text);
struct aic_telephony_event twilio_event(uint32_t kind);
/* To the provider's sink, if there is one. */
void twilio_tell(const struct twilio_provider *provider, const struct aic_telephony_event *event);

/* webhook.c */
int32_t twilio_webhook_start(struct twilio_provider *provider);

/* offer.c: what the host decides upon. */
struct twilio_ask_host {
    struct aic_exchange *exchange;
    uint32_t kind; /* AIC_OFFER_... */
    uint32_t direction;
    struct aic_str call_sid;
    struct aic_str call_id;
    struct aic_str from;
    struct aic_str to;
    bool was_transferred; /* RESUME: nobody has answered where the call was to go */
};

void twilio_offer_make(struct twilio_provider *provider, const struct twilio_ask_host *ask);
int32_t twilio_offer_accept(void *self, void *given, const struct aic_telephony_accept *params);
int32_t twilio_offer_reject(void *self, void *given, uint32_t reason);
void twilio_offer_stop(struct twilio_provider *provider);
/* Answers with a document; one that failed is a 500. */
int32_t twilio_answer_xml(struct twilio_provider *provider, struct aic_exchange *exchange,
                          const struct aic_buf *xml);
int32_t twilio_answer(struct twilio_provider *provider, struct aic_exchange *exchange,
                      int32_t status, const char *text);

/* dial.c */
int32_t twilio_dial(void *self, const struct aic_telephony_dial *params);
/* A webhook tells of a call of ours: so it was placed. */
void twilio_dial_seen(struct twilio_provider *provider, struct aic_str call_id,
                      struct aic_str call_sid);
/* Takes back a dial by the call's id: it does not go out any more, or is hung up as soon as its id
 * at Twilio is known. False: there is none. */
bool twilio_dial_withdraw(struct twilio_provider *provider, struct aic_str call_id);
void twilio_dial_stop(struct twilio_provider *provider);
void twilio_dial_finish(struct twilio_provider *provider);

/* number.c: verbs of `control` about telephone numbers. */
int32_t twilio_number_show(struct twilio_provider *provider, uint64_t request_id,
                           const struct aic_json *params);
int32_t twilio_number_set(struct twilio_provider *provider, uint64_t request_id,
                          const struct aic_json *params);
int32_t twilio_number_list(struct twilio_provider *provider, uint64_t request_id,
                           const struct aic_json *params);

/* control.c */
int32_t twilio_control(void *self, uint64_t request_id, const char *verb, struct aic_str json);
int32_t twilio_probe(void *self, uint64_t request_id);
int32_t twilio_hangup(void *self, uint64_t request_id, struct aic_str provider_call_id);
/* Records a call at Twilio; nobody waits for the answer where the request is 0. */
int32_t twilio_record(struct twilio_provider *provider, uint64_t request_id,
                      struct aic_str call_sid, struct aic_str call_id);

/* telephony.c */
extern const struct aic_telephony twilio_telephony;

#endif
