/* SPDX-License-Identifier: ISC */
#include "net_rig.h"

#include "io/loop.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

struct call {
    void (*run)(void *data);
    void *data;
    sem_t done;
};

struct net_rig {
    struct loop *loop;
    pthread_t thread;
    sem_t ready;
    struct call *outside; /* set on the loop's thread, for when loop_run returns */
};

static void run_call(void *data)
{
    struct call *call = data;
    call->run(call->data);
    sem_post(&call->done);
}

static void *thread_main(void *data)
{
    struct net_rig *rig = data;
    rig->loop = loop_create(&(struct loop_options){.pool_threads = 1});
    if (!rig->loop) {
        abort();
    }
    sem_post(&rig->ready);
    loop_run(rig->loop);
    while (rig->outside) {
        struct call *call = rig->outside;
        rig->outside = NULL;
        run_call(call);
        loop_run(rig->loop);
    }
    loop_destroy(rig->loop);
    return NULL;
}

struct net_rig *net_rig_start(void)
{
    struct net_rig *rig = calloc(1, sizeof(*rig));
    if (!rig || sem_init(&rig->ready, 0, 0) != 0 ||
        pthread_create(&rig->thread, NULL, thread_main, rig) != 0) {
        abort();
    }
    sem_wait(&rig->ready);
    return rig;
}

void net_rig_stop(struct net_rig *rig)
{
    loop_stop(rig->loop);
    pthread_join(rig->thread, NULL);
    sem_destroy(&rig->ready);
    free(rig);
}

struct loop *net_rig_loop(struct net_rig *rig)
{
    return rig->loop;
}

struct outside {
    struct net_rig *rig;
    struct call *call;
};

static void stop_for_call(void *data)
{
    const struct outside *outside = data;
    outside->rig->outside = outside->call;
    loop_stop(outside->rig->loop);
}

void net_rig_call_outside(struct net_rig *rig, void (*run)(void *data), void *data)
{
    struct call call = {.run = run, .data = data};
    struct outside outside = {rig, &call};
    if (sem_init(&call.done, 0, 0) != 0) {
        abort();
    }
    net_rig_call(rig, stop_for_call, &outside);
    sem_wait(&call.done);
    sem_destroy(&call.done);
}

void net_rig_call(struct net_rig *rig, void (*run)(void *data), void *data)
{
    struct call call = {.run = run, .data = data};
    if (sem_init(&call.done, 0, 0) != 0 ||
        sched_post(loop_sched(rig->loop), run_call, &call) != AIC_OK) {
        abort();
    }
    sem_wait(&call.done);
    sem_destroy(&call.done);
}

struct question {
    int (*is_so)(void *data);
    void *data;
    int answer;
};

static void ask(void *data)
{
    struct question *question = data;
    question->answer = question->is_so(question->data);
}

int net_rig_wait(struct net_rig *rig, int (*is_so)(void *data), void *data)
{
    struct question question = {.is_so = is_so, .data = data};
    for (int i = 0; i < 10000 && !question.answer; i++) {
        net_rig_call(rig, ask, &question);
        if (!question.answer) {
            usleep(1000);
        }
    }
    return question.answer;
}
