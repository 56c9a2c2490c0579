/* SPDX-License-Identifier: ISC */
/* Answers to a handshake: what is decided on a part of the text is not taken back when more comes.
 */
#include "io/ws_handshake.h"

#include "buf.h"

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

static void check(const struct ws_answer *answer, struct aic_str text)
{
    need(answer->bytes <= text.len && answer->bytes <= WS_ANSWER_HEAD_BYTES);
    need(answer->body.len <= WS_ANSWER_BODY_BYTES);
    need(answer->retry_after_ms >= 0 && answer->retry_after_ms <= INT64_C(86400000));
    switch (answer->kind) {
    case WS_ANSWER_OPEN:
        need(answer->status == 101 && answer->head.header_count >= 3);
        break;
    case WS_ANSWER_REFUSED:
        need(answer->status >= 200 && answer->status <= 999);
        break;
    case WS_ANSWER_WRONG:
        need(answer->problem != NULL && (answer->status == 0 || answer->status == 101));
        break;
    default:
        need(answer->status == 0 || answer->status >= 200);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The key of RFC 6455 1.3, so that a seed can hold a good answer. */
    struct ws_request request = {.subprotocol = "chat", .key = "dGhlIHNhbXBsZSBub25jZQ=="};
    static struct ws_answer part;
    static struct ws_answer whole;
    if (size < 1) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 1, size - 1};
    struct aic_str begin = {text.ptr, text.len * data[0] / 256};
    ws_handshake_read(&request, begin, &part);
    ws_handshake_read(&request, text, &whole);
    check(&part, begin);
    check(&whole, text);
    if (part.kind == WS_ANSWER_OPEN || part.kind == WS_ANSWER_REFUSED) {
        need(whole.kind == part.kind && whole.status == part.status && whole.bytes == part.bytes);
        need(whole.body.len == part.body.len);
        need(memcmp(whole.body_text, part.body_text, part.body.len) == 0);
    } else if (part.kind == WS_ANSWER_WRONG) {
        need(whole.kind == WS_ANSWER_WRONG);
    }
    return 0;
}
