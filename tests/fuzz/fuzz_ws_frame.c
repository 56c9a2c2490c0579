/* SPDX-License-Identifier: ISC */
/* Heads of frames: what is read is what was written, masks come off as they went on. */
#include "io/ws_frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int is_so)
{
    if (!is_so) {
        abort();
    }
}

static void check_mask(const struct ws_frame *frame, const char *bytes, size_t count)
{
    char whole[256];
    char pieces[256];
    count = count < sizeof(whole) ? count : sizeof(whole);
    memcpy(whole, bytes, count);
    memcpy(pieces, bytes, count);
    ws_frame_mask(whole, count, frame->mask, 0);
    for (size_t at = 0; at < count;) {
        size_t step = 1 + (unsigned char)bytes[at] % 13u;
        step = step < count - at ? step : count - at;
        ws_frame_mask(pieces + at, step, frame->mask, at);
        at += step;
    }
    need(memcmp(whole, pieces, count) == 0);
    ws_frame_mask(whole, count, frame->mask, 0);
    need(memcmp(whole, bytes, count) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct ws_frame frame;
    int length = ws_frame_parse(bytes, size, &frame);
    need(length <= WS_HEAD_BYTES && length <= (int)size);
    if (length > 0) {
        char head[WS_HEAD_BYTES];
        size_t written = ws_frame_head(head, frame.opcode, frame.bytes);
        need(written + 4 == (size_t)length);
        need((head[1] & 0x7f) == (bytes[1] & 0x7f));
        need(memcmp(head + 2, bytes + 2, written - 2) == 0);
        check_mask(&frame, bytes + length, size - (size_t)length);
    }
    int32_t code = 0;
    struct aic_str reason = {0};
    size_t close_bytes = size < WS_CONTROL_BYTES ? size : WS_CONTROL_BYTES;
    if (ws_close_parse((struct aic_str){bytes, close_bytes}, &code, &reason) == 0) {
        need(code == 1005 || ws_close_is_valid(code));
    }
    char accept[WS_ACCEPT_BYTES];
    if (ws_accept_key((struct aic_str){bytes, size}, accept)) {
        need(strlen(accept) == WS_ACCEPT_BYTES - 1);
    }
    return 0;
}
