/* SPDX-License-Identifier: ISC */
#include "io/wire.h"

#include "buf.h"
#include "io/loop.h"
#include "io/wire_tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

enum {
    QUEUE_MAX = 1 << 30,
    LINGER_US = 2000000,
    USER_TIMEOUT_MS = 15000 /* for a peer that vanished while something was on its way */
};

struct wire {
    uv_poll_t poll; /* first: a handle is its wire */
    int fd;
    struct sched *sched;
    int64_t stall_us;
    const struct wire_handler *handler;
    void *data;
    char *scratch;
    size_t scratch_bytes;
    struct wire_tls_end *tls;
    bool in_handshake;
    bool read_wants_write; /* TLS can not read before it has written */
    int events;            /* that libuv watches */

    struct aic_buf queue;
    size_t queue_at;           /* bytes of it that are gone */
    size_t drain_below;        /* tell when less than this waits; 0 = do not */
    uint64_t sent;             /* since the last look of the stall timer */
    struct sched_timer *timer; /* stall, later linger */

    bool has_failed; /* a write broke: told soon */
    bool is_finishing;
    bool said_goodbye;
    bool peer_ended;
    bool is_broken; /* told */
    bool is_dead;   /* destroyed */
};

static void socket_ready(uv_poll_t *handle, int status, int events);

static void watch(struct wire *wire)
{
    int events = wire->peer_ended ? 0 : UV_READABLE;
    if ((wire_queued(wire) > 0 && !wire->in_handshake) || wire->read_wants_write) {
        events |= UV_WRITABLE;
    }
    if (events == wire->events || wire->is_broken || wire->is_dead) {
        return;
    }
    wire->events = events;
    if (events == 0) {
        (void)uv_poll_stop(&wire->poll);
    } else {
        (void)uv_poll_start(&wire->poll, events, socket_ready);
    }
}

static void break_off(struct wire *wire)
{
    if (wire->is_broken || wire->is_dead) {
        return;
    }
    wire->is_broken = true;
    (void)uv_poll_stop(&wire->poll);
    sched_timer_stop(wire->sched, wire->timer);
    wire->timer = NULL;
    wire->handler->broken(wire->data);
}

static void timer_due(void *data);

static void set_timer(struct wire *wire, int64_t us)
{
    sched_timer_stop(wire->sched, wire->timer);
    wire->timer = sched_timer_start(wire->sched, sched_now(wire->sched) + us, timer_due, wire);
}

static void timer_due(void *data)
{
    struct wire *wire = data;
    wire->timer = NULL;
    if (wire->has_failed || wire->said_goodbye || wire->sent == 0) {
        break_off(wire);
        return;
    }
    wire->sent = 0;
    if (wire_queued(wire) > 0) {
        set_timer(wire, wire->stall_us);
    }
}

/* Writing */

enum outcome { SEND_DONE = 0, SEND_WAITS = 1, SEND_BROKE = 2 };

static enum outcome outcome_of_errno(void)
{
    return errno == EAGAIN || errno == EINTR ? SEND_WAITS : SEND_BROKE;
}

static enum outcome send_plain(struct wire *wire, struct aic_str head, struct aic_str body,
                               size_t *sent)
{
    union {
        const char *in;
        void *out;
    } first = {head.ptr}, second = {body.ptr};
    struct iovec parts[2] = {{first.out, head.len}, {second.out, body.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t count = sendmsg(wire->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
        return outcome_of_errno();
    }
    *sent = (size_t)count;
    return SEND_DONE;
}

static enum outcome send_tls(struct wire *wire, struct aic_str bytes, size_t *sent)
{
    if (wire->in_handshake) {
        return SEND_WAITS;
    }
    while (*sent < bytes.len) {
        size_t count = 0;
        switch (wire_tls_write(wire->tls, bytes.ptr + *sent, bytes.len - *sent, &count)) {
        case WIRE_TLS_DONE:
            *sent += count;
            break;
        case WIRE_TLS_READ:
        case WIRE_TLS_WRITE:
            return SEND_WAITS;
        default:
            return SEND_BROKE;
        }
    }
    return SEND_DONE;
}

static enum outcome send_some(struct wire *wire, struct aic_str bytes, size_t *sent)
{
    *sent = 0;
    enum outcome outcome = wire->tls ? send_tls(wire, bytes, sent)
                                     : send_plain(wire, bytes, (struct aic_str){NULL, 0}, sent);
    wire->sent += *sent;
    return outcome;
}

static void say_goodbye(struct wire *wire)
{
    wire->said_goodbye = true;
    if (wire->tls) {
        wire_tls_goodbye(wire->tls);
    }
    (void)shutdown(wire->fd, SHUT_WR);
    set_timer(wire, wire->peer_ended ? 0 : LINGER_US);
}

/* Forgets the part of the queue that is gone, when that is worth the move. */
static void compact(struct wire *wire)
{
    if (wire->queue_at == wire->queue.len) {
        aic_buf_finish(&wire->queue);
        wire->queue_at = 0;
    } else if (wire->queue_at > wire->queue.len / 2) {
        aic_buf_drop(&wire->queue, wire->queue_at);
        wire->queue_at = 0;
    }
}

static void tell_drained(struct wire *wire)
{
    if (wire_queued(wire) < wire->drain_below) {
        wire->drain_below = 0;
        wire->handler->drained(wire->data);
    }
}

/* Sends from the queue and calls nobody. */
static enum outcome push(struct wire *wire)
{
    enum outcome outcome = SEND_DONE;
    while (wire_queued(wire) > 0 && outcome == SEND_DONE) {
        struct aic_str rest = {wire->queue.data + wire->queue_at, wire_queued(wire)};
        size_t sent = 0;
        outcome = send_some(wire, rest, &sent);
        wire->queue_at += sent;
        if (sent < rest.len && outcome == SEND_DONE) {
            outcome = SEND_WAITS;
        }
    }
    compact(wire);
    return outcome;
}

/* The socket takes bytes again. The wire may be broken or dead afterwards. */
static void flush(struct wire *wire)
{
    if (push(wire) == SEND_BROKE) {
        break_off(wire);
    } else if (!wire->is_finishing) {
        tell_drained(wire);
    } else if (wire_queued(wire) == 0 && !wire->said_goodbye) {
        say_goodbye(wire);
    }
}

/* Puts into the queue what is left of `part` after *sent bytes of it and its followers went. */
static int32_t keep_rest(struct wire *wire, struct aic_str part, size_t *sent)
{
    size_t gone = *sent < part.len ? *sent : part.len;
    *sent -= gone;
    if (gone == part.len) {
        return AIC_OK;
    }
    return aic_buf_add(&wire->queue, part.ptr + gone, part.len - gone) == AIC_OK ? AIC_OK
                                                                                 : AIC_ERROR_MEMORY;
}

/* Nobody may be called from inside of a write: the loop comes back at once. */
static int32_t fail_soon(struct wire *wire, int32_t status)
{
    wire->has_failed = true;
    set_timer(wire, 0);
    return status;
}

int32_t wire_write(struct wire *wire, struct aic_str head, struct aic_str body)
{
    if (wire->is_broken || wire->is_dead || wire->is_finishing || wire->has_failed) {
        return AIC_ERROR_CLOSED;
    }
    bool is_first = wire_queued(wire) == 0;
    size_t sent = 0;
    enum outcome outcome = SEND_DONE;
    if (is_first && !wire->tls) {
        outcome = send_plain(wire, head, body, &sent);
        wire->sent += sent;
    }
    if (keep_rest(wire, head, &sent) != AIC_OK || keep_rest(wire, body, &sent) != AIC_OK) {
        return fail_soon(wire, AIC_ERROR_MEMORY);
    }
    if (is_first && wire->tls) {
        outcome = push(wire); /* from the queue, so that head and body share a record */
    }
    if (outcome == SEND_BROKE) {
        return fail_soon(wire, AIC_ERROR_CLOSED);
    }
    if (wire_queued(wire) > 0 && !wire->timer) {
        wire->sent = 0;
        set_timer(wire, wire->stall_us);
    }
    watch(wire);
    return AIC_OK;
}

size_t wire_queued(const struct wire *wire)
{
    return wire->queue.len - wire->queue_at;
}

const char *wire_problem(const struct wire *wire)
{
    return wire->tls ? wire_tls_problem(wire->tls) : "";
}

void wire_finish(struct wire *wire)
{
    if (wire->is_broken || wire->is_dead || wire->is_finishing) {
        return;
    }
    wire->is_finishing = true;
    if (wire_queued(wire) == 0 && !wire->has_failed) {
        say_goodbye(wire);
    }
    watch(wire);
}

/* Reading */

static void end_of_input(struct wire *wire)
{
    wire->peer_ended = true;
    if (!wire->is_finishing) {
        wire->handler->ended(wire->data);
    } else if (wire->said_goodbye) {
        break_off(wire);
    }
}

static void take(struct wire *wire, size_t count)
{
    if (!wire->is_finishing) {
        wire->handler->received(wire->data, wire->scratch, count);
    }
}

static void read_plain(struct wire *wire)
{
    ssize_t count = recv(wire->fd, wire->scratch, wire->scratch_bytes, MSG_DONTWAIT);
    if (count > 0) {
        take(wire, (size_t)count);
    } else if (count == 0) {
        end_of_input(wire);
    } else if (outcome_of_errno() == SEND_BROKE) {
        break_off(wire);
    }
}

/* One read or handshake step; false when no further one can follow now. */
static bool step_tls(struct wire *wire)
{
    size_t count = 0;
    enum wire_tls_want want =
        wire->in_handshake ? wire_tls_handshake(wire->tls)
                           : wire_tls_read(wire->tls, wire->scratch, wire->scratch_bytes, &count);
    wire->read_wants_write = want == WIRE_TLS_WRITE;
    switch (want) {
    case WIRE_TLS_DONE:
        if (wire->in_handshake) {
            wire->in_handshake = false;
        } else {
            take(wire, count);
        }
        return true;
    case WIRE_TLS_END:
        end_of_input(wire);
        return false;
    case WIRE_TLS_ERROR:
        break_off(wire);
        return false;
    default:
        return false;
    }
}

static void read_tls(struct wire *wire)
{
    /* What OpenSSL holds decrypted shows on no socket, so it is read to its end. */
    while (!wire->is_dead && !wire->is_broken && !wire->peer_ended && step_tls(wire)) {
    }
}

static void socket_ready(uv_poll_t *handle, int status, int events)
{
    struct wire *wire = (struct wire *)handle;
    if (status < 0) {
        break_off(wire);
        return;
    }
    if (wire->tls && !wire->peer_ended && ((events & UV_READABLE) || wire->read_wants_write)) {
        read_tls(wire);
    } else if (events & UV_READABLE) {
        read_plain(wire);
    }
    /* TLS may have waited for input in order to write. */
    if (!wire->is_dead && !wire->is_broken && wire_queued(wire) > 0) {
        flush(wire);
    }
    if (!wire->is_dead && !wire->is_broken) {
        watch(wire);
    }
}

/* Life */

static void free_wire(uv_handle_t *handle)
{
    struct wire *wire = (struct wire *)handle;
    aic_buf_finish(&wire->queue);
    free(wire);
}

/* Small messages go at once; a peer that vanished is noticed. */
static void set_socket_options(int fd)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 30}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},   {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
    }
}

struct wire *wire_create(const struct wire_options *options, int fd,
                         const struct wire_handler *handler, void *data)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    if (!wire) {
        wire_tls_free(options->tls);
        close(fd);
        return NULL;
    }
    wire->fd = fd;
    wire->sched = loop_sched(options->loop);
    wire->stall_us = options->stall_us;
    wire->handler = handler;
    wire->data = data;
    wire->scratch = options->scratch;
    wire->scratch_bytes = options->scratch_bytes;
    aic_buf_init(&wire->queue, QUEUE_MAX);
    set_socket_options(fd);
    if (uv_poll_init(loop_uv(options->loop), &wire->poll, fd) != 0) {
        wire_tls_free(options->tls);
        close(fd);
        free(wire);
        return NULL;
    }
    wire->tls = options->tls;
    wire->in_handshake = wire->tls != NULL;
    wire->read_wants_write = wire->tls && options->is_client;
    watch(wire);
    return wire;
}

void wire_destroy(struct wire *wire)
{
    if (!wire || wire->is_dead) {
        return;
    }
    wire->is_dead = true;
    sched_timer_stop(wire->sched, wire->timer);
    wire->timer = NULL;
    (void)uv_poll_stop(&wire->poll);
    uv_close((uv_handle_t *)&wire->poll, free_wire);
    wire_tls_free(wire->tls);
    wire->tls = NULL;
    close(wire->fd);
}

void wire_set_handler(struct wire *wire, const struct wire_handler *handler, void *data)
{
    wire->handler = handler;
    wire->data = data;
}

void wire_tell_drained(struct wire *wire, size_t below)
{
    wire->drain_below = below;
}
