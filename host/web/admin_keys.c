/* SPDX-License-Identifier: ISC */
#include "web/admin.h"
#include "web/audit.h"
#include "web/key_record.h"

#include "base/sched.h"
#include "base/timefmt.h"

#include <sodium.h>

/* API keys are made and revoked by an admin. A key is shown once, in the answer that made it. */

static const char keys_path[] = "/admin/api/keys/";

struct key_change {
    struct admin admin; /* first */
    char name[API_KEY_NAME];
    struct key_record record;
    char key[API_KEY_TEXT];
    char id[UUID_TEXT];
};

static void forget(struct admin *admin)
{
    struct key_change *change = (struct key_change *)admin;
    sodium_memzero(change->key, sizeof(change->key));
}

static void audit(struct key_change *change, const char *action)
{
    web_audit(change->admin.held.web, change->admin.actor,
              &(struct web_deed){
                  .action = action, .object = change->id, .outcome = "done", .name = change->name});
}

static void keys_changed(struct web *web)
{
    web_forget_keys(web);
    link_publish(web->settings.link, "keys", AIC_STR("{}"));
}

/* POST */

static uint32_t read_scopes(const struct aic_json *list)
{
    uint32_t scopes = API_SCOPE_NONE;
    for (size_t i = 0; i < aic_json_count(list); i++) {
        uint32_t scope = api_scope_find(aic_json_text(aic_json_at(list, i)));
        if (scope == API_SCOPE_NONE) {
            return API_SCOPE_NONE;
        }
        scopes |= scope;
    }
    return aic_json_is_array(list) ? scopes : API_SCOPE_NONE;
}

/* Reads what is wanted; says what is wrong with it, if anything is. */
static const char *read_record(struct key_change *change, const char **field)
{
    const struct aic_json *body = change->admin.body;
    const struct aic_json *expires = aic_json_get(body, "expires_at");
    const struct aic_json *per_minute = aic_json_get(body, "per_minute");
    struct key_record *record = &change->record;
    int64_t now_us = sched_wall(change->admin.held.web->settings.sched);
    record->name = change->name;
    record->created_by = change->admin.actor;
    record->scopes = read_scopes(aic_json_get(body, "scopes"));
    record->per_minute = aic_json_int(per_minute, 0);
    *field = "name";
    if (!aic_str_copy(aic_json_get_text(body, "name"), change->name, sizeof(change->name)) ||
        !change->name[0]) {
        return "A name has 1 to 100 bytes.";
    }
    *field = "scopes";
    if (record->scopes == API_SCOPE_NONE) {
        return "It is a list of \"read\", \"call\" and \"admin\".";
    }
    *field = "expires_at";
    if (expires && (!time_parse(aic_json_text(expires), &record->expires_wall_us) ||
                    record->expires_wall_us <= now_us)) {
        return "It is a time to come, such as \"2030-01-01T00:00:00Z\".";
    }
    *field = "per_minute";
    if (per_minute && (!aic_json_is_number(per_minute) || record->per_minute < 1 ||
                       record->per_minute > KEY_PER_MINUTE_MAX)) {
        return "It is a number from 1 to 1000000.";
    }
    return NULL;
}

static void key_is_added(void *data, int32_t status, struct aic_str rows,
                         const struct aic_error *error)
{
    struct key_change *change = data;
    (void)rows;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    struct aic_buf answer;
    struct aic_json_writer w;
    audit(change, "key.add");
    keys_changed(change->admin.held.web);
    aic_buf_init(&answer, 1024);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key_id", change->id);
    aic_json_member_text(&w, "key", change->key);
    aic_json_close(&w, '}');
    admin_succeed(&change->admin, 201, aic_buf_view(&answer));
    if (answer.data) {
        sodium_memzero(answer.data, answer.len);
    }
    aic_buf_finish(&answer);
}

static void keys_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct key_change *change = data;
    bool is_taken = false;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    struct web *web = change->admin.held.web;
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    for (size_t i = 0; i < aic_json_count(root) && !is_taken; i++) {
        struct api_key key;
        is_taken = keyring_read(aic_json_at(root, i), sched_wall(web->settings.sched), &key) &&
                   aic_str_equal(aic_str(key.name), change->name);
    }
    aic_json_free(root);
    if (is_taken) {
        admin_fail(&change->admin, 409, "name-taken", "There is a key of this name already.");
        return;
    }
    uint8_t random[API_KEY_RANDOM];
    sched_random(web->settings.sched, random, sizeof(random));
    api_key_make(change->key, random);
    sodium_memzero(random, sizeof(random));
    aic_buf_clear(&change->admin.params);
    key_record_write(&change->admin.params, &change->record, change->key, change->id);
    storage_change(web->settings.storage, "api_key.add", aic_buf_view(&change->admin.params),
                   key_is_added, change);
}

static int32_t post_key(struct web *web, const struct visit *visit)
{
    const char *field = NULL;
    struct key_change *change = (struct key_change *)admin_begin(web, visit, sizeof(*change));
    if (!change) {
        return AIC_OK;
    }
    change->admin.finish = forget;
    const char *problem = read_record(change, &field);
    if (problem) {
        admin_fail_field(&change->admin, field, problem);
    } else {
        aic_json_member_int(admin_params(&change->admin), "limit", 1000);
        admin_ask(&change->admin, "api_keys", keys_came);
    }
    return AIC_OK;
}

/* DELETE */

static void key_is_revoked(void *data, int32_t status, struct aic_str rows,
                           const struct aic_error *error)
{
    struct key_change *change = data;
    if (!admin_is_good(&change->admin, status, error)) {
        return;
    }
    if (!admin_said(rows, "revoked")) {
        admin_fail(&change->admin, 404, "not-found", "There is no such key, or not any more.");
        return;
    }
    audit(change, "key.revoke");
    keys_changed(change->admin.held.web);
    admin_succeed(&change->admin, 204, AIC_STR(""));
}

static int32_t delete_key(struct web *web, const struct visit *visit)
{
    struct key_change *change = (struct key_change *)admin_begin(web, visit, sizeof(*change));
    if (!change) {
        return AIC_OK;
    }
    if (!admin_path_name(visit->request->path, keys_path, change->id, UUID_TEXT) ||
        !uuid_valid(aic_str(change->id))) {
        admin_fail(&change->admin, 404, "not-found", "There is no such key, or not any more.");
        return AIC_OK;
    }
    aic_json_member_text(admin_params(&change->admin), "key_id", change->id);
    admin_change(&change->admin, "api_key.revoke", key_is_revoked);
    return AIC_OK;
}

void admin_keys_routes(struct web *web)
{
    admin_route(web, AIC_METHOD_POST, keys_path, post_key);
    admin_route(web, AIC_METHOD_DELETE, "/admin/api/keys/*", delete_key);
}
