/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/direct.h"
#include "cli/end.h"
#include "cli/move.h"
#include "io/control_client.h"

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

static int run_schema(const struct cli_args *args, const struct conf *conf)
{
    struct direct direct;
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    int status = cli_value(&command_migrate, args, "status")
                     ? print_status(&direct, cli_value(&command_migrate, args, "json") != NULL)
                     : migrate(&direct);
    direct_close(&direct);
    return status;
}

/* What a server writes while a database is moved would be missed. */
static bool is_server_running(const struct conf *conf)
{
    struct control *control = NULL;
    bool runs = control_open(conf->setup->state_dir, &control) != AIC_ERROR_NOT_FOUND;
    control_close(control);
    if (runs) {
        (void)fprintf(
            stderr,
            "aicaller migrate: the server in %s still runs, and what it records meanwhile "
            "would be missed: stop it first\n",
            conf->setup->state_dir);
    }
    return runs;
}

static int run_move(const struct cli_args *args, const struct conf *conf)
{
    struct end from;
    struct end to;
    int status = EXIT_FAILED;
    if (is_server_running(conf) ||
        !end_open(&from, conf, cli_value(&command_migrate, args, "from"), END_READ, &status)) {
        return status;
    }
    if (end_open(&to, conf, cli_value(&command_migrate, args, "to"), END_WRITE, &status)) {
        status = move_run(&from, &to, conf->setup->state_dir,
                          cli_value(&command_migrate, args, "json") != NULL);
        end_close(&to);
    }
    end_close(&from);
    return status;
}

/* Options that do not go together; says so. */
static bool is_usage_good(const struct cli_args *args)
{
    bool has_from = cli_value(&command_migrate, args, "from") != NULL;
    bool has_to = cli_value(&command_migrate, args, "to") != NULL;
    bool has_status = cli_value(&command_migrate, args, "status") != NULL;
    if (has_from != has_to) {
        (void)fprintf(stderr, "aicaller migrate: a move needs both --from and --to\n");
        return false;
    }
    if (has_from && has_status) {
        (void)fprintf(stderr, "aicaller migrate: --status goes alone\n");
        return false;
    }
    return true;
}

static int run(const struct cli_args *args)
{
    if (!is_usage_good(args)) {
        return EXIT_USAGE;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_migrate, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    status =
        cli_value(&command_migrate, args, "from") ? run_move(args, conf) : run_schema(args, conf);
    conf_free(conf);
    return status;
}

const struct cli_command command_migrate = {
    .name = "migrate",
    .words = "",
    .summary = "bring the database schema up to date; move to another database",
    .more =
        "With --from and --to everything of one database is written into another, which has to\n"
        "be new, while the server is stopped. WHERE is the name of a provider, or\n"
        "postgresql://..., or the file of a SQLite database, or env:NAME of one of these. A\n"
        "move that was broken off goes on when it is started again.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"status", 0, NULL, "only tell where it stands"},
                {"from", 0, "WHERE", "move: the database to be read"},
                {"to", 0, "WHERE", "move: the database to be filled"},
                {"json", 0, NULL, "the status, or what was moved, as a JSON object"}},
    .run = run,
};
