/* SPDX-License-Identifier: ISC */
#include "web/admin.h"

#include "web/cookie.h"

#include "base/timefmt.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PARAMS = 64 * 1024 };

struct admin *admin_begin(struct web *web, const struct visit *visit, size_t bytes)
{
    bool has_body =
        visit->request->method == AIC_METHOD_POST || visit->request->method == AIC_METHOD_PATCH;
    if (!web->settings.storage) {
        (void)reply_problem(visit->exchange, 404, "no-storage",
                            "Users and keys are kept in a storage, and none is configured.");
        return NULL;
    }
    struct aic_json *body = has_body ? reply_parse_body(visit->exchange, visit->request) : NULL;
    if (has_body && !body) {
        return NULL;
    }
    struct admin *admin = calloc(1, bytes);
    if (!admin) {
        aic_json_free(body);
        (void)reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
        return NULL;
    }
    held_begin(&admin->held, web, visit->exchange);
    admin->body = body;
    admin->is_https = server_is_https(visit->exchange) ||
                      aic_str_starts(server_header(visit->exchange, "origin"), "https://");
    (void)aic_str_copy(visit->request->peer, admin->peer, sizeof(admin->peer));
    (void)aic_str_copy(server_header(visit->exchange, "user-agent"), admin->client,
                       sizeof(admin->client));
    (void)aic_str_copy(aic_str(visit->user ? visit->user->name : ""), admin->actor, USER_NAME);
    aic_buf_init(&admin->params, MAX_PARAMS);
    return admin;
}

void admin_end(struct admin *admin)
{
    (void)held_end(&admin->held);
    if (admin->finish) {
        admin->finish(admin);
    }
    aic_json_free(admin->body);
    aic_buf_finish(&admin->params);
    free(admin);
}

void admin_fail(struct admin *admin, int32_t status, const char *type, const char *detail)
{
    (void)reply_problem(admin->held.exchange, status, type, detail);
    admin_end(admin);
}

void admin_fail_field(struct admin *admin, const char *field, const char *detail)
{
    (void)reply_with(
        admin->held.exchange,
        &(struct problem){.status = 422, .type = "bad-field", .detail = detail, .field = field});
    admin_end(admin);
}

void admin_succeed(struct admin *admin, int32_t status, struct aic_str json)
{
    (void)reply_json(admin->held.exchange, status, json);
    admin_end(admin);
}

struct aic_json_writer *admin_params(struct admin *admin)
{
    aic_buf_clear(&admin->params);
    aic_json_writer_init(&admin->w, &admin->params);
    aic_json_open(&admin->w, '{');
    return &admin->w;
}

void admin_ask(struct admin *admin, const char *query, storage_reply reply)
{
    aic_json_close(&admin->w, '}');
    storage_query(admin->held.web->settings.storage, query, aic_buf_view(&admin->params), reply,
                  admin);
}

void admin_change(struct admin *admin, const char *change, storage_reply reply)
{
    aic_json_close(&admin->w, '}');
    storage_change(admin->held.web->settings.storage, change, aic_buf_view(&admin->params), reply,
                   admin);
}

void admin_tell(struct admin *admin, const char *change)
{
    aic_json_close(&admin->w, '}');
    storage_change(admin->held.web->settings.storage, change, aic_buf_view(&admin->params), NULL,
                   NULL);
}

bool admin_is_good(struct admin *admin, int32_t status, const struct aic_error *error)
{
    bool is_late = !admin->held.web;
    if (!is_late && status == AIC_OK) {
        return true;
    }
    if (!is_late) {
        (void)reply_storage_error(admin->held.exchange, status, error);
    }
    admin_end(admin);
    return false;
}

void admin_password(struct admin *admin, const struct password_task *task, password_reply reply)
{
    int32_t status = password_desk_run(admin->held.web->desk, task, reply, admin);
    if (status != AIC_OK) {
        (void)reply_with(admin->held.exchange,
                         &(struct problem){.status = 503,
                                           .type = "busy",
                                           .detail = "Too many passwords are being checked now.",
                                           .retry_after_s = 2});
        admin_end(admin);
    }
}

void admin_users_changed(struct web *web)
{
    web_forget_sessions(web);
    link_publish(web->settings.link, "users", AIC_STR("{}"));
}

bool admin_path_name(struct aic_str path, const char *start, char *to, size_t bytes)
{
    size_t skip = strlen(start);
    struct aic_buf name;
    if (path.len <= skip || !aic_str_starts(path, start)) {
        return false;
    }
    struct aic_str rest = {path.ptr + skip, path.len - skip};
    rest.len -= rest.ptr[rest.len - 1] == '/';
    aic_buf_init(&name, bytes);
    query_decode(rest, &name);
    bool is_good = !name.failed && name.len > 0 && !memchr(name.data, '/', name.len) &&
                   !memchr(name.data, '\0', name.len) &&
                   aic_str_copy(aic_buf_view(&name), to, bytes);
    aic_buf_finish(&name);
    return is_good;
}

bool admin_said(struct aic_str rows, const char *member)
{
    struct aic_json *root = aic_json_parse(rows, 0);
    bool is_true = aic_json_get_bool(aic_json_at(root, 0), member, false);
    aic_json_free(root);
    return is_true;
}

/* "/admin/api/users/jo": something has to stand behind the name of the list. */
static bool names_one(struct aic_str path)
{
    static const char start[] = "/admin/api/";
    size_t skip = sizeof(start) - 1;
    const char *slash = path.len > skip ? memchr(path.ptr + skip, '/', path.len - skip) : NULL;
    return slash && slash + 1 < path.ptr + path.len;
}

void admin_route(struct web *web, uint32_t methods, const char *path, web_handler handle)
{
    bool is_prefix = path[strlen(path) - 1] == '*';
    web_route(web, methods, path,
              &(struct web_route){.scope = API_SCOPE_ADMIN,
                                  .needs_session = true,
                                  .handle = handle,
                                  .exists = is_prefix ? names_one : NULL});
}

void admin_add_session(struct admin *admin, struct fresh_session *fresh, const char *user_id,
                       storage_reply reply)
{
    const struct web_settings *settings = &admin->held.web->settings;
    uint8_t random[SESSION_RANDOM];
    char expires[TIME_TEXT];
    sched_random(settings->sched, random, sizeof(random));
    session_token_make(fresh->token, random);
    sodium_memzero(random, sizeof(random));
    (void)session_token_hash(aic_str(fresh->token), fresh->hash);
    fresh->expires_wall_us = sched_wall(settings->sched) + settings->session_ms * 1000;
    time_format(expires, fresh->expires_wall_us);
    struct aic_json_writer *w = admin_params(admin);
    aic_json_member_text(w, "session_hash", fresh->hash);
    aic_json_member_text(w, "user_id", user_id);
    aic_json_member_text(w, "expires_at", expires);
    aic_json_member_text(w, "address", admin->peer);
    aic_json_member_text(w, "client", admin->client);
    admin_change(admin, "session.add", reply);
}

void admin_hand_over(struct admin *admin, int32_t status, struct aic_str json,
                     const struct fresh_session *fresh)
{
    char cookie[COOKIE_HEADER];
    int64_t age_s = fresh ? admin->held.web->settings.session_ms / 1000 : 0;
    cookie_write(cookie, session_cookie_name, fresh ? fresh->token : "", age_s, admin->is_https);
    const struct aic_header headers[] = {
        {AIC_STR("cache-control"), AIC_STR("no-store")},
        {AIC_STR("x-content-type-options"), AIC_STR("nosniff")},
        {AIC_STR("set-cookie"), aic_str(cookie)},
    };
    const char *type = status < 400 ? "application/json" : "application/problem+json";
    const struct aic_response response = {.size = sizeof(response),
                                          .status = status,
                                          .content_type = json.len > 0 ? type : NULL,
                                          .body = json,
                                          .headers = headers,
                                          .header_count = 3,
                                          .header_size = sizeof(headers[0])};
    (void)server_respond(admin->held.exchange, &response);
    sodium_memzero(cookie, sizeof(cookie));
    admin_end(admin);
}

void admin_write_session(struct web *web, const struct session *session, struct aic_json_writer *w)
{
    char csrf[SESSION_CSRF];
    char expires[TIME_TEXT];
    session_csrf_make(csrf, web->settings.secret, session->hash);
    time_format(expires, session->expires_wall_us);
    aic_json_open(w, '{');
    aic_json_key(w, "user");
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", session->name);
    aic_json_member_text(w, "role", session->role);
    aic_json_close(w, '}');
    aic_json_member_text(w, "csrf", csrf);
    aic_json_member_text(w, "expires_at", expires);
    aic_json_member_bool(w, "has_users", true);
}
