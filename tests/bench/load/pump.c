/* SPDX-License-Identifier: ISC */
#include "load/pump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

void pump_die(const char *what)
{
    (void)fprintf(stderr, "load_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

int64_t pump_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void pump_init(struct pump *pump)
{
    *pump = (struct pump){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (pump->epoll_fd < 0) {
        pump_die("epoll_create1");
    }
}

void pump_finish(struct pump *pump)
{
    free(pump->heap);
    (void)close(pump->epoll_fd);
}

static void put(struct pump *pump, size_t place, struct pump_timer *timer)
{
    pump->heap[place - 1] = timer;
    timer->place = place;
}

/* Moves a timer to where it belongs, up or down. */
static void settle(struct pump *pump, struct pump_timer *timer)
{
    size_t place = timer->place;
    while (place > 1 && pump->heap[place / 2 - 1]->at_us > timer->at_us) {
        put(pump, place, pump->heap[place / 2 - 1]);
        place /= 2;
    }
    while (place * 2 <= pump->count) {
        size_t child = place * 2;
        if (child < pump->count && pump->heap[child]->at_us < pump->heap[child - 1]->at_us) {
            child++;
        }
        if (pump->heap[child - 1]->at_us >= timer->at_us) {
            break;
        }
        put(pump, place, pump->heap[child - 1]);
        place = child;
    }
    put(pump, place, timer);
}

void pump_set(struct pump *pump, struct pump_timer *timer, int64_t at_us)
{
    timer->at_us = at_us;
    if (timer->place == 0) {
        if (pump->count == pump->capacity) {
            pump->capacity = pump->capacity ? pump->capacity * 2 : 256;
            pump->heap = realloc(pump->heap, pump->capacity * sizeof(void *));
            if (!pump->heap) {
                pump_die("out of memory");
            }
        }
        put(pump, ++pump->count, timer);
    }
    settle(pump, timer);
}

void pump_stop(struct pump *pump, struct pump_timer *timer)
{
    size_t place = timer->place;
    if (place == 0) {
        return;
    }
    timer->place = 0;
    struct pump_timer *last = pump->heap[--pump->count];
    if (last != timer) {
        put(pump, place, last);
        settle(pump, last);
    }
}

static void control(struct pump *pump, int operation, struct pump_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(pump->epoll_fd, operation, watch->fd, &event) != 0) {
        pump_die("epoll_ctl");
    }
}

void pump_add(struct pump *pump, struct pump_watch *watch, uint32_t events)
{
    control(pump, EPOLL_CTL_ADD, watch, events);
}

void pump_change(struct pump *pump, struct pump_watch *watch, uint32_t events)
{
    control(pump, EPOLL_CTL_MOD, watch, events);
}

void pump_remove(struct pump *pump, struct pump_watch *watch)
{
    control(pump, EPOLL_CTL_DEL, watch, 0);
}

static void fire_due(struct pump *pump)
{
    while (pump->count > 0 && !pump->is_over) {
        struct pump_timer *timer = pump->heap[0];
        int64_t late_us = pump_now_us() - timer->at_us;
        if (late_us < 0) {
            return;
        }
        pump_stop(pump, timer);
        if (pump->fired_late) {
            pump->fired_late(pump->late_data, late_us);
        }
        timer->fire(timer->data);
    }
}

/* One event at a time: what it leads to may remove another's descriptor. */
static void wait_and_serve(struct pump *pump)
{
    int64_t wait_us = pump->count > 0 ? pump->heap[0]->at_us - pump_now_us() : 1000000;
    wait_us = wait_us > 0 ? wait_us : 0;
    struct timespec limit = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    struct epoll_event event;
    int count = epoll_pwait2(pump->epoll_fd, &event, 1, &limit, NULL);
    if (count < 0 && errno != EINTR) {
        pump_die("epoll_pwait2");
    }
    if (count > 0) {
        struct pump_watch *watch = event.data.ptr;
        watch->ready(watch->data, event.events);
    }
}

void pump_run(struct pump *pump)
{
    while (!pump->is_over) {
        fire_due(pump);
        wait_and_serve(pump);
    }
}
