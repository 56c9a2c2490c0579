/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/app.h"
#include "cli/log_conf.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Typing to an agent in the terminal. */

enum { MAX_LINE = 8192, SPOOL_GRACE_MS = 10000 };

struct console {
    struct app *app;
    const char *agent;
    bool as_json;
    bool is_waiting; /* for the agent */
    bool has_ended;  /* no more lines */
    bool has_failed;
    char session[UUID_TEXT];
    struct aic_buf input;
    struct loop_watch *watch;
};

static void next_line(struct console *console);

static void prompt(const struct console *console)
{
    if (!console->as_json && isatty(STDIN_FILENO)) {
        (void)printf("you     ");
        (void)fflush(stdout);
    }
}

static void print_reply(const struct console *console, const char *session, struct aic_str text)
{
    if (!console->as_json) {
        (void)printf("agent   %.*s\n", (int)text.len, text.ptr);
        return;
    }
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 1 << 20);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member(&w, "reply", text);
    aic_json_member_text(&w, "session", session);
    aic_json_close(&w, '}');
    (void)printf("%s\n", buf.data);
    aic_buf_finish(&buf);
}

static void chatted(void *data, int32_t status, const char *session, struct aic_str text,
                    struct aic_str audio)
{
    struct console *console = data;
    (void)audio;
    console->is_waiting = false;
    if (status != AIC_OK) {
        console->has_failed = status != AIC_ERROR_CLOSED && status != AIC_ERROR_NOT_FOUND;
        (void)fprintf(stderr, "(the conversation has ended)\n");
        loop_stop(console->app->loop);
        return;
    }
    (void)aic_str_copy(aic_str(session), console->session, sizeof(console->session));
    print_reply(console, session, text);
    (void)fflush(stdout);
    next_line(console);
}

/* Takes one whole line off the input; false when there is none. */
static bool take_line(struct console *console, struct aic_buf *line)
{
    struct aic_str input = aic_buf_view(&console->input);
    const char *end = input.len ? memchr(input.ptr, '\n', input.len) : NULL;
    if (!end && !(console->has_ended && input.len > 0)) {
        return false;
    }
    size_t length = end ? (size_t)(end - input.ptr) : input.len;
    aic_buf_add(line, input.ptr, length);
    aic_buf_drop(&console->input, end ? length + 1 : length);
    return true;
}

static bool is_blank(struct aic_str line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr(" \t\r", line.ptr[i])) {
            return false;
        }
    }
    return true;
}

static void next_line(struct console *console)
{
    struct aic_buf line;
    aic_buf_init(&line, MAX_LINE);
    bool has_line = take_line(console, &line);
    while (has_line && is_blank(aic_buf_view(&line))) {
        aic_buf_clear(&line);
        has_line = take_line(console, &line);
    }
    if (has_line) {
        console->is_waiting = true;
        const struct calls_line typed = {.session = aic_str(console->session),
                                         .agent = console->agent,
                                         .message = aic_buf_view(&line)};
        calls_chat(console->app->calls, &typed, chatted, console);
    } else if (console->has_ended) {
        loop_stop(console->app->loop);
    } else {
        prompt(console);
    }
    aic_buf_finish(&line);
}

static void readable(void *data)
{
    struct console *console = data;
    char bytes[4096];
    ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        console->has_ended = true;
        loop_watch_stop(console->watch);
        console->watch = NULL;
    } else if (aic_buf_add(&console->input, bytes, (size_t)count) != AIC_OK) {
        aic_buf_clear(&console->input);
        (void)fprintf(stderr, "(too much at once; left out)\n");
    }
    if (!console->is_waiting) {
        next_line(console);
    }
}

/* A regular file can not be waited for: it is read at once. */
static void read_file(void *data)
{
    struct console *console = data;
    while (!console->has_ended) {
        readable(console);
    }
}

static int converse(struct console *console)
{
    const struct agent *agent = agents_find(&console->app->conf->agents, console->agent);
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    if (!agent) {
        (void)fprintf(stderr, "aicaller console: no agent \"%s\"\n",
                      console->agent ? console->agent : "default");
        return EXIT_FAILED;
    }
    aic_buf_init(&console->input, 1 << 20);
    if (!console->as_json && agent->greeting[0]) {
        (void)printf("agent   %s\n", agent->greeting);
    }
    prompt(console);
    console->watch = loop_watch_start(console->app->loop, STDIN_FILENO, readable, console);
    if (!console->watch) {
        (void)sched_post(console->app->sched, read_file, console);
    }
    (void)app_run(console->app);
    loop_watch_stop(console->watch);
    aic_buf_finish(&console->input);
    (void)fcntl(STDIN_FILENO, F_SETFL, flags);
    return console->has_failed ? EXIT_FAILED : EXIT_GOOD;
}

static int run(const struct cli_args *args)
{
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_console, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    log_setup((enum log_format)log_conf_format(conf), AIC_LOG_WARN);
    struct console console = {.agent = cli_value(&command_console, args, "agent"),
                              .as_json = cli_value(&command_console, args, "json") != NULL};
    const struct app_options options = {.conf = conf, .spool_grace_ms = SPOOL_GRACE_MS};
    console.app = app_create(&options, &status);
    if (console.app) {
        status = converse(&console);
    }
    app_destroy(console.app);
    conf_free(conf);
    return status;
}

const struct cli_command command_console = {
    .name = "console",
    .words = "",
    .summary = "type to an agent in the terminal",
    .more = "Lines from standard input; the end of the input (Ctrl-D) ends the conversation.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"agent", 0, "NAME", "which agent; \"default\" otherwise"},
                {"json", 0, NULL, "answers as JSON objects, one a line"}},
    .run = run,
};
