/* SPDX-License-Identifier: ISC */
#include "io/control_client.h"

#include "io/control.h"
#include "io/now.h"
#include "io/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

struct control {
    struct peer peer;
    uint64_t last_id;
    char buffer[FRAME_MAX_BYTES];
};

static int32_t status_of(int reason)
{
    if (reason == EACCES || reason == EPERM) {
        return AIC_ERROR_DENIED;
    }
    bool is_absent = reason == ENOENT || reason == ECONNREFUSED || reason == ENOTDIR;
    return is_absent ? AIC_ERROR_NOT_FOUND : AIC_ERROR_IO;
}

static int32_t connect_in(int dir_fd, int *connected)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd,
                   CONTROL_SOCKET);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return AIC_ERROR_IO;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int32_t status = status_of(errno);
        (void)close(fd);
        return status;
    }
    *connected = fd;
    return AIC_OK;
}

int32_t control_open(const char *state_dir, struct control **control)
{
    *control = NULL;
    int dir_fd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return status_of(errno);
    }
    int fd = -1;
    int32_t status = connect_in(dir_fd, &fd);
    (void)close(dir_fd);
    if (status != AIC_OK) {
        return status;
    }
    struct control *made = calloc(1, sizeof(*made));
    if (!made) {
        (void)close(fd);
        return AIC_ERROR_MEMORY;
    }
    peer_init(&made->peer, fd);
    *control = made;
    return AIC_OK;
}

void control_close(struct control *control)
{
    if (control) {
        peer_finish(&control->peer);
        free(control);
    }
}

static int32_t wait_for(struct control *control, short events, int64_t until_us)
{
    for (;;) {
        int64_t left_us = until_us - now_us();
        int64_t left_ms = left_us > 0 ? (left_us + 999) / 1000 : 0;
        struct pollfd of = {.fd = control->peer.fd, .events = events};
        int ready = poll(&of, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
        if (ready > 0) {
            return AIC_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return AIC_ERROR_IO;
        }
        if (now_us() >= until_us) {
            return AIC_ERROR_TIMEOUT;
        }
    }
}

static int32_t send_all(struct control *control, const struct frame *frame, int64_t until_us)
{
    int32_t status = peer_send(&control->peer, frame);
    while (status == AIC_OK && control->peer.first) {
        status = wait_for(control, POLLOUT, until_us);
        if (status == AIC_OK) {
            (void)peer_flush(&control->peer);
        }
    }
    return status;
}

static int32_t receive(struct control *control, struct frame *frame, int64_t until_us)
{
    for (;;) {
        int32_t status = peer_receive(&control->peer, control->buffer, frame);
        if (status != AIC_ERROR_BUSY) {
            return status;
        }
        status = wait_for(control, POLLIN, until_us);
        if (status != AIC_OK) {
            return status;
        }
    }
}

int32_t control_request(struct control *control, const struct control_question *question,
                        int32_t *status, struct aic_buf *answer)
{
    /* The server says itself that it timed out; ours is for a server that says nothing. */
    int64_t until_us = now_us() + (question->timeout_ms + 500) * 1000;
    struct frame frame = {.type = FRAME_REQUEST,
                          .id = ++control->last_id,
                          .call_id = question->call_id,
                          .kind = question->kind,
                          .body = question->body,
                          .number[0] = question->timeout_ms};
    int32_t sent = send_all(control, &frame, until_us);
    if (sent != AIC_OK) {
        return sent;
    }
    for (;;) {
        int32_t received = receive(control, &frame, until_us);
        if (received != AIC_OK) {
            return received;
        }
        bool is_answer = frame.type == FRAME_ANSWER || frame.type == FRAME_ANSWER_PART;
        if (!is_answer || frame.id != control->last_id) {
            continue; /* a message, or the answer to a question given up */
        }
        if (aic_buf_str(answer, frame.body) != AIC_OK) {
            return AIC_ERROR_TOO_LARGE;
        }
        if (frame.type == FRAME_ANSWER) {
            *status = frame.status;
            return AIC_OK;
        }
    }
}

int32_t control_subscribe(struct control *control, const char *prefix)
{
    return send_all(control, &(struct frame){.type = FRAME_SUBSCRIBE, .kind = prefix},
                    now_us() + 1000000);
}

int32_t control_next(struct control *control, int64_t timeout_ms, struct control_message *message)
{
    int64_t until_us = now_us() + timeout_ms * 1000;
    struct frame frame;
    do {
        int32_t status = receive(control, &frame, until_us);
        if (status != AIC_OK) {
            return status;
        }
    } while (frame.type != FRAME_PUBLISH);
    *message =
        (struct control_message){.topic = frame.kind, .body = frame.body, .lost = frame.number[0]};
    return AIC_OK;
}
