/* SPDX-License-Identifier: ISC */
#ifndef CALL_CASCADE_H
#define CALL_CASCADE_H
/* The responder made of a recogniser, a language model and a voice, each with its substitutes. */
#include "base/sched.h"
#include "call/responder.h"
#include "plugin/chain.h"

struct cascade_settings {
    struct chain stt; /* may be empty: a caller who types */
    struct chain llm;
    struct chain tts; /* may be empty: an answer in text */
    struct aic_format format_in;
    struct aic_format format_out;
    const char *call_id;
    const char *agent;
    const char *language;
    const char *voice;
    const struct aic_str *hints;
    uint32_t hint_count;
    int64_t endpointing_ms;
    struct aic_str context;
    struct aic_str tools; /* JSON array */
    bool is_silent;       /* until set_silent says otherwise */
};

/* What `settings` points to lives as long as the responder. NULL without memory. */
struct responder *cascade_create(struct sched *sched, const struct cascade_settings *settings,
                                 const struct responder_events *events);

#endif
