/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/direct.h"
#include "cli/end.h"
#include "cli/import.h"
#include "cli/move.h"
#include "io/control_client.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A new file that its owner alone can read. */
static FILE *make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        (void)fprintf(stderr, "aicaller migrate: %s: %s\n", path, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return file;
}

static bool open_target(struct end *to, const struct cli_args *args, const struct conf *conf,
                        int *status)
{
    const char *name = cli_value(&command_migrate, args, "to");
    if (!end_open(to, conf, name ? name : conf->setup->storage, END_WRITE, status)) {
        return false;
    }
    if (!direct_prepare(&to->direct)) {
        *status = EXIT_FAILED;
        end_close(to);
        return false;
    }
    return true;
}

static int run_import(const struct cli_args *args, const struct conf *conf)
{
    const char *skipped = cli_value(&command_migrate, args, "skipped");
    bool is_dry = cli_value(&command_migrate, args, "dry-run") != NULL;
    struct end from;
    struct end to = {.setup = NULL};
    int status = EXIT_FAILED;
    struct import_options options = {.from = &from,
                                     .to = is_dry ? NULL : &to,
                                     .prefix = cli_value(&command_migrate, args, "prefix"),
                                     .as_json = cli_value(&command_migrate, args, "json") != NULL};
    if (!end_open(&from, conf, cli_value(&command_migrate, args, "import"), END_FOREIGN, &status)) {
        return status;
    }
    options.skipped = skipped ? make_file(skipped) : NULL;
    if ((!skipped || options.skipped) && (is_dry || open_target(&to, args, conf, &status))) {
        status = import_run(&options);
        if (!is_dry) {
            end_close(&to);
        }
    }
    if (options.skipped && fclose(options.skipped) != 0) {
        status = EXIT_FAILED;
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
    if (cli_value(&command_migrate, args, "import")) {
        if (has_from || has_status) {
            (void)fprintf(stderr, "aicaller migrate: --import goes without --from and --status\n");
        }
        return !has_from && !has_status;
    }
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
    if (cli_value(&command_migrate, args, "import")) {
        status = run_import(args, conf);
    } else {
        status = cli_value(&command_migrate, args, "from") ? run_move(args, conf)
                                                           : run_schema(args, conf);
    }
    conf_free(conf);
    return status;
}

const struct cli_command command_migrate = {
    .name = "migrate",
    .words = "",
    .summary = "bring the database schema up to date; move to another database; import",
    .more =
        "With --from and --to everything of one database is written into another, which has to\n"
        "be new, while the server is stopped. A move that was broken off goes on when it is\n"
        "started again. With --import the calls of the Python application that stood here\n"
        "before are read out of its database; doing so twice changes nothing. WHERE is the name\n"
        "of a provider, or postgresql://..., or the file of a SQLite database, or env:NAME of\n"
        "one of these.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"status", 0, NULL, "only tell where it stands"},
                {"from", 0, "WHERE", "move: the database to be read"},
                {"to", 0, "WHERE", "the database to be filled; of an import: else the storage"},
                {"import", 0, "WHERE", "the database of the Python application"},
                {"prefix", 0, "NAME", "import: what its tables' names begin with, else found"},
                {"dry-run", 0, NULL, "import: only count"},
                {"skipped", 0, "FILE", "import: write down the rows that were not taken"},
                {"json", 0, NULL, "what came of it as a JSON object"}},
    .run = run,
};
