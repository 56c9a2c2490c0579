/* SPDX-License-Identifier: ISC */
#include "io/ws_frame.h"

#include "base64.h"
#include "buf.h"
#include "utf8.h"

#include <openssl/evp.h>

static uint64_t read_number(const char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = number << 8 | (unsigned char)bytes[i];
    }
    return number;
}

static bool is_known_opcode(uint8_t opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

int ws_frame_parse(const char *bytes, size_t count, bool is_masked, struct ws_frame *frame)
{
    if (count < 2) {
        return 0;
    }
    unsigned first = (unsigned char)bytes[0];
    unsigned second = (unsigned char)bytes[1];
    unsigned length = second & 0x7f;
    frame->opcode = first & 0x0f;
    frame->is_final = (first & 0x80) != 0;
    bool has_reserved_bits = (first & 0x70) != 0;
    bool has_mask = (second & 0x80) != 0;
    if (has_reserved_bits || has_mask != is_masked || !is_known_opcode(frame->opcode)) {
        return -1;
    }
    if (frame->opcode >= WS_CLOSE && (!frame->is_final || length > WS_CONTROL_BYTES)) {
        return -1;
    }
    size_t extra = length == 127 ? 8 : length == 126 ? 2 : 0;
    size_t head_bytes = 2 + extra + (is_masked ? sizeof(frame->mask) : 0);
    if (count < head_bytes) {
        return 0;
    }
    frame->bytes = extra > 0 ? read_number(bytes + 2, extra) : length;
    if (frame->bytes > INT64_MAX || (extra == 2 && frame->bytes < 126) ||
        (extra == 8 && frame->bytes <= UINT16_MAX)) {
        return -1; /* too long, or not written in the shortest way */
    }
    memset(frame->mask, 0, sizeof(frame->mask));
    memcpy(frame->mask, bytes + 2 + extra, head_bytes - 2 - extra);
    return (int)head_bytes;
}

void ws_frame_mask(char *bytes, size_t count, const uint8_t mask[4], uint64_t at)
{
    uint8_t turned[8];
    for (size_t i = 0; i < sizeof(turned); i++) {
        turned[i] = mask[(at + i) & 3];
    }
    uint64_t wide_mask = 0;
    memcpy(&wide_mask, turned, sizeof(wide_mask));
    size_t i = 0;
    for (; i + sizeof(wide_mask) <= count; i += sizeof(wide_mask)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, sizeof(word));
        word ^= wide_mask;
        memcpy(bytes + i, &word, sizeof(word));
    }
    for (; i < count; i++) {
        bytes[i] = (char)((uint8_t)bytes[i] ^ turned[i & 7]);
    }
}

size_t ws_frame_head(char to[WS_HEAD_BYTES], uint8_t opcode, uint64_t bytes, const uint8_t *mask)
{
    size_t extra = bytes > UINT16_MAX ? 8 : bytes > WS_CONTROL_BYTES ? 2 : 0;
    to[0] = (char)(0x80 | opcode);
    to[1] = (char)(extra == 8 ? 127 : extra == 2 ? 126 : bytes);
    for (size_t i = 0; i < extra; i++) {
        to[2 + i] = (char)(bytes >> (8 * (extra - 1 - i)));
    }
    if (!mask) {
        return 2 + extra;
    }
    to[1] = (char)(to[1] | 0x80);
    memcpy(to + 2 + extra, mask, 4);
    return 2 + extra + 4;
}

bool ws_close_is_valid(int32_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

int32_t ws_close_parse(struct aic_str payload, int32_t *code, struct aic_str *reason)
{
    *code = 1005;
    *reason = (struct aic_str){"", 0};
    if (payload.len == 0) {
        return 0;
    }
    if (payload.len == 1) {
        return 1002;
    }
    *code = (int32_t)read_number(payload.ptr, 2);
    *reason = (struct aic_str){payload.ptr + 2, payload.len - 2};
    if (!ws_close_is_valid(*code)) {
        return 1002;
    }
    return aic_utf8_valid(*reason) ? 0 : 1007;
}

bool ws_accept_key(struct aic_str key, char to[WS_ACCEPT_BYTES])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t nonce[AIC_BASE64_DECODED(24)];
    if (key.len != 24 || aic_base64_decode(nonce, key.ptr, key.len) != 16) {
        return false;
    }
    char text[24 + sizeof(magic)];
    unsigned char digest[20];
    memcpy(text, key.ptr, 24);
    memcpy(text + 24, magic, sizeof(magic));
    if (EVP_Digest(text, 24 + sizeof(magic) - 1, digest, NULL, EVP_sha1(), NULL) != 1) {
        return false;
    }
    to[aic_base64_encode(to, digest, sizeof(digest))] = '\0';
    return true;
}
