/* SPDX-License-Identifier: ISC */
/* Times, sizes and addresses as operators write them. Pure. */
#include "buf.h"
#include "settings_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 256 };

/* A whole number and what stands behind it; the sign is the caller's. */
static bool parse_count(const char *text, int64_t *value, const char **unit)
{
    char *end = NULL;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *value = strtoll(text, &end, 10);
    *unit = end;
    return errno == 0;
}

struct unit {
    const char *name;
    int64_t factor;
};

static bool parse_with_units(const char *text, const struct unit *units, int64_t *value)
{
    const char *unit = NULL;
    int64_t count = 0;
    if (!parse_count(text, &count, &unit)) {
        return false;
    }
    for (; units->name; units++) {
        if (strcmp(units->name, unit) == 0 && count <= INT64_MAX / units->factor) {
            *value = count * units->factor;
            return true;
        }
    }
    return false;
}

bool settings_parse_duration(const char *text, int64_t *ms)
{
    static const struct unit units[] = {{"", 1},        {"ms", 1},       {"s", 1000}, {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    return parse_with_units(text, units, ms);
}

bool settings_parse_bytes(const char *text, int64_t *bytes)
{
    static const struct unit units[] = {{"", 1},        {"k", 1 << 10}, {"K", 1 << 10},
                                        {"m", 1 << 20}, {"M", 1 << 20}, {"g", 1 << 30},
                                        {"G", 1 << 30}, {NULL, 0}};
    return parse_with_units(text, units, bytes);
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* The port behind a host: nothing, or a colon and a number. */
static bool is_port(struct aic_str text)
{
    if (text.len == 0) {
        return true;
    }
    int64_t port = 0;
    for (size_t i = 1; i < text.len && i < 7; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        port = port * 10 + (text.ptr[i] - '0');
    }
    return text.ptr[0] == ':' && text.len > 1 && text.len < 7 && port > 0 && port < 65536;
}

/* Takes the host out of "host", "host:port", "[address]" or "[address]:port". */
static bool take_host(struct aic_str authority, char host[HOST_MAX])
{
    struct in6_addr address;
    struct aic_str name = authority;
    bool is_address = aic_str_starts(authority, "[");
    if (is_address) {
        const char *close = memchr(authority.ptr, ']', authority.len);
        if (!close) {
            return false;
        }
        name = (struct aic_str){authority.ptr + 1, (size_t)(close - authority.ptr) - 1};
        authority.len -= name.len + 2;
        authority.ptr = close + 1;
    } else {
        const char *colon = memchr(authority.ptr, ':', authority.len);
        name.len = colon ? (size_t)(colon - authority.ptr) : authority.len;
        authority.len -= name.len;
        authority.ptr += name.len;
    }
    if (name.len == 0 || !aic_str_copy(name, host, HOST_MAX) || !is_port(authority)) {
        return false;
    }
    return is_address ? inet_pton(AF_INET6, host, &address) == 1 : !strpbrk(host, "[]\\\"<>^`{|}%");
}

const char *setting_url_problem(const char *text)
{
    static const struct {
        const char *scheme;
        bool is_plain;
    } schemes[] = {{"https://", false}, {"wss://", false}, {"http://", true}, {"ws://", true}};

    char host[HOST_MAX];
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == 0x7F) {
            return "must be an address without blanks in it";
        }
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncasecmp(text, schemes[i].scheme, length) != 0) {
            continue;
        }
        struct aic_str authority = {text + length, strcspn(text + length, "/?#")};
        if (memchr(authority.ptr, '@', authority.len)) {
            return "must not hold a user name or password";
        }
        if (!take_host(authority, host)) {
            return "must name a host, and after it at most a port, such as "
                   "\"https://api.example.com:8443/v1\"";
        }
        if (schemes[i].is_plain && !is_loopback(host)) {
            return "must begin with https:// or wss://; without encryption only this machine "
                   "(localhost, 127.0.0.1, [::1]) can be reached";
        }
        return NULL;
    }
    return "must be a whole address, such as \"https://api.example.com/v1\"";
}
