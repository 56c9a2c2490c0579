/* SPDX-License-Identifier: ISC */
#include "io/pool.h"

#include <pthread.h>
#include <signal.h>

enum { LANE_LIMIT = 1024, THREAD_LIMIT = 256 };

struct job {
    struct pool_post post; /* first: a post is its job */
    struct job *next;
    struct sched_lane *lane;
    void (*work)(void *data);
    void (*done)(void *data, int32_t status);
    void *data;
    int32_t status;
};

struct sched_lane {
    struct pool *pool;
    struct sched_lane *next_ready; /* under the pool's lock, as are jobs, waiting, is_running */
    struct job *jobs;
    struct job **jobs_end;
    int waiting;
    bool is_running;
    struct pool_post end;      /* on the loop's thread, as are all below */
    struct sched_lane *next;   /* in the list of all lanes */
    struct sched_lane **where; /* what points to it */
    int unfinished;            /* jobs whose `done` has not been called */
    bool is_closing;           /* written under the lock */
    void (*closed)(void *data);
    void *closed_data;
};

struct pool {
    void (*deliver)(void *data, struct pool_post *post);
    void *deliver_data;
    struct sched_lane *lanes;
    size_t lane_count;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    struct sched_lane *ready; /* lanes with a job and no thread, oldest first */
    struct sched_lane **ready_end;
    bool is_stopping;
    int thread_count;
    pthread_t threads[THREAD_LIMIT];
};

static _Thread_local const struct pool *this_threads_pool;

static void push_ready(struct pool *pool, struct sched_lane *lane)
{
    lane->next_ready = NULL;
    *pool->ready_end = lane;
    pool->ready_end = &lane->next_ready;
    pthread_cond_signal(&pool->has_work);
}

static struct job *pop_job(struct sched_lane *lane)
{
    struct job *job = lane->jobs;
    lane->jobs = job->next;
    if (!lane->jobs) {
        lane->jobs_end = &lane->jobs;
    }
    lane->waiting--;
    return job;
}

static void cancel_waiting(struct sched_lane *lane)
{
    while (lane->jobs) {
        struct job *job = pop_job(lane);
        job->status = AIC_ERROR_CANCELLED;
        lane->pool->deliver(lane->pool->deliver_data, &job->post);
    }
}

/* Runs the first job of the first ready lane. Called and left with the lock held. */
static void run_one(struct pool *pool)
{
    struct sched_lane *lane = pool->ready;
    pool->ready = lane->next_ready;
    if (!pool->ready) {
        pool->ready_end = &pool->ready;
    }
    struct job *job = pop_job(lane);
    lane->is_running = true;
    pthread_mutex_unlock(&pool->lock);

    job->work(job->data);

    pthread_mutex_lock(&pool->lock);
    lane->is_running = false;
    /* Before the lock is given back: the loop may free the lane once it saw its last job. */
    pool->deliver(pool->deliver_data, &job->post);
    if (lane->is_closing) {
        cancel_waiting(lane);
    } else if (lane->jobs) {
        push_ready(pool, lane);
    }
}

static void *thread_main(void *data)
{
    struct pool *pool = data;
    this_threads_pool = pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (pool->ready) {
            run_one(pool);
        } else if (pool->is_stopping) {
            break;
        } else {
            pthread_cond_wait(&pool->has_work, &pool->lock);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_create(int threads, void (*deliver)(void *data, struct pool_post *post),
                         void *data)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (!pool) {
        return NULL;
    }
    pool->deliver = deliver;
    pool->deliver_data = data;
    pool->ready_end = &pool->ready;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->has_work, NULL);

    /* Signals are for the loop's thread. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int wanted = threads < THREAD_LIMIT ? threads : THREAD_LIMIT;
    while (pool->thread_count < wanted &&
           pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool) == 0) {
        (void)pthread_setname_np(pool->threads[pool->thread_count], "pool");
        pool->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pool->thread_count < wanted) {
        pool_destroy(pool);
        return NULL;
    }
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t pool_lanes(const struct pool *pool)
{
    return pool->lane_count;
}

void pool_close_lanes(struct pool *pool)
{
    struct sched_lane *next = NULL;
    for (struct sched_lane *lane = pool->lanes; lane; lane = next) {
        next = lane->next;
        if (!lane->is_closing) {
            pool_lane_close(lane, NULL, NULL);
        }
    }
}

bool pool_is_here(const struct pool *pool)
{
    return this_threads_pool == pool;
}

struct sched_lane *pool_lane_open(struct pool *pool)
{
    struct sched_lane *lane = calloc(1, sizeof(*lane));
    if (!lane) {
        return NULL;
    }
    lane->pool = pool;
    lane->jobs_end = &lane->jobs;
    lane->next = pool->lanes;
    lane->where = &pool->lanes;
    if (lane->next) {
        lane->next->where = &lane->next;
    }
    pool->lanes = lane;
    pool->lane_count++;
    return lane;
}

static void end_lane(struct pool_post *post)
{
    struct sched_lane *lane =
        (struct sched_lane *)(void *)((char *)post - offsetof(struct sched_lane, end));
    void (*closed)(void *data) = lane->closed;
    void *closed_data = lane->closed_data;
    *lane->where = lane->next;
    if (lane->next) {
        lane->next->where = lane->where;
    }
    lane->pool->lane_count--;
    /* A thread that has just delivered the last job may still hold the lock and read the lane. */
    pthread_mutex_lock(&lane->pool->lock);
    pthread_mutex_unlock(&lane->pool->lock);
    free(lane);
    if (closed) {
        closed(closed_data);
    }
}

static void end_lane_if_idle(struct sched_lane *lane)
{
    if (lane->is_closing && lane->unfinished == 0) {
        lane->pool->deliver(lane->pool->deliver_data, &lane->end);
    }
}

static void finish_job(struct pool_post *post)
{
    struct job *job = (struct job *)(void *)post;
    struct sched_lane *lane = job->lane;
    if (job->done) {
        job->done(job->data, job->status);
    }
    lane->unfinished--;
    end_lane_if_idle(lane);
    free(job);
}

int32_t pool_lane_run(struct sched_lane *lane, void (*work)(void *data),
                      void (*done)(void *data, int32_t status), void *data)
{
    if (lane->is_closing) {
        return AIC_ERROR_CLOSED;
    }
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    *job = (struct job){
        .post.run = finish_job, .lane = lane, .work = work, .done = done, .data = data};

    pthread_mutex_lock(&lane->pool->lock);
    bool has_room = lane->waiting < LANE_LIMIT;
    if (has_room) {
        bool is_first = !lane->jobs && !lane->is_running;
        *lane->jobs_end = job;
        lane->jobs_end = &job->next;
        lane->waiting++;
        lane->unfinished++;
        if (is_first) {
            push_ready(lane->pool, lane);
        }
    }
    pthread_mutex_unlock(&lane->pool->lock);
    if (!has_room) {
        free(job);
        return AIC_ERROR_BUSY;
    }
    return AIC_OK;
}

static void remove_ready(struct sched_lane *lane)
{
    struct pool *pool = lane->pool;
    for (struct sched_lane **at = &pool->ready; *at; at = &(*at)->next_ready) {
        if (*at == lane) {
            *at = lane->next_ready;
            if (pool->ready_end == &lane->next_ready) {
                pool->ready_end = at;
            }
            return;
        }
    }
}

void pool_lane_close(struct sched_lane *lane, void (*closed)(void *data), void *data)
{
    lane->closed = closed;
    lane->closed_data = data;
    lane->end.run = end_lane;
    pthread_mutex_lock(&lane->pool->lock);
    lane->is_closing = true;
    /* A running job tells its end first; its thread cancels the rest. */
    if (!lane->is_running) {
        remove_ready(lane);
        cancel_waiting(lane);
    }
    pthread_mutex_unlock(&lane->pool->lock);
    end_lane_if_idle(lane);
}
