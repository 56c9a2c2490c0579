/* SPDX-License-Identifier: ISC */
#include "io/timers.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SPARE_LIMIT = 0 }; /* lets the sanitizer see the use of a dead handle */
#else
enum { SPARE_LIMIT = 256 };
#endif

struct sched_timer {
    int64_t deadline_us;
    uint64_t order;
    size_t index; /* where it stands in the heap */
    void (*fire)(void *data);
    void *data;
    struct sched_timer *next_spare;
};

void timers_init(struct timers *timers)
{
    *timers = (struct timers){0};
}

void timers_finish(struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++) {
        free(timers->heap[i]);
    }
    while (timers->spare) {
        struct sched_timer *timer = timers->spare;
        timers->spare = timer->next_spare;
        free(timer);
    }
    free(timers->heap);
    timers_init(timers);
}

static bool is_before(const struct sched_timer *a, const struct sched_timer *b)
{
    if (a->deadline_us != b->deadline_us) {
        return a->deadline_us < b->deadline_us;
    }
    return a->order < b->order;
}

static void put(struct timers *timers, size_t index, struct sched_timer *timer)
{
    timers->heap[index] = timer;
    timer->index = index;
}

static void sift_up(struct timers *timers, size_t index, struct sched_timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (!is_before(timer, timers->heap[parent])) {
            break;
        }
        put(timers, index, timers->heap[parent]);
        index = parent;
    }
    put(timers, index, timer);
}

static void sift_down(struct timers *timers, size_t index, struct sched_timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= timers->count) {
            break;
        }
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (!is_before(timers->heap[child], timer)) {
            break;
        }
        put(timers, index, timers->heap[child]);
        index = child;
    }
    put(timers, index, timer);
}

static bool grow(struct timers *timers)
{
    if (timers->count < timers->cap) {
        return true;
    }
    size_t cap = timers->cap ? timers->cap * 2 : 64;
    struct sched_timer **heap = realloc(timers->heap, cap * sizeof(struct sched_timer *));
    if (!heap) {
        return false;
    }
    timers->heap = heap;
    timers->cap = cap;
    return true;
}

static struct sched_timer *take_spare(struct timers *timers)
{
    struct sched_timer *timer = timers->spare;
    if (!timer) {
        return malloc(sizeof(*timer));
    }
    timers->spare = timer->next_spare;
    timers->spare_count--;
    return timer;
}

struct sched_timer *timers_add(struct timers *timers, int64_t deadline_us, void (*fire)(void *data),
                               void *data)
{
    struct sched_timer *timer = grow(timers) ? take_spare(timers) : NULL;
    if (!timer) {
        return NULL;
    }
    bool is_past = deadline_us <= timers->pass_us;
    *timer = (struct sched_timer){.deadline_us = is_past ? timers->pass_us + 1 : deadline_us,
                                  .order = timers->started++,
                                  .fire = fire,
                                  .data = data};
    sift_up(timers, timers->count++, timer);
    return timer;
}

void timers_remove(struct timers *timers, struct sched_timer *timer)
{
    size_t index = timer->index;
    struct sched_timer *last = timers->heap[--timers->count];
    if (last != timer) {
        if (is_before(last, timer)) {
            sift_up(timers, index, last);
        } else {
            sift_down(timers, index, last);
        }
    }
    if (timers->spare_count == SPARE_LIMIT) {
        free(timer);
        return;
    }
    timer->next_spare = timers->spare;
    timers->spare = timer;
    timers->spare_count++;
}

bool timers_first(const struct timers *timers, int64_t *deadline_us)
{
    if (timers->count == 0) {
        return false;
    }
    *deadline_us = timers->heap[0]->deadline_us;
    return true;
}

bool timers_is_first(const struct timers *timers, const struct sched_timer *timer)
{
    return timer->index == 0 && timers->count > 0;
}

void timers_begin_pass(struct timers *timers, int64_t now_us)
{
    timers->pass_us = now_us;
    timers->in_pass = true;
}

bool timers_pop_due(struct timers *timers, struct timers_due *due)
{
    if (timers->count == 0 || timers->heap[0]->deadline_us > timers->pass_us) {
        return false;
    }
    struct sched_timer *timer = timers->heap[0];
    *due = (struct timers_due){timer->deadline_us, timer->fire, timer->data};
    timers_remove(timers, timer);
    return true;
}

void timers_end_pass(struct timers *timers)
{
    timers->in_pass = false;
}
