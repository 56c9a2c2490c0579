/* SPDX-License-Identifier: ISC */
/* What a loop can wait for besides time: descriptors and signals. */
#include "io/loop.h"

#include <uv.h>

struct loop_watch {
    uv_poll_t poll; /* first: a handle is its watch */
    void (*readable)(void *data);
    void *data;
};

struct loop_signal {
    uv_signal_t handle; /* first: a handle is its watch */
    void (*caught)(void *data, int signal);
    void *data;
};

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void poll_event(uv_poll_t *handle, int status, int events)
{
    (void)events;
    struct loop_watch *watch = (struct loop_watch *)handle;
    if (status < 0) {
        /* libuv stops at an error; the reader has to see it, and what was sent before it. */
        (void)uv_poll_start(handle, UV_READABLE, poll_event);
    }
    watch->readable(watch->data);
}

struct loop_watch *loop_watch_start(struct loop *loop, int fd, void (*readable)(void *data),
                                    void *data)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    watch->readable = readable;
    watch->data = data;
    if (uv_poll_init(loop_uv(loop), &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    if (uv_poll_start(&watch->poll, UV_READABLE, poll_event) != 0) {
        uv_close((uv_handle_t *)&watch->poll, free_handle);
        return NULL;
    }
    return watch;
}

void loop_watch_stop(struct loop_watch *watch)
{
    if (watch) {
        (void)uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, free_handle);
    }
}

static void signal_event(uv_signal_t *handle, int number)
{
    struct loop_signal *watch = (struct loop_signal *)handle;
    watch->caught(watch->data, number);
}

struct loop_signal *loop_signal_start(struct loop *loop, int number,
                                      void (*caught)(void *data, int number), void *data)
{
    struct loop_signal *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    watch->caught = caught;
    watch->data = data;
    if (uv_signal_init(loop_uv(loop), &watch->handle) != 0) {
        free(watch);
        return NULL;
    }
    if (uv_signal_start(&watch->handle, signal_event, number) != 0) {
        uv_close((uv_handle_t *)&watch->handle, free_handle);
        return NULL;
    }
    return watch;
}

void loop_signal_stop(struct loop_signal *watch)
{
    if (watch) {
        (void)uv_signal_stop(&watch->handle);
        uv_close((uv_handle_t *)&watch->handle, free_handle);
    }
}
