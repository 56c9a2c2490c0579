/* SPDX-License-Identifier: ISC */
#include "io/http_address.h"

#include "buf.h"
#include "io/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define V4(a, b, c, d)                                                                             \
    {                                                                                              \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d)                               \
    }

/* IANA's special-purpose registries, as far as they lie in what could be public. */
static const struct http_network special_v4[] = {
    {V4(0, 0, 0, 0), 104},      /* this network */
    {V4(10, 0, 0, 0), 104},     /* private */
    {V4(100, 64, 0, 0), 106},   /* shared by carriers' NAT */
    {V4(127, 0, 0, 0), 104},    /* loopback */
    {V4(169, 254, 0, 0), 112},  /* link-local, clouds' metadata */
    {V4(172, 16, 0, 0), 108},   /* private */
    {V4(192, 0, 0, 0), 120},    /* protocol assignments */
    {V4(192, 0, 2, 0), 120},    /* documentation */
    {V4(192, 88, 99, 0), 120},  /* relays of 6to4 */
    {V4(192, 168, 0, 0), 112},  /* private */
    {V4(198, 18, 0, 0), 111},   /* benchmarks */
    {V4(198, 51, 100, 0), 120}, /* documentation */
    {V4(203, 0, 113, 0), 120},  /* documentation */
    {V4(224, 0, 0, 0), 99},     /* multicast, reserved, broadcast */
};

/* Inside of 2000::/3, the only part of IPv6 that is given out. */
static const struct http_network special_v6[] = {
    {{0x20, 0x01}, 23},             /* Teredo, benchmarks, ORCHID and other protocols */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static const struct http_network global_unicast = {{0x20}, 3};
static const struct http_network loopback_v4 = {V4(127, 0, 0, 0), 104};
static const uint8_t loopback_v6[16] = {[15] = 1};

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(a, b, whole) != 0) {
        return false;
    }
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool in_any(const uint8_t *bytes, const struct http_network *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (prefix_equal(bytes, ranges[i].bytes, ranges[i].bits)) {
            return true;
        }
    }
    return false;
}

/* The 16 bytes of an address, IPv4 mapped; false when it is of another family. */
static bool to_bytes(const struct sockaddr *address, uint8_t bytes[16])
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        memcpy(bytes, mapped, sizeof(mapped));
        memcpy(bytes + 12, &v4->sin_addr, 4);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
        memcpy(bytes, &v6->sin6_addr, 16);
        return true;
    }
    return false;
}

static bool is_mapped(const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

bool http_address_is_public(const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (!to_bytes(address, bytes)) {
        return false;
    }
    if (address->sa_family == AF_INET) {
        return !in_any(bytes, special_v4, sizeof(special_v4) / sizeof(special_v4[0]));
    }
    return in_any(bytes, &global_unicast, 1) &&
           !in_any(bytes, special_v6, sizeof(special_v6) / sizeof(special_v6[0]));
}

bool http_address_is_loopback(const struct sockaddr *address)
{
    uint8_t bytes[16];
    return to_bytes(address, bytes) &&
           (in_any(bytes, &loopback_v4, 1) || memcmp(bytes, loopback_v6, 16) == 0);
}

static bool parse_bits(struct aic_str text, unsigned max, unsigned *bits)
{
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    *bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        *bits = *bits * 10 + (unsigned)(text.ptr[i] - '0');
    }
    return *bits <= max;
}

static bool is_zero_behind(const uint8_t *bytes, unsigned bits)
{
    for (unsigned i = bits; i < 128; i++) {
        if (bytes[i / 8] & (0x80u >> (i % 8))) {
            return false;
        }
    }
    return true;
}

int32_t http_network_parse(struct aic_str text, struct http_network *network)
{
    const char *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    size_t length = slash ? (size_t)(slash - text.ptr) : text.len;
    char address[HTTP_ADDRESS_TEXT];
    if (length == 0 || memchr(text.ptr, '\0', length) ||
        !aic_str_copy((struct aic_str){text.ptr, length}, address, sizeof(address))) {
        return AIC_ERROR_INVALID;
    }
    *network = (struct http_network){{0}, 128};
    bool is_v4 = inet_pton(AF_INET, address, network->bytes + 12) == 1;
    if (is_v4) {
        network->bytes[10] = network->bytes[11] = 0xff;
    } else if (inet_pton(AF_INET6, address, network->bytes) != 1) {
        return AIC_ERROR_INVALID;
    }
    if (slash) {
        unsigned bits = 0;
        struct aic_str number = {slash + 1, text.len - length - 1};
        if (!parse_bits(number, is_v4 ? 32 : 128, &bits)) {
            return AIC_ERROR_INVALID;
        }
        network->bits = (uint8_t)(is_v4 ? bits + 96 : bits);
    }
    return is_zero_behind(network->bytes, network->bits) ? AIC_OK : AIC_ERROR_INVALID;
}

bool http_address_in(const struct sockaddr *address, const char *const *networks)
{
    uint8_t bytes[16];
    if (!networks || !to_bytes(address, bytes)) {
        return false;
    }
    for (; *networks; networks++) {
        struct http_network network;
        /* "::/0" is all of IPv6, not IPv4 in its mapped form. */
        if (http_network_parse(aic_str(*networks), &network) == AIC_OK &&
            prefix_equal(bytes, network.bytes, network.bits) &&
            (network.bits >= 96 || !is_mapped(bytes))) {
            return true;
        }
    }
    return false;
}

bool http_address_allowed(const struct sockaddr *address, const struct http_rules *rules,
                          bool is_plain)
{
    if (http_address_in(address, rules->allow)) {
        return true;
    }
    if (rules->public_only && !http_address_is_public(address)) {
        return false;
    }
    return !is_plain || !rules->plain_to_loopback_only || http_address_is_loopback(address);
}

void http_address_text(const struct sockaddr *address, char to[HTTP_ADDRESS_TEXT])
{
    uint8_t bytes[16];
    to[0] = '\0';
    if (!to_bytes(address, bytes)) {
        return;
    }
    if (is_mapped(bytes)) {
        (void)inet_ntop(AF_INET, bytes + 12, to, HTTP_ADDRESS_TEXT);
    } else {
        (void)inet_ntop(AF_INET6, bytes, to, HTTP_ADDRESS_TEXT);
    }
}
