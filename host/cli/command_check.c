/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int check(const struct cli_args *args)
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

static int tell_crash(const struct cli_args *args, int number)
{
    const char *path = cli_value(&command_check, args, "config");
    struct config_problems problems = {.list = NULL};
    config_problem_add(&problems, (struct config_pos){.file = path ? path : "the configuration"},
                       "a plugin crashed while it was tried: %s", strsignal(number));
    int status = conf_tell(&problems, cli_value(&command_check, args, "json") != NULL);
    config_problems_finish(&problems);
    return status;
}

/* In a child: plugins are the code of others, and one that crashes is no reason to do so too. */
static int run(const struct cli_args *args)
{
    int status = 0;
    log_setup(LOG_FORMAT_AUTO, AIC_LOG_WARN);
    pid_t child = fork();
    if (child == 0) {
        exit(check(args));
    }
    pid_t ended = child;
    do {
        ended = child > 0 ? waitpid(child, &status, 0) : -1;
    } while (ended < 0 && child > 0 && errno == EINTR);
    if (ended < 0) {
        perror("aicaller check");
        return EXIT_FAILED;
    }
    return WIFSIGNALED(status) ? tell_crash(args, WTERMSIG(status)) : WEXITSTATUS(status);
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
