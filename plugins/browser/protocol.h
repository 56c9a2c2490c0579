/* SPDX-License-Identifier: ISC */
#ifndef BROWSER_PROTOCOL_H
#define BROWSER_PROTOCOL_H
/*
 * What the voice page and this plugin say to each other; README.md describes it. Bytes to structs
 * and back: no I/O, no clock.
 */
#include "buf.h"
#include "json.h"

#include <aicaller/audio.h>

enum {
    BROWSER_RATE_HZ = 16000,
    BROWSER_BYTES_PER_SECOND = BROWSER_RATE_HZ * 2,
    BROWSER_AUDIO_MAX_BYTES = BROWSER_BYTES_PER_SECOND, /* a second in one message */
    BROWSER_JSON_MAX_BYTES = 8192,
    BROWSER_TEXT_MAX_BYTES = 2000, /* that a caller may type at once */
    BROWSER_TOKEN_MAX_BYTES = 512,
    BROWSER_NAME_MAX_BYTES = 64 /* of a call id, of an agent */
};

enum browser_kind {
    BROWSER_UNKNOWN, /* a later page's message, to be ignored */
    BROWSER_START,   /* token, call_id, agent (may be empty) */
    BROWSER_MARK,    /* id, is_cleared */
    BROWSER_TEXT,    /* text: without control characters at its ends, not empty */
    BROWSER_DTMF,    /* text: one of 0-9 * # A-D */
    BROWSER_BYE
};

struct browser_message {
    enum browser_kind kind;
    struct aic_str token;
    struct aic_str call_id;
    struct aic_str agent;
    struct aic_str text;
    uint64_t id;
    bool is_cleared;
    struct aic_json *document; /* what the texts above lie in */
};

/*
 * Parses a text message of the page. AIC_ERROR_PROTOCOL: it is none, and *problem says why, for the
 * page to show. On success the message must be finished.
 */
int32_t browser_message_parse(struct aic_str frame, struct browser_message *message,
                              const char **problem);
void browser_message_finish(struct browser_message *message);

/* NULL when a binary message can be sound, else what is wrong with it. */
const char *browser_audio_problem(size_t bytes);

/* Messages to the page. */
void browser_write_mark(struct aic_buf *to, uint64_t id);
void browser_write_clear(struct aic_buf *to);
void browser_write_error(struct aic_buf *to, const char *message);
/* The call is over: "hangup", "refused", "protocol", "timeout", "shutdown". */
void browser_write_end(struct aic_buf *to, const char *reason);

#endif
