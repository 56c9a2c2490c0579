/* SPDX-License-Identifier: ISC */
#include "io/loop.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct loop *loop;
    struct sched *sched;
    char trace[64];
    int count;
    int goal;
};

static struct loop *loop; /* of the test that runs */

static int set_up(void **state)
{
    static struct scene scene;
    memset(&scene, 0, sizeof(scene));
    scene.loop = loop_create(&(struct loop_options){.pool_threads = 2});
    if (!scene.loop) {
        return -1;
    }
    scene.sched = loop_sched(scene.loop);
    loop = scene.loop;
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    loop_destroy(scene->loop);
    return 0;
}

struct step {
    struct scene *scene;
    char letter;
    int64_t deadline_us;
};

static void note(struct scene *scene, char letter)
{
    size_t length = strlen(scene->trace);
    assert_true(length + 1 < sizeof(scene->trace));
    scene->trace[length] = letter;
    if (++scene->count == scene->goal) {
        loop_stop(scene->loop);
    }
}

static void step_fired(void *data)
{
    struct step *step = data;
    assert_true(sched_now(step->scene->sched) >= step->deadline_us);
    note(step->scene, step->letter);
}

static void run(struct scene *scene, int goal)
{
    scene->goal = goal;
    if (scene->count < goal) {
        loop_run(scene->loop);
    }
    assert_int_equal(scene->count, goal);
}

static void test_timers_fire_in_order_and_never_early(void **state)
{
    struct scene *scene = *state;
    int64_t now = sched_now(scene->sched);
    static const int64_t after_us[] = {5300, 1, 2700, 2700, -1000000, 900};
    struct step steps[6];
    for (size_t i = 0; i < 6; i++) {
        steps[i] = (struct step){scene, (char)('a' + i), now + after_us[i]};
        assert_non_null(
            sched_timer_start(scene->sched, steps[i].deadline_us, step_fired, &steps[i]));
    }
    run(scene, 6);
    assert_string_equal(scene->trace, "ebfcda");
}

static void test_a_stopped_timer_does_not_fire(void **state)
{
    struct scene *scene = *state;
    int64_t now = sched_now(scene->sched);
    struct step a = {scene, 'a', now + 1000};
    struct step b = {scene, 'b', now + 2000};
    struct sched_timer *first = sched_timer_start(scene->sched, a.deadline_us, step_fired, &a);
    sched_timer_start(scene->sched, b.deadline_us, step_fired, &b);
    sched_timer_stop(scene->sched, first);
    sched_timer_stop(scene->sched, NULL);
    run(scene, 1);
    assert_string_equal(scene->trace, "b");
}

static bool is_spinning;

static void spin(void *data)
{
    struct scene *scene = data;
    if (is_spinning) {
        sched_timer_start(scene->sched, 0, spin, scene);
    }
}

static int read_end;

static void readable(void *data)
{
    struct scene *scene = data;
    char byte = 0;
    assert_int_equal(read(read_end, &byte, 1), 1);
    is_spinning = false;
    note(scene, 'r');
}

static void test_a_timer_that_starts_itself_again_does_not_starve_descriptors(void **state)
{
    struct scene *scene = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct loop_watch *watch = loop_watch_start(scene->loop, pair[0], readable, scene);
    assert_non_null(watch);
    read_end = pair[0];
    assert_int_equal(write(pair[1], "x", 1), 1);
    is_spinning = true;
    sched_timer_start(scene->sched, 0, spin, scene);
    run(scene, 1);
    loop_watch_stop(watch);
    loop_watch_stop(NULL);
    close(pair[0]);
    close(pair[1]);
}

static void on_signal(void *data, int number)
{
    assert_int_equal(number, SIGUSR1);
    note(data, 's');
}

static void test_signals_arrive_on_the_loop(void **state)
{
    struct scene *scene = *state;
    struct loop_signal *watch = loop_signal_start(scene->loop, SIGUSR1, on_signal, scene);
    assert_non_null(watch);
    assert_int_equal(raise(SIGUSR1), 0);
    run(scene, 1);
    loop_signal_stop(watch);
}

static void test_lag_is_the_worst_delay_since_the_last_question(void **state)
{
    struct scene *scene = *state;
    int64_t deadline = sched_now(scene->sched) + 1;
    struct step a = {scene, 'a', deadline};
    assert_int_equal(loop_lag_us(scene->loop), 0);
    sched_timer_start(scene->sched, deadline, step_fired, &a);
    while (sched_now(scene->sched) < deadline + 3000) {
        /* keeps the loop from its work */
    }
    run(scene, 1);
    assert_true(loop_lag_us(scene->loop) >= 3000);
    assert_int_equal(loop_lag_us(scene->loop), 0);
}

enum { POSTERS = 4, POSTS = 2000 };

struct poster {
    struct scene *scene;
    pthread_t thread;
    int sent;
    int seen;
};

struct numbered {
    struct poster *from;
    int number;
};

static void numbered_ran(void *data)
{
    struct numbered *n = data;
    struct scene *scene = n->from->scene;
    assert_true(scene->sched->ops->is_loop_thread(scene->sched));
    assert_int_equal(n->number, n->from->seen++);
    free(n);
    if (++scene->count == scene->goal) {
        loop_stop(scene->loop);
    }
}

static void *post_many(void *data)
{
    struct poster *poster = data;
    for (int i = 0; i < POSTS; i++) {
        struct numbered *n = malloc(sizeof(*n));
        *n = (struct numbered){poster, i};
        if (sched_post(poster->scene->sched, numbered_ran, n) != AIC_OK) {
            abort();
        }
    }
    return NULL;
}

static void test_posts_of_many_threads_all_arrive_each_threads_in_order(void **state)
{
    struct scene *scene = *state;
    struct poster posters[POSTERS];
    memset(posters, 0, sizeof(posters));
    for (size_t i = 0; i < POSTERS; i++) {
        posters[i].scene = scene;
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    run(scene, POSTERS * POSTS);
    for (size_t i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].seen, POSTS);
    }
}

/* Lanes */

enum { LANES = 3, JOBS = 300 };

struct lane_scene {
    struct scene *scene;
    struct sched_lane *lane;
    atomic_int inside;
    int began; /* without a lock: only this lane's jobs touch it */
    int done;
    int cancelled;
    bool is_closed;
};

struct lane_job {
    struct lane_scene *of;
    int number;
};

static void lane_work(void *data)
{
    struct lane_job *job = data;
    struct lane_scene *of = job->of;
    if (atomic_fetch_add(&of->inside, 1) != 0 || of->began++ != job->number ||
        !of->scene->sched->ops->is_pool_thread(of->scene->sched) ||
        of->scene->sched->ops->is_loop_thread(of->scene->sched)) {
        abort();
    }
    atomic_fetch_sub(&of->inside, 1);
}

static void lane_done(void *data, int32_t status)
{
    struct lane_job *job = data;
    struct lane_scene *of = job->of;
    assert_true(of->scene->sched->ops->is_loop_thread(of->scene->sched));
    assert_false(of->is_closed);
    assert_int_equal(job->number, of->done + of->cancelled);
    if (status == AIC_OK) {
        assert_int_equal(of->cancelled, 0);
        of->done++;
    } else {
        assert_int_equal(status, AIC_ERROR_CANCELLED);
        of->cancelled++;
    }
    free(job);
}

static void lane_closed(void *data)
{
    struct lane_scene *of = data;
    of->is_closed = true;
    note(of->scene, 'c');
}

static int32_t add_job(struct lane_scene *of, int number, void (*work)(void *data))
{
    struct lane_job *job = malloc(sizeof(*job));
    *job = (struct lane_job){of, number};
    int32_t status = sched_lane_run(of->scene->sched, of->lane, work, lane_done, job);
    if (status != AIC_OK) {
        free(job);
    }
    return status;
}

static void close_after_last(void *data, int32_t status)
{
    struct lane_scene *of = data;
    assert_int_equal(status, AIC_OK);
    sched_lane_close(of->scene->sched, of->lane, lane_closed, of);
}

static void no_work(void *data)
{
    (void)data;
}

static void test_jobs_of_a_lane_run_in_order_and_never_together(void **state)
{
    struct scene *scene = *state;
    struct lane_scene lanes[LANES];
    memset(lanes, 0, sizeof(lanes));
    for (size_t i = 0; i < LANES; i++) {
        lanes[i].scene = scene;
        lanes[i].lane = sched_lane_open(scene->sched);
    }
    for (int number = 0; number < JOBS; number++) {
        for (size_t i = 0; i < LANES; i++) {
            assert_int_equal(add_job(&lanes[i], number, lane_work), AIC_OK);
        }
    }
    for (size_t i = 0; i < LANES; i++) {
        assert_int_equal(
            sched_lane_run(scene->sched, lanes[i].lane, no_work, close_after_last, &lanes[i]),
            AIC_OK);
    }
    run(scene, LANES);
    for (size_t i = 0; i < LANES; i++) {
        assert_int_equal(lanes[i].done, JOBS);
        assert_int_equal(lanes[i].began, JOBS);
    }
}

static sem_t gate;
static sem_t reached;

static void wait_at_gate(void *data)
{
    (void)data;
    sem_post(&reached);
    sem_wait(&gate);
}

static void open_gate(void *data)
{
    (void)data;
    sem_post(&gate);
}

static void test_lanes_run_side_by_side(void **state)
{
    struct scene *scene = *state;
    sem_init(&gate, 0, 0);
    sem_init(&reached, 0, 0);
    struct lane_scene lanes[2];
    memset(lanes, 0, sizeof(lanes));
    for (size_t i = 0; i < 2; i++) {
        lanes[i].scene = scene;
        lanes[i].lane = sched_lane_open(scene->sched);
    }
    /* The first can end only because the second runs beside it. */
    sched_lane_run(scene->sched, lanes[0].lane, wait_at_gate, close_after_last, &lanes[0]);
    sched_lane_run(scene->sched, lanes[1].lane, open_gate, close_after_last, &lanes[1]);
    run(scene, 2);
    sem_destroy(&gate);
    sem_destroy(&reached);
}

static void test_closing_a_lane_cancels_what_waits_and_lets_the_running_job_end(void **state)
{
    struct scene *scene = *state;
    sem_init(&gate, 0, 0);
    sem_init(&reached, 0, 0);
    struct lane_scene of = {.scene = scene, .lane = sched_lane_open(scene->sched)};
    assert_int_equal(add_job(&of, 0, wait_at_gate), AIC_OK);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(add_job(&of, i, lane_work), AIC_OK);
    }
    sem_wait(&reached);
    sched_lane_close(scene->sched, of.lane, lane_closed, &of);
    assert_int_equal(add_job(&of, 6, lane_work), AIC_ERROR_CLOSED);
    sem_post(&gate);
    run(scene, 1);
    assert_int_equal(of.done, 1);
    assert_int_equal(of.cancelled, 5);
    assert_int_equal(of.began, 0);
    assert_true(of.is_closed);
    sem_destroy(&gate);
    sem_destroy(&reached);
}

static void test_closing_works_while_all_threads_are_busy_elsewhere(void **state)
{
    struct scene *scene = *state;
    sem_init(&gate, 0, 0);
    sem_init(&reached, 0, 0);
    struct lane_scene busy[2];
    memset(busy, 0, sizeof(busy));
    for (size_t i = 0; i < 2; i++) {
        busy[i].scene = scene;
        busy[i].lane = sched_lane_open(scene->sched);
        add_job(&busy[i], 0, wait_at_gate);
    }
    sem_wait(&reached);
    sem_wait(&reached);
    struct lane_scene of = {.scene = scene, .lane = sched_lane_open(scene->sched)};
    assert_int_equal(add_job(&of, 0, lane_work), AIC_OK);
    sched_lane_close(scene->sched, of.lane, lane_closed, &of);
    run(scene, 1);
    assert_int_equal(of.cancelled, 1);
    for (size_t i = 0; i < 2; i++) {
        sched_lane_close(scene->sched, busy[i].lane, lane_closed, &busy[i]);
        sem_post(&gate);
    }
    run(scene, 3);
    sem_destroy(&gate);
    sem_destroy(&reached);
}

static void test_a_lane_refuses_the_1025th_waiting_job(void **state)
{
    struct scene *scene = *state;
    sem_init(&gate, 0, 0);
    sem_init(&reached, 0, 0);
    struct lane_scene of = {.scene = scene, .lane = sched_lane_open(scene->sched)};
    add_job(&of, 0, wait_at_gate);
    sem_wait(&reached);
    for (int i = 1; i <= 1024; i++) {
        assert_int_equal(add_job(&of, i, lane_work), AIC_OK);
    }
    assert_int_equal(add_job(&of, 1025, lane_work), AIC_ERROR_BUSY);
    sched_lane_close(scene->sched, of.lane, lane_closed, &of);
    sem_post(&gate);
    run(scene, 1);
    assert_int_equal(of.cancelled, 1024);
    sem_destroy(&gate);
    sem_destroy(&reached);
}

static void note_letter(void *data)
{
    struct step *step = data;
    note(step->scene, step->letter);
}

static void post_from_job(void *data)
{
    struct step *step = data;
    if (sched_post(step->scene->sched, note_letter, step) != AIC_OK) {
        abort();
    }
}

static void note_done(void *data, int32_t status)
{
    struct step *step = data;
    assert_int_equal(status, AIC_OK);
    note(step->scene, 'd');
}

static void test_what_a_job_posts_comes_before_its_end(void **state)
{
    struct scene *scene = *state;
    struct sched_lane *lane = sched_lane_open(scene->sched);
    struct step step = {scene, 'p', 0};
    for (int i = 0; i < 3; i++) {
        sched_lane_run(scene->sched, lane, post_from_job, note_done, &step);
    }
    run(scene, 6);
    assert_string_equal(scene->trace, "pdpdpd");
    sched_lane_close(scene->sched, lane, NULL, NULL);
}

/* The end */

static int32_t late_status;

static void post_again(void *data)
{
    struct scene *scene = data;
    late_status = sched_post(scene->sched, post_again, scene);
}

static void test_posting_to_a_loop_that_ends_is_refused(void **state)
{
    (void)state;
    struct scene other = {.loop = loop_create(NULL)};
    assert_non_null(other.loop);
    other.sched = loop_sched(other.loop);
    late_status = AIC_OK;
    assert_int_equal(sched_post(other.sched, post_again, &other), AIC_OK);
    loop_destroy(other.loop);
    assert_int_equal(late_status, AIC_ERROR_CLOSED);
}

static void test_destroy_forgets_timers_and_ends_lanes(void **state)
{
    (void)state;
    struct scene other = {.loop = loop_create(NULL)};
    other.sched = loop_sched(other.loop);
    struct step never = {&other, 'n', sched_now(other.sched) + INT64_C(3600000000)};
    sched_timer_start(other.sched, never.deadline_us, step_fired, &never);
    struct lane_scene of = {.scene = &other, .lane = sched_lane_open(other.sched)};
    for (int i = 0; i < 10; i++) {
        add_job(&of, i, lane_work);
    }
    loop_destroy(other.loop);
    loop_destroy(NULL);
    assert_int_equal(of.done + of.cancelled, 10);
    assert_string_equal(other.trace, "");
}

static void *stop_loop(void *data)
{
    (void)data;
    loop_stop(loop);
    return NULL;
}

static void test_another_thread_stops_the_loop_and_it_can_run_again(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, stop_loop, NULL), 0);
        loop_run(scene->loop);
        pthread_join(thread, NULL);
    }
}

static void test_random_bytes_differ(void **state)
{
    struct scene *scene = *state;
    unsigned char a[300] = {0};
    unsigned char b[300] = {0};
    sched_random(scene->sched, a, sizeof(a));
    sched_random(scene->sched, b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a + 250, b + 250, 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_order_and_never_early),
        TEST(test_a_stopped_timer_does_not_fire),
        TEST(test_a_timer_that_starts_itself_again_does_not_starve_descriptors),
        TEST(test_signals_arrive_on_the_loop),
        TEST(test_lag_is_the_worst_delay_since_the_last_question),
        TEST(test_posts_of_many_threads_all_arrive_each_threads_in_order),
        TEST(test_jobs_of_a_lane_run_in_order_and_never_together),
        TEST(test_lanes_run_side_by_side),
        TEST(test_closing_a_lane_cancels_what_waits_and_lets_the_running_job_end),
        TEST(test_closing_works_while_all_threads_are_busy_elsewhere),
        TEST(test_a_lane_refuses_the_1025th_waiting_job),
        TEST(test_what_a_job_posts_comes_before_its_end),
        TEST(test_posting_to_a_loop_that_ends_is_refused),
        TEST(test_destroy_forgets_timers_and_ends_lanes),
        TEST(test_another_thread_stops_the_loop_and_it_can_run_again),
        TEST(test_random_bytes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
