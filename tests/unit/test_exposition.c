/* SPDX-License-Identifier: ISC */
#include "base/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define LABELS(...) (&(struct exposition_labels){.list = {__VA_ARGS__}})

static int begin(void **state)
{
    struct aic_buf *buf = malloc(sizeof(*buf));
    if (buf) {
        aic_buf_init(buf, 1 << 16);
    }
    *state = buf;
    return buf ? 0 : -1;
}

static int end(void **state)
{
    aic_buf_finish(*state);
    free(*state);
    return 0;
}

static void check(struct aic_buf *buf, const char *text)
{
    assert_false(buf->failed);
    assert_string_equal(buf->data, text);
    aic_buf_clear(buf);
}

static void a_family_begins_with_its_help_and_type(void **state)
{
    exposition_family(*state, "a_total", "counter", "Says \"a\\b\"\nand more.");
    check(*state, "# HELP a_total Says \"a\\\\b\"\\nand more.\n# TYPE a_total counter\n");
}

static void labels_are_escaped(void **state)
{
    exposition_sample(*state, "a", LABELS({"x", "q\"b\\n\n"}, {"y", "\xc3\xa9"}), 1, 0);
    check(*state, "a{x=\"q\\\"b\\\\n\\n\",y=\"\xc3\xa9\"} 1\n");
    exposition_sample(*state, "a", LABELS({"x", "cut \xc3"}), 1, 0);
    check(*state, "a{x=\"cut ?\"} 1\n");
    exposition_sample(*state, "a", LABELS({NULL, NULL}), 1, 0);
    check(*state, "a 1\n");
}

static void numbers_are_exact(void **state)
{
    const struct {
        int64_t value;
        unsigned decimals;
        const char *text;
    } numbers[] = {
        {0, 0, "a 0\n"},
        {0, 6, "a 0\n"},
        {1234, 3, "a 1.234\n"},
        {1200, 3, "a 1.2\n"},
        {1000, 3, "a 1\n"},
        {5, 6, "a 0.000005\n"},
        {-1500, 3, "a -1.5\n"},
        {INT64_MAX, 6, "a 9223372036854.775807\n"},
        {INT64_MIN, 0, "a -9223372036854775808\n"},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        exposition_sample(*state, "a", NULL, numbers[i].value, numbers[i].decimals);
        check(*state, numbers[i].text);
    }
}

static void the_buckets_of_a_histogram_count_all_below(void **state)
{
    static const int64_t bounds_ms[] = {50, 1000};
    static const uint64_t buckets[] = {2, 0, 3};
    const struct exposition_histogram histogram = {
        .bounds_ms = bounds_ms, .buckets = buckets, .count = 2, .sum_ms = 12345};
    exposition_histogram(*state, "h_seconds", LABELS({"p", "x"}), &histogram);
    check(*state, "h_seconds_bucket{p=\"x\",le=\"0.05\"} 2\n"
                  "h_seconds_bucket{p=\"x\",le=\"1\"} 2\n"
                  "h_seconds_bucket{p=\"x\",le=\"+Inf\"} 5\n"
                  "h_seconds_sum{p=\"x\"} 12.345\n"
                  "h_seconds_count{p=\"x\"} 5\n");
    exposition_histogram(*state, "h_seconds", NULL, &histogram);
    check(*state, "h_seconds_bucket{le=\"0.05\"} 2\n"
                  "h_seconds_bucket{le=\"1\"} 2\n"
                  "h_seconds_bucket{le=\"+Inf\"} 5\n"
                  "h_seconds_sum 12.345\n"
                  "h_seconds_count 5\n");
}

static void what_does_not_fit_is_a_failure_and_not_half_a_page(void **state)
{
    (void)state;
    struct aic_buf small;
    aic_buf_init(&small, 8);
    exposition_sample(&small, "a_long_name", NULL, 1, 0);
    assert_true(small.failed);
    aic_buf_finish(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_family_begins_with_its_help_and_type),
        TEST(labels_are_escaped),
        TEST(numbers_are_exact),
        TEST(the_buckets_of_a_histogram_count_all_below),
        TEST(what_does_not_fit_is_a_failure_and_not_half_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
