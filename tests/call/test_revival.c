/* SPDX-License-Identifier: ISC */
#include "call_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct rig_settings with_spare = {
    .stt_flags = AIC_STT_NEEDS_VAD, .line_flags = AIC_TEL_NO_ECHO, .with_spare = true};

static struct rig *broken_rig(uint32_t category)
{
    struct rig *rig = rig_create(&with_spare);
    const struct aic_error error = {
        .size = sizeof(error), .category = category, .scope = AIC_SCOPE_PROVIDER};
    rig->vendor->probe_delay_us = 200000;
    provider_failed(rig->main, PROVIDER_LLM, &error);
    assert_int_equal(breaker_state(&rig->main->breakers[PROVIDER_LLM]), BREAKER_OPEN);
    return rig;
}

static enum breaker_state state_of(const struct rig *rig)
{
    return breaker_state(&rig->main->breakers[PROVIDER_LLM]);
}

static void test_a_provider_comes_back_by_a_probe_and_not_by_a_call(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig_run(rig, 59900);
    assert_int_equal(rig->vendor->probes, 0);
    rig_run(rig, 400);
    assert_int_equal(rig->vendor->probes, 1);
    assert_int_equal(state_of(rig), BREAKER_CLOSED);
    assert_int_equal(rig->vendor->requests, 0);
    assert_int_equal(rig->vendor->llm_sessions, 0);
    rig_run(rig, 600000);
    assert_int_equal(rig->vendor->probes, 1);
    rig_destroy(rig);
}

static void test_an_answer_from_inside_the_probe_counts(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_QUOTA);
    rig->vendor->probe_delay_us = 0;
    rig_run(rig, 60100);
    assert_int_equal(state_of(rig), BREAKER_CLOSED);
    assert_int_equal(rig->vendor->llm_sessions, 0);
    rig_destroy(rig);
}

static void test_no_call_is_let_through_while_a_probe_runs(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig->vendor->probe_delay_us = 3000000;
    rig_run(rig, 60500);
    assert_int_equal(rig->vendor->probes, 1);
    assert_false(provider_allowed(rig->main, PROVIDER_LLM));
    assert_true(provider_allowed(rig->main, PROVIDER_TTS));
    rig_run(rig, 3000);
    assert_true(provider_allowed(rig->main, PROVIDER_LLM));
    rig_destroy(rig);
}

static void test_a_bad_probe_keeps_it_out_and_is_repeated(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig->vendor->probe.failure = AIC_CATEGORY_SERVER;
    rig_run(rig, 60500);
    assert_int_equal(rig->vendor->probes, 1);
    assert_int_equal(state_of(rig), BREAKER_OPEN);
    rig_run(rig, 30000);
    assert_int_equal(rig->vendor->probes, 2);
    rig->vendor->probe.failure = 0;
    rig_run(rig, 30500);
    assert_int_equal(rig->vendor->probes, 3);
    assert_int_equal(state_of(rig), BREAKER_CLOSED);
    rig_destroy(rig);
}

static void test_a_probe_without_an_answer_ends_after_four_seconds(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig->vendor->probe.hangs = true;
    rig_run(rig, 63900);
    assert_int_equal(rig->vendor->llm_sessions, 1);
    assert_int_equal(state_of(rig), BREAKER_HALF_OPEN);
    rig_run(rig, 200);
    assert_int_equal(rig->vendor->llm_sessions, 0);
    assert_int_equal(state_of(rig), BREAKER_OPEN);
    rig->vendor->probe.hangs = false;
    rig_run(rig, 31000);
    assert_int_equal(rig->vendor->probes, 2);
    assert_int_equal(state_of(rig), BREAKER_CLOSED);
    rig_destroy(rig);
}

static void test_a_provider_that_works_again_before_is_not_probed(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig_run(rig, 1000);
    provider_succeeded(rig->main, PROVIDER_LLM);
    rig_run(rig, 120000);
    assert_int_equal(rig->vendor->probes, 0);
    rig_destroy(rig);
}

static void test_a_probe_under_way_ends_with_its_provider(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig->vendor->probe.hangs = true;
    rig_run(rig, 61000);
    assert_int_equal(rig->vendor->llm_sessions, 1);
    rig_destroy(rig); /* fails where a session or a timer is left */
}

static void test_a_role_without_a_probe_is_tried_by_the_next_call(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    const struct aic_error error = {
        .size = sizeof(error), .category = AIC_CATEGORY_AUTH, .scope = AIC_SCOPE_PROVIDER};
    provider_failed(rig->main, PROVIDER_TTS, &error);
    rig_run(rig, 61000);
    assert_int_equal(breaker_state(&rig->main->breakers[PROVIDER_TTS]), BREAKER_OPEN);
    assert_true(provider_allowed(rig->main, PROVIDER_TTS));
    assert_false(provider_allowed(rig->main, PROVIDER_TTS));
    rig_destroy(rig);
}

static void test_the_next_caller_meets_the_first_provider_again(void **state)
{
    (void)state;
    struct rig *rig = broken_rig(AIC_CATEGORY_AUTH);
    rig_run(rig, 61000);
    rig_hears(rig, "hello");
    rig_says(rig, "Good day.");
    const struct fake_speech speech = {3000000, 4000000};
    rig_begin(rig, &speech, 1);
    rig_run(rig, 8000);
    assert_int_equal(rig->vendor->requests, 1);
    assert_int_equal(rig->reserve->requests, 0);
    assert_false(rig_has_event(rig, "failover"));
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_provider_comes_back_by_a_probe_and_not_by_a_call),
        cmocka_unit_test(test_an_answer_from_inside_the_probe_counts),
        cmocka_unit_test(test_no_call_is_let_through_while_a_probe_runs),
        cmocka_unit_test(test_a_bad_probe_keeps_it_out_and_is_repeated),
        cmocka_unit_test(test_a_probe_without_an_answer_ends_after_four_seconds),
        cmocka_unit_test(test_a_provider_that_works_again_before_is_not_probed),
        cmocka_unit_test(test_a_probe_under_way_ends_with_its_provider),
        cmocka_unit_test(test_a_role_without_a_probe_is_tried_by_the_next_call),
        cmocka_unit_test(test_the_next_caller_meets_the_first_provider_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
