/* SPDX-License-Identifier: ISC */
/* Who may not be called, who agreed to what, who may log in. */
#include "sqlcore/change.h"

#include <string.h>

static const char *const roles[] = {"viewer", "operator", "admin", NULL};

static const struct sql_param of_dnc_add[] = {SQL_NEEDS("number", SQL_TEXT),
                                              SQL_OF("entry_id", SQL_UUID),
                                              SQL_OF("call_id", SQL_UUID),
                                              SQL_OF("source", SQL_TEXT),
                                              SQL_LONG("reason", 1000),
                                              SQL_OF("added_by", SQL_TEXT),
                                              SQL_AT};
static const struct sql_param of_dnc_remove[] = {SQL_NEEDS("number", SQL_TEXT),
                                                 SQL_OF("removed_by", SQL_TEXT), SQL_AT};
static const struct sql_param of_revoke[] = {SQL_NEEDS("number", SQL_TEXT),
                                             SQL_OF("scope", SQL_TEXT),
                                             SQL_OF("revoked_by", SQL_TEXT), SQL_AT};
static const struct sql_param of_user_add[] = {SQL_NEEDS("user_id", SQL_UUID),
                                               SQL_NEEDS("name", SQL_TEXT),
                                               {"role", SQL_TEXT, SQL_ARG_REQUIRED, 0, 0, roles},
                                               SQL_LONG("password_hash", 1000),
                                               SQL_AT};
static const struct sql_param of_user_set[] = {
    SQL_NEEDS("name", SQL_TEXT),     {"role", SQL_TEXT, 0, 0, 0, roles},
    SQL_LONG("password_hash", 1000), SQL_OF("disabled", SQL_BOOL),
    SQL_OF("keep_admin", SQL_BOOL),  SQL_AT};
static const struct sql_param of_user_delete[] = {SQL_NEEDS("name", SQL_TEXT),
                                                  SQL_OF("keep_admin", SQL_BOOL), SQL_AT};
static const struct sql_param of_login[] = {SQL_NEEDS("name", SQL_TEXT),
                                            SQL_NEEDS("ok", SQL_BOOL),
                                            {"max_failures", SQL_INT, 0, 1, 1000, NULL},
                                            SQL_MS("lock_ms"),
                                            SQL_AT};
static const struct sql_param of_session_add[] = {
    SQL_NEEDS("session_hash", SQL_TEXT), SQL_NEEDS("user_id", SQL_UUID),
    SQL_NEEDS("expires_at", SQL_TIME),   SQL_OF("address", SQL_TEXT),
    SQL_OF("client", SQL_TEXT),          SQL_AT};
static const struct sql_param of_session_touch[] = {SQL_NEEDS("session_hash", SQL_TEXT),
                                                    SQL_MS("idle_ms"), SQL_AT};
static const struct sql_param of_session_delete[] = {SQL_OF("session_hash", SQL_TEXT),
                                                     SQL_OF("user_id", SQL_UUID), SQL_AT};
static const struct sql_param of_key_add[] = {
    SQL_NEEDS("key_id", SQL_UUID),  SQL_NEEDS("name", SQL_TEXT),    SQL_NEEDS("key_hash", SQL_TEXT),
    SQL_OF("prefix", SQL_TEXT),     SQL_OF("scopes", SQL_JSON),     SQL_OF("limits", SQL_JSON),
    SQL_OF("created_by", SQL_TEXT), SQL_OF("expires_at", SQL_TIME), SQL_AT};
static const struct sql_param of_key[] = {SQL_NEEDS("key_id", SQL_UUID), SQL_AT};

static int32_t run_dnc_add(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    struct sql_value hash = sql_null();
    struct sql_value entry = sql_null();
    int64_t added = 0;
    int32_t status = sql_hash_arg(c, "number", &hash);
    status = status ? status
                    : sql_fetch_one(c->core,
                                    "SELECT entry_id FROM do_not_call WHERE number_hash = $1 AND "
                                    "removed_at IS NULL ORDER BY entry_id LIMIT 1",
                                    &hash, 1, &c->arena, &entry);
    if (status == AIC_OK && entry.type == SQL_NULL) {
        status = sql_new_id(c, &entry);
        sql_pairs_set(&pairs, "entry_id", entry);
        sql_pairs_set(&pairs, "number_hash", hash);
        sql_pairs_set(&pairs, "added_at", c->now);
        sql_pairs_set(&pairs, "revision", sql_int(0));
        sql_pairs_take(&pairs, sql_table_find(AIC_STR("do_not_call")), c->args);
        entry = sql_arg_has(c->args, "entry_id") ? sql_arg(c->args, "entry_id") : entry;
        status = status ? status : sql_insert(c->core, "do_not_call", &pairs, &added);
    }
    aic_json_member_bool(c->w, "added", added > 0);
    aic_json_member(c->w, "entry_id", entry.text);
    return status;
}

static int32_t run_dnc_remove(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "removed_by"), sql_null()};
    int64_t changes = 0;
    int32_t status = sql_hash_arg(c, "number", &values[2]);
    status = status ? status
                    : sql_execute(c->core,
                                  "UPDATE do_not_call SET removed_at = $1, removed_by = $2 "
                                  "WHERE number_hash = $3 AND removed_at IS NULL",
                                  values, 3, &changes);
    aic_json_member_int(c->w, "removed", changes);
    return status;
}

static int32_t run_revoke(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "revoked_by"), sql_null(),
                                 sql_arg(c->args, "scope")};
    bool all = values[3].type == SQL_NULL;
    int64_t changes = 0;
    int32_t status = sql_hash_arg(c, "number", &values[2]);
    status = status ? status
                    : sql_execute(c->core,
                                  all ? "UPDATE consents SET revoked_at = $1, revoked_by = $2 "
                                        "WHERE number_hash = $3 AND revoked_at IS NULL"
                                      : "UPDATE consents SET revoked_at = $1, revoked_by = $2 "
                                        "WHERE number_hash = $3 AND revoked_at IS NULL "
                                        "AND scope = $4",
                                  values, all ? 3 : 4, &changes);
    aic_json_member_int(c->w, "revoked", changes);
    return status;
}

/* Adds a row of the parameters, with what every new row of its table begins with. */
static int32_t add(struct sql_changing *c, const char *table, struct sql_pairs *pairs)
{
    int64_t added = 0;
    sql_pairs_set(pairs, "created_at", c->now);
    sql_pairs_take(pairs, sql_table_find(aic_str(table)), c->args);
    int32_t status = sql_insert(c->core, table, pairs, &added);
    aic_json_member_bool(c->w, "added", added > 0);
    return status;
}

static int32_t run_user_add(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    sql_pairs_set(&pairs, "disabled", (struct sql_value){.type = SQL_BOOL, .integer = 0});
    sql_pairs_set(&pairs, "failures", sql_int(0));
    return add(c, "users", &pairs);
}

static int32_t end_sessions(struct sql_changing *c)
{
    struct sql_value name = sql_arg(c->args, "name");
    return sql_execute(c->core,
                       "DELETE FROM sessions WHERE user_id IN (SELECT user_id FROM users "
                       "WHERE name = $1)",
                       &name, 1, NULL);
}

/* Whether the user is the one admin that is left, where that is to be kept so. All admins are
 * locked first, so that of two who remove each other one comes too late. */
static int32_t is_last_admin(struct sql_changing *c, bool *is_last)
{
    struct sql_value values[] = {sql_arg(c->args, "name"), {.type = SQL_BOOL, .integer = 0}};
    struct sql_value own = sql_null();
    struct sql_value other = sql_null();
    *is_last = false;
    if (!sql_arg_bool(c->args, "keep_admin", false)) {
        return AIC_OK;
    }
    int32_t status = sql_execute(
        c->core, "UPDATE users SET failures = failures WHERE role = 'admin'", NULL, 0, NULL);
    status = status ? status
                    : sql_fetch_one(c->core,
                                    "SELECT user_id FROM users WHERE role = 'admin' AND name = $1 "
                                    "AND disabled = $2",
                                    values, 2, &c->arena, &own);
    status = status ? status
                    : sql_fetch_one(c->core,
                                    "SELECT user_id FROM users WHERE role = 'admin' AND name <> $1 "
                                    "AND disabled = $2 LIMIT 1",
                                    values, 2, &c->arena, &other);
    *is_last = own.type != SQL_NULL && other.type == SQL_NULL;
    return status;
}

/* Whoever changed a password or lost a role logs in again. */
static int32_t run_user_set(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    struct sql_pairs where = {0};
    struct sql_value role = sql_arg(c->args, "role");
    int64_t changes = 0;
    bool is_last = false;
    bool takes = sql_arg_bool(c->args, "disabled", false) ||
                 (role.type != SQL_NULL && !aic_str_equal(role.text, "admin"));
    int32_t status = takes ? is_last_admin(c, &is_last) : AIC_OK;
    if (status != AIC_OK || is_last) {
        aic_json_member_bool(c->w, "changed", false);
        aic_json_member_bool(c->w, "last_admin", is_last);
        return status;
    }
    sql_pairs_set(&pairs, "failures", sql_int(0));
    sql_pairs_set(&pairs, "locked_until", sql_null());
    sql_pairs_take(&pairs, sql_table_find(AIC_STR("users")), c->args);
    sql_pairs_set(&where, "name", sql_arg(c->args, "name"));
    status = sql_update(c->core, "users", &pairs, &where, &changes);
    aic_json_member_bool(c->w, "changed", changes > 0);
    return status ? status : end_sessions(c);
}

static int32_t run_user_delete(struct sql_changing *c)
{
    struct sql_value name = sql_arg(c->args, "name");
    int64_t changes = 0;
    bool is_last = false;
    int32_t status = is_last_admin(c, &is_last);
    if (status != AIC_OK || is_last) {
        aic_json_member_bool(c->w, "deleted", false);
        aic_json_member_bool(c->w, "last_admin", is_last);
        return status;
    }
    status = end_sessions(c);
    status = status ? status
                    : sql_execute(c->core, "DELETE FROM users WHERE name = $1", &name, 1, &changes);
    aic_json_member_bool(c->w, "deleted", changes > 0);
    return status;
}

static int32_t run_login(struct sql_changing *c)
{
    struct sql_value name = sql_arg(c->args, "name");
    struct sql_value good[] = {c->now, name};
    struct sql_value bad[] = {sql_int(sql_arg_int(c->args, "max_failures", 5)),
                              sql_later(c, sql_arg_int(c->args, "lock_ms", 900000)), name};
    static const struct sql_field fields[] = {{"failures", SQL_INT}, {"locked_until", SQL_TIME}};
    struct sql_written written = {.w = c->w, .fields = fields, .field_count = 2};
    bool ok = sql_arg_bool(c->args, "ok", false);
    aic_json_key(c->w, "user");
    int32_t status =
        ok ? sql_fetch(c->core,
                       "UPDATE users SET failures = 0, locked_until = NULL, last_login_at = $1 "
                       "WHERE name = $2 RETURNING failures, locked_until",
                       good, 2, sql_write_answer, &written)
           : sql_fetch(c->core,
                       "UPDATE users SET failures = CASE WHEN failures + 1 >= $1 THEN 0 ELSE "
                       "failures + 1 END, locked_until = CASE WHEN failures + 1 >= $1 THEN $2 "
                       "ELSE locked_until END WHERE name = $3 RETURNING failures, locked_until",
                       bad, 3, sql_write_answer, &written);
    if (written.count == 0) {
        aic_json_put_null(c->w);
    }
    return status;
}

static int32_t run_session_add(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    sql_pairs_set(&pairs, "seen_at", c->now);
    return add(c, "sessions", &pairs);
}

static int32_t run_session_touch(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "session_hash"),
                                 sql_later(c, -sql_arg_int(c->args, "idle_ms", SQL_MAX_MS))};
    int64_t changes = 0;
    int32_t status = sql_execute(c->core,
                                 "UPDATE sessions SET seen_at = $1 WHERE session_hash = $2 "
                                 "AND seen_at >= $3 AND expires_at > $1",
                                 values, 3, &changes);
    aic_json_member_bool(c->w, "valid", changes > 0);
    return status;
}

static int32_t run_session_delete(struct sql_changing *c)
{
    struct sql_value hash = sql_arg(c->args, "session_hash");
    struct sql_value user = sql_arg(c->args, "user_id");
    int64_t changes = 0;
    if ((hash.type == SQL_NULL) == (user.type == SQL_NULL)) {
        return sql_fail(c->core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                        "expected one of session_hash, user_id");
    }
    int32_t status =
        hash.type != SQL_NULL
            ? sql_execute(c->core, "DELETE FROM sessions WHERE session_hash = $1", &hash, 1,
                          &changes)
            : sql_execute(c->core, "DELETE FROM sessions WHERE user_id = $1", &user, 1, &changes);
    aic_json_member_int(c->w, "deleted", changes);
    return status;
}

static int32_t run_key_add(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    return add(c, "api_keys", &pairs);
}

static int32_t run_key_touch(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "key_id")};
    int64_t changes = 0;
    int32_t status = sql_execute(c->core, "UPDATE api_keys SET used_at = $1 WHERE key_id = $2",
                                 values, 2, &changes);
    aic_json_member_bool(c->w, "changed", changes > 0);
    return status;
}

static int32_t run_key_revoke(struct sql_changing *c)
{
    struct sql_value values[] = {c->now, sql_arg(c->args, "key_id")};
    int64_t changes = 0;
    int32_t status = sql_execute(c->core,
                                 "UPDATE api_keys SET revoked_at = $1 WHERE key_id = $2 AND "
                                 "revoked_at IS NULL",
                                 values, 2, &changes);
    aic_json_member_bool(c->w, "revoked", changes > 0);
    return status;
}

const struct sql_change sql_people_changes[] = {
    {.name = "do_not_call.add", SQL_PARAMS(of_dnc_add), .run = run_dnc_add},
    {.name = "do_not_call.remove", SQL_PARAMS(of_dnc_remove), .run = run_dnc_remove},
    {.name = "consent.revoke", SQL_PARAMS(of_revoke), .run = run_revoke},
    {.name = "user.add", SQL_PARAMS(of_user_add), .run = run_user_add},
    {.name = "user.set", SQL_PARAMS(of_user_set), .run = run_user_set},
    {.name = "user.delete", SQL_PARAMS(of_user_delete), .run = run_user_delete},
    {.name = "user.login", SQL_PARAMS(of_login), .run = run_login},
    {.name = "session.add", SQL_PARAMS(of_session_add), .run = run_session_add},
    {.name = "session.touch", SQL_PARAMS(of_session_touch), .run = run_session_touch},
    {.name = "session.delete", SQL_PARAMS(of_session_delete), .run = run_session_delete},
    {.name = "api_key.add", SQL_PARAMS(of_key_add), .run = run_key_add},
    {.name = "api_key.touch", SQL_PARAMS(of_key), .run = run_key_touch},
    {.name = "api_key.revoke", SQL_PARAMS(of_key), .run = run_key_revoke},
};
const size_t sql_people_change_count = sizeof(sql_people_changes) / sizeof(sql_people_changes[0]);
