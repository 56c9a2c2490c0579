/* SPDX-License-Identifier: ISC */
#include "io/master_check.h"

#include "io/sealed.h"
#include "io/spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

void check_init(struct check *check)
{
    memset(check, 0, sizeof(*check));
    check->fd = -1;
    check->answer.check.config_fd = -1;
}

int32_t check_start(struct check *check, const char *path, char *const *argv, int64_t now_us)
{
    int line[2];
    check_finish(check);
    check->bytes = malloc(MASTER_ANSWER_BYTES);
    if (!check->bytes) {
        return AIC_ERROR_MEMORY;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) != 0) {
        return AIC_ERROR_IO;
    }
    struct spawn spawn = {.path = path, .argv = argv, .fd_name = MASTER_CHECK_FD, .fd = line[1]};
    pid_t pid = spawn_start(&spawn);
    (void)close(line[1]);
    if (pid < 0) {
        (void)close(line[0]);
        return AIC_ERROR_IO;
    }
    check->pid = pid;
    check->fd = line[0];
    check->deadline_us = now_us + CHECK_LIMIT_MS * INT64_C(1000);
    return AIC_OK;
}

/* Copies the descriptors that came with a message; returns how many. */
static size_t take_fds(struct msghdr *message, int fds[MASTER_ANSWER_FDS])
{
    size_t count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t given = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < given; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
            if (count < MASTER_ANSWER_FDS) {
                fds[count++] = fd;
            } else {
                (void)close(fd);
            }
        }
    }
    return count;
}

static const char *judge_config(int fd)
{
    struct aic_str config;
    int32_t status = sealed_map(fd, MASTER_CONFIG_BYTES, &config);
    if (status == AIC_OK) {
        sealed_unmap(config);
    }
    return status == AIC_OK ? NULL : "the resolved configuration is not sealed, or too long";
}

static void close_fds(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
}

void check_read(struct check *check)
{
    int fds[MASTER_ANSWER_FDS] = {-1};

    union {
        char bytes[CMSG_SPACE(sizeof(fds))];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = check->bytes, .iov_len = MASTER_ANSWER_BYTES};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t got = recvmsg(check->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    (void)close(check->fd); /* one message is all that there is */
    check->fd = -1;
    if (got <= 0) {
        return;
    }
    size_t fd_count = take_fds(&message, fds);
    check->has_answer = true;
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        check->damage = "the answer is too long";
    } else {
        struct aic_str bytes = {check->bytes, (size_t)got};
        check->damage = master_answer_parse(bytes, fds, fd_count, &check->answer);
    }
    if (!check->damage && check->answer.check.is_good) {
        check->damage = judge_config(fds[0]);
    }
    if (check->damage || !check->answer.check.is_good) {
        close_fds(fds, fd_count);
        check->answer.check.is_good = false;
        check->answer.check.config_fd = -1;
        check->answer.check.plugin_count = 0;
    }
}

void check_expire(struct check *check)
{
    check->is_late = true;
    check->deadline_us = INT64_MAX;
    (void)kill(check->pid, SIGKILL);
}

int32_t check_judge(struct check *check, int wait_status, char why[CHECK_WHY])
{
    if (check->fd >= 0) {
        check_read(check);
    }
    check->pid = 0;
    bool is_refusal = check->has_answer && !check->damage && !check->answer.check.is_good;
    if (check->is_late) {
        (void)snprintf(why, CHECK_WHY,
                       "checking the configuration took longer than %d s and was ended",
                       CHECK_LIMIT_MS / 1000);
        return AIC_ERROR_TIMEOUT;
    }
    if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        (void)snprintf(
            why, CHECK_WHY,
            "the check crashed (signal %d, %s) while it read the configuration or loaded "
            "a plugin; \"aicaller check\" shows where",
            number, strsignal(number));
    } else if (is_refusal) {
        (void)snprintf(why, CHECK_WHY, "the configuration is refused");
    } else if (WEXITSTATUS(wait_status) == 127 && !check->has_answer) {
        (void)snprintf(why, CHECK_WHY, "the program could not be started for the check");
    } else if (check->damage) {
        (void)snprintf(why, CHECK_WHY, "the check gave no good answer: %s", check->damage);
    } else if (WEXITSTATUS(wait_status) != 0 || !check->has_answer) {
        (void)snprintf(why, CHECK_WHY, "the check ended with status %d %s",
                       WEXITSTATUS(wait_status),
                       check->has_answer ? "after its answer" : "without an answer");
    } else {
        return AIC_OK;
    }
    return AIC_ERROR_CONFIG;
}

void check_finish(struct check *check)
{
    if (check->pid > 0) {
        (void)kill(check->pid, SIGKILL);
    }
    if (check->fd >= 0) {
        (void)close(check->fd);
    }
    if (check->answer.check.config_fd >= 0) {
        (void)close(check->answer.check.config_fd);
        for (size_t i = 0; i < check->answer.check.plugin_count; i++) {
            (void)close(check->answer.check.plugins[i].fd);
        }
    }
    free(check->bytes);
    check_init(check);
}
