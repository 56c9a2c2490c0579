/* SPDX-License-Identifier: ISC */
/* The children's side of io/master.h. */
#include "io/master_answer.h"
#include "io/sealed.h"
#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int32_t send_with_fds(int line, struct aic_str bytes, const int *fds, size_t fd_count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * MASTER_ANSWER_FDS)];
        struct cmsghdr align;
    } control = {.bytes = {0}};

    union {
        const char *in;
        void *out;
    } bridge = {.in = bytes.ptr};
    struct iovec part = {.iov_base = bridge.out, .iov_len = bytes.len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(line, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)bytes.len ? (int32_t)AIC_OK : (int32_t)AIC_ERROR_IO;
}

int32_t master_check_send(const struct master_check *check)
{
    int fds[MASTER_ANSWER_FDS];
    size_t fd_count = 0;
    int line = spawn_inherited(MASTER_CHECK_FD);
    if (line < 0) {
        return AIC_ERROR_CLOSED;
    }
    if (check->plugin_count > MASTER_PLUGINS || check->config.len > MASTER_CONFIG_BYTES) {
        (void)close(line);
        return AIC_ERROR_TOO_LARGE;
    }
    int config_fd = -1;
    if (check->is_good) {
        config_fd = sealed_create("aicaller-config", check->config);
        if (config_fd < 0) {
            (void)close(line);
            return AIC_ERROR_IO;
        }
        fds[fd_count++] = config_fd;
        for (size_t i = 0; i < check->plugin_count; i++) {
            fds[fd_count++] = check->plugins[i].fd;
        }
    }
    struct aic_buf bytes;
    aic_buf_init(&bytes, MASTER_ANSWER_BYTES);
    master_answer_pack(check, &bytes);
    int32_t status = bytes.failed ? (int32_t)AIC_ERROR_TOO_LARGE
                                  : send_with_fds(line, aic_buf_view(&bytes), fds, fd_count);
    aic_buf_finish(&bytes);
    if (config_fd >= 0) {
        (void)close(config_fd);
    }
    (void)close(line);
    return status;
}

static bool own_again(int fd)
{
    return fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static int32_t own_all(const struct master_worker *worker)
{
    bool all = own_again(worker->link_fd) && own_again(worker->shm_fd);
    for (size_t i = 0; i < worker->listen_count; i++) {
        all = own_again(worker->listen_fds[i]) && all;
    }
    for (size_t i = 0; i < worker->plugin_count; i++) {
        all = own_again(worker->plugins[i].fd) && all;
    }
    return all ? (int32_t)AIC_OK : (int32_t)AIC_ERROR_PROTOCOL;
}

int32_t master_worker_read(struct master_worker *worker)
{
    struct aic_str bytes;
    int config_fd;
    int fd = spawn_inherited(MASTER_WORKER_FD);
    if (fd < 0) {
        return AIC_ERROR_CLOSED;
    }
    int32_t status = sealed_map(fd, MASTER_ANSWER_BYTES, &bytes);
    (void)close(fd);
    if (status != AIC_OK) {
        return status;
    }
    status = master_worker_parse(bytes, worker, &config_fd);
    sealed_unmap(bytes);
    if (status == AIC_OK) {
        status = own_all(worker);
    }
    if (status == AIC_OK) {
        status = sealed_map(config_fd, MASTER_CONFIG_BYTES, &worker->config);
        (void)close(config_fd);
    }
    /* It was started as /proc/self/exe, and would be called "exe". */
    (void)prctl(PR_SET_NAME, "aicaller-worker");
    return status;
}
