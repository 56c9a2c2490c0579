/* SPDX-License-Identifier: ISC */
#ifndef LOAD_HOOKS_H
#define LOAD_HOOKS_H
/* What Twilio asks a server, and what it reads in the answer. Pure. */
#include "load/trace.h"

#define HOOK_ACCOUNT "AC00000000000000000000000000000001"

struct hook_stream {
    char path[128];
    char token[512];
    char call[64];
};

/* The signed webhook of a call that comes in. */
void hook_inbound(const struct plan *plan, int number, const char *sid, struct aic_buf *to);
/* Finds the stream in the instructions; false when there is none. */
bool hook_stream_read(struct aic_str twiml, const char *public_url, struct hook_stream *stream);
/* The signed request that opens it. */
void hook_upgrade(const struct plan *plan, const struct hook_stream *stream, struct aic_buf *to);
/* Its first message. */
void hook_start(const struct hook_stream *stream, const char *call_sid, const char *stream_sid,
                struct aic_buf *to);

#endif
