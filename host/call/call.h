/* SPDX-License-Identifier: ISC */
#ifndef CALL_CALL_H
#define CALL_CALL_H
/*
 * One conversation, from its first sound (or typed word) to its end. Owns everything of it; runs on
 * one loop. What it cannot decide alone it asks its hooks.
 */
#include "base/sched.h"
#include "base/uuid.h"
#include "call/agent.h"
#include "call/journal.h"

#include <aicaller/telephony.h>

struct call;
struct clips;
struct fetch;
struct gate;
struct prices;
struct recorder;
struct trace_export;
struct webhook_post;

/* What all calls of a worker share. */
struct call_env {
    struct sched *sched;
    struct journal *journal;
    const char *recordings_dir;    /* "" = nothing is recorded */
    struct fetch *fetch;           /* for tools; NULL = there are none */
    const struct prices *prices;   /* may be NULL */
    double max_cost;               /* of a call; 0 = no limit */
    struct clips *clips;           /* sentences spoken ahead; may be NULL */
    struct gate *gate;             /* takes down who wants no more calls; may be NULL */
    struct webhook_post *webhooks; /* tells others what happens; may be NULL */
    struct trace_export *traces;   /* may be NULL */
};

struct call_hooks {
    /* What happens, as JSON with "type", for whoever looks on. */
    void (*notify)(void *data, struct call *call, struct aic_str json);
    /* An answer in text is complete; of calls without a leg. */
    void (*replied)(void *data, struct call *call, struct aic_str text);
    /* Sound of an answer, of calls without a leg that have voices. */
    void (*spoke)(void *data, struct call *call, const uint8_t *bytes, size_t count);
    /* The call is over. Destroy it later, not inside. */
    void (*ended)(void *data, struct call *call);
    void *data;
};

struct call_params {
    const char *id; /* UUID; "" = a new one */
    const struct agent *agent;
    uint32_t direction; /* AIC_DIRECTION_... */
    struct aic_str from;
    struct aic_str to;
    struct aic_str provider_call_id;
    const char *provider;   /* of telephony; "" = none */
    struct aic_str prompt;  /* instead of the agent's; empty = the agent's */
    struct aic_str context; /* fetched about the caller; appended to the prompt */
    struct aic_str context_url;
    struct aic_str variables;   /* JSON object for scripts; may be empty */
    struct aic_str metadata;    /* JSON object of who placed it; may be empty */
    const char *traceparent;    /* of who placed it; NULL = none */
    const char *record_to;      /* a file; NULL = as the agent says */
    int64_t created_wall_us;    /* 0 = now */
    uint64_t first_revision;    /* of its fact, when it was recorded before */
    bool is_text;               /* typed: no leg, no recogniser */
    struct aic_format speak_in; /* of typed calls that may speak; codec 0 = never */
};

struct call *call_create(const struct call_env *env, const struct call_params *params,
                         const struct call_hooks *hooks);
/* Ends it without a word if it has not ended. Accepts NULL. */
void call_destroy(struct call *call);

/* Joins a leg inside of its MEDIA_START event; the conversation begins. */
int32_t call_attach(struct call *call, struct provider *provider,
                    const struct aic_telephony_event *start);
/* Begins a typed conversation: the greeting, if `with_greeting`. */
void call_start_text(struct call *call, bool with_greeting);
/* Whether the next answers of a typed conversation are spoken, too; at first they are not. */
void call_set_voice(struct call *call, bool with_voice);
/* The caller typed something. AIC_ERROR_BUSY while the last answer is not complete. */
int32_t call_type(struct call *call, struct aic_str text);
/* "completed" and so on, as in the records. */
const char *call_status_name(uint32_t status);
/* The carrier's word on the call. */
void call_status(struct call *call, const struct aic_telephony_event *event);
/* Ends it: `reason` goes into the record ("hangup_api", "shutdown" ...). With `politely` the
 * farewell is said first. */
void call_end(struct call *call, const char *reason, bool politely);

/* Hands the caller over at once, to a number of the agent's list; empty: the first.
 * AIC_ERROR_DENIED: it is not in the list, AIC_ERROR_UNSUPPORTED: the line can not do it or the
 * list is empty, AIC_ERROR_CONFLICT: there is nobody to hand over, or it has begun. */
int32_t call_transfer(struct call *call, struct aic_str to);
/* What is said until it goes on is silence in the recording. AIC_ERROR_CONFLICT: there is none. */
int32_t call_pause_recording(struct call *call, bool is_paused, const char *by);

const char *call_id(const struct call *call);
/* Whether an event is about this call, by our id or the carrier's. */
bool call_is(const struct call *call, struct aic_str id, struct aic_str provider_call_id);
bool call_has_leg(const struct call *call, const void *leg);
const struct agent *call_agent(const struct call *call);
/* Whether the host has a tool of this name. */
bool call_builtin_exists(const char *name);
bool call_has_ended(const struct call *call);
bool call_has_answered(const struct call *call); /* the agent was heard at least once */
uint64_t call_turns(const struct call *call);
double call_cost(const struct call *call); /* so far, by the price table */
/* A JSON object about it, for lists of live calls, which have its id already. */
void call_summary(const struct call *call, struct aic_buf *to);
/* Changes when the summary does. */
uint64_t call_version(const struct call *call);

#endif
