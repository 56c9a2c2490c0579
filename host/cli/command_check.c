/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/conf.h"
#include "cli/probe.h"

#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of(const struct cli_args *args)
{
    return cli_value(&command_check, args, "config");
}

static bool is_json(const struct cli_args *args)
{
    return cli_value(&command_check, args, "json") != NULL;
}

static void print_json(const struct probe_results *results, const struct config_problems *problems)
{
    struct aic_buf text;
    struct aic_buf list;
    struct aic_json_writer w;
    aic_buf_init(&text, 1 << 20);
    aic_buf_init(&list, 1 << 20);
    config_problems_print(problems, true, &list);
    aic_json_writer_init(&w, &text);
    aic_json_open(&w, '{');
    aic_json_member_raw(&w, "problems", aic_buf_view(&list));
    aic_json_key(&w, "providers");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < results->count; i++) {
        probe_result_write(&results->list[i], &w);
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    (void)printf("%s\n", text.data);
    aic_buf_finish(&list);
    aic_buf_finish(&text);
}

/* Asks the vendors, too. */
static int check_deep(struct conf *conf, const struct config_problems *problems, bool as_json)
{
    struct probe_results *results = probes_run(conf);
    if (!results) {
        (void)fprintf(stderr, "aicaller check: out of memory\n");
        return EXIT_FAILED;
    }
    for (size_t i = 0; !as_json && i < results->count; i++) {
        probe_result_print(&results->list[i]);
    }
    if (as_json) {
        print_json(results, problems);
    } else {
        (void)conf_tell(problems, false);
    }
    int status = results->failed > 0 ? EXIT_FAILED : EXIT_GOOD;
    free(results);
    return status;
}

static int check(const struct cli_args *args)
{
    const char *env = cli_value(&command_check, args, "env");
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(path_of(args), &problems);
    if (conf) {
        (void)conf_try(conf, &problems);
    }
    int status = EXIT_BAD_CONFIG;
    if (conf && problems.errors == 0 && cli_value(&command_check, args, "deep")) {
        status = check_deep(conf, &problems, is_json(args));
    } else {
        int told = conf_tell(&problems, is_json(args));
        status = conf ? told : EXIT_BAD_CONFIG;
    }
    if (conf && status == EXIT_GOOD && !is_json(args)) {
        (void)printf("%s: good, %zu agent%s\n", conf->name, conf->agents.count,
                     conf->agents.count == 1 ? "" : "s");
    }
    config_problems_finish(&problems);
    conf_free(conf);
    return status;
}

static int tell_crash(const struct cli_args *args, int number)
{
    const char *path = path_of(args);
    struct config_problems problems = {.list = NULL};
    config_problem_add(&problems, (struct config_pos){.file = path ? path : "the configuration"},
                       "a plugin crashed while it was tried: %s", strsignal(number));
    int status = conf_tell(&problems, is_json(args));
    config_problems_finish(&problems);
    return status;
}

/* In a child: plugins are the code of others, and one that crashes is no reason to do so too. */
static int run(const struct cli_args *args)
{
    int status = 0;
    bool is_deep = cli_value(&command_check, args, "deep") != NULL;
    log_setup(LOG_FORMAT_AUTO, is_deep ? AIC_LOG_ERROR : AIC_LOG_WARN);
    pid_t child = fork();
    if (child == 0) {
        exit(check(args));
    }
    pid_t ended;
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
        "Prints a line for each problem, file:line:column first. Nothing is started or changed.\n"
        "With --deep each vendor that an agent uses is asked whether key, model and voice work;\n"
        "that costs nothing, or next to nothing. Exit status 1: one of them does not.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"env", 0, "FILE", "NAME=value lines for env: values"},
                {"deep", 0, NULL, "also ask the vendors"},
                {"json", 0, NULL, "the problems as a JSON array; with --deep an object"}},
    .run = run,
};
