/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_LLM_H
#define AICALLER_LLM_H
/*
 * Role: language model. A session belongs to a call; each answer is a request with an id that the
 * host chose and that every event repeats. The conversation travels with each request, so that
 * the host may think ahead, throw an answer away, or ask another provider half way through.
 */
#include <aicaller/abi.h>
#include <aicaller/error.h>
#include <aicaller/usage.h>

AIC_BEGIN_DECLS

#define AIC_LLM "aicaller.llm/1"

enum {
    AIC_LLM_STREAMING = 1u << 0,
    AIC_LLM_TOOLS = 1u << 1,
    AIC_LLM_SCRIPTED = 1u << 2,     /* fixed answers; not to be called an AI */
    AIC_LLM_COUNTS_MISSES = 1u << 3 /* handles what it does not understand by itself */
};

struct aic_llm_caps {
    uint32_t size; /* set by the host; the plugin fills what fits */
    uint32_t flags;
    int64_t context_tokens; /* 0 unknown */
};

enum {
    AIC_LLM_EVENT_NONE = 0,
    AIC_LLM_EVENT_STARTED = 1,         /* the vendor answered; no text yet */
    AIC_LLM_EVENT_TEXT_DELTA = 2,      /* more text to speak; whole UTF-8 characters */
    AIC_LLM_EVENT_REASONING_DELTA = 3, /* never spoken */
    AIC_LLM_EVENT_TOOL_CALL = 4,       /* one complete tool call */
    AIC_LLM_EVENT_USAGE = 5,
    AIC_LLM_EVENT_RATE_INFO = 6,
    AIC_LLM_EVENT_FINISH = 7, /* last event of a request, unless ERROR is */
    AIC_LLM_EVENT_ERROR = 8   /* last event of a request */
};

enum {
    AIC_LLM_FINISH_NONE = 0,
    AIC_LLM_FINISH_STOP = 1,
    AIC_LLM_FINISH_LENGTH = 2,
    AIC_LLM_FINISH_TOOL_CALLS = 3,
    AIC_LLM_FINISH_CONTENT_FILTER = 4,
    AIC_LLM_FINISH_REFUSAL = 5,
    AIC_LLM_FINISH_PAUSE = 6
};

struct aic_llm_event {
    uint32_t size;
    uint32_t kind;
    uint64_t id;         /* of the request */
    struct aic_str text; /* TEXT_DELTA, REASONING_DELTA */
    /* TOOL_CALL: the index counts calls of this answer; an id is made up where the vendor gives
     * none; arguments are JSON text as the model wrote it, valid or not. */
    uint32_t tool_index;
    uint32_t finish;
    struct aic_str tool_id;
    struct aic_str tool_name;
    struct aic_str tool_arguments;
    /* FINISH: opaque text that belongs to this answer. The host stores it with the message and
     * sends it back as the message's "provider_state", to the same provider only. */
    struct aic_str provider_state;
    struct aic_str vendor_id; /* STARTED: the vendor's request id */
    int64_t ttfb_us;          /* STARTED: since `start` */
    const struct aic_usage *usage;
    const struct aic_rate_info *rate;
    const struct aic_error *error;
};

struct aic_llm_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void *impl;
    /* Takes one event; never called from inside an operation of the session, nor after `close`.
     * [call] */
    void (*event)(const struct aic_llm_sink *sink, const struct aic_llm_event *event);
};

struct aic_llm_open {
    uint32_t size;
    uint32_t reserved; /* 0 */
    const char *call_id;
    const char *agent;
    const char *language; /* BCP 47 */
};

enum { AIC_LLM_SPECULATIVE = 1u << 0 /* may be thrown away; the caller may still go on */ };

/* Everything in it is copied before `start` returns. */
struct aic_llm_request {
    uint32_t size;
    uint32_t flags;
    uint64_t id; /* never reused in a session */
    /*
     * JSON array in the form of chat completions: {"role": "system" | "user" | "assistant" |
     * "tool", "content": text, "tool_calls"?, "tool_call_id"?, "provider_state"?}. An assistant's
     * content is what the caller heard of it.
     */
    struct aic_str messages;
    struct aic_str tools;   /* JSON array of {"type": "function", "function": {...}}; or empty */
    struct aic_str context; /* JSON object: "call_id", "direction", "from", "to", "variables" */
    int64_t max_tokens;     /* 0 = the provider's own */
    double temperature;     /* negative = the provider's own */
};

struct aic_llm {
    uint32_t size;
    uint32_t reserved; /* 0 */

    /* Fills caps. [main] */
    int32_t (*capabilities)(void *self, struct aic_llm_caps *caps);
    /* Opens a session. `sink` is valid until `close` returns. [call] */
    int32_t (*open)(void *self, const struct aic_llm_open *params, const struct aic_llm_sink *sink,
                    void **session);
    /* Starts an answer. Exactly one FINISH or ERROR ends it, unless it is cancelled. Several may
     * run at once (one of them speculative). [call] */
    int32_t (*start)(void *session, const struct aic_llm_request *request);
    /* Drops an answer; its events may stop at once, and the host ignores what still comes, USAGE
     * excepted. [call] */
    int32_t (*cancel)(void *session, uint64_t id);
    /* Ends the session now; no event after this. Accepts NULL. [call] */
    void (*close)(void *session);

    /* Optional from here on. */

    /* Opens connections ahead of a request. Best effort. [call] */
    void (*prewarm)(void *self);
    /* Tells every phrase that a caller is expected to say, for the recogniser: calls `add` once
     * per phrase. [main, call] */
    int32_t (*phrases)(void *self, void (*add)(void *data, struct aic_str phrase), void *data);
    /* Asks the vendor whether key and model work, without cost where possible; one event of id 0:
     * FINISH, or ERROR. Ended by `close`. For `aicaller check --deep`, and in the
     * background before a provider that failed is used again. [call] */
    int32_t (*probe)(void *self, const struct aic_llm_sink *sink, void **session);
};

AIC_END_DECLS
#endif
