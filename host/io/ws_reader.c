/* SPDX-License-Identifier: ISC */
#include "io/ws_reader.h"

#include <string.h>

void ws_reader_init(struct ws_reader *reader, bool is_masked, uint64_t max_message_bytes)
{
    *reader = (struct ws_reader){.is_masked = is_masked, .max_message_bytes = max_message_bytes};
}

/* Checks a new frame against what came before; 0 or the code to close with. */
static int32_t begin_frame(struct ws_reader *reader)
{
    const struct ws_frame *frame = &reader->frame;
    reader->in_frame = true;
    reader->frame_at = 0;
    if (frame->opcode >= WS_CLOSE) {
        return 0;
    }
    if ((frame->opcode == WS_CONTINUATION) != reader->in_message) {
        return 1002;
    }
    if (frame->opcode != WS_CONTINUATION) {
        reader->is_text = frame->opcode == WS_TEXT;
        reader->message_bytes = 0;
    }
    reader->in_message = !frame->is_final;
    if (frame->bytes > reader->max_message_bytes - reader->message_bytes) {
        return 1009;
    }
    reader->message_bytes += frame->bytes;
    return 0;
}

/* Takes the head of a frame; returns how many bytes it used. *wrong: the code to close with. */
static size_t take_head(struct ws_reader *reader, const char *bytes, size_t count, int32_t *wrong)
{
    size_t before = reader->head_bytes;
    size_t room = sizeof(reader->head) - before;
    size_t more = count < room ? count : room;
    memcpy(reader->head + before, bytes, more);
    int length = ws_frame_parse(reader->head, before + more, reader->is_masked, &reader->frame);
    if (length == 0) {
        reader->head_bytes += more;
        return more;
    }
    reader->head_bytes = 0;
    *wrong = length < 0 ? 1002 : begin_frame(reader);
    return length < 0 ? count : (size_t)length - before;
}

/* Takes payload; returns how many bytes it used. */
static size_t take_payload(struct ws_reader *reader, char *bytes, size_t count,
                           struct ws_piece *piece)
{
    const struct ws_frame *frame = &reader->frame;
    uint64_t left = frame->bytes - reader->frame_at;
    size_t length = left < count ? (size_t)left : count;
    bool ends_frame = left == length;
    if (reader->is_masked) {
        ws_frame_mask(bytes, length, frame->mask, reader->frame_at);
    }
    if (frame->opcode < WS_CLOSE) {
        *piece = (struct ws_piece){.kind = WS_PIECE_DATA,
                                   .bytes = {bytes, length},
                                   .is_text = reader->is_text,
                                   .is_last = ends_frame && frame->is_final};
    } else {
        memcpy(reader->control + reader->frame_at, bytes, length);
        if (ends_frame) {
            *piece = (struct ws_piece){.kind = WS_PIECE_CONTROL,
                                       .bytes = {reader->control, (size_t)frame->bytes},
                                       .opcode = frame->opcode};
        }
    }
    reader->frame_at += length;
    reader->in_frame = !ends_frame;
    return length;
}

size_t ws_reader_next(struct ws_reader *reader, char *bytes, size_t count, struct ws_piece *piece)
{
    size_t used = 0;
    *piece = (struct ws_piece){.kind = WS_PIECE_NONE};
    if (!reader->in_frame && count > 0) {
        int32_t wrong = 0;
        used = take_head(reader, bytes, count, &wrong);
        if (wrong != 0) {
            *piece = (struct ws_piece){.kind = WS_PIECE_WRONG, .code = wrong};
            return used;
        }
    }
    /* A frame without payload is complete with its head. */
    if (reader->in_frame && (used < count || reader->frame.bytes == 0)) {
        used += take_payload(reader, bytes + used, count - used, piece);
    }
    return used;
}
