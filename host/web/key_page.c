/* SPDX-License-Identifier: ISC */
#include "web/cookie.h"
#include "web/web_private.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * POST /calls/key/ of the page that asks for an API key: turns it into a cookie, or throws that
 * away. A browser cannot send a header with a page it opens; a cookie it can. No script can read
 * it, no foreign page can make the browser send it.
 */

enum { COOKIE_DAYS = 30, MAX_NEXT = 1024 };

static const int64_t day_us = 86400 * INT64_C(1000000);

struct signing_in {
    struct web *web;
    struct aic_exchange *exchange;
    struct aic_buf next; /* where the browser wanted to go */
    char hash[API_KEY_HASH];
};

static void end(struct signing_in *s)
{
    aic_buf_finish(&s->next);
    free(s);
}

/* Only a path of ours: no other place, and nothing that could end the header. */
static bool is_own_path(struct aic_str path)
{
    if (path.len == 0 || path.ptr[0] != '/' || (path.len > 1 && path.ptr[1] == '/')) {
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] <= ' ' || path.ptr[i] > '~' || path.ptr[i] == '\\') {
            return false;
        }
    }
    return true;
}

static void send_cookie(struct signing_in *s, const struct api_key *key)
{
    char value[API_KEY_COOKIE];
    char cookie[COOKIE_HEADER];
    int64_t now_us = sched_wall(s->web->settings.sched);
    int64_t until_us = now_us + COOKIE_DAYS * day_us;
    if (key->expires_wall_us > 0 && key->expires_wall_us < until_us) {
        until_us = key->expires_wall_us;
    }
    api_key_cookie_make(value, s->web->settings.secret, s->hash, until_us);
    cookie_write(cookie, api_key_cookie_name, value, (until_us - now_us) / 1000000,
                 server_is_https(s->exchange));
    (void)reply_see_other(s->exchange,
                          is_own_path(aic_buf_view(&s->next)) ? aic_buf_view(&s->next)
                                                              : AIC_STR("/calls/voice-test/"),
                          cookie);
}

static void key_came(void *data, int32_t status, const struct api_key *key)
{
    struct signing_in *s = data;
    if (status == AIC_OK) {
        send_cookie(s, key);
    } else if (status == AIC_ERROR_DENIED) {
        (void)reply_see_other(s->exchange, AIC_STR("/calls/key/#wrong"), NULL);
    } else {
        (void)reply_problem(s->exchange, 503, "storage",
                            "The storage that knows the API keys does not answer now.");
    }
    end(s);
}

static int32_t forget(const struct visit *visit)
{
    char cookie[COOKIE_HEADER];
    cookie_write(cookie, api_key_cookie_name, "", 0, server_is_https(visit->exchange));
    return reply_see_other(visit->exchange, AIC_STR("/calls/key/"), cookie);
}

static int32_t post_key(struct web *web, const struct visit *visit)
{
    struct aic_buf field;
    aic_buf_init(&field, 1024);
    if (!access_is_own_page(web, visit->exchange)) {
        return reply_problem(visit->exchange, 403, "foreign-page",
                             "A key is taken only from the page of this server.");
    }
    if (query_get(visit->request->body, "forget", &field)) {
        aic_buf_finish(&field);
        return forget(visit);
    }
    struct signing_in *s = web->keyring ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        return reply_problem(visit->exchange, web->keyring ? 503 : 404, "no-storage",
                             "API keys are kept in a storage, and none is configured.");
    }
    s->web = web;
    s->exchange = visit->exchange;
    aic_buf_init(&s->next, MAX_NEXT);
    (void)query_get(visit->request->query, "next", &s->next);
    (void)query_get(visit->request->body, "key", &field);
    (void)api_key_hash(aic_buf_view(&field), s->hash);
    aic_buf_finish(&field);
    keyring_find(web->keyring, s->hash, key_came, s);
    return AIC_OK;
}

void key_page_routes(struct web *web)
{
    web_route(web, AIC_METHOD_POST, "/calls/key/", &(struct web_route){.handle = post_key});
}
