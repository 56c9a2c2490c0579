/* SPDX-License-Identifier: ISC */
#include "web/cookie.h"
#include "web/hosts.h"
#include "web/web_private.h"

#include "io/http_address.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Who may. This machine itself needs no key: that is, the connection comes from loopback, went
 * through no proxy, and no foreign page sent it. Everybody else shows an API key, the cookie that a
 * browser got for one, or the cookie of a session; who shows a key or a session is judged by it,
 * wherever he is. All but this machine are counted by their address before anything is looked up,
 * and keys are counted, too.
 */

enum { MINUTE_MS = 60000 };

enum credential { SHOWS_NOTHING, SHOWS_KEY, SHOWS_KEY_COOKIE, SHOWS_SESSION };

/* A request on its way in. */
struct entering {
    struct entering *next;
    struct web *web; /* NULL: it is gone */
    const struct web_route *route;
    struct aic_exchange *exchange;
    struct aic_request request;
    enum credential credential;
    bool is_unsure;
    char hash[DIGEST_TEXT]; /* of what was shown; "" = it is none of ours */
    struct api_key key;
    struct session session;
};

static void leave(struct entering *e)
{
    struct entering **at = e->web ? &e->web->entering : NULL;
    while (at && *at != e) {
        at = &(*at)->next;
    }
    if (at) {
        *at = e->next;
    }
    free(e);
}

static void admit(struct entering *e, bool is_trusted)
{
    const struct session *user = e->session.hash[0] ? &e->session : NULL;
    const struct visit visit = {.exchange = e->exchange,
                                .request = &e->request,
                                .key = is_trusted && e->key.id[0] ? &e->key : NULL,
                                .user = user,
                                .is_trusted = is_trusted,
                                .is_unsure = e->is_unsure,
                                .hides_numbers = user && !(user->scopes & API_SCOPE_CALL)};
    if (e->route->handle(e->web, &visit) == AIC_ERROR_NOT_FOUND) {
        (void)reply_problem(e->exchange, 404, "not-found", "There is nothing at this path.");
    }
    leave(e);
}

static void refuse(struct entering *e, const struct problem *problem)
{
    (void)reply_with(e->exchange, problem);
    leave(e);
}

/* True when the web layer has ended in between; then the request is answered. */
static bool is_too_late(struct entering *e)
{
    if (!e->web) {
        refuse(e, &(struct problem){.status = 503,
                                    .type = "draining",
                                    .detail = "The server is stopping.",
                                    .retry_after_s = 1});
        return true;
    }
    return false;
}

static void refuse_storage(struct entering *e)
{
    refuse(e, &(struct problem){.status = 503,
                                .type = "storage",
                                .detail =
                                    "The storage that knows keys and sessions does not answer now.",
                                .retry_after_s = 1});
}

/* A browser that was sent to a page is asked for a key first. */
static bool lead_to_key_page(struct entering *e)
{
    struct aic_str accept = server_header(e->exchange, "accept");
    if (!e->route->is_page || !accept.ptr || !memmem(accept.ptr, accept.len, "text/html", 9)) {
        return false;
    }
    struct aic_buf location;
    aic_buf_init(&location, 2048);
    aic_buf_text(&location, "/calls/key/?next=");
    aic_buf_str(&location, e->request.path);
    bool is_good = !location.failed;
    if (is_good) {
        (void)reply_see_other(e->exchange, aic_buf_view(&location), NULL);
    }
    aic_buf_finish(&location);
    return is_good;
}

static void refuse_without_session(struct entering *e)
{
    refuse(e, &(struct problem){.status = 401,
                                .type = "session-needed",
                                .detail = "Log in first: this is for people who are signed in to "
                                          "the admin pages. A key with the scope \"admin\" may "
                                          "look at it."});
}

static void refuse_stranger(void *data, int32_t status, const struct api_key *key)
{
    static const struct problem no_key = {
        .status = 403,
        .type = "loopback-only",
        .detail = "No API key is configured, so the API answers only this machine itself, without "
                  "a proxy in between. \"aicaller key add NAME\" makes a key."};
    static const struct problem show_key = {
        .status = 401,
        .type = "key-needed",
        .detail = "Send an API key as \"Authorization: Bearer KEY\", or ask from this machine "
                  "itself, without a proxy in between.",
        .authenticate = "Bearer"};
    struct entering *e = data;
    (void)key;
    if (is_too_late(e)) {
        return;
    }
    if (status != AIC_OK && status != AIC_ERROR_NOT_FOUND) {
        refuse_storage(e);
    } else if (e->route->needs_session) {
        refuse_without_session(e);
    } else if (status == AIC_OK && lead_to_key_page(e)) {
        leave(e);
    } else {
        refuse(e, status == AIC_OK ? &show_key : &no_key);
    }
}

int32_t access_refuse_many(struct aic_exchange *exchange, const char *detail, struct aic_str answer)
{
    struct aic_json *root = aic_json_parse(answer, 0);
    int64_t wait_ms = aic_json_get_int(root, "retry_after_ms", 1000);
    aic_json_free(root);
    return reply_with(
        exchange, &(struct problem){.status = 429,
                                    .type = "too-many-requests",
                                    .detail = detail,
                                    .retry_after_s = wait_ms > 1000 ? (wait_ms + 999) / 1000 : 1});
}

static void refuse_many(struct entering *e, const char *detail, struct aic_str answer)
{
    (void)access_refuse_many(e->exchange, detail, answer);
    leave(e);
}

/* Whether a browser's request is what a page of ours sent; refuses it if not. */
static bool check_page(struct entering *e)
{
    bool is_own = access_is_own_page(e->web, e->exchange);
    if (e->request.method == AIC_METHOD_GET) {
        return true;
    }
    if (e->credential == SHOWS_KEY_COOKIE && !is_own) {
        refuse(e, &(struct problem){.status = 403,
                                    .type = "foreign-page",
                                    .detail = "With the cookie, changes are made only where Origin "
                                              "says that a page of this server sent them."});
        return false;
    }
    if (e->credential == SHOWS_SESSION &&
        (!is_own || !session_csrf_check(server_header(e->exchange, "x-csrf-token"),
                                        e->web->settings.secret, e->session.hash))) {
        refuse(e, &(struct problem){.status = 403,
                                    .type = "csrf",
                                    .detail = "In a session, changes are made only with its token "
                                              "in X-CSRF-Token, and an Origin that says that a "
                                              "page of this server sent them."});
        return false;
    }
    return true;
}

/* The last step: what this key or role may do. */
static void check_scope(struct entering *e)
{
    bool is_user = e->credential == SHOWS_SESSION;
    uint32_t scopes = is_user ? e->session.scopes : e->key.scopes;
    if (!check_page(e)) {
        return;
    }
    if (e->route->needs_session && !is_user &&
        !((scopes & API_SCOPE_ADMIN) && e->request.method == AIC_METHOD_GET)) {
        refuse_without_session(e);
        return;
    }
    if ((scopes & e->route->scope) != e->route->scope) {
        char detail[128];
        (void)snprintf(detail, sizeof(detail), "This %s has not the scope \"%s\".",
                       is_user ? "role" : "key", api_scope_name(e->route->scope));
        refuse(e, &(struct problem){.status = 403, .type = "scope", .detail = detail});
        return;
    }
    admit(e, true);
}

static void key_is_counted(void *data, int32_t status, struct aic_str answer)
{
    struct entering *e = data;
    if (is_too_late(e)) {
        return;
    }
    /* Somebody who is known is not turned away because strangers have filled the table. */
    if (status == AIC_ERROR_DENIED) {
        refuse_many(e, "This key has sent too many requests within a minute.", answer);
        return;
    }
    check_scope(e);
}

static void key_came(void *data, int32_t status, const struct api_key *key)
{
    struct entering *e = data;
    if (is_too_late(e)) {
        return;
    }
    if (status == AIC_ERROR_DENIED && e->credential == SHOWS_KEY_COOKIE) {
        keyring_any(e->web->keyring, refuse_stranger, e);
    } else if (status == AIC_ERROR_DENIED) {
        refuse(e, &(struct problem){.status = 401,
                                    .type = "key-unknown",
                                    .detail = "There is no such API key, or not any more.",
                                    .authenticate = "Bearer error=\"invalid_token\""});
    } else if (status != AIC_OK) {
        refuse_storage(e);
    } else {
        char name[ACCESS_BUCKET];
        int64_t limit = key->per_minute ? key->per_minute : e->web->settings.requests_per_key;
        e->key = *key;
        (void)snprintf(name, sizeof(name), "key %s", key->id);
        const struct link_bucket bucket = {
            .name = name, .amount = 1, .limit = limit, .window_ms = MINUTE_MS};
        link_take(e->web->settings.link, &bucket, key_is_counted, e);
    }
}

/* With a public route, a credential that is no good makes a stranger of its bearer. */
static void key_came_to_public(void *data, int32_t status, const struct api_key *key)
{
    struct entering *e = data;
    if (is_too_late(e)) {
        return;
    }
    if (status == AIC_OK) {
        e->key = *key;
    }
    admit(e, status == AIC_OK && (e->key.scopes & API_SCOPE_READ));
}

/* A session that is over: the browser shall not show it again. */
static void refuse_old_session(struct entering *e)
{
    char cookie[COOKIE_HEADER];
    cookie_write(cookie, session_cookie_name, "", 0, server_is_https(e->exchange));
    refuse(e, &(struct problem){.status = 401,
                                .type = "session-ended",
                                .detail = "This session has ended; log in again.",
                                .cookie = cookie});
}

static void check_credential(struct entering *e);

static void session_came(void *data, int32_t status, const struct session *session)
{
    struct entering *e = data;
    bool is_public = e->route->scope == API_SCOPE_NONE && !e->route->needs_session;
    if (is_too_late(e)) {
        return;
    }
    if (status == AIC_OK) {
        e->session = *session;
        if (is_public) {
            admit(e, true);
        } else {
            check_scope(e);
        }
    } else if (is_public || (status == AIC_ERROR_DENIED && e->route->is_page)) {
        /* As if it had not been shown. */
        e->credential = SHOWS_NOTHING;
        e->is_unsure = status != AIC_ERROR_DENIED;
        check_credential(e);
    } else if (status == AIC_ERROR_DENIED) {
        refuse_old_session(e);
    } else {
        refuse_storage(e);
    }
}

static void check_credential(struct entering *e)
{
    bool is_public = e->route->scope == API_SCOPE_NONE && !e->route->needs_session;
    bool shows = e->credential != SHOWS_NOTHING;
    if (!shows && e->request.is_loopback && !e->route->needs_session) {
        admit(e, true);
    } else if (is_public && (!shows || !e->web->keyring)) {
        admit(e, false);
    } else if (!e->web->keyring) {
        refuse_stranger(e, AIC_ERROR_NOT_FOUND, NULL);
    } else if (!shows) {
        keyring_any(e->web->keyring, refuse_stranger, e);
    } else if (e->credential == SHOWS_SESSION) {
        sessions_find(e->web->sessions, e->hash, session_came, e);
    } else {
        keyring_find(e->web->keyring, e->hash, is_public ? key_came_to_public : key_came, e);
    }
}

static void address_is_counted(void *data, int32_t status, struct aic_str answer)
{
    struct entering *e = data;
    if (is_too_late(e)) {
        return;
    }
    if (status == AIC_ERROR_DENIED) {
        refuse_many(e, "This address has sent too many requests within a minute.", answer);
    } else if (status != AIC_OK && status != AIC_ERROR_CLOSED) {
        refuse(e, &(struct problem){.status = 503,
                                    .type = "busy",
                                    .detail = "Too much is going on; try again.",
                                    .retry_after_s = 1});
    } else {
        check_credential(e);
    }
}

void access_name_bucket(char bucket[ACCESS_BUCKET], const char *what, struct aic_str peer)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct http_network network;
    if (http_network_parse(peer, &network) != AIC_OK) {
        (void)snprintf(bucket, ACCESS_BUCKET, "%s ?", what);
        return;
    }
    bool is_v4 = memcmp(network.bytes, mapped, sizeof(mapped)) == 0;
    size_t from = is_v4 ? 12 : 0;
    size_t to = is_v4 ? 16 : 8;
    int length = snprintf(bucket, ACCESS_BUCKET, "%s ", what);
    for (size_t i = from; i < to; i++) {
        length +=
            snprintf(bucket + length, ACCESS_BUCKET - (size_t)length, "%02x", network.bytes[i]);
    }
}

static void read_credential(struct entering *e)
{
    struct aic_str header = server_header(e->exchange, "cookie");
    struct aic_str bearer = api_key_in_header(server_header(e->exchange, "authorization"));
    struct aic_str session = cookie_find(header, session_cookie_name);
    struct aic_str cookie = cookie_find(header, api_key_cookie_name);
    if (bearer.len > 0) {
        e->credential = SHOWS_KEY;
        (void)api_key_hash(bearer, e->hash);
    } else if (session.len > 0 && e->web->sessions) {
        e->credential = SHOWS_SESSION;
        (void)session_token_hash(session, e->hash);
    } else if (cookie.len > 0 && !e->request.is_loopback) {
        e->credential = SHOWS_KEY_COOKIE;
        (void)api_key_cookie_check(cookie, e->web->settings.secret,
                                   sched_wall(e->web->settings.sched), e->hash);
    }
}

int32_t access_enter(void *data, struct aic_exchange *exchange, const struct aic_request *request)
{
    const struct web_route *route = data;
    struct web *web = route->web;
    if (!request->is_loopback &&
        !hosts_allow(web->settings.allowed_hosts, server_public_url(web->settings.server),
                     server_header(exchange, "host"))) {
        return reply_problem(exchange, 400, "host",
                             "This server is not to be asked by this name; see "
                             "security.allowed_hosts.");
    }
    struct entering first = {.next = web->entering,
                             .web = web,
                             .route = route,
                             .exchange = exchange,
                             .request = *request};
    read_credential(&first);
    if (request->is_loopback && !route->needs_session && first.credential == SHOWS_NOTHING) {
        const struct visit visit = {.exchange = exchange, .request = request, .is_trusted = true};
        return route->handle(web, &visit);
    }
    struct entering *e = malloc(sizeof(*e));
    if (!e) {
        return reply_problem(exchange, 503, "memory", "Out of memory; try again.");
    }
    *e = first;
    web->entering = e;
    if (request->is_loopback) {
        check_credential(e);
        return AIC_OK;
    }
    char name[ACCESS_BUCKET];
    access_name_bucket(name, "address", request->peer);
    const struct link_bucket bucket = {.name = name,
                                       .amount = 1,
                                       .limit = web->settings.requests_per_address,
                                       .window_ms = MINUTE_MS};
    link_take(web->settings.link, &bucket, address_is_counted, e);
    return AIC_OK;
}

static bool is_origin(struct aic_str origin, const char *scheme, struct aic_str host)
{
    struct aic_buf own;
    aic_buf_init(&own, 1024);
    aic_buf_text(&own, scheme);
    aic_buf_str(&own, host);
    bool is_same = !own.failed && own.data && aic_str_equal_nocase(origin, own.data);
    aic_buf_finish(&own);
    return is_same;
}

bool access_is_own_page(const struct web *web, struct aic_exchange *exchange)
{
    struct aic_str origin = server_header(exchange, "origin");
    const char *public_url = server_public_url(web->settings.server);
    if (origin.len == 0) {
        return false;
    }
    return (public_url && aic_str_equal_nocase(origin, public_url)) ||
           is_origin(origin, server_is_https(exchange) ? "https://" : "http://",
                     server_header(exchange, "host"));
}

void access_end(struct web *web)
{
    for (struct entering *e = web->entering; e; e = e->next) {
        e->web = NULL;
    }
    web->entering = NULL;
}
