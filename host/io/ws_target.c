/* SPDX-License-Identifier: ISC */
#include "io/ws_target.h"

#include "buf.h"
#include "io/http_address.h"
#include "io/loop.h"

#include <curl/curl.h>
#include <uv.h>

struct parts {
    char *scheme;
    char *host;
    char *port;
    char *path;
    char *query;
};

static int32_t take_scheme(const struct parts *parts, struct ws_target *target)
{
    if (strcmp(parts->scheme, "wss") == 0) {
        target->is_tls = true;
        return AIC_OK;
    }
    return strcmp(parts->scheme, "ws") == 0 ? AIC_OK : AIC_ERROR_UNSUPPORTED;
}

static int32_t take_host(const struct parts *parts, struct ws_target *target)
{
    struct aic_str name = aic_str(parts->host);
    unsigned usual = target->is_tls ? 443 : 80;
    unsigned long port = parts->port ? strtoul(parts->port, NULL, 10) : usual;
    if (name.len >= 2 && name.ptr[0] == '[') {
        name = (struct aic_str){name.ptr + 1, name.len - 2};
    }
    if (name.len == 0 || port == 0 || port > UINT16_MAX ||
        !aic_str_copy(name, target->name, sizeof(target->name))) {
        return AIC_ERROR_INVALID;
    }
    target->port = (uint16_t)port;
    int length = port == usual
                     ? snprintf(target->host, sizeof(target->host), "%s", parts->host)
                     : snprintf(target->host, sizeof(target->host), "%s:%lu", parts->host, port);
    return length > 0 && (size_t)length < sizeof(target->host) ? AIC_OK : AIC_ERROR_INVALID;
}

static int32_t take_path(const struct parts *parts, struct ws_target *target)
{
    struct aic_buf path;
    aic_buf_init(&path, WS_TARGET_PATH);
    aic_buf_text(&path, parts->path && parts->path[0] ? parts->path : "/");
    if (parts->query) {
        aic_buf_char(&path, '?');
        aic_buf_text(&path, parts->query);
    }
    int32_t status = path.failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
    target->path = aic_buf_detach(&path);
    return status;
}

int32_t ws_target_parse(const char *url, struct ws_target *target)
{
    *target = (struct ws_target){0};
    struct parts parts = {0};
    CURLU *parsed = curl_url();
    if (!parsed) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_ERROR_INVALID;
    if (url &&
        curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER) ==
            CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &parts.scheme, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &parts.host, 0) == CURLUE_OK) {
        (void)curl_url_get(parsed, CURLUPART_PORT, &parts.port, 0);
        (void)curl_url_get(parsed, CURLUPART_PATH, &parts.path, 0);
        (void)curl_url_get(parsed, CURLUPART_QUERY, &parts.query, 0);
        status = take_scheme(&parts, target);
    }
    if (status == AIC_OK) {
        status = take_host(&parts, target);
    }
    if (status == AIC_OK) {
        status = take_path(&parts, target);
    }
    curl_free(parts.scheme);
    curl_free(parts.host);
    curl_free(parts.port);
    curl_free(parts.path);
    curl_free(parts.query);
    curl_url_cleanup(parsed);
    return status;
}

void ws_target_finish(struct ws_target *target)
{
    free(target->path);
    target->path = NULL;
}

/* Look-up */

struct ws_lookup {
    uv_getaddrinfo_t request; /* first: a request is its look-up */
    const struct ws_target *target;
    const struct http_rules *rules;
    void (*found)(void *data, const struct ws_found *found);
    void *data;
    bool is_stopped;
};

static void collect(const struct ws_lookup *lookup, const struct addrinfo *list,
                    struct ws_found *found)
{
    bool is_plain = !lookup->target->is_tls;
    size_t refused = 0;
    for (; list && found->count < DIAL_ADDRESSES; list = list->ai_next) {
        if (list->ai_addrlen > sizeof(union dial_address)) {
            continue;
        }
        if (!http_address_allowed(list->ai_addr, lookup->rules, is_plain)) {
            refused++;
        } else {
            memcpy(&found->addresses[found->count++], list->ai_addr, list->ai_addrlen);
        }
    }
    found->is_refused = found->count == 0 && refused > 0;
}

static void on_found(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct ws_lookup *lookup = (struct ws_lookup *)request;
    if (!lookup->is_stopped) {
        struct ws_found found = {.status = status};
        if (status == 0) {
            collect(lookup, list, &found);
        }
        lookup->found(lookup->data, &found);
    }
    uv_freeaddrinfo(list);
    free(lookup);
}

struct ws_lookup *ws_lookup_start(struct loop *loop, const struct ws_target *target,
                                  const struct http_rules *rules,
                                  void (*found)(void *data, const struct ws_found *found),
                                  void *data)
{
    struct ws_lookup *lookup = calloc(1, sizeof(*lookup));
    if (!lookup) {
        return NULL;
    }
    lookup->target = target;
    lookup->rules = rules;
    lookup->found = found;
    lookup->data = data;
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", target->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    /* Nobody may answer for this name, and some machines have no file that does (RFC 6761). */
    bool is_localhost = aic_str_equal_nocase(aic_str(target->name), "localhost");
    if (uv_getaddrinfo(loop_uv(loop), &lookup->request, on_found,
                       is_localhost ? NULL : target->name, port, &hints) != 0) {
        free(lookup);
        return NULL;
    }
    return lookup;
}

void ws_lookup_stop(struct ws_lookup *lookup)
{
    if (lookup) {
        lookup->is_stopped = true;
        (void)uv_cancel((uv_req_t *)&lookup->request);
    }
}
