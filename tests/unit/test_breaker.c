/* SPDX-License-Identifier: ISC */
#include "plugin/breaker.h"

#include "io/shm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static struct aic_error error_of(uint32_t category)
{
    return (struct aic_error){
        .size = sizeof(struct aic_error), .category = category, .scope = AIC_SCOPE_PROVIDER};
}

static void test_three_failures_within_ten_seconds_open_it(void **state)
{
    (void)state;
    struct breaker breaker = {.shared = NULL};
    struct aic_error error = error_of(AIC_CATEGORY_NETWORK);
    assert_false(breaker_failed(&breaker, &error, 100 * S));
    assert_false(breaker_failed(&breaker, &error, 104 * S));
    assert_true(breaker_allows(&breaker, 104 * S));
    assert_true(breaker_failed(&breaker, &error, 109 * S));
    assert_false(breaker_allows(&breaker, 110 * S));
    assert_false(breaker_allows(&breaker, 138 * S));
    assert_true(breaker_allows(&breaker, 139 * S));
    assert_int_equal(breaker_state(&breaker), BREAKER_HALF_OPEN);
    assert_false(breaker_allows(&breaker, 139 * S));
    breaker_succeeded(&breaker);
    assert_true(breaker_allows(&breaker, 139 * S));
}

static void test_failures_far_apart_do_not_open_it(void **state)
{
    (void)state;
    struct breaker breaker = {.shared = NULL};
    struct aic_error error = error_of(AIC_CATEGORY_TIMEOUT);
    for (int64_t at = 100; at < 200; at += 6) {
        assert_false(breaker_failed(&breaker, &error, at * S));
    }
    assert_true(breaker_allows(&breaker, 200 * S));
}

static void test_what_waiting_does_not_mend_opens_it_at_once_for_a_minute(void **state)
{
    (void)state;
    static const uint32_t categories[] = {AIC_CATEGORY_AUTH, AIC_CATEGORY_QUOTA,
                                          AIC_CATEGORY_NOT_FOUND, AIC_CATEGORY_TLS};
    for (size_t i = 0; i < 4; i++) {
        struct breaker breaker = {.shared = NULL};
        struct aic_error error = error_of(categories[i]);
        assert_true(breaker_failed(&breaker, &error, 100 * S));
        assert_false(breaker_allows(&breaker, 159 * S));
        assert_true(breaker_allows(&breaker, 160 * S));
        /* The trial fails: out again. */
        assert_false(breaker_failed(&breaker, &error, 161 * S));
        assert_false(breaker_allows(&breaker, 162 * S));
    }
}

static void test_the_vendors_own_time_is_kept(void **state)
{
    (void)state;
    struct breaker breaker = {.shared = NULL};
    struct aic_error error = error_of(AIC_CATEGORY_RATE_LIMIT);
    error.retry = AIC_RETRY_AFTER;
    error.retry_after_ms = 7000;
    assert_true(breaker_failed(&breaker, &error, 100 * S));
    assert_int_equal(breaker_retry_wall_us(&breaker), 107 * S);
    error.retry_after_ms = INT64_MAX;
    breaker_failed(&breaker, &error, 100 * S);
    assert_int_equal(breaker_retry_wall_us(&breaker), 700 * S);
}

static void test_a_bad_request_says_nothing_about_the_provider(void **state)
{
    (void)state;
    static const uint32_t categories[] = {AIC_CATEGORY_BAD_REQUEST, AIC_CATEGORY_CANCELLED,
                                          AIC_CATEGORY_CONTENT_FILTER};
    struct breaker breaker = {.shared = NULL};
    for (int i = 0; i < 30; i++) {
        struct aic_error error = error_of(categories[i % 3]);
        assert_false(breaker_failed(&breaker, &error, 100 * S + i));
    }
    assert_true(breaker_allows(&breaker, 101 * S));
}

static void test_workers_share_what_they_found_out(void **state)
{
    (void)state;
    int fd = shm_create();
    struct shm *shm = shm_map(fd);
    struct breaker one = {.shared = shm_provider(shm, "groq/llm")};
    struct breaker two = {.shared = shm_provider(shm, "groq/llm")};
    struct aic_error error = error_of(AIC_CATEGORY_AUTH);
    breaker_failed(&one, &error, 100 * S);
    assert_false(breaker_allows(&two, 101 * S));
    /* Only one of them gets the trial. */
    assert_true(breaker_allows(&two, 160 * S));
    assert_false(breaker_allows(&one, 160 * S));
    breaker_succeeded(&two);
    assert_true(breaker_allows(&one, 161 * S));
    shm_unmap(shm);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_failures_within_ten_seconds_open_it),
        cmocka_unit_test(test_failures_far_apart_do_not_open_it),
        cmocka_unit_test(test_what_waiting_does_not_mend_opens_it_at_once_for_a_minute),
        cmocka_unit_test(test_the_vendors_own_time_is_kept),
        cmocka_unit_test(test_a_bad_request_says_nothing_about_the_provider),
        cmocka_unit_test(test_workers_share_what_they_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
