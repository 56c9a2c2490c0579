/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"

#include <stdio.h>

static int run(const struct cli_args *args)
{
    bool as_json = cli_value(&command_check, args, "json") != NULL;
    const char *env = cli_value(&command_check, args, "env");
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_check, args, "config"), &problems);
    if (conf) {
        (void)conf_try(conf, &problems);
    }
    int status = conf_tell(&problems, as_json);
    if (conf && status == EXIT_GOOD && !as_json) {
        (void)printf("%s: good, %zu agent%s\n", conf->name, conf->agents.count,
                     conf->agents.count == 1 ? "" : "s");
    }
    config_problems_finish(&problems);
    conf_free(conf);
    return conf ? status : EXIT_BAD_CONFIG;
}

const struct cli_command command_check = {
    .name = "check",
    .words = "",
    .summary = "is this configuration good?",
    .more =
        "Prints a line for each problem, file:line:column first. Nothing is started or changed.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"env", 0, "FILE", "NAME=value lines for env: values"},
                {"json", 0, NULL, "the problems as a JSON array"}},
    .run = run,
};
