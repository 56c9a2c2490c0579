/* SPDX-License-Identifier: ISC */
#include "io/http_peer.h"

#include "buf.h"
#include "io/http_head.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { MAX_HOPS = 32 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* "192.0.2.1" or "2001:db8::1". */
static bool parse_address(struct aic_str text, union address *address)
{
    char copy[HTTP_ADDRESS_TEXT];
    memset(address, 0, sizeof(*address));
    if ((text.len > 0 && memchr(text.ptr, '\0', text.len)) ||
        !aic_str_copy(text, copy, sizeof(copy))) {
        return false;
    }
    if (inet_pton(AF_INET, copy, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, copy, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        return true;
    }
    return false;
}

static bool is_port(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0 && text.len <= 5;
}

/* Splits "host", "host:port", "[v6]" and "[v6]:port"; false when it is none of them. */
static bool split_host(struct aic_str text, struct aic_str *host)
{
    size_t end = 0;
    if (text.len > 0 && text.ptr[0] == '[') {
        const char *bracket = memchr(text.ptr, ']', text.len);
        if (!bracket) {
            return false;
        }
        end = (size_t)(bracket - text.ptr) + 1;
        *host = (struct aic_str){text.ptr + 1, end - 2};
    } else {
        const char *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
        end = colon ? (size_t)(colon - text.ptr) : text.len;
        *host = (struct aic_str){text.ptr, end};
    }
    if (host->len == 0) {
        return false;
    }
    return end == text.len || (text.ptr[end] == ':' &&
                               is_port((struct aic_str){text.ptr + end + 1, text.len - end - 1}));
}

static bool is_loopback_host(struct aic_str text)
{
    struct aic_str host = {0};
    union address address;
    if (!split_host(text, &host)) {
        return false;
    }
    if (aic_str_equal_nocase(host, "localhost")) {
        return true;
    }
    return parse_address(host, &address) && http_address_is_loopback(&address.any);
}

static bool came_through_a_proxy(const struct http_head *head)
{
    static const char prefix[] = "x-forwarded-";
    for (uint32_t i = 0; i < head->header_count; i++) {
        struct aic_str name = head->headers[i].name;
        if (aic_str_equal_nocase(name, "forwarded") || aic_str_equal_nocase(name, "via") ||
            aic_str_equal_nocase(name, "x-real-ip")) {
            return true;
        }
        if (name.len >= sizeof(prefix) - 1) {
            name.len = sizeof(prefix) - 1;
            if (aic_str_equal_nocase(name, prefix)) {
                return true;
            }
        }
    }
    return false;
}

/* Origin is scheme, "://" and what Host says. */
static bool is_same_origin(struct aic_str origin, struct aic_str host, bool is_tls)
{
    const char *scheme = is_tls ? "https://" : "http://";
    size_t length = strlen(scheme);
    char copy[256];
    if (!aic_str_starts(origin, scheme) || !aic_str_copy(host, copy, sizeof(copy))) {
        return false;
    }
    return aic_str_equal_nocase((struct aic_str){origin.ptr + length, origin.len - length}, copy);
}

bool http_peer_is_local(const struct http_head *head, const struct sockaddr *peer, bool is_tls)
{
    struct aic_str host = http_head_find(head, "host");
    if (!http_address_is_loopback(peer) || !is_loopback_host(host) || came_through_a_proxy(head)) {
        return false;
    }
    size_t origins = http_head_count(head, "origin");
    return origins == 0 ||
           (origins == 1 && is_same_origin(http_head_find(head, "origin"), host, is_tls));
}

/* The last element over all lines of a header, of those before `skip` from the end. */
static bool element_from_end(const struct http_head *head, const char *name, size_t skip,
                             struct aic_str *element)
{
    for (uint32_t i = head->header_count; i > 0; i--) {
        if (!aic_str_equal_nocase(head->headers[i - 1].name, name)) {
            continue;
        }
        struct aic_str list = head->headers[i - 1].value;
        size_t count = 0;
        while (http_list_next(&list, element)) {
            count++;
        }
        if (skip >= count) {
            skip -= count;
            continue;
        }
        list = head->headers[i - 1].value;
        for (size_t at = count - skip; at > 0; at--) {
            (void)http_list_next(&list, element);
        }
        return true;
    }
    return false;
}

void http_peer_text(const struct http_head *head, const struct sockaddr *peer,
                    const char *const *trusted, char to[HTTP_ADDRESS_TEXT])
{
    http_address_text(peer, to);
    if (!http_address_in(peer, trusted)) {
        return;
    }
    struct aic_str element = {0};
    for (size_t skip = 0;
         skip < MAX_HOPS && element_from_end(head, "x-forwarded-for", skip, &element); skip++) {
        struct aic_str host = element;
        union address address;
        if (!parse_address(element, &address) &&
            !(split_host(element, &host) && parse_address(host, &address))) {
            return; /* what stands left of nonsense proves nothing */
        }
        http_address_text(&address.any, to);
        if (!http_address_in(&address.any, trusted)) {
            return;
        }
    }
}

bool http_peer_forwards_https(const struct http_head *head, const struct sockaddr *peer,
                              const char *const *trusted)
{
    struct aic_str element = {0};
    return http_address_in(peer, trusted) &&
           element_from_end(head, "x-forwarded-proto", 0, &element) &&
           aic_str_equal_nocase(element, "https");
}
