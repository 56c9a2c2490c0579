/* SPDX-License-Identifier: ISC */
#ifndef LINK_WORLD_H
#define LINK_WORLD_H
/* Some workers' lines on one loop: to a hub over socket pairs, or one that ends in this process. */
#include "io/board.h"
#include "io/hub.h"
#include "io/link.h"
#include "io/loop.h"
#include "io/now.h"
#include "io/pack.h"
#include "io/peer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 3 };

static const struct aic_str nothing = {NULL, 0};

struct world;

struct end {
    struct world *world;
    struct link *link;
    int number;
    int drains;
    int stops;
    int refusals;
    bool keeps_silent;
    uint64_t last_request;
    char asked[600];
    char heard[600];
    int news;  /* of calls */
    int marks; /* told where numbers go on */
    uint64_t last_number;
    bool has_gap;
    char last_news[600];
};

struct world {
    struct loop *loop;
    struct hub *hub; /* NULL: lines end in this process */
    struct loop_watch *watch;
    struct end ends[WORKERS];
    int ready;
    int lost;
    int answered;
    int32_t answered_status;
    uint64_t tag;
};

struct reply {
    struct world *world;
    int count;
    int32_t status;
    size_t bytes;
    char text[300];
};

static void write_text(char *to, size_t bytes, const char *a, const char *b, struct aic_str c)
{
    (void)snprintf(to, bytes, "%s %s %.*s", a, b, (int)(c.len < 200 ? c.len : 200),
                   c.ptr ? c.ptr : "");
}

static void on_request(void *data, const struct link_request *request)
{
    struct end *end = data;
    write_text(end->asked, sizeof(end->asked), request->call_id, request->kind, request->body);
    end->last_request = request->id;
    if (end->keeps_silent) {
        return;
    }
    if (strcmp(request->kind, "big") == 0) {
        size_t bytes = strtoul(request->body.ptr, NULL, 10);
        char *body = calloc(1, bytes);
        memset(body, 'x', bytes);
        link_answer(end->link, request->id, AIC_OK, (struct aic_str){body, bytes});
        free(body);
        return;
    }
    char text[32];
    int length = snprintf(text, sizeof(text), "{\"by\":%d}", end->number);
    link_answer(end->link, request->id, AIC_OK, (struct aic_str){text, (size_t)length});
}

static void on_drain(void *data)
{
    ((struct end *)data)->drains++;
}

static void on_stop_new_calls(void *data)
{
    ((struct end *)data)->refusals++;
}

static void on_stop(void *data)
{
    ((struct end *)data)->stops++;
}

static void on_published(void *data, const char *topic, struct aic_str body)
{
    struct end *end = data;
    write_text(end->heard, sizeof(end->heard), "", topic, body);
}

static void on_news(void *data, const struct link_news *news)
{
    struct end *end = data;
    if (!news->call_id) {
        end->marks++;
        end->last_number = news->number;
        return;
    }
    end->news++;
    end->has_gap = end->has_gap || news->number != end->last_number + 1;
    end->last_number = news->number;
    write_text(end->last_news, sizeof(end->last_news), news->call_id, "", news->body);
}

static void on_ready(void *data, int worker)
{
    (void)worker;
    ((struct world *)data)->ready++;
}

static void on_lost(void *data, int worker)
{
    (void)worker;
    ((struct world *)data)->lost++;
}

static bool on_master_request(void *data, const struct hub_request *request)
{
    struct world *world = data;
    if (strcmp(request->kind, "version") == 0) {
        hub_answer(world->hub, request->ticket, AIC_OK, AIC_STR("{\"version\":1}"));
        return true;
    }
    return strcmp(request->kind, "reload") == 0;
}

static void on_answered(void *data, uint64_t tag, int32_t status, struct aic_str answer)
{
    struct world *world = data;
    (void)answer;
    world->answered++;
    world->answered_status = status;
    world->tag = tag;
}

static void serve_hub(void *data)
{
    hub_serve(((struct world *)data)->hub);
}

static struct link_handler handler_of(struct end *end)
{
    return (struct link_handler){.request = on_request,
                                 .drain = on_drain,
                                 .stop_new_calls = on_stop_new_calls,
                                 .stop = on_stop,
                                 .published = on_published,
                                 .news = on_news,
                                 .data = end};
}

static void add_worker(struct world *world, int number)
{
    int line[2];
    struct end *end = &world->ends[number];
    struct link_handler handler = handler_of(end);
    *end = (struct end){.world = world, .number = number};
    handler.data = end;
    if (world->hub) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), 0);
        assert_int_equal(hub_add_worker(world->hub, number, line[0]), AIC_OK);
        hub_set_open(world->hub, number, true);
        end->link = link_create(world->loop, line[1], &handler);
    } else {
        end->link = link_create(world->loop, -1, &handler);
    }
    assert_non_null(end->link);
}

static int set_up_hub(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct hub_handler handler = {.ready = on_ready,
                                  .lost = on_lost,
                                  .request = on_master_request,
                                  .answered = on_answered,
                                  .data = world};
    world->loop = loop_create(&(struct loop_options){.pool_threads = 1});
    world->hub = hub_create(&handler);
    world->watch = loop_watch_start(world->loop, hub_fd(world->hub), serve_hub, world);
    for (int i = 0; i < WORKERS; i++) {
        add_worker(world, i);
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < WORKERS; i++) {
        link_destroy(world->ends[i].link);
    }
    loop_watch_stop(world->watch);
    hub_destroy(world->hub);
    loop_destroy(world->loop);
    free(world);
    return 0;
}

static void on_reply(void *data, int32_t status, struct aic_str answer)
{
    struct reply *reply = data;
    reply->count++;
    reply->status = status;
    reply->bytes = answer.len;
    write_text(reply->text, sizeof(reply->text), "", "", answer);
}

struct step {
    struct world *world;
    const int *counter;
    int goal;
    bool is_over;
};

static void check_step(void *data)
{
    struct step *step = data;
    if (*step->counter >= step->goal) {
        loop_stop(step->world->loop);
        return;
    }
    struct sched *sched = loop_sched(step->world->loop);
    assert_non_null(sched_timer_start(sched, sched_now(sched) + 1000, check_step, step));
}

static void give_up(void *data)
{
    struct step *step = data;
    step->is_over = true;
    loop_stop(step->world->loop);
}

/* Runs the loop until a counter has reached its goal. */
static void run_until(struct world *world, const int *counter, int goal)
{
    struct step step = {.world = world, .counter = counter, .goal = goal};
    struct sched *sched = loop_sched(world->loop);
    struct sched_timer *guard =
        sched_timer_start(sched, sched_now(sched) + 30000000, give_up, &step);
    check_step(&step);
    loop_run(world->loop);
    assert_false(step.is_over);
    sched_timer_stop(sched, guard);
}

static void claim(struct world *world, int number, const char *call_id, int32_t expected)
{
    struct reply reply = {.count = 0};
    link_claim_call(world->ends[number].link, call_id, AIC_STR("{\"n\":1}"), on_reply, &reply);
    assert_int_equal(reply.count, 0); /* never from inside */
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, expected);
}

#define hub_test(name) cmocka_unit_test_setup_teardown(name, set_up_hub, tear_down)

#endif
