/* SPDX-License-Identifier: ISC */
#include "io/notify.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
    return fd;
}

static void heard(int fd, char *text, size_t bytes)
{
    ssize_t got = recv(fd, text, bytes - 1, MSG_DONTWAIT);
    text[got > 0 ? got : 0] = '\0';
}

static void a_socket_in_a_folder_hears_the_lines(void **state)
{
    (void)state;
    char folder[] = "/tmp/aicaller-notify-XXXXXX";
    char path[64];
    char text[256];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/notify", folder);
    int fd = listen_at(path);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    notify_send("READY=1\nSTATUS=%d workers", 2);
    heard(fd, text, sizeof(text));
    assert_string_equal(text, "READY=1\nSTATUS=2 workers");
    (void)close(fd);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void an_abstract_socket_hears_a_reload_with_its_time(void **state)
{
    (void)state;
    char name[64];
    char text[256];
    (void)snprintf(name, sizeof(name), "@aicaller-notify-%ld", (long)getpid());
    int fd = listen_at(name);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    notify_reloading();
    heard(fd, text, sizeof(text));
    assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    assert_true(strtoll(text + 27, NULL, 10) > 0);
    (void)close(fd);
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    char long_name[300];
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[0] = '/';
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
    notify_send("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1), 0);
    notify_send("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "vsock:1:2", 1), 0);
    notify_send("READY=1");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    notify_send("READY=1");
    assert_int_equal(notify_watchdog_us(), 0);
}

static void the_watchdog_is_fed_at_half_its_patience_and_only_by_whom_it_means(void **state)
{
    (void)state;
    char pid[32];
    (void)setenv("WATCHDOG_USEC", "3000000", 1);
    assert_int_equal(notify_watchdog_us(), 1500000);
    (void)setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_us(), 0);
    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    (void)setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_us(), 1500000);
    (void)setenv("WATCHDOG_USEC", "soon", 1);
    assert_int_equal(notify_watchdog_us(), 0);
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

/* In a child, because the numbers are given: 3 a listening socket, 4 something else. */
static int take_over_in_child(const char *listen_pid)
{
    pid_t child = fork();
    if (child == 0) {
        char pid[32];
        int fds[4];
        struct sockaddr_in any = {.sin_family = AF_INET};
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0 || listen(fd, 1) != 0) {
            _exit(100);
        }
        int high = fcntl(fd, F_DUPFD, 50);
        (void)dup2(high, 3);
        (void)dup2(0, 4);
        (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
        (void)setenv("LISTEN_PID", listen_pid ? listen_pid : pid, 1);
        (void)setenv("LISTEN_FDS", "2", 1);
        int count = notify_listen_fds(fds, 4);
        bool is_ours = count == 0 || (fds[0] == 3 && fcntl(3, F_GETFD) == FD_CLOEXEC &&
                                      (fcntl(3, F_GETFL) & O_NONBLOCK) != 0);
        bool is_told_once = !getenv("LISTEN_FDS") && notify_listen_fds(fds, 4) == 0;
        _exit(is_ours && is_told_once ? count : 101);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void sockets_are_taken_over_once_and_only_if_meant_for_this_process(void **state)
{
    (void)state;
    assert_int_equal(take_over_in_child(NULL), 1);
    assert_int_equal(take_over_in_child("1"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_in_a_folder_hears_the_lines),
        cmocka_unit_test(an_abstract_socket_hears_a_reload_with_its_time),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(the_watchdog_is_fed_at_half_its_patience_and_only_by_whom_it_means),
        cmocka_unit_test(sockets_are_taken_over_once_and_only_if_meant_for_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
