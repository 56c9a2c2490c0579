/* SPDX-License-Identifier: ISC */
#include "web/admin.h"
#include "web/audit.h"
#include "web/cookie.h"

#include <sodium.h>

/* What somebody who is signed in does with the own session: looks at it, ends it, changes the
 * password. */

/* GET /admin/api/session/ */

static void refuse_stranger(struct admin *admin, bool has_users)
{
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, 1024);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "type", "/docs/http-api#session-needed");
    aic_json_member_text(&w, "title", "Not signed in");
    aic_json_member_int(&w, "status", 401);
    aic_json_member_text(&w, "detail",
                         has_users
                             ? "Nobody is signed in."
                             : "There are no users yet; \"aicaller user add NAME\" makes one.");
    aic_json_member_bool(&w, "has_users", has_users);
    aic_json_close(&w, '}');
    /* A cookie of a session that is over is of no use any more. */
    admin_hand_over(admin, 401, aic_buf_view(&answer), NULL);
    aic_buf_finish(&answer);
}

static void users_came(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error)
{
    struct admin *admin = data;
    if (admin_is_good(admin, status, error)) {
        struct aic_json *root = aic_json_parse(rows, 0);
        bool has_users = aic_json_count(root) > 0;
        aic_json_free(root);
        refuse_stranger(admin, has_users);
    }
}

static int32_t get_session(struct web *web, const struct visit *visit)
{
    struct admin *admin = admin_begin(web, visit, sizeof(*admin));
    if (!admin) {
        return AIC_OK;
    }
    if (visit->is_unsure) {
        admin_fail(admin, 503, "storage", "The storage that knows sessions does not answer now.");
        return AIC_OK;
    }
    if (!visit->user) {
        aic_json_member_int(admin_params(admin), "limit", 1);
        admin_ask(admin, "users", users_came);
        return AIC_OK;
    }
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, 4096);
    aic_json_writer_init(&w, &answer);
    admin_write_session(web, visit->user, &w);
    aic_json_close(&w, '}');
    admin_succeed(admin, 200, aic_buf_view(&answer));
    aic_buf_finish(&answer);
    return AIC_OK;
}

/* POST /admin/api/logout/ */

static void session_is_deleted(void *data, int32_t status, struct aic_str rows,
                               const struct aic_error *error)
{
    struct admin *admin = data;
    (void)rows;
    if (admin_is_good(admin, status, error)) {
        admin_users_changed(admin->held.web);
        admin_hand_over(admin, 204, AIC_STR(""), NULL);
    }
}

static int32_t post_logout(struct web *web, const struct visit *visit)
{
    struct admin *admin = admin_begin(web, visit, sizeof(*admin));
    if (admin) {
        aic_json_member_text(admin_params(admin), "session_hash", visit->user->hash);
        admin_change(admin, "session.delete", session_is_deleted);
        web_audit(web, visit->user->name,
                  &(struct web_deed){
                      .action = "logout", .object = visit->user->user_id, .outcome = "done"});
    }
    return AIC_OK;
}

/* POST /admin/api/password/ */

struct changing {
    struct admin admin; /* first */
    char user_id[UUID_TEXT];
    char made[PASSWORD_HASH];
    struct fresh_session fresh;
};

static void forget(struct admin *admin)
{
    struct changing *changing = (struct changing *)admin;
    sodium_memzero(changing->made, sizeof(changing->made));
    sodium_memzero(&changing->fresh, sizeof(changing->fresh));
}

static void audit(struct changing *changing, const char *outcome)
{
    web_audit(changing->admin.held.web, changing->admin.actor,
              &(struct web_deed){
                  .action = "user.password", .object = changing->user_id, .outcome = outcome});
}

static void session_is_added(void *data, int32_t status, struct aic_str rows,
                             const struct aic_error *error)
{
    struct changing *changing = data;
    (void)rows;
    if (admin_is_good(&changing->admin, status, error)) {
        admin_users_changed(changing->admin.held.web);
        admin_hand_over(&changing->admin, 204, AIC_STR(""), &changing->fresh);
    }
}

/* All sessions of the user have ended with the old password. */
static void user_is_changed(void *data, int32_t status, struct aic_str rows,
                            const struct aic_error *error)
{
    struct changing *changing = data;
    (void)rows;
    if (admin_is_good(&changing->admin, status, error)) {
        audit(changing, "done");
        admin_add_session(&changing->admin, &changing->fresh, changing->user_id, session_is_added);
    }
}

static void password_is_made(void *data, int32_t status, const char *hash)
{
    struct changing *changing = data;
    struct admin *admin = &changing->admin;
    if (!admin->held.web) {
        admin_end(admin);
    } else if (status == AIC_OK) {
        struct aic_json_writer *w = admin_params(admin);
        aic_json_member_text(w, "name", admin->actor);
        aic_json_member_text(w, "password_hash", hash);
        admin_change(admin, "user.set", user_is_changed);
    } else if (status == AIC_ERROR_DENIED) {
        struct aic_json_writer *w = admin_params(admin);
        aic_json_member_text(w, "name", admin->actor);
        aic_json_member_bool(w, "ok", false);
        admin_tell(admin, "user.login");
        audit(changing, "refused");
        admin_fail(admin, 403, "wrong-password", "The old password is wrong.");
    } else {
        admin_fail(admin, 503, "busy", "The password can not be changed now; try again.");
    }
}

static void user_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct admin *admin = data;
    if (!admin_is_good(admin, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    char hash[PASSWORD_HASH] = "";
    (void)aic_str_copy(aic_json_get_text(aic_json_at(root, 0), "password_hash"), hash,
                       PASSWORD_HASH);
    aic_json_free(root);
    const struct password_task task = {.hash = hash,
                                       .given = aic_json_get_text(admin->body, "old"),
                                       .wanted = aic_json_get_text(admin->body, "new")};
    admin_password(admin, &task, password_is_made);
    sodium_memzero(hash, sizeof(hash));
}

static int32_t post_password(struct web *web, const struct visit *visit)
{
    struct changing *changing = (struct changing *)admin_begin(web, visit, sizeof(*changing));
    if (!changing) {
        return AIC_OK;
    }
    struct admin *admin = &changing->admin;
    const char *problem = password_problem(aic_json_get_text(admin->body, "new"));
    admin->finish = forget;
    (void)aic_str_copy(aic_str(visit->user->user_id), changing->user_id, UUID_TEXT);
    if (problem) {
        admin_fail_field(admin, "new", problem);
    } else if (aic_json_get_text(admin->body, "old").len > PASSWORD_MAX_BYTES) {
        admin_fail(admin, 403, "wrong-password", "The old password is wrong.");
    } else {
        aic_json_member_text(admin_params(admin), "user_id", visit->user->user_id);
        admin_ask(admin, "user.by_id", user_came);
    }
    return AIC_OK;
}

void session_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/admin/api/session/",
              &(struct web_route){.handle = get_session});
    web_route(web, AIC_METHOD_POST, "/admin/api/logout/",
              &(struct web_route){.needs_session = true, .handle = post_logout});
    web_route(web, AIC_METHOD_POST, "/admin/api/password/",
              &(struct web_route){.needs_session = true, .handle = post_password});
}
