/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_STREAM_H
#define OPENAI_STREAM_H
/*
 * One answer of a chat completion, from its server-sent events: what is to be spoken, what was only
 * thought, tool calls, usage, and how it ended. An answer that came as one document is an answer of
 * one event. Pure.
 */
#include "fault.h"
#include "think.h"
#include "tools.h"

enum {
    OPENAI_TEXT_MAX_BYTES = 16 * 1024,    /* nobody listens longer */
    OPENAI_THOUGHT_MAX_BYTES = 256 * 1024 /* nor waits longer */
};

struct openai_stream {
    const char *reasoning_field; /* further name of the member with thoughts; NULL */
    struct openai_think_sink sink;
    struct openai_think think;
    struct openai_tools tools;
    struct aic_usage usage; /* size 0 until the server has told */
    uint32_t finish;        /* AIC_LLM_FINISH_..., NONE until the server has told */
    bool is_done;           /* nothing more is expected */
    bool is_endless;        /* the answer was cut at its bound; the server would go on */
    bool has_failed;        /* `fault` says how */
    bool has_refused;
    bool has_moved; /* the last event brought anything of the answer */
    size_t text_bytes;
    size_t thought_bytes;
    struct openai_fault fault;
    char id[OPENAI_ID_BYTES];
};

/* `sink` is copied; its functions are called from inside push and end. */
void openai_stream_init(struct openai_stream *stream, const char *reasoning_field,
                        const struct openai_think_sink *sink);
void openai_stream_finish(struct openai_stream *stream);
/* Takes one event; ignored once the stream is done or has failed. */
void openai_stream_push(struct openai_stream *stream, struct aic_str name, struct aic_str data);
/* The answer is over, well or not: gives the rest of the text and judges the whole. */
void openai_stream_end(struct openai_stream *stream);

#endif
