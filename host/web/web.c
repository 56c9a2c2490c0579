/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/log.h"

#include <stdlib.h>

enum { MAX_BODY = 1 << 20 };

void web_route(struct web *web, uint32_t methods, const char *path, web_handler handle)
{
    const struct aic_http_route route = {.size = sizeof(route),
                                         .methods = methods,
                                         .path = path,
                                         .data = web,
                                         .max_body_bytes = MAX_BODY,
                                         .handle = handle};
    if (server_add_http(web->settings.server, web, &route) != AIC_OK) {
        log_error("web", "a path can not be served", LOG_S("path", path));
    }
}

struct web *web_create(const struct web_settings *settings)
{
    struct web *web = calloc(1, sizeof(*web));
    if (!web) {
        return NULL;
    }
    web->settings = *settings;
    health_routes(web);
    history_routes(web);
    chat_routes(web);
    voice_page_routes(web);
    pages_routes(web);
    return web;
}

void web_destroy(struct web *web)
{
    if (web) {
        server_remove_owner(web->settings.server, web);
        free(web);
    }
}

void web_set_draining(struct web *web)
{
    web->is_draining = true;
}
