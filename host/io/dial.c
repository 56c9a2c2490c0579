/* SPDX-License-Identifier: ISC */
#include "io/dial.h"

#include "base/sched.h"
#include "io/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum { NEXT_US = 250000 };

/* One address that has not answered yet. */
struct attempt {
    uv_poll_t poll; /* first: a handle is its attempt */
    struct dial *dial;
    int fd;
};

struct dial {
    struct loop *loop;
    union dial_address addresses[DIAL_ADDRESSES];
    size_t count;
    size_t next;
    struct attempt *attempts[DIAL_ADDRESSES]; /* NULL where there is none any more */
    struct sched_timer *timer;                /* the next address */
    int last_error;
    void (*done)(void *data, int fd);
    void *data;
};

static void free_attempt(uv_handle_t *handle)
{
    free(handle);
}

/* Ends an attempt and returns its descriptor. */
static int take_attempt(struct dial *dial, size_t index)
{
    struct attempt *attempt = dial->attempts[index];
    dial->attempts[index] = NULL;
    int fd = attempt->fd;
    uv_close((uv_handle_t *)&attempt->poll, free_attempt);
    return fd;
}

void dial_stop(struct dial *dial)
{
    if (!dial) {
        return;
    }
    sched_timer_stop(loop_sched(dial->loop), dial->timer);
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->attempts[i]) {
            (void)close(take_attempt(dial, i));
        }
    }
    free(dial);
}

static void finish(struct dial *dial, int fd)
{
    void (*done)(void *data, int fd) = dial->done;
    void *data = dial->data;
    dial_stop(dial);
    done(data, fd);
}

static void go_on(struct dial *dial);

static void answered(uv_poll_t *handle, int status, int events)
{
    (void)events;
    struct attempt *attempt = (struct attempt *)handle;
    struct dial *dial = attempt->dial;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error == 0 && status < 0) {
        error = -status;
    }
    size_t index = 0;
    while (dial->attempts[index] != attempt) {
        index++;
    }
    int fd = take_attempt(dial, index);
    if (error == 0) {
        finish(dial, fd);
        return;
    }
    (void)close(fd);
    dial->last_error = error;
    go_on(dial);
}

/* Begins to connect; NULL when that failed at once. */
static struct attempt *begin(struct dial *dial, const union dial_address *address)
{
    socklen_t size = address->any.sa_family == AF_INET ? sizeof(address->v4) : sizeof(address->v6);
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    int fd =
        socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (!attempt || fd < 0 || (connect(fd, &address->any, size) != 0 && errno != EINPROGRESS) ||
        uv_poll_init(loop_uv(dial->loop), &attempt->poll, fd) != 0) {
        dial->last_error = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        free(attempt);
        return NULL;
    }
    attempt->dial = dial;
    attempt->fd = fd;
    (void)uv_poll_start(&attempt->poll, UV_WRITABLE, answered);
    return attempt;
}

static bool has_attempts(const struct dial *dial)
{
    for (size_t i = 0; i < dial->next; i++) {
        if (dial->attempts[i]) {
            return true;
        }
    }
    return false;
}

static void timer_due(void *data)
{
    struct dial *dial = data;
    dial->timer = NULL;
    go_on(dial);
}

/* Tries the next address, or gives up when there is nothing left to wait for. */
static void go_on(struct dial *dial)
{
    struct sched *sched = loop_sched(dial->loop);
    sched_timer_stop(sched, dial->timer);
    dial->timer = NULL;
    struct attempt *attempt = NULL;
    while (dial->next < dial->count && !attempt) {
        attempt = begin(dial, &dial->addresses[dial->next]);
        dial->attempts[dial->next++] = attempt;
    }
    if (dial->next < dial->count) {
        dial->timer = sched_timer_start(sched, sched_now(sched) + NEXT_US, timer_due, dial);
    } else if (!has_attempts(dial)) {
        finish(dial, -dial->last_error);
    }
}

struct dial *dial_start(struct loop *loop, const union dial_address *addresses, size_t count,
                        void (*done)(void *data, int fd), void *data)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    if (!dial) {
        return NULL;
    }
    dial->loop = loop;
    dial->count = count < DIAL_ADDRESSES ? count : DIAL_ADDRESSES;
    memcpy(dial->addresses, addresses, dial->count * sizeof(addresses[0]));
    dial->last_error = EADDRNOTAVAIL;
    dial->done = done;
    dial->data = data;
    struct sched *sched = loop_sched(loop);
    dial->timer = sched_timer_start(sched, sched_now(sched), timer_due, dial);
    if (!dial->timer) {
        free(dial);
        return NULL;
    }
    return dial;
}
