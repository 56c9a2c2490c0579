/* SPDX-License-Identifier: ISC */
#include "io/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void nothing(void *data)
{
    (void)data;
}

static int64_t pop(struct timers *timers)
{
    struct timers_due due;
    return timers_pop_due(timers, &due) ? due.deadline_us : -1;
}

static void test_due_timers_come_by_deadline_then_by_order_of_start(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers);
    static char names[] = "abcde";
    static const int64_t deadlines[] = {30, 10, 20, 10, 30};
    for (size_t i = 0; i < 5; i++) {
        assert_non_null(timers_add(&timers, deadlines[i], nothing, &names[i]));
    }
    timers_begin_pass(&timers, 100);
    char got[6] = "";
    struct timers_due due;
    for (size_t i = 0; timers_pop_due(&timers, &due); i++) {
        got[i] = *(const char *)due.data;
    }
    timers_end_pass(&timers);
    assert_string_equal(got, "bdcae");
    timers_finish(&timers);
}

static void test_only_what_is_due_fires(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers);
    timers_add(&timers, 11, nothing, NULL);
    timers_add(&timers, 10, nothing, NULL);
    timers_begin_pass(&timers, 10);
    assert_int_equal(pop(&timers), 10);
    assert_int_equal(pop(&timers), -1);
    timers_end_pass(&timers);
    int64_t next = 0;
    assert_true(timers_first(&timers, &next));
    assert_int_equal(next, 11);
    timers_finish(&timers);
}

static void test_a_timer_started_in_a_pass_waits_for_a_later_one(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers);
    timers_add(&timers, 5, nothing, NULL);
    timers_add(&timers, 6, nothing, NULL);
    timers_begin_pass(&timers, 10);
    assert_int_equal(pop(&timers), 5);
    timers_add(&timers, 0, nothing, NULL);
    assert_int_equal(pop(&timers), 6);
    assert_int_equal(pop(&timers), -1);
    timers_end_pass(&timers);
    timers_begin_pass(&timers, 11);
    assert_int_equal(pop(&timers), 11);
    timers_end_pass(&timers);
    timers_finish(&timers);
}

static void test_a_due_timer_can_be_removed_before_its_turn(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers);
    timers_add(&timers, 1, nothing, NULL);
    struct sched_timer *second = timers_add(&timers, 2, nothing, NULL);
    timers_begin_pass(&timers, 10);
    assert_int_equal(pop(&timers), 1);
    timers_remove(&timers, second);
    assert_int_equal(pop(&timers), -1);
    timers_end_pass(&timers);
    int64_t next = 0;
    assert_false(timers_first(&timers, &next));
    timers_finish(&timers);
}

/* Against a plain array: random starts and removals, then everything in order. */
static void test_the_heap_agrees_with_a_sorted_list(void **state)
{
    (void)state;

    enum { COUNT = 2000 };
    static struct sched_timer *live[COUNT];
    static int64_t deadlines[COUNT];
    size_t count = 0;
    uint32_t seed = 1;
    struct timers timers;
    timers_init(&timers);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t dice = seed >> 8;
        if (count > 0 && (count == COUNT || dice % 5 < 2)) {
            size_t victim = dice / 5 % count;
            timers_remove(&timers, live[victim]);
            count--;
            live[victim] = live[count];
            deadlines[victim] = deadlines[count];
        } else {
            deadlines[count] = 1 + dice % 1000;
            live[count] = timers_add(&timers, deadlines[count], nothing, NULL);
            assert_non_null(live[count]);
            count++;
        }
    }
    assert_true(count > 100);
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += deadlines[i];
    }
    timers_begin_pass(&timers, 1000);
    int64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t next = pop(&timers);
        assert_true(next >= last);
        sum -= next;
        last = next;
    }
    assert_int_equal(sum, 0);
    assert_int_equal(pop(&timers), -1);
    timers_end_pass(&timers);
    timers_finish(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_timers_come_by_deadline_then_by_order_of_start),
        cmocka_unit_test(test_only_what_is_due_fires),
        cmocka_unit_test(test_a_timer_started_in_a_pass_waits_for_a_later_one),
        cmocka_unit_test(test_a_due_timer_can_be_removed_before_its_turn),
        cmocka_unit_test(test_the_heap_agrees_with_a_sorted_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
