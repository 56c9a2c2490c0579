/* SPDX-License-Identifier: ISC */
#include "io/loop.h"

#include "io/pool.h"
#include "io/timers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <uv.h>

struct post {
    struct pool_post link; /* first: a link is its post */
    void (*run)(void *data);
    void *data;
};

struct loop {
    struct sched sched; /* first: a sched is its loop */
    uv_loop_t uv;
    uv_timer_t timer;
    uv_async_t wake;
    struct timers timers;
    int64_t lag_us;
    struct pool *pool;
    _Atomic(pthread_t) thread;
    atomic_bool is_stopping;
    pthread_mutex_t lock; /* of what follows */
    struct pool_post *posts;
    struct pool_post **posts_end;
    bool is_closed;
};

static struct loop *of(struct sched *sched)
{
    return (struct loop *)sched;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t now_us(struct sched *sched)
{
    (void)sched;
    return clock_us(CLOCK_MONOTONIC);
}

static int64_t wall_us(struct sched *sched)
{
    (void)sched;
    return clock_us(CLOCK_REALTIME);
}

static void random_bytes(struct sched *sched, void *to, size_t bytes)
{
    (void)sched;
    char *at = to;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        if (got > 0) {
            at += got;
            bytes -= (size_t)got;
        } else if (errno != EINTR) {
            abort(); /* without randomness no token or key may be made */
        }
    }
}

static void timer_due(uv_timer_t *handle);

/* Sets libuv's timer to the first deadline, rounded up to its milliseconds so that nothing is
 * early. `least_ms` 1 inside of a pass: libuv would run a timer of 0 ms again without a look at the
 * sockets. */
static void arm(struct loop *loop, int64_t least_ms)
{
    int64_t deadline_us = 0;
    if (!timers_first(&loop->timers, &deadline_us)) {
        uv_timer_stop(&loop->timer);
        return;
    }
    int64_t wait_ms = (deadline_us + 999) / 1000 - (int64_t)uv_now(&loop->uv);
    uint64_t timeout_ms = (uint64_t)(wait_ms > least_ms ? wait_ms : least_ms);
    (void)uv_timer_start(&loop->timer, timer_due, timeout_ms, 0);
}

static void timer_due(uv_timer_t *handle)
{
    struct loop *loop = handle->data;
    timers_begin_pass(&loop->timers, clock_us(CLOCK_MONOTONIC));
    struct timers_due due;
    while (timers_pop_due(&loop->timers, &due)) {
        int64_t late_us = clock_us(CLOCK_MONOTONIC) - due.deadline_us;
        loop->lag_us = late_us > loop->lag_us ? late_us : loop->lag_us;
        due.fire(due.data);
    }
    timers_end_pass(&loop->timers);
    arm(loop, 1);
}

static struct sched_timer *timer_start(struct sched *sched, int64_t deadline_us,
                                       void (*fire)(void *data), void *data)
{
    struct loop *loop = of(sched);
    struct sched_timer *timer = timers_add(&loop->timers, deadline_us, fire, data);
    if (timer && timers_is_first(&loop->timers, timer) && !loop->timers.in_pass) {
        arm(loop, 0);
    }
    return timer;
}

static void timer_stop(struct sched *sched, struct sched_timer *timer)
{
    if (timer) {
        timers_remove(&of(sched)->timers, timer);
    }
}

static void append(struct loop *loop, struct pool_post *post)
{
    post->next = NULL;
    *loop->posts_end = post;
    loop->posts_end = &post->next;
}

static void deliver(void *data, struct pool_post *post)
{
    struct loop *loop = data;
    pthread_mutex_lock(&loop->lock);
    bool was_empty = !loop->posts;
    append(loop, post);
    pthread_mutex_unlock(&loop->lock);
    if (was_empty) {
        uv_async_send(&loop->wake);
    }
}

static void run_post(struct pool_post *link)
{
    struct post *post = (struct post *)(void *)link;
    post->run(post->data);
    free(post);
}

static int32_t post(struct sched *sched, void (*run)(void *data), void *data)
{
    struct loop *loop = of(sched);
    struct post *new = malloc(sizeof(*new));
    if (!new) {
        return AIC_ERROR_MEMORY;
    }
    *new = (struct post){.link.run = run_post, .run = run, .data = data};
    pthread_mutex_lock(&loop->lock);
    bool is_closed = loop->is_closed;
    bool was_empty = !loop->posts;
    if (!is_closed) {
        append(loop, &new->link);
        if (was_empty) {
            /* Under the lock: after it the loop may be gone. */
            uv_async_send(&loop->wake);
        }
    }
    pthread_mutex_unlock(&loop->lock);
    if (is_closed) {
        free(new);
        return AIC_ERROR_CLOSED;
    }
    return AIC_OK;
}

/* Runs what was posted so far; what that posts in turn waits for the next turn. */
static void run_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct pool_post *posts = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    while (posts) {
        struct pool_post *next = posts->next;
        posts->run(posts);
        posts = next;
    }
}

static void woken(uv_async_t *handle)
{
    struct loop *loop = handle->data;
    run_posts(loop);
    if (atomic_load(&loop->is_stopping)) {
        uv_stop(&loop->uv);
    }
}

static struct sched_lane *lane_open(struct sched *sched)
{
    return pool_lane_open(of(sched)->pool);
}

static int32_t lane_run(struct sched *sched, struct sched_lane *lane, void (*work)(void *data),
                        void (*done)(void *data, int32_t status), void *data)
{
    (void)sched;
    return pool_lane_run(lane, work, done, data);
}

static void lane_close(struct sched *sched, struct sched_lane *lane, void (*closed)(void *data),
                       void *data)
{
    (void)sched;
    pool_lane_close(lane, closed, data);
}

static bool is_loop_thread(struct sched *sched)
{
    return pthread_equal(atomic_load(&of(sched)->thread), pthread_self());
}

static bool is_pool_thread(struct sched *sched)
{
    return pool_is_here(of(sched)->pool);
}

static const struct sched_ops ops = {
    .now_us = now_us,
    .wall_us = wall_us,
    .random = random_bytes,
    .timer_start = timer_start,
    .timer_stop = timer_stop,
    .post = post,
    .lane_open = lane_open,
    .lane_run = lane_run,
    .lane_close = lane_close,
    .is_loop_thread = is_loop_thread,
    .is_pool_thread = is_pool_thread,
};

struct loop *loop_create(const struct loop_options *options)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop) {
        return NULL;
    }
    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like others */
    loop->sched.ops = &ops;
    loop->posts_end = &loop->posts;
    loop->thread = pthread_self();
    pthread_mutex_init(&loop->lock, NULL);
    timers_init(&loop->timers);
    loop->timer.data = loop;
    (void)uv_timer_init(&loop->uv, &loop->timer);
    loop->wake.data = loop;
    if (uv_async_init(&loop->uv, &loop->wake, woken) != 0) {
        uv_close((uv_handle_t *)&loop->timer, NULL);
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
        (void)uv_loop_close(&loop->uv);
        pthread_mutex_destroy(&loop->lock);
        free(loop);
        return NULL;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = options && options->pool_threads > 0 ? options->pool_threads : (int)cores;
    loop->pool = pool_create(threads > 0 ? threads : 1, deliver, loop);
    if (!loop->pool) {
        loop_destroy(loop);
        return NULL;
    }
    return loop;
}

static void end_lanes(struct loop *loop)
{
    if (!loop->pool) {
        return;
    }
    pool_close_lanes(loop->pool);
    while (pool_lanes(loop->pool) > 0) {
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    }
}

void loop_destroy(struct loop *loop)
{
    if (!loop) {
        return;
    }
    end_lanes(loop);
    pthread_mutex_lock(&loop->lock);
    loop->is_closed = true;
    pthread_mutex_unlock(&loop->lock);
    run_posts(loop);
    pool_destroy(loop->pool);

    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv) != 0) {
        abort(); /* somebody's handle would be left pointing into freed memory */
    }
    timers_finish(&loop->timers);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_run(struct loop *loop)
{
    atomic_store(&loop->thread, pthread_self());
    while (!atomic_load(&loop->is_stopping)) {
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    atomic_store(&loop->is_stopping, false);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    uv_async_send(&loop->wake);
}

struct sched *loop_sched(struct loop *loop)
{
    return &loop->sched;
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

int64_t loop_lag_us(struct loop *loop)
{
    int64_t lag_us = loop->lag_us;
    loop->lag_us = 0;
    return lag_us;
}
