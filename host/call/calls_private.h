/* SPDX-License-Identifier: ISC */
#ifndef CALL_CALLS_PRIVATE_H
#define CALL_CALLS_PRIVATE_H
/*
 * Inside of calls. Its files: calls.c (the lists), calls_carrier.c (what carriers tell), pending.c
 * (calls without sound yet), crowd.c (calls with one person), calls_dial.c and calls_ring.c (how
 * they come about), arrival.c (sound that asks to be let in), calls_link.c (what other workers and
 * command lines see of them and ask), chat.c (typed conversations).
 */
#include "call/calls.h"
#include "call/crowd.h"
#include "call/token.h"
#include "call/trace.h"
#include "call/webhook.h"

enum { CALLS_PROVIDERS = 16, CALLS_REASON = 48 };

/* A call that has no sound yet: what it will need when it comes. */
struct pending {
    struct pending *next;
    struct calls *calls;
    char id[UUID_TEXT];
    const struct agent *agent;
    struct provider *provider; /* NULL: whoever brings the token */
    uint32_t direction;
    uint32_t status;
    uint64_t revision;
    uint64_t request_id; /* of the dial; 0 = none */
    char *from;
    char *to;
    char *provider_call_id;
    char *prompt;
    char *context;
    char *context_url;
    char *variables;
    char *metadata;
    char traceparent[TRACE_PARENT_TEXT];
    char *record_to;
    int64_t created_wall_us;
    int64_t answered_wall_us;  /* of one that was interrupted */
    struct sched_timer *timer; /* until it is given up */
    struct sched_timer *start; /* until it is dialled, where no gate decides */
    struct gate_check *check;  /* while the gate decides whether it is dialled */
    struct crowd *crowd;       /* while the calls with the same person are counted */
    void *offer;               /* of who rings meanwhile; NULL = it was answered */
    char end_reason[CALLS_REASON];
    bool is_announced; /* onlookers know it */
    bool is_admitted;  /* it counts as a call with that person */
    bool has_share;    /* of the limits, to be settled when it is over */
    bool keeps_claim;
    bool is_dialling;    /* the carrier was asked */
    bool is_called_off;  /* as soon as the carrier names it */
    bool is_interrupted; /* it had sound, in a worker that died */
    calls_dialed reply;  /* until it is answered */
    void *reply_data;
};

/* A call in this worker's list. */
struct live {
    struct live *next;
    struct calls *calls;
    struct call *call;
    struct sched_timer *timer; /* to be destroyed, or of an idle chat */
    uint64_t told;             /* how far calls_publish has told others */
    bool is_announced;         /* onlookers know it */
    bool is_over;
    bool has_share; /* see struct pending */
    /* Of typed ones. */
    bool is_chat;
    struct aic_buf audio;
    calls_chatted reply;
    void *reply_data;
};

/* A leg whose token is being checked. */
struct arrival {
    struct arrival *next;
    struct calls *calls;
    struct provider *provider;
    void *leg;
    struct aic_telephony_sink sink;
    struct aic_format format_in;
    struct aic_format format_out;
    char call_id[UUID_TEXT];
    char nonce[TOKEN_NONCE];
    char *provider_call_id;
    char *from;
    char *to;
    bool is_gone;    /* its sound ended before it was let in */
    bool is_waiting; /* for an answer of the master */
};

struct carrier {
    struct calls *calls;
    struct provider *provider;
    struct aic_telephony_sink sink;
};

struct calls {
    struct calls_settings settings;
    struct calls_hooks hooks;
    struct carrier carriers[CALLS_PROVIDERS];
    size_t carrier_count;
    struct pending *pending;
    struct live *live;
    struct arrival *arrivals;
    uint64_t last_request;
    size_t live_count;
    size_t pending_count;
    bool refuses; /* new calls */
};

/* calls.c */
struct live *calls_find(const struct calls *calls, const char *id);
/* Makes a call and puts it into the list. */
struct live *calls_add(struct calls *calls, const struct call_params *params);
/* Whether all calls of this host, with those that were just added here, are within the limit. */
bool calls_are_few(const struct calls *calls);
bool calls_have_room(const struct calls *calls);
/* Tells how many there are. */
void calls_count(struct calls *calls);
struct provider *calls_carrier(const struct calls *calls, const char *name);

/* pending.c */
struct pending *pending_add(struct calls *calls, const struct agent *agent, uint32_t direction);
/* The same for a new call; NULL when there is no room for another. */
struct pending *pending_admit(struct calls *calls, const struct agent *agent, uint32_t direction);
/* Gives its sound the usual time to come, from now. */
void pending_wait(struct pending *pending);
struct pending *pending_find(const struct calls *calls, const char *id);
struct pending *pending_by_request(const struct calls *calls, uint64_t request_id);
struct pending *pending_by_sid(const struct calls *calls, struct aic_str sid);
void pending_remove(struct pending *pending);
/* It is not wanted any more: the telephone that rings falls silent. */
void pending_call_off(struct pending *pending);
/* The claim on the call outlives the record: the call itself has it now. */
void pending_keep_claim(struct pending *pending);
void pending_record(struct pending *pending, const char *end_reason);
/* What others are told of it: that it began, or its end. */
void pending_tell(struct pending *pending, const char *end_reason);
void pending_answer(struct pending *pending, int32_t status, const char *reason, const char *error);

/* What another worker needs to take the call over, as JSON; and back. */
void pending_write(const struct pending *pending, struct aic_buf *to);
struct pending *pending_read(struct calls *calls, struct aic_str json);

/* calls_dial.c */
/* Whether a dial to `to` passes the gate, and has a share of the limits: the provider reaches real
 * people, or what is dialled looks like a number whatever the provider says of itself. */
bool calls_are_gated(uint32_t direction, const struct provider *provider, const char *to);
/* The call is over and cost this much: its share becomes what it was. */
void calls_settle(struct calls *calls, const char *id, double cost);
void pending_dialed(struct calls *calls, const struct aic_telephony_event *event);
void pending_failed(struct calls *calls, const struct aic_telephony_event *event);
/* Returns whether it is one of this worker's. */
bool pending_status(struct calls *calls, const struct aic_telephony_event *event);

/* calls_ring.c */
/* An offer that its call was given up for. */
void calls_decline(struct provider *provider, void *offer);
void calls_token(const struct calls *calls, const char *id, char token[TOKEN_TEXT]);
void pending_offer(struct calls *calls, struct provider *provider,
                   const struct aic_telephony_event *event);

/* arrival.c */
void arrival_begin(struct calls *calls, struct provider *provider,
                   const struct aic_telephony_event *start);
void arrival_drop_all(struct calls *calls);

/* calls_link.c */
/* Nobody else on this host holds the call. */
void calls_claim(struct calls *calls, struct live *live);
void calls_claim_pending(struct pending *pending);
void calls_update_pending(struct pending *pending);
/* It is over, and nobody holds it any more. */
void calls_release_pending(struct pending *pending);
void calls_release(struct live *live);
/* Onlookers see what happens in a call, and its line in the list of calls. */
void calls_publish(struct live *live, struct aic_str json);

/* chat.c */
/* No new calls from now on: typed conversations that idle do not hold up the end. */
void chat_hurry(struct calls *calls);
void chat_replied(struct live *live, struct aic_str text);
void chat_ended(struct live *live);

/* calls_carrier.c: the word of a carrier that reached another worker. */
void calls_answer_status(struct calls *calls, const struct link_request *request);

#endif
