/* SPDX-License-Identifier: ISC */
/* Who looks on at live calls, in virtual time: what each gets, when, and when it is cut. */
#include "web/viewers.h"

#include "base/counters.h"
#include "base/metrics.h"
#include "base/sched.h"
#include "vsched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000, EYES = 1000 };

#define CALL  "01a203c4-5150-7038-b7cb-7a34a8e1fa27"
#define OTHER "01a203c4-5150-7038-b7cb-7a34a8e1fa28"

/* Somebody's browser. */
struct eye {
    struct viewer *viewer;
    struct aic_buf seen;
    size_t queued; /* what it does not read */
    bool is_stuck;
    int writes;
    int64_t first_us;
    bool is_ended;
    enum viewers_end why;
};

static struct world {
    struct vsched *v;
    struct sched *sched;
    struct viewers *viewers;
    struct eye eyes[EYES];
    const char *list;
    int asked;
    uint64_t number;
} world;

static int32_t eye_write(void *to, struct aic_str bytes)
{
    struct eye *eye = to;
    eye->writes++;
    eye->queued += eye->is_stuck ? bytes.len : 0;
    eye->first_us = eye->first_us ? eye->first_us : sched_now(world.sched);
    return aic_buf_str(&eye->seen, bytes);
}

static size_t eye_queued(void *to)
{
    return ((struct eye *)to)->queued;
}

static void eye_end(void *to, enum viewers_end why)
{
    struct eye *eye = to;
    assert_false(eye->is_ended);
    eye->is_ended = true;
    eye->why = why;
}

static void list_is_here(void *data)
{
    (void)data;
    viewers_snapshot(world.viewers, world.list ? aic_json_parse(aic_str(world.list), 0) : NULL);
}

static void want_list(void *data)
{
    (void)data;
    world.asked++;
    assert_int_equal(sched_post(world.sched, list_is_here, NULL), AIC_OK);
}

static int set_up(void **state)
{
    (void)state;
    const struct viewers_ops ops = {
        .write = eye_write, .queued = eye_queued, .end = eye_end, .want_snapshot = want_list};
    world = (struct world){.v = vsched_create(1), .number = 1000};
    world.sched = vsched_sched(world.v);
    world.viewers = viewers_create(world.sched, &ops);
    world.list = "[{\"call_id\":\"" CALL "\",\"worker\":2,\"from\":\"+12015550123\","
                 "\"to\":\"+12015550199\",\"state\":\"talking\",\"provider\":\"twilio\"}]";
    viewers_take(world.viewers, world.number, NULL, AIC_STR(""));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    viewers_destroy(world.viewers);
    vsched_destroy(world.v);
    for (int i = 0; i < EYES; i++) {
        aic_buf_finish(&world.eyes[i].seen);
    }
    return 0;
}

static struct eye *look(int number, const char *call_id, bool hides_numbers, uint64_t last)
{
    struct eye *eye = &world.eyes[number];
    const struct viewers_wish wish = {
        .call_id = call_id, .hides_numbers = hides_numbers, .last_number = last};
    aic_buf_finish(&eye->seen);
    *eye = (struct eye){.viewer = NULL};
    aic_buf_init(&eye->seen, 64 << 20);
    eye->viewer = viewers_add(world.viewers, &wish, eye);
    assert_non_null(eye->viewer);
    return eye;
}

static void tell(const char *call_id, const char *body)
{
    viewers_take(world.viewers, ++world.number, call_id, aic_str(body));
}

static bool saw(const struct eye *eye, const char *text)
{
    return eye->seen.data && strstr(eye->seen.data, text);
}

static int times(const struct eye *eye, const char *text)
{
    int count = 0;
    for (const char *at = eye->seen.data; at && (at = strstr(at, text)); at++) {
        count++;
    }
    return count;
}

static void first_comes_what_lives_then_what_happens(void **state)
{
    (void)state;
    struct eye *eye = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    assert_true(saw(eye, "event: snapshot\nid: 1000\ndata: {\"calls\":[{\"call_id\":\"" CALL "\""));
    assert_true(saw(eye, "\"worker\":2"));
    tell(CALL, "{\"type\":\"message\",\"turn\":1,\"role\":\"user\",\"text\":\"Hello\"}");
    vsched_run(world.v, 100 * MS);
    assert_true(saw(eye, "event: message\nid: 1001\ndata: {\"call_id\":\"" CALL
                         "\",\"at\":\"2026-01-05T10:00:01.000Z\",\"turn\":1,\"role\":\"user\","
                         "\"text\":\"Hello\"}\n\n"));
    viewers_remove(world.viewers, eye->viewer);
}

static void words_that_grow_are_told_as_far_as_they_are_when_it_is_time(void **state)
{
    (void)state;
    struct eye *eye = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    tell(CALL, "{\"type\":\"reply\",\"turn\":1,\"text\":\"I\"}");
    tell(CALL, "{\"type\":\"reply\",\"turn\":1,\"text\":\"I can\"}");
    tell(OTHER, "{\"type\":\"transcript\",\"turn\":2,\"text\":\"wait\",\"final\":false}");
    vsched_run(world.v, 100 * MS);
    assert_int_equal(times(eye, "event: partial\ndata: "), 2);
    assert_true(saw(eye, "\"turn\":1,\"role\":\"assistant\",\"text\":\"I can\"}"));
    assert_true(saw(eye, "\"turn\":2,\"role\":\"user\",\"text\":\"wait\"}"));
    tell(CALL, "{\"type\":\"reply\",\"turn\":1,\"text\":\"I can help\"}");
    tell(CALL, "{\"type\":\"heard\",\"turn\":1,\"text\":\"I can help.\",\"interrupted\":false}");
    vsched_run(world.v, 100 * MS);
    assert_int_equal(times(eye, "event: partial"), 2);
    assert_true(saw(eye, "event: heard"));
    viewers_remove(world.viewers, eye->viewer);
}

static void one_call_alone_and_numbers_hidden(void **state)
{
    (void)state;
    struct eye *one = look(0, OTHER, true, 0);
    struct eye *all = look(1, "", true, 0);
    vsched_run(world.v, 1000 * MS);
    assert_true(saw(one, "data: {\"calls\":[]}"));
    assert_true(saw(all, "\"from\":\"+*******0123\""));
    tell(CALL, "{\"type\":\"event\",\"event\":\"transfer\",\"detail\":{\"to\":\"+15550144999\"}}");
    tell(OTHER, "{\"type\":\"over\",\"call\":{\"from\":\"12015550123\",\"status\":\"completed\"}}");
    vsched_run(world.v, 1000 * MS);
    assert_false(saw(one, CALL));
    assert_true(saw(one, "event: ended"));
    assert_true(saw(one, "\"from\":\"*******0123\""));
    assert_true(saw(all, "\"to\":\"+*******4999\""));
    assert_false(saw(all, "2015550123"));
    viewers_remove(world.viewers, one->viewer);
    viewers_remove(world.viewers, all->viewer);
}

static void who_comes_back_gets_what_was_missed_or_begins_anew(void **state)
{
    (void)state;
    struct eye *stays = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    tell(CALL, "{\"type\":\"event\",\"event\":\"one\"}");
    tell(CALL, "{\"type\":\"event\",\"event\":\"two\"}");
    vsched_run(world.v, 1000 * MS);
    struct eye *back = look(1, "", false, 1001);
    struct eye *strange = look(2, "", false, 400);
    struct eye *ahead = look(3, "", false, 5000);
    vsched_run(world.v, 1000 * MS);
    assert_false(saw(back, "snapshot"));
    assert_false(saw(back, "\"one\""));
    assert_true(saw(back, "\"two\""));
    assert_true(saw(strange, "snapshot"));
    assert_true(saw(ahead, "snapshot"));
    assert_int_equal(times(stays, "snapshot"), 1);
    for (int i = 0; i < 4; i++) {
        viewers_remove(world.viewers, world.eyes[i].viewer);
    }
}

static void where_news_were_lost_everybody_gets_a_new_snapshot(void **state)
{
    (void)state;
    struct eye *eye = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    world.number += 3;
    tell(CALL, "{\"type\":\"event\",\"event\":\"later\"}");
    vsched_run(world.v, 1000 * MS);
    assert_int_equal(times(eye, "event: snapshot"), 2);
    assert_true(saw(eye, "id: 1004\ndata: {\"calls\""));
    struct eye *back = look(1, "", false, 1000);
    vsched_run(world.v, 1000 * MS);
    assert_true(saw(back, "snapshot"));
    viewers_remove(world.viewers, eye->viewer);
    viewers_remove(world.viewers, back->viewer);
}

static void a_list_that_can_not_be_had_is_asked_for_again(void **state)
{
    (void)state;
    const char *list = world.list;
    world.list = NULL;
    struct eye *eye = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    assert_true(world.asked > 2);
    assert_false(saw(eye, "snapshot"));
    world.list = list;
    vsched_run(world.v, 1000 * MS);
    assert_int_equal(times(eye, "snapshot"), 1);
    viewers_remove(world.viewers, eye->viewer);
}

static void who_does_not_read_is_cut_and_holds_no_more_than_a_piece(void **state)
{
    (void)state;
    static _Atomic uint64_t cells[METRICS_CELLS];
    char body[2000];
    struct eye *stuck = look(0, "", false, 0);
    struct eye *good = look(1, "", false, 0);
    metrics_use(cells, NULL);
    vsched_run(world.v, 1000 * MS);
    stuck->is_stuck = true;
    (void)snprintf(body, sizeof(body), "{\"type\":\"event\",\"event\":\"%01500d\"}", 7);
    for (int i = 0; i < 2 * LIVE_LOG_BYTES / 1500 && !stuck->is_ended; i++) {
        tell(CALL, body);
        vsched_run(world.v, 10 * MS);
    }
    metrics_use(NULL, NULL);
    assert_true(stuck->is_ended);
    assert_int_equal(stuck->why, VIEWERS_SLOW);
    assert_true(stuck->queued <= 64 << 10);
    assert_false(good->is_ended);
    uint64_t sum = 0;
    for (int i = 0; i < METRICS_CELLS; i++) {
        sum += cells[i];
    }
    assert_int_equal(sum, 1);
    viewers_remove(world.viewers, stuck->viewer);
    viewers_remove(world.viewers, good->viewer);
}

static void who_is_closed_while_it_does_not_read_counts_as_slow(void **state)
{
    (void)state;
    static _Atomic uint64_t cells[METRICS_CELLS];
    metrics_use(cells, NULL);
    for (int i = 0; i < 2; i++) {
        struct eye *eye = look(i, "", false, 0);
        eye->is_stuck = true;
        vsched_run(world.v, i == 0 ? 1000 * MS : 7000 * MS);
        viewers_remove(world.viewers, eye->viewer);
        assert_int_equal(cells[METRICS_LOSSES + COUNTER_VIEWERS_SLOW], i);
    }
    metrics_use(NULL, NULL);
}

static void a_large_snapshot_goes_in_pieces_and_is_never_torn(void **state)
{
    (void)state;
    struct aic_buf list;
    aic_buf_init(&list, 4 << 20);
    aic_buf_char(&list, '[');
    for (int i = 0; i < 3000; i++) {
        aic_buf_printf(&list, "%s{\"call_id\":\"" CALL "\",\"state\":\"talking\",\"from\":\"+1\"}",
                       i ? "," : "");
    }
    aic_buf_char(&list, ']');
    world.list = list.data;
    struct eye *eye = look(0, "", false, 0);
    eye->is_stuck = true;
    vsched_run(world.v, 1000 * MS);
    assert_true(eye->queued > 0 && eye->queued <= 64 << 10);
    world.number += 5; /* a new one is due before this one is through */
    tell(CALL, "{\"type\":\"event\",\"event\":\"later\"}");
    vsched_run(world.v, 1000 * MS);
    eye->is_stuck = false;
    eye->queued = 0;
    vsched_run(world.v, 3000 * MS);
    assert_int_equal(times(eye, "event: snapshot\n"), 2);
    assert_int_equal(times(eye, "]}\n\nevent: snapshot\n"), 1);
    assert_true(saw(eye, "\"later\"") || times(eye, "id: 1006\ndata") == 1);
    viewers_remove(world.viewers, eye->viewer);
    aic_buf_finish(&list);
}

static void a_thousand_are_served_a_few_at_a_time_with_one_write_each(void **state)
{
    (void)state;
    for (int i = 0; i < EYES; i++) {
        (void)look(i, "", i % 2 == 1, 0);
    }
    vsched_run(world.v, 2000 * MS);
    assert_int_equal(world.asked, 1);
    for (int i = 0; i < EYES; i++) {
        assert_int_equal(times(&world.eyes[i], "snapshot"), 1);
        world.eyes[i].writes = 0;
        world.eyes[i].first_us = 0;
    }
    for (int i = 0; i < 20; i++) {
        tell(CALL, "{\"type\":\"event\",\"event\":\"x\"}");
    }
    int64_t begin_us = sched_now(world.sched);
    vsched_run(world.v, 1000 * MS);
    int64_t last_us = 0;
    int at_once = 0;
    for (int i = 0; i < EYES; i++) {
        assert_int_equal(world.eyes[i].writes, 1);
        assert_int_equal(times(&world.eyes[i], "\"x\""), 20);
        at_once += world.eyes[i].first_us == world.eyes[0].first_us;
        last_us = world.eyes[i].first_us > last_us ? world.eyes[i].first_us : last_us;
    }
    assert_in_range(at_once, 1, 32);
    assert_in_range(last_us - begin_us, 250 * MS, 500 * MS);
    for (int i = 0; i < EYES; i++) {
        viewers_remove(world.viewers, world.eyes[i].viewer);
    }
}

static void every_15_s_there_is_a_sign_of_life(void **state)
{
    (void)state;
    struct eye *eye = look(0, CALL, false, 0);
    vsched_run(world.v, 61000 * MS);
    assert_int_equal(times(eye, "\n:\n"), 4);
    viewers_remove(world.viewers, eye->viewer);
}

static void all_are_ended_with_a_reason(void **state)
{
    (void)state;
    struct eye *one = look(0, "", false, 0);
    struct eye *other = look(1, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    viewers_end(world.viewers, one->viewer, VIEWERS_DENIED);
    vsched_run(world.v, 100 * MS);
    assert_true(one->is_ended && one->why == VIEWERS_DENIED && !other->is_ended);
    viewers_end_all(world.viewers, VIEWERS_DRAINING);
    vsched_run(world.v, 100 * MS);
    assert_true(other->is_ended && other->why == VIEWERS_DRAINING);
    viewers_remove(world.viewers, one->viewer);
    viewers_remove(world.viewers, other->viewer);
    assert_int_equal(viewers_count(world.viewers), 0);
}

static void what_makes_no_sense_is_passed_over(void **state)
{
    (void)state;
    struct eye *eye = look(0, "", false, 0);
    vsched_run(world.v, 1000 * MS);
    size_t before = eye->seen.len;
    tell(CALL, "");
    tell(CALL, "[]");
    tell(CALL, "{\"type\":\"unheard of\"}");
    tell(CALL, "{\"type\":7}");
    tell(CALL, "{\"type\":\"transcript\",\"final\":true,\"text\":\"x\"}");
    vsched_run(world.v, 1000 * MS);
    assert_int_equal(eye->seen.len, before);
    viewers_remove(world.viewers, eye->viewer);
}

#define with_world(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(first_comes_what_lives_then_what_happens),
        with_world(words_that_grow_are_told_as_far_as_they_are_when_it_is_time),
        with_world(one_call_alone_and_numbers_hidden),
        with_world(who_comes_back_gets_what_was_missed_or_begins_anew),
        with_world(where_news_were_lost_everybody_gets_a_new_snapshot),
        with_world(a_list_that_can_not_be_had_is_asked_for_again),
        with_world(who_does_not_read_is_cut_and_holds_no_more_than_a_piece),
        with_world(who_is_closed_while_it_does_not_read_counts_as_slow),
        with_world(a_large_snapshot_goes_in_pieces_and_is_never_torn),
        with_world(a_thousand_are_served_a_few_at_a_time_with_one_write_each),
        with_world(every_15_s_there_is_a_sign_of_life),
        with_world(all_are_ended_with_a_reason),
        with_world(what_makes_no_sense_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
