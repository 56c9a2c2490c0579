/* SPDX-License-Identifier: ISC */
#include "web/admin.h"
#include "web/lookup.h"
#include "web/params.h"

#include "base/sched.h"
#include "base/timefmt.h"

#include <string.h>

/* GET of users, keys and the audit below /admin/api/: rows of one query, with `next` where there
 * may be more. */

enum { COLUMNS = 12, NAMES = 8, MAX_LIMIT = 1000 };

struct list_kind {
    const char *query;
    const char *member;           /* of the answer */
    const char *names[NAMES];     /* of parameters, NULL-terminated; "limit" is the first */
    const char *columns[COLUMNS]; /* NULL-terminated; the first is the key */
    int64_t limit;
};

static const struct list_kind users = {
    .query = "users",
    .member = "users",
    .names = {"limit", "after", NULL},
    .columns = {"name", "role", "disabled", "created_at", "last_login_at", "locked_until", NULL},
    .limit = MAX_LIMIT};
static const struct list_kind keys = {.query = "api_keys",
                                      .member = "keys",
                                      .names = {"limit", "after", NULL},
                                      .columns = {"key_id", "name", "prefix", "scopes", "limits",
                                                  "created_at", "created_by", "expires_at",
                                                  "used_at", "revoked_at", NULL},
                                      .limit = MAX_LIMIT};
static const struct list_kind audit = {
    .query = "audit",
    .member = "audit",
    .names = {"limit", "after", "actor", "action", "call_id", "since", "until", NULL},
    .columns = {"audit_id", "at", "actor", "action", "object", "outcome", "reason", "call_id",
                "number", "detail", NULL},
    .limit = 100};

struct listing {
    struct lookup lookup; /* first */
    const struct list_kind *kind;
    int64_t limit;
};

/* A lock that is over is none. */
static bool is_over(const struct listing *listing, const char *column, const struct aic_json *value)
{
    int64_t until_us = 0;
    return strcmp(column, "locked_until") == 0 && time_parse(aic_json_text(value), &until_us) &&
           until_us <= sched_wall(listing->lookup.held.web->settings.sched);
}

static void write_row(struct listing *listing, const struct aic_json *row)
{
    struct aic_json_writer *w = &listing->lookup.w;
    aic_json_open(w, '{');
    for (const char *const *column = listing->kind->columns; *column; column++) {
        const struct aic_json *value = aic_json_get(row, *column);
        aic_json_key(w, *column);
        if (!value || is_over(listing, *column, value)) {
            aic_json_put_null(w);
        } else {
            aic_json_put_node(w, value);
        }
    }
    aic_json_close(w, '}');
}

static void rows_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct listing *listing = data;
    struct lookup *lookup = &listing->lookup;
    if (!lookup_is_good(lookup, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    size_t count = aic_json_count(root);
    aic_json_open(&lookup->w, '{');
    aic_json_key(&lookup->w, listing->kind->member);
    aic_json_open(&lookup->w, '[');
    for (size_t i = 0; i < count; i++) {
        write_row(listing, aic_json_at(root, i));
    }
    aic_json_close(&lookup->w, ']');
    if (count > 0 && (int64_t)count == listing->limit) {
        aic_json_member(&lookup->w, "next",
                        aic_json_get_text(aic_json_at(root, count - 1), listing->kind->columns[0]));
    }
    aic_json_free(root);
    lookup_succeed(lookup);
}

static void put_params(struct listing *listing, const struct params *params)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, &listing->lookup.params);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "limit", listing->limit);
    for (const char *const *name = listing->kind->names + 1; *name; name++) {
        struct aic_str value = params_get(params, *name);
        if (value.len > 0) {
            aic_json_member(&w, *name, value);
        }
    }
    aic_json_close(&w, '}');
}

static int32_t list(struct web *web, const struct visit *visit, const struct list_kind *kind)
{
    struct params params;
    size_t count = 0;
    int64_t limit = kind->limit;
    while (kind->names[count]) {
        count++;
    }
    int32_t status = AIC_OK;
    if (!params_read(&params, visit->request->query, kind->names, count) ||
        !params_number(&params, "limit", 1, MAX_LIMIT, &limit)) {
        status = lookup_refuse(visit, &params);
    } else {
        struct listing *listing = (struct listing *)lookup_begin(web, visit, sizeof(*listing));
        if (listing) {
            listing->kind = kind;
            listing->limit = limit;
            put_params(listing, &params);
            lookup_ask(&listing->lookup, kind->query, rows_came);
        }
    }
    params_finish(&params);
    return status;
}

static int32_t get_users(struct web *web, const struct visit *visit)
{
    return list(web, visit, &users);
}

static int32_t get_keys(struct web *web, const struct visit *visit)
{
    return list(web, visit, &keys);
}

static int32_t get_audit(struct web *web, const struct visit *visit)
{
    return list(web, visit, &audit);
}

void admin_lists_routes(struct web *web)
{
    admin_route(web, AIC_METHOD_GET, "/admin/api/users/", get_users);
    admin_route(web, AIC_METHOD_GET, "/admin/api/keys/", get_keys);
    admin_route(web, AIC_METHOD_GET, "/admin/api/audit/", get_audit);
}
