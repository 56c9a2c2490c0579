/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_HANDSHAKE_H
#define IO_WS_HANDSHAKE_H
/* A client's handshake (RFC 6455 4.1): what is asked, and what the answer means. Pure. */
#include "io/http_head.h"

struct aic_buf;
struct ws_target;

enum {
    WS_KEY_BYTES = 25,                /* with its terminating 0 */
    WS_NONCE_BYTES = 16,              /* of which a key is made */
    WS_ANSWER_HEAD_BYTES = 32 * 1024, /* the longest head that is read, interim ones included */
    WS_ANSWER_BODY_BYTES = 4096       /* what is kept of a refusal's body */
};

struct ws_request {
    const struct ws_target *target;
    const char *subprotocol; /* NULL = none */
    struct aic_str headers;  /* further lines, whole */
    char key[WS_KEY_BYTES];
};

void ws_handshake_key(const uint8_t nonce[WS_NONCE_BYTES], char key[WS_KEY_BYTES]);
void ws_handshake_write(const struct ws_request *request, struct aic_buf *to);

enum ws_answer_kind {
    WS_ANSWER_MORE = 0,    /* not complete; `status` is known where the head is */
    WS_ANSWER_OPEN = 1,    /* it is a WebSocket from `bytes` on */
    WS_ANSWER_REFUSED = 2, /* by `status` */
    WS_ANSWER_WRONG = 3    /* not the answer of a WebSocket */
};

/* What it points to is in the text, but for the body. */
struct ws_answer {
    enum ws_answer_kind kind;
    int32_t status; /* 0 = not known */
    struct http_head head;
    size_t bytes;           /* length of the heads */
    const char *problem;    /* of WRONG */
    struct aic_str body;    /* of a refusal, as far as it has come */
    int64_t retry_after_ms; /* 0 = not told */
    char body_text[WS_ANSWER_BODY_BYTES];
};

/* Reads what has come so far. */
void ws_handshake_read(const struct ws_request *request, struct aic_str text,
                       struct ws_answer *answer);

#endif
