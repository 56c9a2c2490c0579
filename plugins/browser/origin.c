/* SPDX-License-Identifier: ISC */
#include "origin.h"

#include "buf.h"

#include <string.h>

/* Scheme, name and port of an origin; the default port is written out. */
struct place {
    bool is_tls;
    struct aic_str name;
    uint32_t port;
};

/* Reads what follows a name: nothing, or a colon and a port. */
static bool read_port(struct aic_str text, struct place *place)
{
    place->port = place->is_tls ? 443 : 80;
    if (text.len == 0) {
        return true;
    }
    uint32_t port = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || port > 65535) {
            return false;
        }
        port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    place->port = port;
    return text.ptr[0] == ':' && port > 0 && port <= 65535;
}

/* Splits "name", "name:port", "[v6]" or "[v6]:port". */
static bool split_authority(struct aic_str text, struct place *place)
{
    if (text.len == 0) {
        return false;
    }
    bool is_v6 = text.ptr[0] == '[';
    const char *end = memchr(text.ptr, is_v6 ? ']' : ':', text.len);
    if (is_v6 && !end) {
        return false;
    }
    size_t length = end ? (size_t)(end - text.ptr) + is_v6 : text.len;
    place->name = (struct aic_str){text.ptr, length};
    return length > 0 && read_port((struct aic_str){text.ptr + length, text.len - length}, place);
}

static bool split_origin(struct aic_str text, struct place *place)
{
    static const char plain[] = "http://";
    static const char tls[] = "https://";
    size_t skip = aic_str_starts(text, plain) ? sizeof(plain) - 1 : 0;
    place->is_tls = aic_str_starts(text, tls);
    skip = place->is_tls ? sizeof(tls) - 1 : skip;
    if (skip == 0) {
        return false;
    }
    struct aic_str authority = {text.ptr + skip, text.len - skip};
    /* The operator's URL may end in a path; a browser's origin never does. */
    const char *slash = memchr(authority.ptr, '/', authority.len);
    authority.len = slash ? (size_t)(slash - authority.ptr) : authority.len;
    return split_authority(authority, place);
}

static bool is_same_name(struct aic_str a, struct aic_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i] >= 'A' && a.ptr[i] <= 'Z' ? (char)(a.ptr[i] + 32) : a.ptr[i];
        char y = b.ptr[i] >= 'A' && b.ptr[i] <= 'Z' ? (char)(b.ptr[i] + 32) : b.ptr[i];
        if (x != y) {
            return false;
        }
    }
    return true;
}

bool browser_origin_is_ours(struct aic_str origin, struct aic_str host, const char *public_url)
{
    struct place page;
    struct place ours;
    if (origin.len == 0) {
        return true;
    }
    if (!split_origin(origin, &page)) {
        return false;
    }
    if (public_url && split_origin(aic_str(public_url), &ours) && ours.is_tls == page.is_tls &&
        ours.port == page.port && is_same_name(ours.name, page.name)) {
        return true;
    }
    /* Host says nothing of TLS, which a proxy may speak for us: its default port is the page's. */
    ours.is_tls = page.is_tls;
    return split_authority(host, &ours) && ours.port == page.port &&
           is_same_name(ours.name, page.name);
}
