/* SPDX-License-Identifier: ISC */
#include "cli/direct.h"

#include "base/uuid.h"
#include "io/control_client.h"
#include "io/loop.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, MAX_ROWS = 64 << 20, PER_PAGE = 100 };

bool direct_open_provider(struct direct *direct, const struct setup *setup,
                          const struct setup_provider *found)
{
    const struct loop_options options = {.pool_threads = 1};
    *direct = (struct direct){.loop = loop_create(&options)};
    if (!direct->loop) {
        (void)fprintf(stderr, "aicaller: out of memory\n");
        return false;
    }
    direct->env = (struct plugin_env){.sched = loop_sched(direct->loop), .public_url = ""};
    struct config_problems problems = {.list = NULL};
    struct settings *settings = setup_settings(setup, found, 0, &problems);
    config_problems_finish(&problems);
    char error[512];
    (void)conf_make_folder(setup->state_dir);
    direct->provider = settings ? provider_create(found->name, found->plugin, settings,
                                                  &direct->env, error, sizeof(error))
                                : NULL;
    if (!direct->provider) {
        direct_close(direct);
        return false;
    }
    return true;
}

bool direct_open_storage(struct direct *direct, const struct setup *setup)
{
    for (size_t i = 0; i < setup->provider_count; i++) {
        if (strcmp(setup->providers[i]->name, setup->storage) == 0) {
            return direct_open_provider(direct, setup, setup->providers[i]);
        }
    }
    *direct = (struct direct){.loop = NULL};
    (void)fprintf(stderr, "aicaller: no storage is configured\n");
    return false;
}

int direct_command(const char *path, int (*run)(const struct conf *, const struct cli_args *),
                   const struct cli_args *args)
{
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(path, &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (conf) {
        status = run(conf, args);
    }
    conf_free(conf);
    return status;
}

bool direct_open(struct direct *direct, const struct conf *conf)
{
    return direct_open_storage(direct, conf->setup);
}

void direct_close(struct direct *direct)
{
    if (direct->provider) {
        direct->provider->storage.close(direct->provider->self);
    }
    provider_destroy(direct->provider);
    loop_destroy(direct->loop);
    *direct = (struct direct){.loop = NULL};
}

static int32_t take_row(void *data, struct aic_str row)
{
    struct aic_buf *rows = data;
    aic_buf_char(rows, rows->len == 0 ? '[' : ',');
    aic_buf_str(rows, row);
    return rows->failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}

static void complain(const struct aic_error *error)
{
    (void)fprintf(stderr, "aicaller: %.*s\n", (int)error->message.len, error->message.ptr);
}

bool direct_prepare(struct direct *direct)
{
    const struct provider *provider = direct->provider;
    struct aic_migration migration = {.size = sizeof(migration)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    bool is_embedded = !(provider->storage_caps.flags & AIC_STORAGE_SHARED);
    int32_t status = provider->storage.migration(provider->self, &migration, &error);
    if (status == AIC_OK && migration.current < migration.latest) {
        if (migration.current != 0 && !is_embedded) {
            (void)fprintf(stderr, "aicaller: the database is older than this program: "
                                  "aicaller migrate\n");
            return false;
        }
        status = provider->storage.migrate(provider->self, NULL, NULL, &error);
    }
    if (status != AIC_OK) {
        complain(&error);
    }
    return status == AIC_OK;
}

bool direct_ask(struct direct *direct, bool is_change, const char *name, struct aic_str params,
                struct aic_buf *rows)
{
    const struct provider *provider = direct->provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status =
        is_change ? provider->storage.change(provider->self, name, params, take_row, rows, &error)
                  : provider->storage.query(provider->self, name, params, take_row, rows, &error);
    aic_buf_text(rows, rows->len == 0 ? "[]" : "]");
    if (status != AIC_OK) {
        complain(&error);
    }
    return status == AIC_OK && !rows->failed;
}

/* Adds a page to a JSON array that is still open; returns how many rows it has, -1 on failure. */
static int64_t add_page(struct direct *direct, const char *query, struct aic_str params,
                        const char *key, char after[UUID_TEXT], struct aic_buf *all)
{
    struct aic_buf rows;
    int64_t count = -1;
    aic_buf_init(&rows, MAX_ROWS);
    if (direct_ask(direct, false, query, params, &rows)) {
        struct aic_json *root = aic_json_parse(aic_buf_view(&rows), MAX_ROWS);
        count = (int64_t)aic_json_count(root);
        if (count > 0) {
            (void)aic_str_copy(aic_json_get_text(aic_json_at(root, (size_t)count - 1), key), after,
                               UUID_TEXT);
            aic_buf_text(all, all->len > 1 ? "," : "");
            aic_buf_add(all, rows.data + 1, rows.len - 2);
        }
        aic_json_free(root);
    }
    aic_buf_finish(&rows);
    return count;
}

struct aic_json *direct_list(struct direct *direct, const char *query, struct aic_str filters,
                             const char *key)
{
    struct aic_buf all;
    char after[UUID_TEXT] = "";
    int64_t count = PER_PAGE;
    aic_buf_init(&all, MAX_ROWS);
    aic_buf_char(&all, '[');
    while (count == PER_PAGE && !all.failed) {
        char params[512];
        (void)snprintf(params, sizeof(params), "{\"limit\":%d%s%.*s%s%s%s}", (int)PER_PAGE,
                       filters.len > 0 ? "," : "", (int)filters.len, filters.ptr,
                       after[0] ? ",\"after\":\"" : "", after, after[0] ? "\"" : "");
        count = add_page(direct, query, aic_str(params), key, after, &all);
    }
    if (all.failed) {
        (void)fprintf(stderr, "aicaller: there are too many to be listed\n");
    }
    aic_buf_char(&all, ']');
    struct aic_json *rows =
        count < 0 || all.failed ? NULL : aic_json_parse(aic_buf_view(&all), MAX_ROWS);
    aic_buf_finish(&all);
    return rows;
}

static int32_t query_server(struct control *control, const char *name, struct aic_str params,
                            struct aic_buf *rows)
{
    struct aic_buf body;
    struct aic_json_writer w;
    aic_buf_init(&body, 64 * 1024);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "query", name);
    aic_json_member_raw(&w, "params", params);
    aic_json_close(&w, '}');
    int32_t status = AIC_OK;
    const struct control_question question = {.call_id = "",
                                              .kind = "storage.query",
                                              .body = aic_buf_view(&body),
                                              .timeout_ms = TIMEOUT_MS};
    int32_t result = control_request(control, &question, &status, rows);
    aic_buf_finish(&body);
    return result != AIC_OK ? result : status;
}

int32_t direct_query(const struct conf *conf, struct control *control, const char *name,
                     struct aic_str params, struct aic_buf *rows)
{
    if (control) {
        return query_server(control, name, params, rows);
    }
    struct direct direct;
    if (!direct_open(&direct, conf)) {
        return AIC_ERROR_CONFIG;
    }
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status =
        direct.provider->storage.query(direct.provider->self, name, params, take_row, rows, &error);
    if (status == AIC_OK && rows->len == 0) {
        aic_buf_char(rows, '[');
    }
    if (status == AIC_OK) {
        aic_buf_char(rows, ']');
    } else {
        (void)fprintf(stderr, "aicaller: %.*s\n", (int)error.message.len, error.message.ptr);
    }
    direct_close(&direct);
    return status;
}
