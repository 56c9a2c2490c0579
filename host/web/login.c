/* SPDX-License-Identifier: ISC */
#include "web/admin.h"
#include "web/audit.h"

#include "base/sched.h"
#include "base/timefmt.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/*
 * POST /admin/api/login/: a name and a password become a session. Whether there is such a name is
 * not told: one that does not exist costs the same work and is locked after as many attempts.
 */

enum { MINUTE_MS = 60000, MAX_FAILURES = 5, LOCK_MS = 15 * MINUTE_MS };

struct login {
    struct admin admin; /* first */
    char name[USER_NAME];
    char role[USER_ROLE];
    char user_id[UUID_TEXT]; /* "" = there is no such user */
    char hash[PASSWORD_HASH];
    char before[SESSION_HASH]; /* of the session that the browser had; "" = none */
    struct fresh_session fresh;
};

static void forget(struct admin *admin)
{
    struct login *login = (struct login *)admin;
    sodium_memzero(login->hash, sizeof(login->hash));
    sodium_memzero(&login->fresh, sizeof(login->fresh));
}

static void audit(struct login *login, const char *outcome, const char *reason)
{
    if (login->user_id[0]) {
        web_audit(
            login->admin.held.web, login->name,
            &(struct web_deed){
                .action = "login", .object = login->user_id, .outcome = outcome, .reason = reason});
    }
}

static void refuse(struct login *login)
{
    admin_fail(&login->admin, 401, "login-failed", "The name or the password is wrong.");
}

static void refuse_locked(struct login *login, int64_t wait_ms)
{
    audit(login, "refused", "locked");
    (void)reply_with(
        login->admin.held.exchange,
        &(struct problem){.status = 429,
                          .type = "locked",
                          .detail = "Too many wrong passwords for this name. Wait, or "
                                    "let an admin unlock it.",
                          .retry_after_s = wait_ms > 1000 ? (wait_ms + 999) / 1000 : 1});
    admin_end(&login->admin);
}

static void tell_login(struct login *login, bool ok)
{
    struct aic_json_writer *w = admin_params(&login->admin);
    aic_json_member_text(w, "name", login->name);
    aic_json_member_bool(w, "ok", ok);
    aic_json_member_int(w, "max_failures", MAX_FAILURES);
    aic_json_member_int(w, "lock_ms", LOCK_MS);
    admin_tell(&login->admin, "user.login");
}

static void session_is_added(void *data, int32_t status, struct aic_str rows,
                             const struct aic_error *error)
{
    struct login *login = data;
    (void)rows;
    if (!admin_is_good(&login->admin, status, error)) {
        return;
    }
    struct web *web = login->admin.held.web;
    struct session session = {.expires_wall_us = login->fresh.expires_wall_us};
    (void)aic_str_copy(aic_str(login->fresh.hash), session.hash, SESSION_HASH);
    (void)aic_str_copy(aic_str(login->name), session.name, USER_NAME);
    (void)aic_str_copy(aic_str(login->role), session.role, USER_ROLE);
    tell_login(login, true);
    if (login->before[0]) {
        aic_json_member_text(admin_params(&login->admin), "session_hash", login->before);
        admin_tell(&login->admin, "session.delete");
        admin_users_changed(web);
    }
    audit(login, "allowed", NULL);
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, 4096);
    aic_json_writer_init(&w, &answer);
    admin_write_session(web, &session, &w);
    aic_json_close(&w, '}');
    admin_hand_over(&login->admin, 200, aic_buf_view(&answer), &login->fresh);
    aic_buf_finish(&answer);
}

static void password_is_checked(void *data, int32_t status, const char *hash)
{
    struct login *login = data;
    (void)hash;
    if (!login->admin.held.web) {
        admin_end(&login->admin);
    } else if (status == AIC_OK) {
        admin_add_session(&login->admin, &login->fresh, login->user_id, session_is_added);
    } else if (status == AIC_ERROR_DENIED) {
        if (login->user_id[0]) {
            tell_login(login, false);
        }
        audit(login, "refused", "password");
        refuse(login);
    } else {
        admin_fail(&login->admin, 503, "busy", "The password can not be checked now; try again.");
    }
}

static void check_password(struct login *login)
{
    const struct password_task task = {.hash = login->hash,
                                       .given = aic_json_get_text(login->admin.body, "password")};
    admin_password(&login->admin, &task, password_is_checked);
}

static void nobody_is_counted(void *data, int32_t status, struct aic_str answer)
{
    struct login *login = data;
    if (!login->admin.held.web) {
        admin_end(&login->admin);
    } else if (status == AIC_ERROR_DENIED) {
        struct aic_json *root = aic_json_parse(answer, 0);
        int64_t wait_ms = aic_json_get_int(root, "retry_after_ms", LOCK_MS);
        aic_json_free(root);
        refuse_locked(login, wait_ms);
    } else {
        check_password(login);
    }
}

/* There is no such user: counted in a bucket that holds as many attempts, and gets the next one as
 * late as a lock ends. */
static void count_nobody(struct login *login)
{
    char name[USER_NAME + 16];
    (void)snprintf(name, sizeof(name), "login %s", login->name);
    const struct link_bucket bucket = {.name = name,
                                       .amount = 1,
                                       .limit = MAX_FAILURES,
                                       .window_ms = (int64_t)MAX_FAILURES * LOCK_MS};
    link_take(login->admin.held.web->settings.link, &bucket, nobody_is_counted, login);
}

static void user_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct login *login = data;
    int64_t locked_us = 0;
    if (!admin_is_good(&login->admin, status, error)) {
        return;
    }
    int64_t now_us = sched_wall(login->admin.held.web->settings.sched);
    struct aic_json *root = aic_json_parse(rows, 0);
    const struct aic_json *row = aic_json_at(root, 0);
    bool is_locked =
        time_parse(aic_json_get_text(row, "locked_until"), &locked_us) && locked_us > now_us;
    (void)aic_str_copy(aic_json_get_text(row, "user_id"), login->user_id, UUID_TEXT);
    (void)aic_str_copy(aic_json_get_text(row, "role"), login->role, USER_ROLE);
    if (!aic_json_get_bool(row, "disabled", true)) {
        (void)aic_str_copy(aic_json_get_text(row, "password_hash"), login->hash, PASSWORD_HASH);
    }
    aic_json_free(root);
    if (is_locked) {
        refuse_locked(login, (locked_us - now_us) / 1000);
    } else if (login->user_id[0]) {
        check_password(login);
    } else {
        count_nobody(login);
    }
}

static void address_is_counted(void *data, int32_t status, struct aic_str answer)
{
    struct login *login = data;
    if (!login->admin.held.web) {
        admin_end(&login->admin);
        return;
    }
    if (status == AIC_ERROR_DENIED) {
        (void)access_refuse_many(login->admin.held.exchange,
                                 "This address has tried to log in too often within a minute.",
                                 answer);
        admin_end(&login->admin);
        return;
    }
    if (status != AIC_OK && status != AIC_ERROR_CLOSED) {
        admin_fail(&login->admin, 503, "busy", "Too much is going on; try again.");
        return;
    }
    aic_json_member_text(admin_params(&login->admin), "name", login->name);
    admin_ask(&login->admin, "user", user_came);
}

static bool is_possible(struct aic_str password)
{
    return password.len > 0 && password.len <= PASSWORD_MAX_BYTES &&
           !memchr(password.ptr, '\0', password.len);
}

static int32_t post_login(struct web *web, const struct visit *visit)
{
    bool is_own = access_is_own_page(web, visit->exchange);
    bool is_https = server_is_https(visit->exchange) ||
                    aic_str_starts(server_header(visit->exchange, "origin"), "https://");
    if (!is_own) {
        return reply_problem(visit->exchange, 403, "csrf",
                             "A password is taken only where Origin says that a page of this "
                             "server sent it.");
    }
    if (!is_https && !visit->request->is_loopback) {
        return reply_problem(visit->exchange, 403, "https-needed",
                             "A password is taken over HTTPS, or from this machine itself. Behind "
                             "a proxy set server.public_url to the https address.");
    }
    struct login *login = (struct login *)admin_begin(web, visit, sizeof(*login));
    if (!login) {
        return AIC_OK;
    }
    struct aic_str name = aic_json_get_text(login->admin.body, "name");
    login->admin.finish = forget;
    if (user_name_problem(name) || !is_possible(aic_json_get_text(login->admin.body, "password"))) {
        refuse(login);
        return AIC_OK;
    }
    (void)aic_str_copy(name, login->name, USER_NAME);
    (void)aic_str_copy(aic_str(visit->user ? visit->user->hash : ""), login->before, SESSION_HASH);
    char bucket_name[ACCESS_BUCKET];
    access_name_bucket(bucket_name, "login from", visit->request->peer);
    const struct link_bucket bucket = {.name = bucket_name,
                                       .amount = 1,
                                       .limit = web->settings.logins_per_address,
                                       .window_ms = MINUTE_MS};
    link_take(web->settings.link, &bucket, address_is_counted, login);
    return AIC_OK;
}

void login_routes(struct web *web)
{
    web_route(web, AIC_METHOD_POST, "/admin/api/login/", &(struct web_route){.handle = post_login});
}
