/* SPDX-License-Identifier: ISC */
#ifndef CALL_TRACE_H
#define CALL_TRACE_H
/*
 * The place of a call in a trace: the W3C header traceparent, read and written, and the ids of a
 * call's own spans, which follow from its id so that every worker that has the call knows them.
 * Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum {
    TRACE_ID = 16,
    TRACE_SPAN = 8,
    TRACE_HEADERS = 8,     /* for the collector */
    TRACE_PARENT_TEXT = 56 /* "00-", 32 digits, "-", 16 digits, "-01", terminated */
};

struct trace_context {
    uint8_t trace_id[TRACE_ID]; /* all 0 = there is none */
    uint8_t span_id[TRACE_SPAN];
    bool is_sampled;
};

/* Reads a traceparent; false, with an empty context, for what the standard does not allow. */
bool trace_read(struct trace_context *context, struct aic_str text);
/* "" for an empty context. */
void trace_write(char to[TRACE_PARENT_TEXT], const struct trace_context *context);
bool trace_is_set(const struct trace_context *context);
/* Whether a trace is among the share of 0 to 1 that is kept, the same for all who ask. */
bool trace_is_chosen(const uint8_t trace_id[TRACE_ID], double share);

/* Of one call. */
struct trace_call {
    struct trace_context root;  /* the call's own span */
    struct trace_context given; /* what it continues; empty = nothing */
    bool is_kept;               /* spans are to be written */
};

/* `traceparent` is what whoever placed the call gave, "" or NULL = nothing. `share`: of the calls
 * that continue nothing; negative = no spans are written here, and only what was given goes on. */
void trace_call_begin(struct trace_call *trace, const char *call_id, const char *traceparent,
                      double share);
/* The id of a span within the call, by a number. */
void trace_call_span(const struct trace_call *trace, uint64_t number, uint8_t span_id[TRACE_SPAN]);
/* What is sent along with a request that belongs to a span of the call (NULL: to the call itself);
 * "" = nothing. */
void trace_call_parent(const struct trace_call *trace, const uint8_t *span_id,
                       char to[TRACE_PARENT_TEXT]);

/* Hexadecimal digits, terminated; `to` has 2 * count + 1 bytes. */
void trace_hex(char *to, const uint8_t *bytes, size_t count);

#endif
