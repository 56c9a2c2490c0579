/* SPDX-License-Identifier: ISC */
#include "io/notify.h"

#include "io/now.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

enum { FIRST_LISTEN_FD = 3 };

/* A number in the environment; -1 when it is none. */
static int64_t number_of(const char *name)
{
    const char *value = getenv(name);
    if (!value || !*value) {
        return -1;
    }
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    return errno == 0 && *end == '\0' && number >= 0 ? number : -1;
}

/* Opened once and kept, so that the manager hears of us even when no descriptor is left. */
static int open_socket(void)
{
    static int fd = -1;
    if (fd < 0) {
        /* The manager's queue may be full; a master must not wait for long. */
        struct timeval patience = {.tv_usec = 200000};
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    return fd;
}

static void send_text(const char *path, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, path, length + 1);
    if (path[0] == '@') {
        address.sun_path[0] = '\0'; /* an abstract one */
    }
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    (void)sendto(open_socket(), text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                 bytes);
}

void notify_send(const char *format, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path) {
        return;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0 && (size_t)length < sizeof(text)) {
        send_text(path, text);
    }
}

void notify_reloading(void)
{
    /* Without the time systemd can not tell this reload's READY=1 from an earlier one. */
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_us());
}

int64_t notify_watchdog_us(void)
{
    int64_t usec = number_of("WATCHDOG_USEC");
    int64_t pid = number_of("WATCHDOG_PID");
    return usec > 0 && (pid < 0 || pid == (int64_t)getpid()) ? usec / 2 : 0;
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t bytes = sizeof(yes);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &bytes) == 0 && yes;
}

int notify_listen_fds(int *fds, int most)
{
    int count = 0;
    bool is_ours = number_of("LISTEN_PID") == (int64_t)getpid();
    int64_t given = is_ours ? number_of("LISTEN_FDS") : 0;
    for (int64_t i = 0; i < given && i < 256; i++) {
        int fd = (int)(FIRST_LISTEN_FD + i);
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (!is_listening(fd) || count == most) {
            (void)close(fd);
            continue;
        }
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        fds[count++] = fd;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return count;
}
