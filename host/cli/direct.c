/* SPDX-License-Identifier: ISC */
#include "cli/direct.h"

#include "io/control_client.h"
#include "io/loop.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

enum { TIMEOUT_MS = 10000 };

bool direct_open(struct direct *direct, const struct conf *conf)
{
    const struct loop_options options = {.pool_threads = 1};
    const struct setup *setup = conf->setup;
    const struct setup_provider *found = NULL;
    *direct = (struct direct){.loop = NULL};
    for (size_t i = 0; i < setup->provider_count; i++) {
        if (strcmp(setup->providers[i]->name, setup->storage) == 0) {
            found = setup->providers[i];
        }
    }
    direct->loop = found ? loop_create(&options) : NULL;
    if (!direct->loop) {
        (void)fprintf(stderr, "aicaller: no storage is configured\n");
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
