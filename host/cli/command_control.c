/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"
#include "cli/direct.h"
#include "cli/place.h"
#include "io/control_client.h"

#include "base/uuid.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Commands that look at and act on a running server, through its control socket. */

enum { MAX_ANSWER = 16 << 20, TIMEOUT_MS = 10000 };

/* The line to the running server; NULL after saying why there is none, with the exit status. */
static struct control *reach(const struct cli_command *command, const struct cli_args *args,
                             int *status)
{
    struct place place;
    struct config_problems problems = {.list = NULL};
    bool is_good = place_load(&place, cli_value(command, args, "config"), &problems);
    *status = is_good ? EXIT_FAILED : EXIT_BAD_CONFIG;
    if (!is_good) {
        (void)conf_tell(&problems, false);
    }
    struct control *control = is_good ? place_connect(&place, command->name) : NULL;
    config_problems_finish(&problems);
    place_finish(&place);
    return control;
}

/* Asks once; 0 and the answer, or a status after saying what went wrong. */
static int32_t ask(struct control *control, const char *command, const char *call_id,
                   const char *kind, struct aic_str body, struct aic_buf *answer)
{
    int32_t status = AIC_OK;
    const struct control_question question = {
        .call_id = call_id, .kind = kind, .body = body, .timeout_ms = TIMEOUT_MS};
    int32_t result = control_request(control, &question, &status, answer);
    if (result != AIC_OK) {
        (void)fprintf(stderr, "aicaller %s: the server does not answer\n", command);
        return result;
    }
    return status;
}

static void print_call_line(const struct aic_json *call)
{
    static const char *const columns[] = {"call_id", "agent", "direction", "from", "to", "state"};
    static const int widths[] = {36, 12, 8, 16, 16, 8};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct aic_str text = aic_json_get_text(call, columns[i]);
        (void)printf("%-*.*s  ", widths[i], (int)text.len, text.ptr);
    }
    int64_t since_ms = aic_json_get_int(call, "since_ms", 0);
    int64_t seconds = since_ms > 0 ? (int64_t)time(NULL) - since_ms / 1000 : 0;
    (void)printf("%lld:%02lld\n", (long long)(seconds / 60), (long long)(seconds % 60));
}

static int run_calls(const struct cli_args *args)
{
    int status = EXIT_FAILED;
    struct control *control = reach(&command_calls, args, &status);
    struct aic_buf answer;
    aic_buf_init(&answer, MAX_ANSWER);
    if (control && ask(control, "calls", "", "calls.list", AIC_STR(""), &answer) == AIC_OK) {
        status = EXIT_GOOD;
        struct aic_json *root = aic_json_parse(aic_buf_view(&answer), MAX_ANSWER);
        if (cli_value(&command_calls, args, "json")) {
            (void)printf("%s\n", answer.data);
        } else if (aic_json_count(root) == 0) {
            (void)fprintf(stderr, "no live calls\n");
        }
        for (size_t i = 0; !cli_value(&command_calls, args, "json") && i < aic_json_count(root);
             i++) {
            print_call_line(aic_json_at(root, i));
        }
        aic_json_free(root);
    }
    aic_buf_finish(&answer);
    control_close(control);
    return status;
}

const struct cli_command command_calls = {
    .name = "calls",
    .words = "",
    .summary = "the live calls of the running server",
    .options = {{"config", 'c', "FILE", "the configuration"}, {"json", 0, NULL, "as a JSON array"}},
    .run = run_calls,
};

static int run_hangup(const struct cli_args *args)
{
    int status = EXIT_FAILED;
    struct control *control = reach(&command_hangup, args, &status);
    struct aic_buf answer;
    aic_buf_init(&answer, MAX_ANSWER);
    if (control) {
        int32_t result = ask(control, "hangup", args->words[0], "call.hangup",
                             AIC_STR("{\"reason\":\"hung_up_by_operator\"}"), &answer);
        if (result == AIC_ERROR_NOT_FOUND) {
            (void)fprintf(stderr, "aicaller hangup: no live call %s\n", args->words[0]);
        }
        status = result == AIC_OK ? EXIT_GOOD : EXIT_FAILED;
    }
    aic_buf_finish(&answer);
    control_close(control);
    return status;
}

const struct cli_command command_hangup = {
    .name = "hangup",
    .words = "ID",
    .least_words = 1,
    .most_words = 1,
    .summary = "end a live call",
    .options = {{"config", 'c', "FILE", "the configuration"}},
    .run = run_hangup,
};

static int run_call(const struct cli_args *args)
{
    int status = EXIT_FAILED;
    struct control *control = reach(&command_call, args, &status);
    struct aic_buf body;
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&body, 64 * 1024);
    aic_buf_init(&answer, MAX_ANSWER);
    aic_json_writer_init(&w, &body);
    const char *agent = cli_value(&command_call, args, "agent");
    const char *prompt = cli_value(&command_call, args, "prompt");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "to", args->words[0]);
    aic_json_member_text(&w, "agent", agent ? agent : "");
    aic_json_member_text(&w, "prompt", prompt ? prompt : "");
    aic_json_close(&w, '}');
    if (control && ask(control, "call", "", "call.dial", aic_buf_view(&body), &answer) == AIC_OK) {
        struct aic_json *root = aic_json_parse(aic_buf_view(&answer), 0);
        struct aic_str error = aic_json_get_text(root, "error");
        struct aic_str id = aic_json_get_text(root, "call_id");
        bool is_good = aic_str_equal(aic_json_get_text(root, "status"), "queued");
        status = is_good ? EXIT_GOOD : EXIT_FAILED;
        if (cli_value(&command_call, args, "json")) {
            (void)printf("%s\n", answer.data);
        } else if (is_good) {
            (void)printf("%.*s\n", (int)id.len, id.ptr);
        } else {
            (void)fprintf(stderr, "aicaller call: %.*s\n", (int)error.len, error.ptr);
        }
        aic_json_free(root);
    }
    aic_buf_finish(&body);
    aic_buf_finish(&answer);
    control_close(control);
    return status;
}

const struct cli_command command_call = {
    .name = "call",
    .words = "NUMBER",
    .least_words = 1,
    .most_words = 1,
    .summary = "dial through the running server; wav:FILE is a recorded caller there",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"agent", 0, "NAME", "which agent; \"default\" otherwise"},
                {"prompt", 0, "TEXT", "a system prompt for this call"},
                {"json", 0, NULL, "the answer as a JSON object"}},
    .run = run_call,
};

/* What happens, as it happens. */

static void print_news(const char *id, struct aic_str body, bool as_json)
{
    if (as_json) {
        (void)printf("{\"call_id\":\"%s\",\"event\":%.*s}\n", id, (int)body.len, body.ptr);
        return;
    }
    struct aic_json *message = aic_json_parse(body, 0);
    struct aic_str type = aic_json_get_text(message, "type");
    struct aic_str text = aic_json_get_text(message, "text");
    bool is_final = aic_json_get_bool(message, "final", false);
    if (aic_str_equal(type, "transcript") && is_final) {
        (void)printf("%.8s  caller  %.*s\n", id, (int)text.len, text.ptr);
    } else if (aic_str_equal(type, "heard")) {
        (void)printf("%.8s  agent   %.*s\n", id, (int)text.len, text.ptr);
    } else if (aic_str_equal(type, "ended")) {
        struct aic_str reason = aic_json_get_text(message, "reason");
        (void)printf("%.8s  ended   %.*s\n", id, (int)reason.len, reason.ptr);
    }
    aic_json_free(message);
}

static bool is_end(struct aic_str body)
{
    struct aic_json *message = aic_json_parse(body, 0);
    bool ends = aic_str_equal(aic_json_get_text(message, "type"), "ended");
    aic_json_free(message);
    return ends;
}

/* Whether there is a live call whose id begins like this; says so if not. */
static bool is_live(struct control *control, const char *id)
{
    struct aic_buf answer;
    bool found = false;
    aic_buf_init(&answer, MAX_ANSWER);
    int32_t status = ask(control, "tail", "", "calls.list", AIC_STR(""), &answer);
    if (status == AIC_OK) {
        struct aic_json *root = aic_json_parse(aic_buf_view(&answer), MAX_ANSWER);
        for (size_t i = 0; i < aic_json_count(root) && !found; i++) {
            found = aic_str_starts(aic_json_get_text(aic_json_at(root, i), "call_id"), id);
        }
        aic_json_free(root);
        if (!found) {
            (void)fprintf(stderr, "aicaller tail: no live call %s\n", id);
        }
    }
    aic_buf_finish(&answer);
    return found;
}

static int run_tail(const struct cli_args *args)
{
    int status = EXIT_FAILED;
    struct control *control = reach(&command_tail, args, &status);
    const char *id = args->word_count > 0 ? args->words[0] : "";
    char prefix[128];
    (void)snprintf(prefix, sizeof(prefix), "call.%s", id);
    bool as_json = cli_value(&command_tail, args, "json") != NULL;
    bool goes_on =
        control && (!id[0] || is_live(control, id)) && control_subscribe(control, prefix) == AIC_OK;
    status = goes_on ? EXIT_GOOD : status;
    while (goes_on) {
        struct control_message message;
        int32_t result = control_next(control, 60000, &message);
        if (result == AIC_OK) {
            print_news(message.topic + strlen("call."), message.body, as_json);
            (void)fflush(stdout);
        }
        bool is_over = result == AIC_OK && id[0] && is_end(message.body);
        goes_on = (result == AIC_OK && !is_over) || result == AIC_ERROR_TIMEOUT;
    }
    control_close(control);
    return status;
}

const struct cli_command command_tail = {
    .name = "tail",
    .words = "[ID]",
    .least_words = 0,
    .most_words = 1,
    .summary = "what is said in live calls, as it is said",
    .more = "With an ID, or how it begins, what is said in that call, to its end.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"json", 0, NULL, "everything that happens, a JSON object per line"}},
    .run = run_tail,
};

/* A call of the records, from the server or straight from the database. */

static bool query(const struct conf *conf, struct control *control, const char *name,
                  const char *key, const char *id, struct aic_buf *rows)
{
    struct aic_buf body;
    struct aic_json_writer w;
    aic_buf_init(&body, 8192);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, key, id);
    aic_json_close(&w, '}');
    bool is_good = direct_query(conf, control, name, aic_buf_view(&body), rows) == AIC_OK;
    aic_buf_finish(&body);
    return is_good;
}

static void print_messages(const struct aic_json *messages)
{
    for (size_t i = 0; i < aic_json_count(messages); i++) {
        const struct aic_json *message = aic_json_at(messages, i);
        struct aic_str role = aic_json_get_text(message, "role");
        struct aic_str heard = aic_json_get_text(message, "heard");
        struct aic_str content = aic_json_get_text(message, "content");
        bool is_agent = aic_str_equal(role, "assistant");
        struct aic_str text = is_agent ? heard : content;
        (void)printf("%-9.*s %.*s%s\n", (int)role.len, role.ptr, (int)text.len, text.ptr,
                     is_agent && heard.len < content.len ? " ..." : "");
    }
}

static int print_call(const struct conf *conf, struct control *control, const char *id,
                      bool as_json)
{
    struct aic_buf rows;
    struct aic_buf messages;
    aic_buf_init(&rows, MAX_ANSWER);
    aic_buf_init(&messages, MAX_ANSWER);
    bool is_good = query(conf, control, "call", "id", id, &rows);
    struct aic_json *root = is_good ? aic_json_parse(aic_buf_view(&rows), MAX_ANSWER) : NULL;
    const struct aic_json *call = aic_json_at(root, 0);
    char call_id[UUID_TEXT] = "";
    (void)aic_str_copy(aic_json_get_text(call, "call_id"), call_id, sizeof(call_id));
    is_good = call && query(conf, control, "messages", "call_id", call_id, &messages);
    struct aic_json *said = is_good ? aic_json_parse(aic_buf_view(&messages), MAX_ANSWER) : NULL;
    if (!is_good) {
        (void)fprintf(stderr, "aicaller show: no call %s in the records\n", id);
    } else if (as_json) {
        struct aic_str text = aic_json_print(call);
        (void)printf("{\"call\":%.*s,\"messages\":%s}\n", (int)text.len, text.ptr, messages.data);
    } else {
        static const char *const keys[] = {"call_id", "status",     "end_reason",
                                           "agent",   "started_at", "answered_at"};
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            struct aic_str text = aic_json_get_text(call, keys[i]);
            (void)printf("%-12s %.*s\n", keys[i], (int)text.len, text.ptr);
        }
        (void)printf("\n");
        print_messages(said);
    }
    aic_json_free(said);
    aic_json_free(root);
    aic_buf_finish(&rows);
    aic_buf_finish(&messages);
    return is_good ? EXIT_GOOD : EXIT_FAILED;
}

static int run_show(const struct cli_args *args)
{
    const char *path = cli_value(&command_show, args, "config");
    bool as_json = cli_value(&command_show, args, "json") != NULL;
    struct config_problems problems = {.list = NULL};
    struct place place;
    struct control *control = NULL;
    struct conf *conf = NULL;
    if (place_load(&place, path, &problems)) {
        (void)control_open(place.state_dir, &control);
    }
    /* Without a server its database is asked, and that takes the whole configuration. */
    if (!control && problems.errors == 0) {
        conf = conf_load(path, &problems);
    }
    int status = control || conf ? print_call(conf, control, args->words[0], as_json)
                                 : conf_tell(&problems, false);
    config_problems_finish(&problems);
    place_finish(&place);
    control_close(control);
    conf_free(conf);
    return status;
}

const struct cli_command command_show = {
    .name = "show",
    .words = "ID",
    .least_words = 1,
    .most_words = 1,
    .summary = "a call of the records: what was said",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"json", 0, NULL, "as a JSON object"}},
    .run = run_show,
};
