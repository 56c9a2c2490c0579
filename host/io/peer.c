/* SPDX-License-Identifier: ISC */
#include "io/peer.h"

#include "io/now.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct peer_waiting {
    struct peer_waiting *next;
    size_t bytes;
    char data[];
};

void peer_init(struct peer *peer, int fd)
{
    *peer = (struct peer){.fd = fd};
    peer->end = &peer->first;
    /* The kernel doubles it: room for the longest frame and some shorter ones. */
    int bytes = FRAME_MAX_BYTES;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) {
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
}

static void drop_first(struct peer *peer)
{
    struct peer_waiting *waiting = peer->first;
    peer->first = waiting->next;
    if (!peer->first) {
        peer->end = &peer->first;
    }
    peer->waiting_bytes -= waiting->bytes;
    free(waiting);
}

void peer_finish(struct peer *peer)
{
    while (peer->first) {
        drop_first(peer);
    }
    if (peer->fd >= 0) {
        (void)close(peer->fd);
    }
    peer->fd = -1;
}

static int32_t send_status(ssize_t sent)
{
    if (sent >= 0) {
        return AIC_OK;
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
        return AIC_ERROR_BUSY;
    }
    return errno == EMSGSIZE ? AIC_ERROR_TOO_LARGE : AIC_ERROR_CLOSED;
}

int32_t peer_flush(struct peer *peer)
{
    while (peer->first) {
        struct peer_waiting *waiting = peer->first;
        int32_t status =
            send_status(send(peer->fd, waiting->data, waiting->bytes, MSG_NOSIGNAL | MSG_DONTWAIT));
        if (status == AIC_ERROR_BUSY || status == AIC_ERROR_CLOSED) {
            return status;
        }
        if (status != AIC_OK) {
            peer->refused++;
        }
        drop_first(peer);
        peer->waiting_since_us = peer->first ? now_us() : 0;
    }
    return AIC_OK;
}

static struct peer_waiting *add_waiting(struct peer *peer, size_t bytes)
{
    if (bytes > PEER_WAITING_BYTES - peer->waiting_bytes) {
        peer->refused++;
        return NULL;
    }
    struct peer_waiting *waiting = malloc(sizeof(*waiting) + bytes);
    if (!waiting) {
        peer->refused++;
        return NULL;
    }
    waiting->next = NULL;
    waiting->bytes = bytes;
    if (!peer->first) {
        peer->waiting_since_us = now_us();
    }
    *peer->end = waiting;
    peer->end = &waiting->next;
    peer->waiting_bytes += bytes;
    return waiting;
}

int32_t peer_queue(struct peer *peer, struct aic_str bytes)
{
    struct peer_waiting *waiting = add_waiting(peer, bytes.len);
    if (!waiting) {
        return AIC_ERROR_BUSY;
    }
    memcpy(waiting->data, bytes.ptr, bytes.len);
    return AIC_OK;
}

static int32_t queue_parts(struct peer *peer, const struct iovec *parts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += parts[i].iov_len;
    }
    struct peer_waiting *waiting = add_waiting(peer, bytes);
    if (!waiting) {
        return AIC_ERROR_BUSY;
    }
    char *at = waiting->data;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > 0) {
            memcpy(at, parts[i].iov_base, parts[i].iov_len);
            at += parts[i].iov_len;
        }
    }
    return AIC_OK;
}

/* An iovec that is only read from. */
static struct iovec part(const void *bytes, size_t count)
{
    union {
        const void *in;
        void *out;
    } bridge = {.in = bytes};

    return (struct iovec){.iov_base = bridge.out, .iov_len = count};
}

int32_t peer_send(struct peer *peer, const struct frame *frame)
{
    unsigned char head[FRAME_HEAD_BYTES];
    if (peer->fd < 0) {
        return AIC_ERROR_CLOSED;
    }
    int32_t status = frame_head(frame, head);
    if (status != AIC_OK) {
        return status;
    }
    const char *call_id = frame->call_id ? frame->call_id : "";
    const char *kind = frame->kind ? frame->kind : "";
    struct iovec parts[] = {part(head, sizeof(head)), part(call_id, strlen(call_id) + 1),
                            part(kind, strlen(kind) + 1), part(frame->body.ptr, frame->body.len)};
    if (!peer->first) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 4};
        status = send_status(sendmsg(peer->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
        if (status != AIC_ERROR_BUSY) {
            return status;
        }
    }
    return queue_parts(peer, parts, 4);
}

void peer_each_waiting(const struct peer *peer, void (*each)(void *data, struct aic_str bytes),
                       void *data)
{
    for (const struct peer_waiting *waiting = peer->first; waiting; waiting = waiting->next) {
        each(data, (struct aic_str){waiting->data, waiting->bytes});
    }
}

int32_t peer_receive(struct peer *peer, char *buffer, struct frame *frame)
{
    if (peer->fd < 0) {
        return AIC_ERROR_CLOSED;
    }
    ssize_t got;
    do {
        /* A peer that ended without reading all of ours makes one ECONNRESET, which hides what it
         * had still sent; that comes with the next try. */
        got = recv(peer->fd, buffer, FRAME_MAX_BYTES, MSG_DONTWAIT | MSG_TRUNC);
    } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0) {
        return errno == EAGAIN ? AIC_ERROR_BUSY : AIC_ERROR_CLOSED;
    }
    if (got == 0) {
        return AIC_ERROR_CLOSED;
    }
    if (got > FRAME_MAX_BYTES) {
        return AIC_ERROR_PROTOCOL;
    }
    return frame_parse((struct aic_str){buffer, (size_t)got}, frame);
}
