/* SPDX-License-Identifier: ISC */
#include "web/hosts.h"

#include "buf.h"

#include <string.h>

/* "voice.example.com:443" and "[::1]:443" without the port. */
static struct aic_str without_port(struct aic_str host)
{
    size_t end = 0;
    bool is_literal = host.len > 0 && host.ptr[0] == '[';
    while (end < host.len && host.ptr[end] != (is_literal ? ']' : ':')) {
        end++;
    }
    end += is_literal && end < host.len;
    return (struct aic_str){host.ptr, end};
}

static struct aic_str host_of(const char *url)
{
    const char *start = url ? strstr(url, "://") : NULL;
    if (!start) {
        return AIC_STR("");
    }
    start += 3;
    return without_port((struct aic_str){start, strcspn(start, "/?#")});
}

static bool is_same(struct aic_str a, struct aic_str b)
{
    return a.len > 0 && a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

bool hosts_allow(const char *const *names, const char *public_url, struct aic_str header)
{
    struct aic_str host = without_port(header);
    if (!names || !names[0] || is_same(host, host_of(public_url))) {
        return true;
    }
    for (const char *const *name = names; *name; name++) {
        if (is_same(host, aic_str(*name))) {
            return true;
        }
    }
    return false;
}
