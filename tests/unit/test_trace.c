/* SPDX-License-Identifier: ISC */
#include "call/trace.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char given[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
static const char call[] = "019b8d2c-8f40-7abc-8def-0123456789ab";

static void test_a_traceparent_is_read_and_written(void **state)
{
    (void)state;
    struct trace_context context;
    char text[TRACE_PARENT_TEXT];
    assert_true(trace_read(&context, aic_str(given)));
    assert_true(context.is_sampled);
    assert_int_equal(context.trace_id[0], 0x0a);
    assert_int_equal(context.span_id[7], 0x31);
    trace_write(text, &context);
    assert_string_equal(text, given);
}

static void test_what_the_standard_does_not_allow_is_no_traceparent(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct trace_context context;
        char text[TRACE_PARENT_TEXT];
        assert_false(trace_read(&context, aic_str(bad[i])));
        trace_write(text, &context);
        assert_string_equal(text, "");
    }
    struct trace_context later;
    assert_true(trace_read(
        &later, AIC_STR("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more")));
    assert_false(later.is_sampled);
}

static void test_a_call_that_continues_nothing_is_a_trace_of_its_own(void **state)
{
    (void)state;
    struct trace_call trace;
    char text[TRACE_PARENT_TEXT];
    trace_call_begin(&trace, call, "", 1);
    assert_true(trace.is_kept);
    assert_false(trace_is_set(&trace.given));
    trace_call_parent(&trace, NULL, text);
    assert_string_equal(text, "00-019b8d2c8f407abc8def0123456789ab-8def0123456789ab-01");
    trace_call_begin(&trace, call, NULL, 0);
    assert_false(trace.is_kept);
    trace_call_parent(&trace, NULL, text);
    assert_string_equal(text + 53, "00");
}

static void test_a_call_continues_what_it_was_given(void **state)
{
    (void)state;
    struct trace_call trace;
    char text[TRACE_PARENT_TEXT];
    trace_call_begin(&trace, call, given, 0);
    assert_true(trace.is_kept); /* because that says so */
    trace_call_parent(&trace, NULL, text);
    assert_string_equal(text, "00-0af7651916cd43dd8448eb211c80319c-8def0123456789ab-01");
    assert_int_equal(trace.given.span_id[0], 0xb7);
    trace_call_begin(&trace, call, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", 1);
    assert_false(trace.is_kept);
    trace_call_begin(&trace, call, "nonsense", 1);
    assert_true(trace.is_kept);
    assert_false(trace_is_set(&trace.given));
}

static void test_without_a_collector_what_was_given_goes_on_unchanged(void **state)
{
    (void)state;
    struct trace_call trace;
    uint8_t span[TRACE_SPAN] = {1};
    char text[TRACE_PARENT_TEXT];
    trace_call_begin(&trace, call, given, -1);
    assert_false(trace.is_kept);
    trace_call_parent(&trace, span, text);
    assert_string_equal(text, given);
    trace_call_begin(&trace, call, "", -1);
    trace_call_parent(&trace, span, text);
    assert_string_equal(text, "");
}

static void test_each_span_of_a_call_has_an_id_of_its_own(void **state)
{
    (void)state;
    struct trace_call trace;
    uint8_t ids[500][TRACE_SPAN];
    trace_call_begin(&trace, call, NULL, 1);
    for (uint64_t i = 0; i < 500; i++) {
        trace_call_span(&trace, i, ids[i]);
        for (uint64_t k = 0; k < i; k++) {
            assert_memory_not_equal(ids[i], ids[k], TRACE_SPAN);
        }
        assert_memory_not_equal(ids[i], trace.root.span_id, TRACE_SPAN);
    }
    uint8_t again[TRACE_SPAN];
    trace_call_span(&trace, 7, again);
    assert_memory_equal(again, ids[7], TRACE_SPAN);
}

static void test_the_share_of_traces_is_about_what_was_asked_for(void **state)
{
    (void)state;
    int kept = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        uint8_t id[TRACE_ID] = {1};
        uint32_t random = i * UINT32_C(2654435761);
        memcpy(id + TRACE_ID - 7, &random, sizeof(random));
        kept += trace_is_chosen(id, 0.25);
        assert_true(trace_is_chosen(id, 1));
        assert_false(trace_is_chosen(id, 0));
    }
    assert_in_range(kept, 2300, 2700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_traceparent_is_read_and_written),
        cmocka_unit_test(test_what_the_standard_does_not_allow_is_no_traceparent),
        cmocka_unit_test(test_a_call_that_continues_nothing_is_a_trace_of_its_own),
        cmocka_unit_test(test_a_call_continues_what_it_was_given),
        cmocka_unit_test(test_without_a_collector_what_was_given_goes_on_unchanged),
        cmocka_unit_test(test_each_span_of_a_call_has_an_id_of_its_own),
        cmocka_unit_test(test_the_share_of_traces_is_about_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
