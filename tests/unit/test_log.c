/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include "buf.h"
#include "json.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Both ends of a pipe that the log writes to. */
struct pipe_ends {
    int in;
    int out;
};

static struct pipe_ends open_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    log_redirect(ends[1]);
    return (struct pipe_ends){ends[0], ends[1]};
}

static void close_pipe(struct pipe_ends ends)
{
    log_redirect(STDERR_FILENO);
    close(ends.in);
    close(ends.out);
}

/* All that lies in the pipe, or up to the room there is. */
static size_t drain(int fd, char *to, size_t bytes)
{
    size_t length = 0;
    while (length < bytes - 1) {
        ssize_t got = read(fd, to + length, bytes - 1 - length);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
    }
    to[length] = '\0';
    return length;
}

static void test_a_pipe_gets_json_and_only_enabled_levels(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    log_setup(LOG_FORMAT_AUTO, AIC_LOG_INFO);
    log_debug("call", "not shown", LOG_I("n", 1));
    log_info("call", "answered", LOG_S("call", "c1"));
    char text[4096];
    size_t length = drain(ends.in, text, sizeof(text));
    struct aic_json *json = aic_json_parse((struct aic_str){text, length}, 0);
    assert_non_null(json);
    assert_true(aic_str_equal(aic_json_get_text(json, "msg"), "answered"));
    assert_true(aic_str_equal(aic_json_get_text(json, "call"), "c1"));
    aic_json_free(json);

    log_setup(LOG_FORMAT_LOGFMT, AIC_LOG_DEBUG);
    assert_true(log_enabled(AIC_LOG_DEBUG));
    log_debug("call", "shown", LOG_I("n", 1));
    (void)drain(ends.in, text, sizeof(text));
    assert_non_null(strstr(text, " level=debug area=call msg=shown n=1\n"));
    log_setup(LOG_FORMAT_AUTO, AIC_LOG_INFO);
    close_pipe(ends);
}

static void test_a_terminal_gets_logfmt(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip();
    }
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(terminal >= 0);
    log_redirect(terminal);
    log_text(AIC_LOG_WARN, "area", "number %d", 5);
    char text[4096];
    (void)drain(master, text, sizeof(text));
    assert_non_null(strstr(text, "level=warn area=area msg=\"number 5\""));
    /* The descriptor that others share stays as it was. */
    assert_int_equal(fcntl(terminal, F_GETFL) & O_NONBLOCK, 0);
    log_redirect(STDERR_FILENO);
    close(terminal);
    close(master);
}

static void test_the_worker_is_named(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    log_set_worker(3, 12);
    log_text(AIC_LOG_INFO, "area", "x");
    log_set_worker(-1, 0);
    log_text(AIC_LOG_INFO, "area", "y");
    char text[4096];
    (void)drain(ends.in, text, sizeof(text));
    char *second = strchr(text, '\n') + 1;
    assert_non_null(strstr(text, "\"worker\":3,\"generation\":12,"));
    assert_null(strstr(second, "worker"));
    close_pipe(ends);
}

static void test_secrets_are_hidden_in_lines_and_pages(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    log_add_secret("sk-log-secret");
    log_add_secret(NULL);
    log_text(AIC_LOG_INFO, "area", "key %s of %s", "sk-log-secret", "+49151234567");
    char text[4096];
    (void)drain(ends.in, text, sizeof(text));
    assert_non_null(strstr(text, "\"msg\":\"key *** of +49151*****67\""));
    char shown[32];
    assert_int_equal(log_mask(shown, sizeof(shown), AIC_STR("=sk-log-secret=")), 5);
    assert_string_equal(shown, "=***=");
    close_pipe(ends);
}

static void test_a_secret_at_the_end_of_a_cut_text_is_hidden(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    log_add_secret("sk-log-secret");
    char filling[4091];
    memset(filling, 'a', sizeof(filling) - 1);
    filling[sizeof(filling) - 1] = '\0';
    log_text(AIC_LOG_INFO, "area", "%ssk-log-secret", filling);
    char text[10000];
    (void)drain(ends.in, text, sizeof(text));
    assert_null(strstr(text, "ask-"));
    assert_non_null(strstr(text, "a***\",\"truncated\":true}\n"));
    close_pipe(ends);
}

static void test_a_full_pipe_drops_lines_and_the_next_one_says_how_many(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    static char text[1 << 20];
    uint64_t before = log_dropped();
    uint64_t written = 0;
    /* This returns at all only because writing never waits: nobody reads. */
    while (log_dropped() < before + 10) {
        log_text(AIC_LOG_INFO, "area", "line %d", 1);
        written++;
    }
    size_t length = drain(ends.in, text, sizeof(text));
    log_text(AIC_LOG_INFO, "area", "after");
    length += drain(ends.in, text + length, sizeof(text) - length);
    assert_non_null(strstr(text, "\"lines_dropped\":10,\"area\":\"area\",\"msg\":\"after\"}\n"));
    log_text(AIC_LOG_INFO, "area", "later");
    length += drain(ends.in, text + length, sizeof(text) - length);
    uint64_t lines = 0;
    for (char *p = strchr(text, '\n'); p; p = strchr(p + 1, '\n')) {
        lines++;
    }
    assert_int_equal(lines, written - 10 + 2);
    assert_int_equal(text[length - 1], '\n');
    assert_non_null(strstr(text, "\"area\":\"area\",\"msg\":\"later\"}\n"));
    assert_int_equal(log_dropped(), before + 10);
    close_pipe(ends);
}

static void test_a_line_that_went_out_in_part_is_finished_first(void **state)
{
    (void)state;
    struct pipe_ends ends = open_pipe();
    /* Lines longer than PIPE_BUF may be taken in part. */
    char body[7001];
    memset(body, 'b', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    uint64_t before = log_dropped();
    while (log_dropped() < before + 3) {
        log_info("area", "m", LOG_S("body", body));
    }
    static char text[1 << 20];
    size_t length = 0;
    for (int i = 0; i < 3; i++) {
        length += drain(ends.in, text + length, sizeof(text) - length);
        log_info("area", "m", LOG_S("body", "short"));
    }
    (void)drain(ends.in, text + length, sizeof(text) - length);
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        struct aic_json *json = aic_json_parse((struct aic_str){line, (size_t)(end - line)}, 0);
        assert_non_null(json);
        aic_json_free(json);
        line = end + 1;
    }
    close_pipe(ends);
}

static void test_a_socket_never_waits_either(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    log_redirect(ends[1]);
    uint64_t before = log_dropped();
    while (log_dropped() == before) {
        log_text(AIC_LOG_INFO, "area", "line");
    }
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    /* The other end is gone; that is a drop, too, and no signal. */
    log_text(AIC_LOG_INFO, "area", "line");
    assert_int_equal(log_dropped(), before + 2);
    log_redirect(STDERR_FILENO);
    close(ends[1]);
}

static void test_the_journal_is_known_by_its_stream(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    struct stat info;
    assert_int_equal(fstat(ends[1], &info), 0);
    char stream[64];
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)info.st_dev,
                   (uintmax_t)info.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_redirect(ends[1]);
    log_text(AIC_LOG_WARN, "area", "line");
    char text[1024];
    (void)drain(ends[0], text, sizeof(text));
    assert_memory_equal(text, "<4>{\"time\"", 10);
    setenv("JOURNAL_STREAM", "1:1", 1);
    log_redirect(ends[1]);
    log_text(AIC_LOG_WARN, "area", "line");
    (void)drain(ends[0], text, sizeof(text));
    assert_int_equal(text[0], '{');
    unsetenv("JOURNAL_STREAM");
    log_redirect(STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
}

enum { THREADS = 4, LINES = 200 };

static void *write_lines(void *data)
{
    for (int i = 0; i < LINES; i++) {
        log_info("thread", "line", LOG_S("name", data), LOG_I("n", i));
        log_add_secret("sk-thread-secret");
    }
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    log_redirect(fileno(file));
    static char names[THREADS][8] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    log_redirect(STDERR_FILENO);
    rewind(file);
    char line[1024];
    int64_t next[THREADS] = {0};
    while (fgets(line, sizeof(line), file)) {
        struct aic_json *json = aic_json_parse(aic_str(line), 0);
        assert_non_null(json);
        int thread = aic_json_get_text(json, "name").ptr[0] - 'a';
        assert_int_equal(aic_json_get_int(json, "n", -1), next[thread]++);
        aic_json_free(json);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(next[i], LINES);
    }
    (void)fclose(file);
}

static void test_a_descriptor_that_is_none_only_drops(void **state)
{
    (void)state;
    uint64_t before = log_dropped();
    log_redirect(-1);
    log_text(AIC_LOG_ERROR, "area", "line");
    assert_int_equal(log_dropped(), before + 1);
    log_redirect(STDERR_FILENO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_gets_json_and_only_enabled_levels),
        cmocka_unit_test(test_a_terminal_gets_logfmt),
        cmocka_unit_test(test_the_worker_is_named),
        cmocka_unit_test(test_secrets_are_hidden_in_lines_and_pages),
        cmocka_unit_test(test_a_secret_at_the_end_of_a_cut_text_is_hidden),
        cmocka_unit_test(test_a_full_pipe_drops_lines_and_the_next_one_says_how_many),
        cmocka_unit_test(test_a_line_that_went_out_in_part_is_finished_first),
        cmocka_unit_test(test_a_socket_never_waits_either),
        cmocka_unit_test(test_the_journal_is_known_by_its_stream),
        cmocka_unit_test(test_lines_of_threads_do_not_mix),
        cmocka_unit_test(test_a_descriptor_that_is_none_only_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
