/* SPDX-License-Identifier: ISC */
#include "line_server.h"

#include "base/log.h"

#include "io/control_client.h"
#include "io/master.h"
#include "io/sealed.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONF_BYTES = 1 << 16 };

const char *conf_value(const char *text, const char *key, const char *fallback, char *to,
                       size_t bytes)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && strncmp(line + length, " = ", 3) == 0) {
            const char *value = line + length + 3;
            (void)snprintf(to, bytes, "%.*s", (int)strcspn(value, "\n"), value);
            return to;
        }
        if (!*line) {
            break;
        }
    }
    (void)snprintf(to, bytes, "%s", fallback);
    return to;
}

static int64_t number(const char *text, const char *key, const char *fallback)
{
    char value[32];
    return strtoll(conf_value(text, key, fallback, value, sizeof(value)), NULL, 10);
}

/* The socket to the master; its number is in the environment. */
static int check_socket(void)
{
    const char *text = getenv("AICALLER_CHECK");
    return text ? (int)strtol(text, NULL, 10) : -1;
}

static void misbehave(const char *how)
{
    if (strcmp(how, "crash") == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
        (void)raise(SIGSEGV);
    } else if (strcmp(how, "hang") == 0) {
        for (;;) {
            (void)pause();
        }
    } else if (strcmp(how, "silent") == 0) {
        _exit(0);
    } else if (strcmp(how, "status") == 0) {
        _exit(3);
    } else if (strcmp(how, "garbage") == 0) {
        (void)send(check_socket(), "garbage in many bytes, none of them ours", 40, 0);
        _exit(0);
    } else if (strcmp(how, "closed") == 0) {
        (void)close(check_socket());
        _exit(0);
    }
}

static int check_main(const char *path)
{
    char text[CONF_BYTES] = "";
    char how[64];
    static struct master_check check;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (got < 0) {
        check.problems = AIC_STR("the configuration can not be read\n");
        return master_check_send(&check) == AIC_OK ? 0 : 1;
    }
    conf_value(text, "check", "good", how, sizeof(how));
    misbehave(how);
    check.is_good = strcmp(how, "problem") != 0;
    if (!check.is_good) {
        check.problems = AIC_STR("test.conf:3:9: unknown key \"modle\"; did you mean \"model\"?\n");
    } else if (strcmp(how, "warning") == 0) {
        check.problems = AIC_STR("test.conf:4:1: this is deprecated\n");
    }
    conf_value(text, "listen", "127.0.0.1", check.settings.listen, sizeof(check.settings.listen));
    conf_value(text, "state_dir", "", check.settings.state_dir, sizeof(check.settings.state_dir));
    check.settings.port = number(text, "port", "0");
    check.settings.workers = number(text, "workers", "2");
    check.settings.drain_timeout_ms = number(text, "drain_timeout_ms", "60000");
    check.settings.heartbeat_limit_ms = number(text, "heartbeat_limit_ms", "5000");
    check.settings.log_format = LOG_FORMAT_LOGFMT;
    check.settings.log_level = AIC_LOG_DEBUG;
    check.config = (struct aic_str){text, (size_t)got};
    if (*conf_value(text, "plugin", "", check.plugins[0].name, MASTER_PATH)) {
        check.plugins[0].fd = open(check.plugins[0].name, O_RDONLY | O_CLOEXEC);
        check.plugin_count = 1;
    }
    int32_t status = master_check_send(&check);
    if (strcmp(how, "late crash") == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        abort();
    }
    return status == AIC_OK ? 0 : 1;
}

static int serve_main(char **argv, const char *path)
{
    const char *extra[] = {path, NULL};
    struct master_options options = {
        .binary = argv[0], .argv = argv, .extra = extra, .config_path = path, .workers = -1};
    return master_run(&options);
}

/* control STATE_DIR KIND CALL BODY TIMEOUT_MS: prints the status and the answer. */
static int control_main(char **argv)
{
    struct control *control;
    struct aic_buf answer;
    int32_t status = control_open(argv[0], &control);
    if (status != AIC_OK) {
        (void)printf("open %d\n", (int)status);
        return 1;
    }
    struct control_question question = {.kind = argv[1],
                                        .call_id = argv[2],
                                        .body = aic_str(argv[3]),
                                        .timeout_ms = strtoll(argv[4], NULL, 10)};
    aic_buf_init(&answer, 32 << 20);
    int32_t failed = control_request(control, &question, &status, &answer);
    if (failed != AIC_OK) {
        (void)printf("failed %d\n", (int)failed);
    } else {
        (void)printf("%d %s\n", (int)status, answer.data ? answer.data : "");
    }
    aic_buf_finish(&answer);
    control_close(control);
    return failed == AIC_OK ? 0 : 1;
}

/* tail STATE_DIR PREFIX: prints "subscribed", then each message, until the server ends. */
static int tail_main(char **argv)
{
    struct control *control;
    struct control_message message;
    if (control_open(argv[0], &control) != AIC_OK ||
        control_subscribe(control, argv[1]) != AIC_OK) {
        return 1;
    }
    (void)printf("subscribed\n");
    (void)fflush(stdout);
    int32_t status;
    while ((status = control_next(control, 60000, &message)) == AIC_OK) {
        (void)printf("%s %.*s\n", message.topic, (int)message.body.len, message.body.ptr);
        (void)fflush(stdout);
    }
    control_close(control);
    return status == AIC_ERROR_CLOSED ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "serve") == 0) {
        return serve_main(argv, argv[2]);
    }
    if (argc >= 3 && strcmp(argv[1], MASTER_CHECK_WORD) == 0) {
        return check_main(argv[2]);
    }
    if (argc >= 2 && strcmp(argv[1], MASTER_WORKER_WORD) == 0) {
        return worker_main();
    }
    if (argc == 7 && strcmp(argv[1], "control") == 0) {
        return control_main(argv + 2);
    }
    if (argc == 4 && strcmp(argv[1], "tail") == 0) {
        return tail_main(argv + 2);
    }
    return 2;
}
