/* SPDX-License-Identifier: ISC */
#ifndef IO_SSE_H
#define IO_SSE_H
/*
 * Splits a text/event-stream (WHATWG HTML 9.2) that comes in arbitrary pieces into events. Pure.
 * LF, CRLF and CR end lines; ':' begins a comment; several data lines are joined by LF; an event
 * without data is none. Unlike a browser's, the last event counts without its blank line.
 */
#include "buf.h"

struct sse {
    struct aic_buf line; /* the beginning of a line that is not complete */
    struct aic_buf data;
    struct aic_buf name;
    bool has_data;
    bool after_cr;
    bool after_first_line;
};

typedef void (*sse_handler)(void *data, struct aic_str name, struct aic_str text);

/* `max_bytes` bounds one event. */
void sse_init(struct sse *sse, size_t max_bytes);
void sse_finish(struct sse *sse);
/* AIC_ERROR_TOO_LARGE: an event is over the bound; no more can be made of this stream. */
int32_t sse_push(struct sse *sse, struct aic_str bytes, sse_handler event, void *data);
/* The stream ended: gives the last event if it lacked its blank line. */
int32_t sse_end(struct sse *sse, sse_handler event, void *data);

#endif
