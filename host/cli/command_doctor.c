/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/doctor.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[] = {"ok", "warn", "fail"};

static void take_problems(struct doctor *doctor, const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->list[i];
        doctor_bad(doctor, problem->is_warning ? FINDING_WARN : FINDING_FAIL, "configuration",
                   "mend that line; aicaller check tells when it is good", "%s:%d:%d: %s",
                   problem->pos.file, problem->pos.line, problem->pos.column, problem->text);
    }
}

/* Returns whether the configuration can be used. */
static bool look(struct doctor *doctor, const char *path)
{
    struct config_problems problems = {.list = NULL};
    struct place place;
    bool has_place = place_load(&place, path, &problems);
    struct conf *conf = NULL;
    if (has_place) {
        doctor_look_here(doctor, &place);
        conf = conf_load(path, &problems);
    }
    if (conf) {
        (void)conf_try(conf, &problems);
    }
    bool is_good = conf && problems.errors == 0;
    take_problems(doctor, &problems);
    if (is_good) {
        doctor_ok(doctor, "configuration", "%s: %zu agent%s", conf->name, conf->agents.count,
                  conf->agents.count == 1 ? "" : "s");
        doctor_look_at_conf(doctor, conf, &place);
        doctor_look_outside(doctor, conf);
    }
    config_problems_finish(&problems);
    conf_free(conf);
    if (has_place) {
        place_finish(&place);
    }
    return is_good;
}

static void print_json(const struct doctor *doctor)
{
    struct aic_buf text;
    struct aic_json_writer w;
    aic_buf_init(&text, 1 << 20);
    aic_json_writer_init(&w, &text);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "failures", (int64_t)doctor->failures);
    aic_json_member_int(&w, "warnings", (int64_t)doctor->warnings);
    aic_json_key(&w, "findings");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->list[i];
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "state", state_names[finding->state]);
        aic_json_member_text(&w, "what", finding->what);
        aic_json_member_text(&w, "seen", finding->seen);
        if (finding->remedy) {
            aic_json_member_text(&w, "remedy", finding->remedy);
        }
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    (void)printf("%s\n", text.data);
    aic_buf_finish(&text);
}

static void print_lines(const struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        const struct finding *finding = &doctor->list[i];
        (void)printf("%-4s  %-13s  %s\n", state_names[finding->state], finding->what,
                     finding->seen);
        if (finding->remedy) {
            (void)printf("%21s%s\n", "", finding->remedy);
        }
    }
    (void)printf("%zu failure%s, %zu warning%s\n", doctor->failures,
                 doctor->failures == 1 ? "" : "s", doctor->warnings,
                 doctor->warnings == 1 ? "" : "s");
}

static int run(const struct cli_args *args)
{
    const char *env = cli_value(&command_doctor, args, "env");
    struct doctor *doctor = calloc(1, sizeof(*doctor));
    if (!doctor || (env && conf_read_env(env) != 0)) {
        free(doctor);
        return EXIT_FAILED;
    }
    log_setup(LOG_FORMAT_AUTO, AIC_LOG_ERROR);
    bool is_good = look(doctor, cli_value(&command_doctor, args, "config"));
    (cli_value(&command_doctor, args, "json") ? print_json : print_lines)(doctor);
    int status = !is_good ? EXIT_BAD_CONFIG : doctor->failures > 0 ? EXIT_FAILED : EXIT_GOOD;
    doctor_finish(doctor);
    free(doctor);
    return status;
}

const struct cli_command command_doctor = {
    .name = "doctor",
    .words = "",
    .summary = "find what stops calls from working, and say how to mend it",
    .more =
        "Looks at this machine, at the vendors and their keys, at the public address and at where\n"
        "the carrier's number leads. Nothing is changed, and nothing is contacted but what the\n"
        "configuration names. Exit status 1: something fails; warnings do not count.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"env", 0, "FILE", "NAME=value lines for env: values"},
                {"json", 0, NULL, "as a JSON object"}},
    .run = run,
};
