/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"
#include "cli/place.h"
#include "cli/top_screen.h"
#include "io/control_client.h"

#include "json.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* A running server, looked at once a second. */

enum { MAX_ANSWER = 16 << 20, TIMEOUT_MS = 5000, EVERY_MS = 1000, COLUMNS = 200, ROWS = 1000 };

static volatile sig_atomic_t is_over;

static void take_signal(int number)
{
    is_over = number != SIGWINCH;
}

struct top {
    struct control *control;
    struct top_data now;
    struct top_data before;
    bool has_before;
    int64_t read_us;
    int64_t spent_us;
    struct aic_buf calls;
    struct termios terminal;
    bool is_screen;
};

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool ask(struct top *top, const char *kind, struct aic_buf *answer)
{
    int32_t status = AIC_OK;
    const struct control_question question = {
        .call_id = "", .kind = kind, .body = AIC_STR(""), .timeout_ms = TIMEOUT_MS};
    aic_buf_clear(answer);
    return control_request(top->control, &question, &status, answer) == AIC_OK && status == AIC_OK;
}

static bool look(struct top *top)
{
    struct aic_buf page;
    int64_t now_us = clock_us(CLOCK_MONOTONIC);
    aic_buf_init(&page, MAX_ANSWER);
    bool is_good = ask(top, "metrics", &page) && ask(top, "calls.list", &top->calls);
    if (is_good) {
        top->has_before = top->read_us > 0;
        top->before = top->now;
        top->spent_us = now_us - top->read_us;
        top->read_us = now_us;
        top_read(&top->now, aic_buf_view(&page));
    }
    aic_buf_finish(&page);
    return is_good;
}

/* Text to standard output, at once. */
static void put(struct aic_str text)
{
    (void)fwrite(text.ptr, 1, text.len, stdout);
    (void)fflush(stdout);
}

static void show(struct top *top, bool as_json)
{
    struct winsize size = {.ws_row = 0};
    struct aic_buf text;
    struct aic_json *calls = aic_json_parse(aic_buf_view(&top->calls), MAX_ANSWER);
    const struct top_view view = {.now = &top->now,
                                  .before = top->has_before ? &top->before : NULL,
                                  .spent_s = (double)top->spent_us / 1e6,
                                  .wall_us = clock_us(CLOCK_REALTIME),
                                  .calls = calls};
    aic_buf_init(&text, MAX_ANSWER);
    if (as_json) {
        top_print_json(&view, &text);
    } else if (top->is_screen) {
        bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;
        aic_buf_text(&text, "\033[H");
        top_print(&view, &text, is_known ? size.ws_col : 80,
                  is_known ? (size_t)size.ws_row - 1 : 23, true);
        aic_buf_text(&text, "\033[J");
    } else {
        top_print(&view, &text, COLUMNS, ROWS, false);
    }
    put(aic_buf_view(&text));
    aic_buf_finish(&text);
    aic_json_free(calls);
}

/* A screen of our own, so that what stood there comes back. */
static void open_screen(struct top *top)
{
    struct sigaction action = {.sa_handler = take_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGWINCH, &action, NULL);
    if (tcgetattr(STDIN_FILENO, &top->terminal) == 0) {
        struct termios raw = top->terminal;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    put(AIC_STR("\033[?1049h\033[?25l\033[H"));
}

static void close_screen(struct top *top)
{
    put(AIC_STR("\033[?25h\033[?1049l"));
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &top->terminal);
}

/* Waits for the next look, a key, or the terminal's new size. */
static void wait_for_next(void)
{
    struct pollfd keyboard = {.fd = STDIN_FILENO, .events = POLLIN};
    char key = '\0';
    if (poll(&keyboard, 1, EVERY_MS) > 0 && read(STDIN_FILENO, &key, 1) == 1) {
        is_over = is_over || key == 'q' || key == 'Q';
    }
}

static int watch(struct top *top)
{
    bool is_good = true;
    open_screen(top);
    while (is_good && !is_over) {
        is_good = look(top);
        if (is_good) {
            show(top, false);
            wait_for_next();
        }
    }
    close_screen(top);
    if (!is_good) {
        (void)fprintf(stderr, "aicaller top: the server has ended\n");
    }
    return is_good ? EXIT_GOOD : EXIT_FAILED;
}

static int look_once(struct top *top, bool as_json)
{
    if (!look(top)) {
        (void)fprintf(stderr, "aicaller top: the server does not answer\n");
        return EXIT_FAILED;
    }
    show(top, as_json);
    return EXIT_GOOD;
}

static int run(const struct cli_args *args)
{
    struct place place;
    struct config_problems problems = {.list = NULL};
    struct top *top = calloc(1, sizeof(*top));
    bool is_good = place_load(&place, cli_value(&command_top, args, "config"), &problems);
    int status = is_good ? EXIT_FAILED : EXIT_BAD_CONFIG;
    if (!is_good) {
        (void)conf_tell(&problems, false);
    }
    if (top && is_good && (top->control = place_connect(&place, "top"))) {
        bool as_json = cli_value(&command_top, args, "json") != NULL;
        bool is_once = as_json || cli_value(&command_top, args, "once") ||
                       isatty(STDOUT_FILENO) != 1 || isatty(STDIN_FILENO) != 1;
        aic_buf_init(&top->calls, MAX_ANSWER);
        top->is_screen = !is_once;
        status = is_once ? look_once(top, as_json) : watch(top);
        aic_buf_finish(&top->calls);
        control_close(top->control);
    }
    config_problems_finish(&problems);
    place_finish(&place);
    free(top);
    return status;
}

const struct cli_command command_top = {
    .name = "top",
    .words = "",
    .summary = "live calls, latency, providers and spool, as they change",
    .more = "On a terminal it goes on until q or Ctrl-C, and times are those of the last second\n"
            "with a turn in it, else since the start; elsewhere it looks once.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"once", 0, NULL, "look once, without a screen"},
                {"json", 0, NULL, "look once, as a JSON object"}},
    .run = run,
};
