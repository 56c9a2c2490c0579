/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/log.h"

#include <stdlib.h>

enum { MAX_BODY = 1 << 20 };

void web_route(struct web *web, uint32_t methods, const char *path, const struct web_route *route)
{
    bool has_room = web->route_count < WEB_ROUTES;
    struct web_route *own = &web->routes[web->route_count];
    if (has_room) {
        *own = *route;
        own->web = web;
        own->path = path;
        own->methods = methods;
        web->route_count++;
    }
    const struct aic_http_route http = {.size = sizeof(http),
                                        .methods = methods,
                                        .path = path,
                                        .data = own,
                                        .max_body_bytes = MAX_BODY,
                                        .handle = access_enter};
    if (!has_room ||
        server_add_http_where(web->settings.server, web, &http, own->exists) != AIC_OK) {
        log_error("web", "a path can not be served", LOG_S("path", path));
    }
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    storage_query(data, name, params, reply, reply_data);
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    storage_change(data, name, params, reply, reply_data);
}

struct web *web_create(const struct web_settings *settings)
{
    struct web *web = calloc(1, sizeof(*web));
    if (!web) {
        return NULL;
    }
    web->settings = *settings;
    if (settings->storage) {
        const struct keyring_store store = {
            .query = query, .change = change, .data = settings->storage};
        web->keyring = keyring_create(settings->sched, &store);
        web->sessions = sessions_create(settings->sched, &store, settings->session_idle_ms * 1000);
        web->desk = password_desk_create(settings->sched);
        if (!web->keyring || !web->sessions || !web->desk) {
            web_destroy(web);
            return NULL;
        }
    }
    health_routes(web);
    history_routes(web);
    call_detail_routes(web);
    stats_routes(web);
    chat_routes(web);
    make_call_routes(web);
    voice_page_routes(web);
    pages_routes(web);
    key_page_routes(web);
    scrape_routes(web);
    recording_routes(web);
    login_routes(web);
    session_routes(web);
    admin_lists_routes(web);
    admin_users_routes(web);
    admin_keys_routes(web);
    admin_about_routes(web);
    live_routes(web);
    live_action_routes(web);
    if (!events_routes(web)) {
        web_destroy(web);
        return NULL;
    }
    return web;
}

void web_stop(struct web *web)
{
    if (web) {
        server_remove_owner(web->settings.server, web);
        access_end(web);
        events_end(web);
        make_call_end(web);
        recordings_end(web);
        held_end_all(web);
    }
}

void web_destroy(struct web *web)
{
    if (web) {
        web_stop(web);
        keyring_destroy(web->keyring);
        sessions_destroy(web->sessions);
        password_desk_destroy(web->desk);
        free(web);
    }
}

void web_forget_keys(struct web *web)
{
    if (web->keyring) {
        keyring_forget(web->keyring);
    }
    events_check(web);
}

void web_take_news(struct web *web, const struct link_news *news)
{
    events_take(web, news);
}

void web_drain(struct web *web)
{
    events_drain(web);
}

void web_forget_sessions(struct web *web)
{
    if (web->sessions) {
        sessions_forget(web->sessions);
    }
    events_check(web);
}

void web_set_draining(struct web *web)
{
    web->is_draining = true;
}
