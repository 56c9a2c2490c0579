/* SPDX-License-Identifier: ISC */
#include "net_frames.h"

#include "buf.h"
#include "io/ws_frame.h"
#include "net_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 1 << 26 };

static const uint8_t mask[4] = {0x9a, 0x00, 0xff, 0x21};

void net_frame_add(struct aic_buf *to, int first_byte, const void *payload, size_t count,
                   bool is_masked)
{
    char head[WS_HEAD_BYTES];
    size_t length = ws_frame_head(head, WS_TEXT, count, is_masked ? mask : NULL);
    head[0] = (char)first_byte;
    aic_buf_add(to, head, length);
    size_t at = to->len;
    aic_buf_add(to, payload, count);
    if (is_masked && count > 0) {
        ws_frame_mask(to->data + at, count, mask, 0);
    }
}

void net_frame_send(int fd, int first_byte, const void *payload, size_t count, bool is_masked)
{
    struct aic_buf frame;
    aic_buf_init(&frame, FRAME_MAX);
    net_frame_add(&frame, first_byte, payload, count, is_masked);
    (void)net_write(fd, frame.data, frame.len);
    aic_buf_finish(&frame);
}

/* The length that a head announces, when all of it was read. */
static uint64_t length_of(const unsigned char *head, size_t extra)
{
    uint64_t length = head[1] & 0x7f;
    if (extra > 0) {
        length = 0;
        for (size_t i = 0; i < extra; i++) {
            length = length << 8 | head[2 + i];
        }
    }
    return length;
}

char *net_frame_read(int fd, bool is_masked, int *first_byte, size_t *count)
{
    unsigned char head[WS_HEAD_BYTES];
    if (!net_read(fd, head, 2) || ((head[1] & 0x80) != 0) != is_masked) {
        return NULL;
    }
    size_t extra = (head[1] & 0x7f) == 127 ? 8 : (head[1] & 0x7f) == 126 ? 2 : 0;
    if (!net_read(fd, head + 2, extra + (is_masked ? 4 : 0))) {
        return NULL;
    }
    uint64_t length = length_of(head, extra);
    char *payload = length <= FRAME_MAX ? malloc(length + 1) : NULL;
    if (!payload || !net_read(fd, payload, length)) {
        free(payload);
        return NULL;
    }
    if (is_masked) {
        ws_frame_mask(payload, length, head + 2 + extra, 0);
    }
    payload[length] = '\0';
    *first_byte = head[0];
    *count = length;
    return payload;
}

bool net_frame_is(int fd, bool is_masked, int first_byte, const void *payload, size_t count)
{
    int got_byte = 0;
    size_t got_count = 0;
    char *got = net_frame_read(fd, is_masked, &got_byte, &got_count);
    bool is_same = got && got_byte == first_byte && got_count == count &&
                   (count == 0 || memcmp(got, payload, count) == 0);
    if (!is_same) {
        (void)fprintf(stderr, "net_frames: got %02x %.200s\n", (unsigned)got_byte,
                      got ? got : "nothing");
    }
    free(got);
    return is_same;
}

int net_frame_close_code(int fd, bool is_masked)
{
    int first_byte = 0;
    size_t count = 0;
    char *payload = NULL;
    int code = -1;
    while (code < 0 && (payload = net_frame_read(fd, is_masked, &first_byte, &count)) != NULL) {
        if (first_byte == 0x88) {
            code = count >= 2 ? (unsigned char)payload[0] << 8 | (unsigned char)payload[1] : 1005;
        }
        free(payload);
    }
    return code;
}

bool net_frame_answer_handshake(int fd, const char *request, const char *more)
{
    static const char header[] = "\r\nSec-WebSocket-Key: ";
    char accept[WS_ACCEPT_BYTES];
    const char *key = request ? strstr(request, header) : NULL;
    if (!key || !ws_accept_key((struct aic_str){key + sizeof(header) - 1, 24}, accept)) {
        return false;
    }
    char answer[512];
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                   accept, more);
    return net_text(fd, answer);
}
