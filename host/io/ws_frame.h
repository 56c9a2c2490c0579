/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_FRAME_H
#define IO_WS_FRAME_H
/* Frames of RFC 6455, of clients and servers. Pure. No extension is ever negotiated. */
#include <aicaller/abi.h>
#include <stdbool.h>

enum {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
    WS_CONTROL_BYTES = 125, /* largest payload of the last three */
    WS_HEAD_BYTES = 14      /* largest head of a frame */
};

struct ws_frame {
    uint8_t opcode;
    bool is_final;
    uint8_t mask[4]; /* zeros when it is not masked */
    uint64_t bytes;  /* of the payload */
};

/* Reads the head of a frame, which a client masks and a server does not. Its length; 0 while it is
 * not complete; -1 when it breaks the protocol. */
int ws_frame_parse(const char *bytes, size_t count, bool is_masked, struct ws_frame *frame);
/* Takes the mask off (or puts it on); `at` is the place of the first byte in the payload. */
void ws_frame_mask(char *bytes, size_t count, const uint8_t mask[4], uint64_t at);
/* Writes the head of one of our frames, a whole message; `mask` has 4 bytes, or is NULL for none.
 * Returns its length. */
size_t ws_frame_head(char to[WS_HEAD_BYTES], uint8_t opcode, uint64_t bytes, const uint8_t *mask);

/* Reads the payload of a close frame: the code (1005 when there is none) and the reason in it. 0,
 * or the code to fail with: 1002, 1007. */
int32_t ws_close_parse(struct aic_str payload, int32_t *code, struct aic_str *reason);
/* Whether a code may stand in a close frame. */
bool ws_close_is_valid(int32_t code);

enum { WS_ACCEPT_BYTES = 29 }; /* with its terminating 0 */

/* Sec-WebSocket-Accept for a key; false when the key is not the base64 of 16 bytes. */
bool ws_accept_key(struct aic_str key, char to[WS_ACCEPT_BYTES]);

#endif
