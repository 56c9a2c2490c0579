/* SPDX-License-Identifier: ISC */
/* Heads of frames: what is read is what was written, masks come off as they went on. */
#include "io/ws_frame.h"

#include <stdbool.h>
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

static void check_head(const char *bytes, size_t size, bool is_masked)
{
    struct ws_frame frame;
    int length = ws_frame_parse(bytes, size, is_masked, &frame);
    need(length <= WS_HEAD_BYTES && length <= (int)size);
    if (length > 0) {
        char head[WS_HEAD_BYTES];
        size_t written =
            ws_frame_head(head, frame.opcode, frame.bytes, is_masked ? frame.mask : NULL);
        need(written == (size_t)length);
        need((head[0] & 0x0f) == (bytes[0] & 0x0f));
        need(memcmp(head + 1, bytes + 1, written - 1) == 0);
        check_mask(&frame, bytes + length, size - (size_t)length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    check_head(bytes, size, true);
    check_head(bytes, size, false);
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
