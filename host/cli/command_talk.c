/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/app.h"
#include "cli/log_conf.h"

#include "json.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole call with a WAV file as the caller, in this process. */

enum { SPOOL_GRACE_MS = 10000 };

struct talk {
    struct app *app;
    bool as_json;
    bool has_answered; /* the agent was heard in answer to the caller */
    bool has_failed;
    char why[512];
    struct loop_signal *interrupt;
};

static void print_latency(const struct aic_json *message)
{
    const struct aic_json *latency = aic_json_get(message, "latency");
    int64_t response_ms = aic_json_get_int(latency, "response_ms", -1);
    if (response_ms < 0) {
        return;
    }
    (void)printf("        %.2f s after the caller (", (double)response_ms / 1000);

    static const struct {
        const char *key;
        const char *name;
    } stages[] = {{"endpointing_ms", "end of turn"}, {"llm_ms", "answer"}, {"tts_ms", "voice"}};

    const char *between = "";
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        int64_t ms = aic_json_get_int(latency, stages[i].key, -1);
        if (ms >= 0) {
            (void)printf("%s%s %.2f", between, stages[i].name, (double)ms / 1000);
            between = ", ";
        }
    }
    (void)printf(")\n");
}

static void print_message(struct talk *talk, const struct aic_json *message)
{
    struct aic_str type = aic_json_get_text(message, "type");
    struct aic_str text = aic_json_get_text(message, "text");
    if (aic_str_equal(type, "transcript") && aic_json_get_bool(message, "final", false)) {
        (void)printf("caller  %.*s\n", (int)text.len, text.ptr);
    } else if (aic_str_equal(type, "heard")) {
        bool is_cut = aic_json_get_bool(message, "interrupted", false);
        (void)printf("agent   %.*s%s\n", (int)text.len, text.ptr, is_cut ? " ..." : "");
        talk->has_answered =
            talk->has_answered || (text.len > 0 && aic_json_get_int(message, "turn", 0) > 0);
    } else if (aic_str_equal(type, "turn")) {
        print_latency(message);
    } else if (aic_str_equal(type, "ended")) {
        struct aic_str reason = aic_json_get_text(message, "reason");
        (void)printf("(the call has ended: %.*s)\n", (int)reason.len, reason.ptr);
    }
    (void)fflush(stdout);
}

static void notify(void *data, const char *id, struct aic_str json)
{
    struct talk *talk = data;
    (void)id;
    struct aic_json *message = aic_json_parse(json, 0);
    if (talk->as_json) {
        (void)printf("%.*s\n", (int)json.len, json.ptr);
        (void)fflush(stdout);
        talk->has_answered =
            talk->has_answered || (aic_str_equal(aic_json_get_text(message, "type"), "heard") &&
                                   aic_json_get_text(message, "text").len > 0 &&
                                   aic_json_get_int(message, "turn", 0) > 0);
    } else {
        print_message(talk, message);
    }
    aic_json_free(message);
}

static void ended(void *data, const char *id, const struct call *call)
{
    struct talk *talk = data;
    (void)id;
    (void)call;
    loop_stop(talk->app->loop);
}

static void dialed(void *data, const struct calls_dial_result *result)
{
    struct talk *talk = data;
    if (result->status != AIC_OK) {
        talk->has_failed = true;
        (void)snprintf(talk->why, sizeof(talk->why), "%s",
                       result->error ? result->error : "the call failed");
        loop_stop(talk->app->loop);
    }
}

static void interrupted(void *data, int number)
{
    struct talk *talk = data;
    (void)number;
    calls_end_all(talk->app->calls, "interrupted", false);
}

static int make_call(struct talk *talk, const struct cli_args *args)
{
    char path[PATH_MAX];
    char to[PATH_MAX + 8];
    if (!realpath(args->words[0], path)) {
        (void)fprintf(stderr, "aicaller talk: %s: ", args->words[0]);
        perror("");
        return EXIT_FAILED;
    }
    (void)snprintf(to, sizeof(to), "wav:%s", path);
    const struct calls_dial params = {
        .to = to,
        .agent = cli_value(&command_talk, args, "agent"),
        .prompt = {cli_value(&command_talk, args, "prompt"), 0},
        .record_to = cli_value(&command_talk, args, "output"),
        .provider = "wav",
    };
    struct calls_dial complete = params;
    complete.prompt = params.prompt.ptr ? aic_str(params.prompt.ptr) : AIC_STR("");
    talk->interrupt = loop_signal_start(talk->app->loop, SIGINT, interrupted, talk);
    calls_dial(talk->app->calls, &complete, dialed, talk);
    (void)app_run(talk->app);
    loop_signal_stop(talk->interrupt);
    if (talk->has_failed) {
        (void)fprintf(stderr, "aicaller talk: %s\n", talk->why);
    } else if (!talk->has_answered) {
        (void)fprintf(stderr, "aicaller talk: the agent did not answer the caller\n");
    }
    return talk->has_answered && !talk->has_failed ? EXIT_GOOD : EXIT_FAILED;
}

static int run(const struct cli_args *args)
{
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_talk, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    log_setup((enum log_format)log_conf_format(conf),
              cli_value(&command_talk, args, "verbose") ? AIC_LOG_DEBUG : AIC_LOG_WARN);
    struct talk talk = {.as_json = cli_value(&command_talk, args, "json") != NULL};
    const struct app_options options = {
        .conf = conf,
        .extra_carrier = "wav",
        .hooks = {.notify = notify, .ended = ended, .data = &talk},
        .spool_grace_ms = SPOOL_GRACE_MS,
    };
    talk.app = app_create(&options, &status);
    if (talk.app) {
        status = make_call(&talk, args);
    }
    app_destroy(talk.app);
    conf_free(conf);
    return status;
}

const struct cli_command command_talk = {
    .name = "talk",
    .words = "WAV",
    .least_words = 1,
    .most_words = 1,
    .summary = "a whole call with a WAV file as the caller; no server needed",
    .more =
        "The file: one channel, 8000 or 16000 Hz, 16-bit PCM, mu-law or A-law. The call takes as\n"
        "long as a real one. Succeeds only if the agent answered.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"agent", 0, "NAME", "which agent; \"default\" otherwise"},
                {"prompt", 0, "TEXT", "a system prompt for this call"},
                {"output", 'o', "WAV", "record the call: caller left, agent right"},
                {"json", 0, NULL, "what happens, a JSON object per line"},
                {"verbose", 'v', NULL, "log in detail"}},
    .run = run,
};
