/* SPDX-License-Identifier: ISC */
#include "io/control.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int control_listen(int dir_fd)
{
    /* By descriptor, because a socket's path may have no more than 107 bytes. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd,
                   CONTROL_SOCKET);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    control_unlink(dir_fd);
    mode_t before = umask(0177);
    int status = bind(fd, (struct sockaddr *)&address, sizeof(address));
    int reason = errno;
    (void)umask(before);
    if (status == 0) {
        status = listen(fd, 16);
        reason = errno;
    }
    if (status != 0) {
        (void)close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

int control_admit(int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return -1;
    }
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t bytes = sizeof(peer);
    int status = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
    if (status != 0 || (peer.uid != geteuid() && peer.uid != 0)) {
        log_warn("control", "refused a command line of another user", LOG_I("uid", peer.uid));
        (void)close(fd);
        return -1;
    }
    return fd;
}

void control_unlink(int dir_fd)
{
    (void)unlinkat(dir_fd, CONTROL_SOCKET, 0);
}
