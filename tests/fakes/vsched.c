/* SPDX-License-Identifier: ISC */
#include "vsched.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANE_LIMIT = 1024 };

struct sched_timer {
    struct sched_timer *next; /* by deadline, then by order of start */
    int64_t deadline_us;
    void (*fire)(void *data);
    void *data;
};

struct post {
    struct post *next;
    void (*run)(void *data);
    void *data;
};

struct job {
    struct job *next;
    struct sched_lane *lane;
    void (*work)(void *data);
    void (*done)(void *data, int32_t status);
    void *data;
    int32_t status;
};

struct sched_lane {
    struct vsched *v;
    int waiting;
    int busy; /* a job's `done` has yet to be called */
    bool closing;
    void (*closed)(void *data);
    void *closed_data;
};

struct vsched {
    struct sched sched;
    int64_t now_us;
    int64_t wall_offset_us;
    int64_t pool_cost_us;
    uint64_t seed;
    struct sched_timer *timers;
    struct post *posts;
    struct post **posts_end;
    struct job *jobs;
    struct job **jobs_end;
    int lanes;
    bool in_pool;
};

static struct vsched *of(struct sched *sched)
{
    return (struct vsched *)sched;
}

static void *need(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static int64_t now_us(struct sched *sched)
{
    return of(sched)->now_us;
}

static int64_t wall_us(struct sched *sched)
{
    return of(sched)->now_us + of(sched)->wall_offset_us;
}

static void random_bytes(struct sched *sched, void *to, size_t bytes)
{
    struct vsched *v = of(sched);
    unsigned char *out = to;
    for (size_t i = 0; i < bytes; i++) {
        v->seed = v->seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(v->seed >> 56);
    }
}

static struct sched_timer *timer_start(struct sched *sched, int64_t deadline_us,
                                       void (*fire)(void *data), void *data)
{
    struct vsched *v = of(sched);
    struct sched_timer *timer = need(malloc(sizeof(*timer)));
    *timer = (struct sched_timer){.deadline_us = deadline_us, .fire = fire, .data = data};
    struct sched_timer **at = &v->timers;
    while (*at && (*at)->deadline_us <= deadline_us) {
        at = &(*at)->next;
    }
    timer->next = *at;
    *at = timer;
    return timer;
}

static void timer_stop(struct sched *sched, struct sched_timer *timer)
{
    for (struct sched_timer **at = &of(sched)->timers; timer && *at; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            free(timer);
            return;
        }
    }
}

static int32_t post(struct sched *sched, void (*run)(void *data), void *data)
{
    struct vsched *v = of(sched);
    struct post *p = need(malloc(sizeof(*p)));
    *p = (struct post){.run = run, .data = data};
    *v->posts_end = p;
    v->posts_end = &p->next;
    return AIC_OK;
}

static struct sched_lane *lane_open(struct sched *sched)
{
    struct sched_lane *lane = need(calloc(1, sizeof(*lane)));
    lane->v = of(sched);
    lane->v->lanes++;
    return lane;
}

static int32_t lane_run(struct sched *sched, struct sched_lane *lane, void (*work)(void *data),
                        void (*done)(void *data, int32_t status), void *data)
{
    struct vsched *v = of(sched);
    if (lane->closing) {
        return AIC_ERROR_CLOSED;
    }
    if (lane->waiting >= LANE_LIMIT) {
        return AIC_ERROR_BUSY;
    }
    struct job *job = need(malloc(sizeof(*job)));
    *job = (struct job){.lane = lane, .work = work, .done = done, .data = data};
    *v->jobs_end = job;
    v->jobs_end = &job->next;
    lane->waiting++;
    return AIC_OK;
}

static void lane_end_if_idle(struct sched_lane *lane)
{
    if (lane->closing && lane->waiting == 0 && lane->busy == 0) {
        struct vsched *v = lane->v;
        v->lanes--;
        if (lane->closed) {
            post(&v->sched, lane->closed, lane->closed_data);
        }
        free(lane);
    }
}

static void lane_close(struct sched *sched, struct sched_lane *lane, void (*closed)(void *data),
                       void *data)
{
    (void)sched;
    lane->closing = true;
    lane->closed = closed;
    lane->closed_data = data;
    lane_end_if_idle(lane);
}

static bool is_loop_thread(struct sched *sched)
{
    return !of(sched)->in_pool;
}

static bool is_pool_thread(struct sched *sched)
{
    return of(sched)->in_pool;
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

struct vsched *vsched_create(uint64_t seed)
{
    struct vsched *v = need(calloc(1, sizeof(*v)));
    v->sched.ops = &ops;
    v->seed = seed;
    v->now_us = 1000000;
    v->wall_offset_us = INT64_C(1767607200000000) - v->now_us;
    v->posts_end = &v->posts;
    v->jobs_end = &v->jobs;
    return v;
}

void vsched_destroy(struct vsched *v)
{
    vsched_run(v, 0);
    if (v->timers || v->lanes > 0) {
        (void)fprintf(stderr, "vsched: %zu timers and %d lanes left behind\n", vsched_timers(v),
                      v->lanes);
        abort();
    }
    free(v);
}

struct sched *vsched_sched(struct vsched *v)
{
    return &v->sched;
}

static void finish_job(void *data)
{
    struct job *job = data;
    struct sched_lane *lane = job->lane;
    if (job->done) {
        job->done(job->data, job->status);
    }
    lane->busy--;
    lane_end_if_idle(lane);
    free(job);
}

static void run_job(struct vsched *v)
{
    struct job *job = v->jobs;
    v->jobs = job->next;
    if (!v->jobs) {
        v->jobs_end = &v->jobs;
    }
    job->lane->waiting--;
    job->lane->busy++;
    if (job->lane->closing) {
        job->status = AIC_ERROR_CANCELLED;
    } else {
        v->in_pool = true;
        job->work(job->data);
        v->in_pool = false;
    }
    timer_start(&v->sched, v->now_us + v->pool_cost_us, finish_job, job);
}

/* Does one thing that is due by `limit_us`; false when there is none. */
static bool step(struct vsched *v, int64_t limit_us)
{
    if (v->posts) {
        struct post *p = v->posts;
        v->posts = p->next;
        if (!v->posts) {
            v->posts_end = &v->posts;
        }
        p->run(p->data);
        free(p);
        return true;
    }
    if (v->jobs) {
        run_job(v);
        return true;
    }
    struct sched_timer *timer = v->timers;
    if (timer && timer->deadline_us <= limit_us) {
        v->timers = timer->next;
        if (timer->deadline_us > v->now_us) {
            v->now_us = timer->deadline_us;
        }
        timer->fire(timer->data);
        free(timer);
        return true;
    }
    return false;
}

void vsched_run(struct vsched *v, int64_t us)
{
    int64_t limit = v->now_us + us;
    while (step(v, limit)) {
    }
    v->now_us = limit;
}

bool vsched_run_until(struct vsched *v, int64_t us, bool (*done)(void *data), void *data)
{
    int64_t limit = v->now_us + us;
    while (!done(data)) {
        if (!step(v, limit)) {
            v->now_us = limit;
            return done(data);
        }
    }
    return true;
}

void vsched_set_pool_cost(struct vsched *v, int64_t us)
{
    v->pool_cost_us = us;
}

void vsched_stall(struct vsched *v, int64_t us)
{
    v->now_us += us;
}

void vsched_shift_wall(struct vsched *v, int64_t us)
{
    v->wall_offset_us += us;
}

size_t vsched_timers(const struct vsched *v)
{
    size_t count = 0;
    for (const struct sched_timer *timer = v->timers; timer; timer = timer->next) {
        count++;
    }
    return count;
}
