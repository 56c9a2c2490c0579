/* SPDX-License-Identifier: ISC */
/* However the bytes of a peer are cut, the same messages and control frames come out of them. */
#include "io/ws_reader.h"

#include "buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 300 };

static void need(int is_so)
{
    if (!is_so) {
        abort();
    }
}

/* Notes a piece, so that the same pieces in other cuts give the same text. */
static void note(struct aic_buf *trace, const struct ws_piece *piece)
{
    switch (piece->kind) {
    case WS_PIECE_DATA:
        aic_buf_str(trace, piece->bytes);
        if (piece->is_last) {
            aic_buf_text(trace, piece->is_text ? "<text>" : "<binary>");
        }
        break;
    case WS_PIECE_CONTROL:
        need(piece->bytes.len <= WS_CONTROL_BYTES && piece->opcode >= WS_CLOSE);
        aic_buf_printf(trace, "<control %u ", piece->opcode);
        aic_buf_str(trace, piece->bytes);
        aic_buf_char(trace, '>');
        break;
    case WS_PIECE_WRONG:
        need(piece->code == 1002 || piece->code == 1009);
        aic_buf_printf(trace, "<wrong %d>", (int)piece->code);
        break;
    default:
        break;
    }
}

/* Reads the bytes in steps; 0 = all at once. */
static void read_all(const uint8_t *data, size_t size, bool is_masked, size_t step,
                     struct aic_buf *trace)
{
    struct ws_reader reader;
    ws_reader_init(&reader, is_masked, MESSAGE_MAX);
    char *bytes = malloc(size + 1);
    need(bytes != NULL);
    memcpy(bytes, data, size);
    bool is_wrong = false;
    for (size_t at = 0; at < size && !is_wrong;) {
        size_t end = step == 0 || size - at < step ? size : at + step;
        struct ws_piece piece;
        do {
            size_t used = ws_reader_next(&reader, bytes + at, end - at, &piece);
            need(used <= end - at);
            at += used;
            note(trace, &piece);
            is_wrong = piece.kind == WS_PIECE_WRONG;
        } while (piece.kind != WS_PIECE_NONE && !is_wrong);
        need(is_wrong || at == end);
    }
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    bool is_masked = data[0] & 1;
    size_t step = 1 + data[1] % 40u;
    struct aic_buf whole;
    struct aic_buf pieces;
    aic_buf_init(&whole, 1u << 24);
    aic_buf_init(&pieces, 1u << 24);
    read_all(data + 2, size - 2, is_masked, 0, &whole);
    read_all(data + 2, size - 2, is_masked, step, &pieces);
    need(!whole.failed && whole.len == pieces.len);
    need(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
    aic_buf_finish(&whole);
    aic_buf_finish(&pieces);
    return 0;
}
