/* SPDX-License-Identifier: ISC */
#include "base/metrics.h"

#include <aicaller/telephony.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene {
    _Atomic uint64_t cells[METRICS_CELLS];
    struct metrics_name names[METRICS_PROVIDERS];
};

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    *state = scene;
    if (scene) {
        metrics_use(scene->cells, scene->names);
    }
    return scene ? 0 : -1;
}

static int end(void **state)
{
    metrics_use(NULL, NULL);
    free(*state);
    return 0;
}

static uint64_t all(const struct scene *scene)
{
    uint64_t sum = 0;
    for (int i = 0; i < METRICS_CELLS; i++) {
        sum += atomic_load(&scene->cells[i]);
    }
    return sum;
}

static void a_time_falls_into_the_bucket_whose_bound_it_does_not_exceed(void **state)
{
    struct scene *scene = *state;

    const struct {
        int64_t ms;
        uint32_t bucket;
    } times[] = {
        {0, 0},    {50, 0},   {51, 1},     {100, 1},    {101, 2},
        {1000, 6}, {1001, 7}, {20000, 12}, {20001, 13}, {INT64_MAX / 1000, 13},
    };

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        uint64_t before = atomic_load(&scene->cells[METRICS_RESPONSE + times[i].bucket]);
        metrics_observe(METRICS_RESPONSE, times[i].ms);
        assert_int_equal(atomic_load(&scene->cells[METRICS_RESPONSE + times[i].bucket]),
                         before + 1);
    }
}

static void the_sum_is_that_of_all_times(void **state)
{
    struct scene *scene = *state;
    metrics_observe(METRICS_RESPONSE, 700);
    metrics_observe(METRICS_RESPONSE, 30000);
    assert_int_equal(atomic_load(&scene->cells[METRICS_RESPONSE + METRICS_BOUNDS + 1]), 30700);
    assert_int_equal(all(scene), 30702);
}

static void a_time_that_never_came_and_a_stage_without_a_provider_do_not_count(void **state)
{
    struct scene *scene = *state;
    metrics_observe(METRICS_RESPONSE, -1);
    metrics_observe_stage(METRICS_LLM, "", 5);
    metrics_observe_stage(METRICS_LLM, NULL, 5);
    metrics_observe_stage(METRICS_LLM, "groq", -1);
    assert_int_equal(all(scene), 0);
    assert_int_equal(atomic_load(&scene->names[1].key), 0);
}

static void each_provider_and_stage_has_its_own_histogram(void **state)
{
    struct scene *scene = *state;
    metrics_observe_stage(METRICS_LLM, "groq", 60);
    metrics_observe_stage(METRICS_TTS, "groq", 60);
    metrics_observe_stage(METRICS_LLM, "openai", 60);
    assert_string_equal(scene->names[1].name, "groq");
    assert_string_equal(scene->names[2].name, "openai");
    assert_int_equal(atomic_load(&scene->cells[metrics_stage_cell(METRICS_LLM, 1) + 1]), 1);
    assert_int_equal(atomic_load(&scene->cells[metrics_stage_cell(METRICS_TTS, 1) + 1]), 1);
    assert_int_equal(atomic_load(&scene->cells[metrics_stage_cell(METRICS_LLM, 2) + 1]), 1);
}

static void the_cells_of_no_two_families_meet(void **state)
{
    (void)state;
    uint32_t last = metrics_stage_cell(METRICS_PLAYOUT, METRICS_PROVIDERS - 1) + METRICS_BOUNDS + 1;
    assert_int_equal(last + 1, METRICS_FAILOVERS);
    assert_int_equal(metrics_stage_cell(METRICS_ENDPOINTING, 0),
                     METRICS_RESPONSE + METRICS_HISTOGRAM);
}

static void providers_without_a_place_are_counted_together(void **state)
{
    struct scene *scene = *state;
    char name[16];
    for (int i = 1; i < METRICS_PROVIDERS; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        assert_int_equal(metrics_provider(scene->names, name), i);
    }
    assert_int_equal(metrics_provider(scene->names, "one more"), 0);
    assert_int_equal(metrics_provider(scene->names, "p7"), 7);
}

static void names_that_are_the_same_as_far_as_they_are_kept_are_one(void **state)
{
    struct scene *scene = *state;
    char a[80];
    char b[80];
    memset(a, 'x', sizeof(a));
    memset(b, 'x', sizeof(b));
    a[78] = 'a';
    b[78] = 'b';
    a[79] = b[79] = '\0';
    assert_int_equal(metrics_provider(scene->names, a), metrics_provider(scene->names, b));
}

static void only_ends_of_calls_count_as_ends(void **state)
{
    struct scene *scene = *state;
    metrics_count_end(METRICS_OUTBOUND, AIC_CALL_IN_PROGRESS);
    metrics_count_end(METRICS_OUTBOUND, AIC_CALL_CANCELED + 1);
    assert_int_equal(all(scene), 0);
    metrics_count_end(METRICS_INBOUND, AIC_CALL_COMPLETED);
    metrics_count_end(METRICS_TYPED, AIC_CALL_CANCELED);
    assert_int_equal(atomic_load(&scene->cells[METRICS_CALLS]), 1);
    assert_int_equal(atomic_load(&scene->cells[METRICS_TURNS - 1]), 1);
}

static void a_cost_in_small_steps_is_the_whole_cost(void **state)
{
    struct scene *scene = *state;
    double cost = 0;
    for (int i = 0; i < 1000; i++) {
        metrics_count_cost("groq", cost, cost + 0.0000003);
        cost += 0.0000003;
    }
    uint64_t millionths = atomic_load(&scene->cells[METRICS_COST + 1]);
    assert_in_range(millionths, 299, 300);
    metrics_count_cost("groq", 2, 1);
    metrics_count_cost("groq", 0, 1e300);
    assert_int_equal(atomic_load(&scene->cells[METRICS_COST + 1]), millionths);
}

static void answers_are_counted_by_the_first_digit_of_their_status(void **state)
{
    struct scene *scene = *state;
    metrics_count_http(204);
    metrics_count_http(299);
    metrics_count_http(503);
    metrics_count_http(600);
    metrics_count_http(-1);
    assert_int_equal(atomic_load(&scene->cells[METRICS_HTTP + 2]), 2);
    assert_int_equal(atomic_load(&scene->cells[METRICS_HTTP + 5]), 1);
    assert_int_equal(all(scene), 3);
}

static void failovers_are_told_apart_by_role(void **state)
{
    struct scene *scene = *state;
    metrics_count_failover(0, "deepgram");
    metrics_count_failover(2, "deepgram");
    metrics_count_failover(3, "deepgram");
    assert_int_equal(atomic_load(&scene->cells[METRICS_FAILOVERS + 1]), 1);
    assert_int_equal(atomic_load(&scene->cells[METRICS_FAILOVERS + 2 * METRICS_PROVIDERS + 1]), 1);
    assert_int_equal(all(scene), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_time_falls_into_the_bucket_whose_bound_it_does_not_exceed),
        TEST(the_sum_is_that_of_all_times),
        TEST(a_time_that_never_came_and_a_stage_without_a_provider_do_not_count),
        TEST(each_provider_and_stage_has_its_own_histogram),
        TEST(the_cells_of_no_two_families_meet),
        TEST(providers_without_a_place_are_counted_together),
        TEST(names_that_are_the_same_as_far_as_they_are_kept_are_one),
        TEST(only_ends_of_calls_count_as_ends),
        TEST(a_cost_in_small_steps_is_the_whole_cost),
        TEST(answers_are_counted_by_the_first_digit_of_their_status),
        TEST(failovers_are_told_apart_by_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
