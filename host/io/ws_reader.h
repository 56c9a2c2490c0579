/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_READER_H
#define IO_WS_READER_H
/*
 * From the bytes of one peer to pieces of messages and whole control frames, however they are cut.
 * Pure.
 */
#include "io/ws_frame.h"

struct ws_reader {
    bool is_masked; /* the peer is a client */
    uint64_t max_message_bytes;
    uint64_t message_bytes;   /* that were announced so far, of the message that is coming in */
    char head[WS_HEAD_BYTES]; /* of a frame, while it is not complete */
    size_t head_bytes;
    struct ws_frame frame;
    bool in_frame;
    uint64_t frame_at; /* payload bytes that have come */
    bool in_message;   /* fragments have come, the last one has not */
    bool is_text;      /* the message that is coming in */
    char control[WS_CONTROL_BYTES];
};

enum ws_piece_kind {
    WS_PIECE_NONE = 0,    /* all bytes are used up */
    WS_PIECE_DATA = 1,    /* of a message */
    WS_PIECE_CONTROL = 2, /* a whole close, ping or pong */
    WS_PIECE_WRONG = 3    /* the peer broke the rules: nothing more can be read */
};

struct ws_piece {
    enum ws_piece_kind kind;
    struct aic_str bytes;
    bool is_text; /* of DATA */
    bool is_last; /* of DATA: the message is complete */
    uint8_t opcode;
    int32_t code; /* of WRONG: what to close with, 1002 or 1009 */
};

void ws_reader_init(struct ws_reader *reader, bool is_masked, uint64_t max_message_bytes);
/* Takes one piece from the front of the bytes, which are changed in place; returns how many bytes
 * it used. What the piece points to is in the bytes or in the reader. */
size_t ws_reader_next(struct ws_reader *reader, char *bytes, size_t count, struct ws_piece *piece);

#endif
