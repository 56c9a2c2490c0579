/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/direct.h"

#include "json.h"

#include <stdio.h>

static void print_step(void *data, int64_t version, const char *name)
{
    (void)data;
    (void)printf("%03lld %s\n", (long long)version, name);
    (void)fflush(stdout);
}

static int print_status(struct direct *direct, bool as_json)
{
    const struct provider *provider = direct->provider;
    struct aic_migration migration = {.size = sizeof(migration), .pending = AIC_STR("[]")};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.migration(provider->self, &migration, &error);
    if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller migrate: %.*s\n", (int)error.message.len,
                      error.message.ptr);
        return EXIT_FAILED;
    }
    if (as_json) {
        (void)printf("{\"current\":%lld,\"latest\":%lld,\"pending\":%.*s}\n",
                     (long long)migration.current, (long long)migration.latest,
                     (int)migration.pending.len, migration.pending.ptr);
    } else {
        (void)printf("version %lld of %lld%s\n", (long long)migration.current,
                     (long long)migration.latest,
                     migration.current < migration.latest ? "; run aicaller migrate" : "");
    }
    return EXIT_GOOD;
}

static int migrate(struct direct *direct)
{
    const struct provider *provider = direct->provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    int32_t status = provider->storage.migrate(provider->self, print_step, NULL, &error);
    if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller migrate: %.*s\n", (int)error.message.len,
                      error.message.ptr);
        return EXIT_FAILED;
    }
    (void)printf("the database is up to date\n");
    return EXIT_GOOD;
}

static int run(const struct cli_args *args)
{
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_migrate, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    struct direct direct;
    status = EXIT_FAILED;
    if (direct_open(&direct, conf)) {
        bool only_status = cli_value(&command_migrate, args, "status") != NULL;
        status = only_status
                     ? print_status(&direct, cli_value(&command_migrate, args, "json") != NULL)
                     : migrate(&direct);
        direct_close(&direct);
    }
    conf_free(conf);
    return status;
}

const struct cli_command command_migrate = {
    .name = "migrate",
    .words = "",
    .summary = "bring the database schema up to date",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"status", 0, NULL, "only tell where it stands"},
                {"json", 0, NULL, "the status as a JSON object"}},
    .run = run,
};
