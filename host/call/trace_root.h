/* SPDX-License-Identifier: ISC */
#ifndef CALL_TRACE_ROOT_H
#define CALL_TRACE_ROOT_H
/* The span of a whole call, written at its end. */
#include "call/trace_export.h"
#include "call/webhook_post.h"

void trace_root_write(struct trace_export *traces, const struct trace_call *trace,
                      const struct webhook_call *call);

#endif
