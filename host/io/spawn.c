/* SPDX-License-Identifier: ISC */
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

/* What the service manager told us, and what we tell our own children. */
static const char *const private_words[] = {
    "LISTEN_FDS=",     "LISTEN_PID=",      "LISTEN_FDNAMES=",
    "AICALLER_CHECK=", "AICALLER_WORKER=", "AICALLER_UPGRADE="};
/* A worker has no business with the service manager; an upgraded master has. */
static const char *const manager_words[] = {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID="};

static bool begins_with_any(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(word, words[i], strlen(words[i])) == 0) {
            return true;
        }
    }
    return false;
}

static char **environment(const char *fd_name, int fd, bool keeps_manager)
{
    size_t count = 0;
    while (environ[count]) {
        count++;
    }
    size_t added_bytes = fd_name ? strlen(fd_name) + 16 : 0;
    char **result = malloc((count + 2) * sizeof(*result) + added_bytes);
    if (!result) {
        return NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_private =
            begins_with_any(environ[i], private_words, sizeof(private_words) / sizeof(char *)) ||
            (!keeps_manager &&
             begins_with_any(environ[i], manager_words, sizeof(manager_words) / sizeof(char *)));
        if (!is_private) {
            result[kept++] = environ[i];
        }
    }
    if (fd_name) {
        char *added = (char *)(result + count + 2);
        (void)snprintf(added, added_bytes, "%s=%d", fd_name, fd);
        result[kept++] = added;
    }
    result[kept] = NULL;
    return result;
}

char **spawn_environment(const char *fd_name, int fd)
{
    return environment(fd_name, fd, true);
}

void spawn_keep(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) {
        (void)fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
    }
}

void spawn_keep_none(void)
{
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    /* A kernel before 5.11. */
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (most > 0 && most < 65536 ? most : 65536); fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0) {
            (void)fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
        }
    }
}

int spawn_inherited(const char *fd_name)
{
    const char *value = getenv(fd_name);
    if (!value) {
        return -1;
    }
    char *end;
    errno = 0;
    long fd = strtol(value, &end, 10);
    bool is_number = errno == 0 && end != value && *end == '\0' && fd > 2 && fd < INT32_MAX;
    (void)unsetenv(fd_name);
    if (!is_number || fcntl((int)fd, F_GETFD) < 0) {
        return -1;
    }
    (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

static void reset_signals(bool deaf)
{
    static const int parents[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL); /* fails for those that can not be changed */
    }
    for (size_t i = 0; deaf && i < sizeof(parents) / sizeof(*parents); i++) {
        (void)signal(parents[i], SIG_IGN);
    }
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(const struct spawn *spawn, char **env)
{
    int null = open("/dev/null", O_RDONLY);
    if (null > 0) {
        (void)dup2(null, 0);
        (void)close(null);
    }
    for (size_t i = 0; i < spawn->fd_count; i++) {
        spawn_keep(spawn->fds[i]);
    }
    if (spawn->fd_name) {
        spawn_keep(spawn->fd);
    }
    reset_signals(spawn->deaf);
    (void)execve(spawn->path, spawn->argv, env);
    _exit(127);
}

pid_t spawn_start(const struct spawn *spawn)
{
    char **env = environment(spawn->fd_name, spawn->fd, false);
    if (!env) {
        return -1;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        run_child(spawn, env);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    free(env);
    return pid;
}
