/* SPDX-License-Identifier: ISC */
#ifndef CALL_CALLS_H
#define CALL_CALLS_H
/*
 * All calls of a worker: from a ring or a request to dial, over the token that the media brings
 * back, to the call and its end. Speaks with the carriers' providers on one side and with the other
 * workers on the other.
 */
#include "call/call.h"
#include "io/link.h"

struct calls;
struct gate;
struct storage;
struct trace_export;
struct webhook_post;

struct calls_settings {
    struct sched *sched;
    struct link *link;
    struct journal *journal;
    struct storage *storage; /* for calls that another host began; may be NULL */
    const struct agents *agents;
    const char *secret;
    const char *recordings_dir;
    struct clips *clips; /* may be NULL */
    struct fetch *fetch;
    const struct prices *prices;
    double max_cost;               /* of a call; 0 = no limit */
    int64_t max_calls;             /* of this host; more are turned away */
    int64_t max_per_caller;        /* with one number at the other end; 0 = no limit */
    struct gate *gate;             /* that calls to real people pass; NULL = nobody is dialled */
    struct webhook_post *webhooks; /* may be NULL, as the next */
    struct trace_export *traces;
};

struct calls_hooks {
    /* See call_hooks; for every call here. */
    void (*notify)(void *data, const char *call_id, struct aic_str json);
    void (*ended)(void *data, const char *call_id, const struct call *call);
    /* One more or one less lives here, or waits for its sound. */
    void (*counted)(void *data, size_t live, size_t waiting);
    /* How many there are in other workers of this host; NULL = there are none. */
    int64_t (*elsewhere)(void *data);
    void *data;
};

struct calls *calls_create(const struct calls_settings *settings, const struct calls_hooks *hooks);
/* Ends every call without a word. */
void calls_destroy(struct calls *calls);

/* A telephony provider begins: its routes are open, calls may come. */
int32_t calls_start_provider(struct calls *calls, struct provider *provider);
/* No new calls from now on; those that live go on. */
void calls_stop_new(struct calls *calls);
size_t calls_live(const struct calls *calls);
/* Those that wait for their sound. */
size_t calls_waiting(const struct calls *calls);
/* Ends them all: `politely` with the farewell. */
void calls_end_all(struct calls *calls, const char *reason, bool politely);

struct calls_dial {
    const char *to;
    const char *agent; /* NULL = default */
    struct aic_str prompt;
    struct aic_str context;
    struct aic_str context_url;
    struct aic_str variables;
    struct aic_str metadata; /* JSON object, kept with the call for who placed it; may be empty */
    const char *traceparent; /* what the call continues; NULL = nothing */
    const char *record_to;   /* NULL = as the agent says */
    const char *provider;    /* NULL = the agent's first that dials */
    const char *actor;       /* who asks, for the audit: "api", "command line" */
};

/*
 * What became of a wish to dial. The carrier took it: AIC_OK. Otherwise `reason` is a word for
 * programs and `error` a sentence for people. The gate's refusals (docs/outbound.md):
 * AIC_ERROR_DENIED, AIC_ERROR_BUSY over a limit, AIC_ERROR_CLOSED when the storage that has to be
 * asked does not answer. Texts are borrowed.
 */
struct calls_dial_result {
    int32_t status;
    const char *call_id;
    const char *call_sid;   /* NULL while the carrier has not given one */
    const char *reason;     /* "" with AIC_OK */
    const char *error;      /* NULL with AIC_OK */
    int64_t retry_after_ms; /* over a limit: when there is room again; 0 = unknown */
};

typedef void (*calls_dialed)(void *data, const struct calls_dial_result *result);
/* The reply comes exactly once, never from inside. */
void calls_dial(struct calls *calls, const struct calls_dial *params, calls_dialed reply,
                void *data);

/* An event of a call that has no sound yet. `detail` is a JSON object. */
void calls_record_event(struct calls *calls, const char *call_id, const char *type,
                        struct aic_str detail);

/* A token for a page that wants to talk: writes the new call's id and token. */
int32_t calls_invite(struct calls *calls, const char *agent, char id[UUID_TEXT], char *token,
                     size_t token_bytes);

/* A line of a typed conversation. */
struct calls_line {
    struct aic_str session; /* empty: begin one */
    const char *agent;      /* of a new one; NULL = the default */
    struct aic_str message;
    bool with_voice; /* the answer is spoken, too */
};

/* `audio` is linear PCM at 16 kHz, empty unless asked for. The reply comes once: AIC_ERROR_BUSY
 * while the last line is unanswered. */
typedef void (*calls_chatted)(void *data, int32_t status, const char *session, struct aic_str text,
                              struct aic_str audio);
void calls_chat(struct calls *calls, const struct calls_line *line, calls_chatted reply,
                void *data);

/* Whether a typed conversation lives in this worker. */
bool calls_has_chat(const struct calls *calls, const char *session);

/* Hangs up a call wherever it lives on this host. */
void calls_hang_up(struct calls *calls, const char *id, const char *reason, link_reply reply,
                   void *data);
/* Hands the caller of a live call over; see call_transfer for what the reply may say, beside
 * AIC_ERROR_NOT_FOUND. */
void calls_transfer(struct calls *calls, const char *id, struct aic_str to, link_reply reply,
                    void *data);

struct calls_pause {
    bool is_paused;
    const char *by; /* who wants it, for the record */
};

/* Pauses a recording, or lets it go on. AIC_ERROR_CONFLICT: the call is not recorded. */
void calls_pause_recording(struct calls *calls, const char *id, const struct calls_pause *pause,
                           link_reply reply, void *data);
/* A request of another worker or of the command line; true if it was for calls. */
bool calls_request(struct calls *calls, const struct link_request *request);

#endif
