/* SPDX-License-Identifier: ISC */
#include "web/admin.h"
#include "web/audit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Users are made, changed and deleted by an admin. One enabled admin is always left. */

static const char users_path[] = "/admin/api/users/";

struct user_change {
    struct admin admin; /* first */
    const char *deed;   /* for the audit */
    char name[USER_NAME];
    char user_id[UUID_TEXT];
    char hash[PASSWORD_HASH]; /* of the new password; "" = none */
};

static void forget(struct admin *admin)
{
    struct user_change *change = (struct user_change *)admin;
    sodium_memzero(change->hash, sizeof(change->hash));
}

static struct user_change *begin(struct web *web, const struct visit *visit, const char *deed)
{
    struct user_change *change = (struct user_change *)admin_begin(web, visit, sizeof(*change));
    if (change) {
        change->admin.finish = forget;
        change->deed = deed;
    }
    return change;
}

static void audit(struct user_change *change, const char *outcome, const char *reason)
{
    web_audit(change->admin.held.web, change->admin.actor,
              &(struct web_deed){.action = change->deed,
                                 .object = change->user_id,
                                 .outcome = outcome,
                                 .reason = reason,
                                 .name = change->name});
}

/* A new password's hash, then `made`. */
static void make_hash(struct user_change *change, password_reply made)
{
    const struct password_task task = {.wanted = aic_json_get_text(change->admin.body, "password")};
    admin_password(&change->admin, &task, made);
}

/* Takes over the hash; false after answering that there is none. */
static bool take_hash(struct user_change *change, int32_t status, const char *hash)
{
    if (!change->admin.held.web) {
        admin_end(&change->admin);
        return false;
    }
    if (status != AIC_OK) {
        admin_fail(&change->admin, 503, "busy", "The password can not be set now; try again.");
        return false;
    }
    (void)aic_str_copy(aic_str(hash), change->hash, PASSWORD_HASH);
    return true;
}

/* What is wrong with the members of a body, if anything is. */
static const char *check_body(const struct aic_json *body, bool is_new, const char **field)
{
    const struct aic_json *role = aic_json_get(body, "role");
    const struct aic_json *password = aic_json_get(body, "password");
    const struct aic_json *disabled = aic_json_get(body, "disabled");
    const char *problem = NULL;
    if (is_new) {
        *field = "name";
        problem = user_name_problem(aic_json_get_text(body, "name"));
    }
    if (!problem && (is_new || role)) {
        *field = "role";
        problem = aic_json_is_string(role) && user_role_scopes(aic_json_text(role))
                      ? NULL
                      : "A role is viewer, operator or admin.";
    }
    if (!problem && (is_new || password)) {
        *field = "password";
        problem = aic_json_is_string(password) ? password_problem(aic_json_text(password))
                                               : "A password is text.";
    }
    if (!problem && disabled) {
        *field = "disabled";
        problem = aic_json_is_bool(disabled) ? NULL : "It is true or false.";
    }
    return problem;
}

/* Whether a body has no members but these; NULL-terminated. */
struct known {
    const char *const *names;
    const char *unknown;
};

static int find_unknown(void *data, const char *key, const struct aic_json *value)
{
    struct known *known = data;
    (void)value;
    for (const char *const *name = known->names; *name; name++) {
        if (strcmp(*name, key) == 0) {
            return 0;
        }
    }
    known->unknown = key;
    return 1;
}

static bool accept_body(struct user_change *change, const char *const *names, bool is_new)
{
    const char *field = NULL;
    struct known known = {.names = names};
    const char *problem = check_body(change->admin.body, is_new, &field);
    if (!problem && aic_json_each(change->admin.body, find_unknown, &known)) {
        problem = "There is no such member here.";
        field = "?";
    }
    if (problem) {
        admin_fail_field(&change->admin, field, problem);
    }
    return !problem;
}

/* POST */

static void user_is_added(void *data, int32_t status, struct aic_str rows,
                          const struct aic_error *error)
{
    struct user_change *change = data;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    if (!admin_said(rows, "added")) {
        audit(change, "refused", "name-taken");
        admin_fail(&change->admin, 409, "name-taken", "There is a user of this name already.");
        return;
    }
    audit(change, "done", NULL);
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, 1024);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "name", change->name);
    aic_json_member(&w, "role", aic_json_get_text(change->admin.body, "role"));
    aic_json_close(&w, '}');
    admin_succeed(&change->admin, 201, aic_buf_view(&answer));
    aic_buf_finish(&answer);
}

static void new_hash_is_made(void *data, int32_t status, const char *hash)
{
    struct user_change *change = data;
    if (take_hash(change, status, hash)) {
        struct aic_json_writer *w = admin_params(&change->admin);
        uuid7_make(change->user_id);
        aic_json_member_text(w, "user_id", change->user_id);
        aic_json_member_text(w, "name", change->name);
        aic_json_member(w, "role", aic_json_get_text(change->admin.body, "role"));
        aic_json_member_text(w, "password_hash", change->hash);
        admin_change(&change->admin, "user.add", user_is_added);
    }
}

static int32_t post_user(struct web *web, const struct visit *visit)
{
    static const char *const names[] = {"name", "role", "password", NULL};
    struct user_change *change = begin(web, visit, "user.add");
    if (change && accept_body(change, names, true)) {
        (void)aic_str_copy(aic_json_get_text(change->admin.body, "name"), change->name, USER_NAME);
        make_hash(change, new_hash_is_made);
    }
    return AIC_OK;
}

/* PATCH and DELETE */

static void user_is_changed(void *data, int32_t status, struct aic_str rows,
                            const struct aic_error *error)
{
    struct user_change *change = data;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    if (admin_said(rows, "last_admin")) {
        audit(change, "refused", "last-admin");
        admin_fail(&change->admin, 409, "last-admin",
                   "This is the last enabled admin; make another first.");
    } else if (!admin_said(rows, "changed") && !admin_said(rows, "deleted")) {
        admin_fail(&change->admin, 404, "not-found", "There is no user of this name.");
    } else {
        audit(change, "done", NULL);
        admin_users_changed(change->admin.held.web);
        admin_succeed(&change->admin, 204, AIC_STR(""));
    }
}

static void set_user(struct user_change *change)
{
    const struct aic_json *body = change->admin.body;
    const struct aic_json *disabled = aic_json_get(body, "disabled");
    struct aic_json_writer *w = admin_params(&change->admin);
    aic_json_member_text(w, "name", change->name);
    aic_json_member_bool(w, "keep_admin", true);
    if (!body) {
        admin_change(&change->admin, "user.delete", user_is_changed);
        return;
    }
    if (aic_json_get(body, "role")) {
        aic_json_member(w, "role", aic_json_get_text(body, "role"));
    }
    if (disabled) {
        aic_json_member_bool(w, "disabled", aic_json_bool(disabled, false));
    }
    if (change->hash[0]) {
        aic_json_member_text(w, "password_hash", change->hash);
    }
    admin_change(&change->admin, "user.set", user_is_changed);
}

static void hash_is_made(void *data, int32_t status, const char *hash)
{
    struct user_change *change = data;
    if (take_hash(change, status, hash)) {
        set_user(change);
    }
}

static void user_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct user_change *change = data;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    bool is_known = aic_str_copy(aic_json_get_text(aic_json_at(root, 0), "user_id"),
                                 change->user_id, UUID_TEXT) &&
                    change->user_id[0];
    aic_json_free(root);
    if (!is_known) {
        admin_fail(&change->admin, 404, "not-found", "There is no user of this name.");
    } else if (aic_json_get(change->admin.body, "password")) {
        make_hash(change, hash_is_made);
    } else {
        set_user(change);
    }
}

static void find_user(struct user_change *change, struct aic_str path)
{
    if (!admin_path_name(path, users_path, change->name, USER_NAME)) {
        admin_fail(&change->admin, 404, "not-found", "There is no user of this name.");
        return;
    }
    aic_json_member_text(admin_params(&change->admin), "name", change->name);
    admin_ask(&change->admin, "user", user_came);
}

static int32_t patch_user(struct web *web, const struct visit *visit)
{
    static const char *const names[] = {"role", "password", "disabled", "unlock", NULL};
    struct user_change *change = begin(web, visit, "user.set");
    if (change && accept_body(change, names, false)) {
        find_user(change, visit->request->path);
    }
    return AIC_OK;
}

static int32_t delete_user(struct web *web, const struct visit *visit)
{
    struct user_change *change = begin(web, visit, "user.delete");
    if (change) {
        find_user(change, visit->request->path);
    }
    return AIC_OK;
}

void admin_users_routes(struct web *web)
{
    admin_route(web, AIC_METHOD_POST, users_path, post_user);
    admin_route(web, AIC_METHOD_PATCH, "/admin/api/users/*", patch_user);
    admin_route(web, AIC_METHOD_DELETE, "/admin/api/users/*", delete_user);
}
