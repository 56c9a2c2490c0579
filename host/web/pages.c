/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "web/assets.h"

#include <string.h>

/* Pages and their files, out of the program itself. */

static const struct aic_header page_headers[] = {
    {AIC_STR_INIT("content-security-policy"),
     AIC_STR_INIT("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                  "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; "
                  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'")},
    {AIC_STR_INIT("x-content-type-options"), AIC_STR_INIT("nosniff")},
    {AIC_STR_INIT("referrer-policy"), AIC_STR_INIT("no-referrer")},
    {AIC_STR_INIT("permissions-policy"),
     AIC_STR_INIT("microphone=(self), camera=(), geolocation=()")},
    {AIC_STR_INIT("cache-control"), AIC_STR_INIT("no-cache")},
};

enum { PAGE_HEADERS = sizeof(page_headers) / sizeof(page_headers[0]) };

static const struct asset *find(struct aic_str path)
{
    for (size_t i = 0; i < asset_count; i++) {
        struct aic_str own = aic_str(assets[i].path);
        bool has_slash = own.ptr[own.len - 1] == '/';
        bool lacks_slash = has_slash && path.len + 1 == own.len;
        if (aic_str_equal(path, own.ptr) ||
            (lacks_slash && memcmp(path.ptr, own.ptr, path.len) == 0)) {
            return &assets[i];
        }
    }
    return NULL;
}

static int32_t get_asset(void *data, struct aic_exchange *exchange,
                         const struct aic_request *request)
{
    struct web *web = data;
    const struct asset *asset = find(request->path);
    if (!asset) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (!access_granted(web, exchange, request)) {
        return AIC_OK;
    }
    struct aic_header headers[PAGE_HEADERS + 1];
    for (size_t i = 0; i < PAGE_HEADERS; i++) {
        headers[i] = page_headers[i];
    }
    headers[PAGE_HEADERS] = (struct aic_header){AIC_STR("etag"), aic_str(asset->etag)};
    bool is_known = aic_str_equal(server_header(exchange, "if-none-match"), asset->etag);
    const struct aic_response response = {
        .size = sizeof(response),
        .status = is_known ? 304 : 200,
        .content_type = is_known ? NULL : asset->type,
        .body = {(const char *)asset->data, is_known ? 0 : (size_t)(asset->end - asset->data)},
        .headers = headers,
        .header_count = PAGE_HEADERS + 1,
        .header_size = sizeof(headers[0])};
    return server_respond(exchange, &response);
}

void pages_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/static/*", get_asset);
    for (size_t i = 0; i < asset_count; i++) {
        if (!aic_str_starts(aic_str(assets[i].path), "/static/")) {
            web_route(web, AIC_METHOD_GET, assets[i].path, get_asset);
        }
    }
}
