/* SPDX-License-Identifier: ISC */
#ifndef CALL_THINKING_H
#define CALL_THINKING_H
/*
 * The conversation to an answer: asks the language model in use, and the next one when it fails. A
 * model that breaks off in the middle is replaced by one that goes on from the words so far.
 */
#include "plugin/chain.h"
#include "plugin/session.h"

#include "buf.h"

struct thinking_events {
    /* Writes the messages for a provider, with a note to the model at their end. */
    void (*write)(void *data, const struct provider *provider, struct aic_str note,
                  struct aic_buf *to);
    void (*delta)(void *data, struct aic_str text);
    void (*tool)(void *data, struct aic_str id, struct aic_str name, struct aic_str arguments);
    /* The answer is complete; `state` belongs to it (llm.h). */
    void (*finished)(void *data, const struct provider *provider, uint32_t finish,
                     struct aic_str state);
    void (*failed)(void *data, const struct aic_error *error); /* none is left */
    void (*usage)(void *data, const struct provider *provider, const struct aic_usage *usage);
    void (*switched)(void *data, const struct provider *from, const struct provider *to,
                     const struct aic_error *error);
    void *data;
};

struct thinking_settings {
    const char *call_id;
    const char *agent;
    const char *language;
    struct aic_str context; /* JSON object; as long as the call lives */
    int64_t first_token_us; /* patience while another model is there [2.5 s] */
};

struct thinking_model {
    struct thinking *thinking;
    struct session *session;
};

struct thinking {
    struct sched *sched;
    struct chain chain;
    struct thinking_settings settings;
    struct thinking_events events;
    struct thinking_model models[CHAIN_MAX];
    struct aic_buf tools; /* JSON array; may be empty */
    struct aic_buf said;  /* of this answer, by models that then failed as well */
    struct sched_timer *timer;
    int64_t started_us;
    uint64_t request; /* under way; 0 = none */
    uint64_t last_request;
    int current;
    uint32_t tried;
    bool has_text;  /* from the model in use */
    bool has_tools; /* ... it wants to use */
    bool has_retried;
    bool is_speculative;
};

void thinking_init(struct thinking *thinking, struct sched *sched, const struct chain *chain,
                   const struct thinking_settings *settings, const struct thinking_events *events);
void thinking_finish(struct thinking *thinking);
/* Opens the first model ahead of its first request. */
void thinking_prepare(struct thinking *thinking);
/* Starts an answer; one under way is cancelled. */
void thinking_start(struct thinking *thinking, bool is_speculative);
void thinking_cancel(struct thinking *thinking);
bool thinking_is_busy(const struct thinking *thinking);
const struct provider *thinking_provider(const struct thinking *thinking);

#endif
