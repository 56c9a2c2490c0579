/* SPDX-License-Identifier: ISC */
#include "io/ws_handshake.h"

#include "base64.h"
#include "buf.h"
#include "io/ws_frame.h"
#include "io/ws_target.h"

enum { RETRY_AFTER_MAX_S = 86400, CHUNK_LINE_MAX = 66 };

void ws_handshake_key(const uint8_t nonce[WS_NONCE_BYTES], char key[WS_KEY_BYTES])
{
    key[aic_base64_encode(key, nonce, WS_NONCE_BYTES)] = '\0';
}

void ws_handshake_write(const struct ws_request *request, struct aic_buf *to)
{
    aic_buf_printf(to,
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
                   request->target->path, request->target->host, request->key);
    if (request->subprotocol) {
        aic_buf_printf(to, "Sec-WebSocket-Protocol: %s\r\n", request->subprotocol);
    }
    aic_buf_str(to, request->headers);
    aic_buf_text(to, "\r\n");
}

/* What is wrong with a 101, or NULL. */
static const char *check_upgrade(const struct ws_request *request, const struct http_head *head)
{
    char accept[WS_ACCEPT_BYTES];
    if (head->is_http_1_0 || !http_head_has_word(head, "upgrade", "websocket") ||
        !http_head_has_word(head, "connection", "upgrade")) {
        return "the answer to the handshake does not upgrade to WebSocket";
    }
    if (!ws_accept_key(aic_str(request->key), accept) ||
        http_head_count(head, "sec-websocket-accept") != 1 ||
        !aic_str_equal(http_head_find(head, "sec-websocket-accept"), accept)) {
        return "the answer to the handshake is not to our key";
    }
    if (http_head_find(head, "sec-websocket-extensions").len > 0) {
        return "the answer to the handshake has an extension that was not offered";
    }
    struct aic_str chosen = http_head_find(head, "sec-websocket-protocol");
    if (chosen.len > 0 && (!request->subprotocol || !aic_str_equal(chosen, request->subprotocol))) {
        return "the answer to the handshake has a subprotocol that was not offered";
    }
    return NULL;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Takes the size of a chunk and the end of its line; 0 while that is not complete, -1 when it is no
 * size, else its length. */
static int take_chunk_size(struct aic_str text, size_t *size)
{
    size_t length = text.len < CHUNK_LINE_MAX ? text.len : CHUNK_LINE_MAX;
    const char *end = length > 0 ? memmem(text.ptr, length, "\r\n", 2) : NULL;
    if (!end) {
        return length == CHUNK_LINE_MAX ? -1 : 0;
    }
    size_t at = 0;
    *size = 0;
    for (; text.ptr + at < end && digit_of(text.ptr[at]) >= 0; at++) {
        *size = *size * 16 + (size_t)digit_of(text.ptr[at]);
        if (at > 6) {
            return -1;
        }
    }
    bool is_size = at > 0 && (text.ptr + at == end || text.ptr[at] == ';' || text.ptr[at] == ' ');
    return is_size ? (int)(end - text.ptr) + 2 : -1;
}

/* Adds to the body what fits; whether it is full then. */
static bool add_body(struct ws_answer *answer, struct aic_str bytes)
{
    size_t room = sizeof(answer->body_text) - answer->body.len;
    size_t count = bytes.len < room ? bytes.len : room;
    if (count > 0) {
        memcpy(answer->body_text + answer->body.len, bytes.ptr, count);
    }
    answer->body = (struct aic_str){answer->body_text, answer->body.len + count};
    return count == room;
}

/* Whether all of a chunked body that is kept has come. */
static bool read_chunks(struct ws_answer *answer, struct aic_str text)
{
    for (;;) {
        size_t size = 0;
        int length = take_chunk_size(text, &size);
        if (length <= 0 || size == 0) {
            return length != 0; /* nonsense ends it too */
        }
        struct aic_str chunk = {text.ptr + length, text.len - (size_t)length};
        bool is_whole = chunk.len >= size + 2;
        chunk.len = chunk.len < size ? chunk.len : size;
        if (add_body(answer, chunk)) {
            return true;
        }
        if (!is_whole) {
            return false;
        }
        size_t used = (size_t)length + size + 2;
        text = (struct aic_str){text.ptr + used, text.len - used};
    }
}

/* Whether all of the body that is kept has come; without a length it goes on to the end. */
static bool read_body(struct ws_answer *answer, struct aic_str text)
{
    const struct http_head *head = &answer->head;
    uint64_t length = UINT64_MAX;
    if (answer->status == 204 || answer->status == 304) {
        return true;
    }
    if (http_head_has_word(head, "transfer-encoding", "chunked")) {
        return read_chunks(answer, text);
    }
    if (http_head_count(head, "content-length") > 0 && http_head_body(head, &length) != 0) {
        return true; /* nobody can tell how long it is */
    }
    if (text.len > length) {
        text.len = (size_t)length;
    }
    return add_body(answer, text) || text.len == length;
}

/* Seconds; a date is left to those who read the headers. */
static int64_t read_retry_after(const struct http_head *head)
{
    struct aic_str text = http_head_find(head, "retry-after");
    int64_t seconds = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return 0;
        }
        seconds = seconds * 10 + (text.ptr[i] - '0');
        seconds = seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
    }
    return seconds * 1000;
}

static enum ws_answer_kind judge(const struct ws_request *request, struct aic_str text,
                                 struct ws_answer *answer)
{
    if (answer->status == 101) {
        answer->problem = check_upgrade(request, &answer->head);
        return answer->problem ? WS_ANSWER_WRONG : WS_ANSWER_OPEN;
    }
    answer->retry_after_ms = read_retry_after(&answer->head);
    struct aic_str rest = {text.ptr + answer->bytes, text.len - answer->bytes};
    return read_body(answer, rest) ? WS_ANSWER_REFUSED : WS_ANSWER_MORE;
}

static bool may_be_http(struct aic_str text)
{
    static const char begin[] = "HTTP/1.";
    size_t length = text.len < sizeof(begin) - 1 ? text.len : sizeof(begin) - 1;
    return length == 0 || memcmp(text.ptr, begin, length) == 0;
}

void ws_handshake_read(const struct ws_request *request, struct aic_str text,
                       struct ws_answer *answer)
{
    answer->kind = WS_ANSWER_WRONG;
    answer->problem = "the answer to the handshake is no HTTP";
    answer->bytes = 0;
    answer->body = (struct aic_str){answer->body_text, 0};
    answer->retry_after_ms = 0;
    do {
        struct aic_str rest = {text.ptr + answer->bytes, text.len - answer->bytes};
        size_t length = http_head_length(rest, 0);
        answer->status = 0;
        if (answer->bytes + (length > 0 ? length : rest.len) > WS_ANSWER_HEAD_BYTES) {
            answer->problem = "the answer to the handshake is too long";
            return;
        }
        if (length == 0) {
            answer->kind = may_be_http(rest) ? WS_ANSWER_MORE : WS_ANSWER_WRONG;
            return;
        }
        rest.len = length;
        if (http_head_parse_answer(rest, &answer->head, &answer->status) != AIC_OK) {
            answer->status = 0;
            return;
        }
        answer->bytes += length;
        /* Interim ones, such as 103, come in front of the answer. */
    } while (answer->status < 200 && answer->status != 101);
    answer->kind = judge(request, text, answer);
}
