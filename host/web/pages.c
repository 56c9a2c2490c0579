/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "web/assets.h"

#include <string.h>

/* Pages and their files, out of the program itself. All but the one that asks for a key need it. */

static const char key_page[] = "/calls/key/";

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

static bool exists(struct aic_str path)
{
    return find(path) != NULL;
}

static int32_t send_asset(struct web *web, const struct visit *visit)
{
    (void)web;
    const struct asset *asset = find(visit->request->path);
    if (!asset) {
        return AIC_ERROR_NOT_FOUND;
    }
    struct aic_header headers[PAGE_HEADERS + 1];
    for (size_t i = 0; i < PAGE_HEADERS; i++) {
        headers[i] = page_headers[i];
    }
    headers[PAGE_HEADERS] = (struct aic_header){AIC_STR("etag"), aic_str(asset->etag)};
    bool is_known = aic_str_equal(server_header(visit->exchange, "if-none-match"), asset->etag);
    const struct aic_response response = {
        .size = sizeof(response),
        .status = is_known ? 304 : 200,
        .content_type = is_known ? NULL : asset->type,
        .body = {(const char *)asset->data, is_known ? 0 : (size_t)(asset->end - asset->data)},
        .headers = headers,
        .header_count = PAGE_HEADERS + 1,
        .header_size = sizeof(headers[0])};
    return server_respond(visit->exchange, &response);
}

void pages_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/static/*",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = send_asset, .exists = exists});
    for (size_t i = 0; i < asset_count; i++) {
        struct aic_str path = aic_str(assets[i].path);
        bool is_public = aic_str_starts(path, key_page);
        if (!aic_str_starts(path, "/static/")) {
            web_route(web, AIC_METHOD_GET, assets[i].path,
                      &(struct web_route){.scope = is_public ? API_SCOPE_NONE : API_SCOPE_READ,
                                          .is_page = !is_public,
                                          .handle = send_asset});
        }
    }
}
