/* SPDX-License-Identifier: ISC */
/* A head that is taken can be written again from its parts, and is taken again as the same. */
#include "io/http_head.h"

#include "buf.h"
#include "io/http_peer.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct http_head *head, struct aic_buf *to)
{
    aic_buf_str(to, head->method_name);
    aic_buf_char(to, ' ');
    aic_buf_str(to, head->path);
    if (head->query.len > 0) {
        aic_buf_char(to, '?');
        aic_buf_str(to, head->query);
    }
    aic_buf_text(to, head->is_http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (uint32_t i = 0; i < head->header_count; i++) {
        aic_buf_str(to, head->headers[i].name);
        aic_buf_text(to, ": ");
        aic_buf_str(to, head->headers[i].value);
        aic_buf_text(to, "\r\n");
    }
    aic_buf_text(to, "\r\n");
}

static void need(int is_so)
{
    if (!is_so) {
        abort();
    }
}

static int same(struct aic_str a, struct aic_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static void check_again(const struct http_head *head)
{
    struct http_head again;
    struct aic_buf text;
    aic_buf_init(&text, 1u << 20);
    write_again(head, &text);
    need(http_head_length(aic_buf_view(&text), 0) == text.len);
    need(http_head_parse(aic_buf_view(&text), &again) == 0);
    need(again.method == head->method && again.header_count == head->header_count);
    need(same(again.path, head->path) && same(again.query, head->query));
    for (uint32_t i = 0; i < head->header_count; i++) {
        need(same(again.headers[i].name, head->headers[i].name));
        need(same(again.headers[i].value, head->headers[i].value));
    }
    uint64_t bytes = 0;
    uint64_t bytes_again = 0;
    need(http_head_body(head, &bytes) == http_head_body(&again, &bytes_again));
    need(bytes == bytes_again);
    aic_buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    size_t length = http_head_length(text, 0);
    if (length == 0) {
        return 0;
    }
    struct http_head head;
    text.len = length;
    int32_t status = http_head_parse(text, &head);
    need(status == 0 || (status >= 400 && status <= 505));
    if (status != 0) {
        return 0;
    }
    check_again(&head);
    const struct sockaddr_in loopback = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
    char peer[HTTP_ADDRESS_TEXT];
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&loopback;
    (void)http_peer_is_local(&head, address, false);
    http_peer_text(&head, address, trusted, peer);
    need(strlen(peer) > 0 && strlen(peer) < sizeof(peer));
    return 0;
}
