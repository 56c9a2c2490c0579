/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "web/assets.h"
#include "web/encoding.h"
#include "web/range.h"

#include <string.h>

/* Pages and their files, out of the program itself. Those that ask who one is are for everybody:
 * there is nothing in them. */

static const char *const public_paths[] = {"/calls/key/", "/admin/", "/static/admin/",
                                           "/static/vendor/", "/openapi.json"};

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
    {AIC_STR_INIT("vary"), AIC_STR_INIT("accept-encoding")},
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

static bool is_public(struct aic_str path)
{
    for (size_t i = 0; i < sizeof(public_paths) / sizeof(public_paths[0]); i++) {
        if (aic_str_starts(path, public_paths[i])) {
            return true;
        }
    }
    return false;
}

static struct aic_str body_of(const struct asset *asset, bool is_gzip)
{
    const unsigned char *begin = is_gzip ? asset->gzip : asset->data;
    const unsigned char *end = is_gzip ? asset->gzip_end : asset->end;
    return (struct aic_str){(const char *)begin, (size_t)(end - begin)};
}

static int32_t send_asset(struct web *web, const struct visit *visit)
{
    (void)web;
    const struct asset *asset = find(visit->request->path);
    if (!asset) {
        return AIC_ERROR_NOT_FOUND;
    }
    bool is_gzip = encoding_takes_gzip(server_header(visit->exchange, "accept-encoding"));
    struct aic_str tag = aic_str(is_gzip ? asset->gzip_etag : asset->etag);
    bool is_known = range_is_known(server_header(visit->exchange, "if-none-match"), tag.ptr);
    struct aic_header headers[PAGE_HEADERS + 2];
    memcpy(headers, page_headers, sizeof(page_headers));
    uint32_t count = PAGE_HEADERS;
    headers[count++] = (struct aic_header){AIC_STR("etag"), tag};
    if (is_gzip && !is_known) {
        headers[count++] = (struct aic_header){AIC_STR("content-encoding"), AIC_STR("gzip")};
    }
    const struct aic_response response = {.size = sizeof(response),
                                          .status = is_known ? 304 : 200,
                                          .content_type = is_known ? NULL : asset->type,
                                          .body = is_known ? AIC_STR("") : body_of(asset, is_gzip),
                                          .headers = headers,
                                          .header_count = count,
                                          .header_size = sizeof(headers[0])};
    return server_respond(visit->exchange, &response);
}

void pages_routes(struct web *web)
{
    static const char *const folders[] = {"/static/admin/*", "/static/vendor/*", "/static/*"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        uint32_t scope = is_public(aic_str(folders[i])) ? API_SCOPE_NONE : API_SCOPE_READ;
        web_route(web, AIC_METHOD_GET, folders[i],
                  &(struct web_route){.scope = scope, .handle = send_asset, .exists = exists});
    }
    for (size_t i = 0; i < asset_count; i++) {
        struct aic_str path = aic_str(assets[i].path);
        if (!aic_str_starts(path, "/static/")) {
            web_route(
                web, AIC_METHOD_GET, assets[i].path,
                &(struct web_route){.scope = is_public(path) ? API_SCOPE_NONE : API_SCOPE_READ,
                                    .is_page = !is_public(path),
                                    .handle = send_asset});
        }
    }
}
