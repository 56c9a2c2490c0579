/* SPDX-License-Identifier: ISC */
#include "base/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static _Atomic uint64_t cells[METRICS_CELLS];
static struct metrics_name names[METRICS_PROVIDERS];

static uint64_t of(const char *name)
{
    for (uint32_t i = COUNTER_REQUESTS; i < COUNTERS; i++) {
        if (strcmp(counter_name((enum counter)i), name) == 0) {
            return cells[METRICS_LOSSES + i];
        }
    }
    fail();
    return 0;
}

static void test_a_refusal_counts_by_its_reason(void **state)
{
    (void)state;
    metrics_use(cells, names);
    counter_refuse("scope");
    counter_refuse("scope");
    counter_refuse("other");
    counter_refuse("what nobody knows");
    counter_refuse("unheard_blocks");
    metrics_use(NULL, NULL);
    assert_int_equal(of("scope"), 2);
    assert_int_equal(of("other"), 3);
    assert_int_equal(cells[METRICS_LOSSES + COUNTER_UNHEARD_BLOCKS], 0);
}

static void test_every_counter_has_a_name_of_its_own_in_groups_that_lie_together(void **state)
{
    (void)state;
    for (int i = 0; i < COUNTERS; i++) {
        assert_true(strlen(counter_name((enum counter)i)) > 0);
        const char *group = counter_group((enum counter)i);
        assert_true((strcmp(group, "requests") == 0) == (i >= COUNTER_REQUESTS));
        for (int other = 0; other < i; other++) {
            assert_string_not_equal(counter_name((enum counter)i),
                                    counter_name((enum counter)other));
        }
    }
    assert_string_equal(counter_name(COUNTER_LOST_MARKS), "lost_marks");
    assert_string_equal(counter_name(COUNTER_PER_CALLER), "limit_per_caller");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refusal_counts_by_its_reason),
        cmocka_unit_test(test_every_counter_has_a_name_of_its_own_in_groups_that_lie_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
