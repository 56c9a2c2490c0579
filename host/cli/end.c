/* SPDX-License-Identifier: ISC */
#include "cli/end.h"

#include "cli/cli.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_url(const char *text)
{
    return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0;
}

/* What an env: reference stands for, to see which kind of database it is. */
static const char *meant(const char *name)
{
    const char *value = strncmp(name, "env:", 4) == 0 ? getenv(name + 4) : NULL;
    return value ? value : name;
}

static const char *without_scheme(const char *name)
{
    static const char *const schemes[] = {"sqlite:///", "sqlite:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t length = strlen(schemes[i]);
        if (strncmp(name, schemes[i], length) == 0) {
            /* Three slashes and a path is a relative one, four an absolute one. */
            return name + length;
        }
    }
    return name;
}

static bool is_address(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->setup->provider_count; i++) {
        if (strcmp(conf->setup->providers[i]->name, name) == 0) {
            return false;
        }
    }
    return strpbrk(name, "/.:") != NULL || access(name, F_OK) == 0;
}

static void add_text(struct aic_buf *to, const char *name, const char *value)
{
    aic_buf_printf(to, "%s = \"", name);
    for (const char *c = value; *c; c++) {
        aic_buf_text(to, *c == '"' || *c == '\\' ? "\\" : "");
        aic_buf_char(to, *c);
    }
    aic_buf_text(to, "\"; ");
}

/* A configuration of one storage, as an operator would have written it. */
static void write_configuration(struct aic_buf *to, const struct conf *conf, const char *name,
                                enum end_use use)
{
    bool has_url = is_url(meant(name));
    aic_buf_text(to, "server = { ");
    add_text(to, "state_dir", conf->setup->state_dir);
    add_text(to, "plugin_dir", conf->setup->plugin_dir);
    aic_buf_text(to, "}; storage = \"end\"; providers = { end = { timeout = \"10m\"; ");
    add_text(to, "plugin", has_url ? "pgsql.so" : "sqlite.so");
    add_text(to, has_url ? "url" : "path", has_url ? name : without_scheme(meant(name)));
    aic_buf_text(to, !has_url && use == END_FOREIGN ? "read_only = true; " : "");
    aic_buf_text(to, !has_url && use == END_WRITE ? "sync = \"normal\"; " : "");
    aic_buf_text(to, "}; };\n");
}

static bool open_address(struct end *end, const struct conf *conf, const char *name,
                         enum end_use use, struct config_problems *problems)
{
    const struct setup_folders folders = {.plugins = conf->setup->plugin_dir,
                                          .state = conf->setup->state_dir,
                                          .data = conf->setup->data_dir};
    struct config *config = NULL;
    struct aic_buf text;
    aic_buf_init(&text, 64 * 1024);
    write_configuration(&text, conf, name, use);
    int32_t status = config_parse(end->what, aic_buf_view(&text), NULL, problems, &config);
    aic_buf_finish(&text);
    end->setup = status == AIC_OK ? setup_create(config, &folders, problems) : NULL;
    return end->setup && problems->errors == 0 && direct_open_storage(&end->direct, end->setup);
}

/* A URL as it may be shown: without user and password. */
static void describe(struct end *end, const char *name)
{
    const char *at = is_url(name) ? strrchr(name, '@') : NULL;
    (void)snprintf(end->what, sizeof(end->what), "%s%s", at ? "postgresql://" : "",
                   at ? at + 1 : name);
}

static bool open_named(struct end *end, const struct conf *conf, const char *name,
                       struct config_problems *problems)
{
    const struct config_pos nowhere = {.file = "--from, --to"};
    const struct setup_provider *provider =
        setup_use(conf->setup, name, "storage", nowhere, problems);
    return provider && problems->errors == 0 &&
           direct_open_provider(&end->direct, conf->setup, provider);
}

bool end_open(struct end *end, const struct conf *conf, const char *name, enum end_use use,
              int *status)
{
    struct config_problems problems = {.list = NULL};
    *end = (struct end){.setup = NULL};
    describe(end, name);
    bool has_address = is_address(conf, name);
    if (has_address && !is_url(meant(name)) && use != END_WRITE &&
        access(without_scheme(meant(name)), R_OK) != 0) {
        (void)fprintf(stderr,
                      "aicaller migrate: %s: there is no such file, or it can not be read\n",
                      end->what);
        *status = EXIT_FAILED;
        return false;
    }
    bool is_open = has_address ? open_address(end, conf, name, use, &problems)
                               : open_named(end, conf, name, &problems);
    *status = is_open ? EXIT_GOOD : EXIT_FAILED;
    if (!is_open) {
        int told = conf_tell(&problems, false);
        *status = told ? told : EXIT_FAILED;
        end_close(end);
    }
    config_problems_finish(&problems);
    return is_open;
}

void end_close(struct end *end)
{
    direct_close(&end->direct);
    setup_destroy(end->setup);
    end->setup = NULL;
}
