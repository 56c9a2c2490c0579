/* SPDX-License-Identifier: ISC */
/* The gate in virtual time, before a real SQLite database. */
#include "gate_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

static const char india[] = "+919876543210";
static const char new_york[] = "+12125550100";
static const char sydney[] = "+61255501234";

static void put_on_list(struct gate_rig *rig, const char *number)
{
    char params[128];
    (void)snprintf(params, sizeof(params), "{\"number\":\"%s\",\"source\":\"test\"}", number);
    gate_rig_change(rig, "do_not_call.add", params);
}

/* Wall time begins on Monday, 2026-01-05 at 10:00 UTC: 15:30 in India, 05:00 in New York. */
static const char wide[] = "outbound = { allow = [ \"IN\", \"US\", \"AU\", \"GB\" ]; };";

static void test_a_call_within_all_rules_passes_and_is_audited_first(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    assert_int_equal(rig->durable, 1);
    assert_non_null(strstr(rig->facts.data, "audit {"));
    assert_non_null(strstr(rig->facts.data, "\"action\":\"dial\""));
    assert_non_null(strstr(rig->facts.data, "\"outcome\":\"allowed\""));
    assert_non_null(strstr(rig->facts.data, "\"actor\":\"test\""));
    assert_null(strstr(rig->facts.data, "events {"));
    gate_rig_destroy(rig);
}

static void test_a_refusal_leaves_an_event_an_audit_fact_and_a_count(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, NULL);
    put_on_list(rig, india);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "do_not_call");
    assert_int_equal(gate_refusals(rig->gate, GATE_DO_NOT_CALL), 1);
    assert_non_null(strstr(rig->facts.data, "events {"));
    assert_non_null(strstr(rig->facts.data, "\"type\":\"dial_refused\""));
    assert_non_null(strstr(rig->facts.data, "\"reason\":\"do_not_call\""));
    assert_non_null(strstr(rig->facts.data, "\"outcome\":\"refused\""));
    /* Another number is not concerned, and what was taken off the list may be called again. */
    assert_string_equal(gate_rig_verdict(rig, 2, "+919876543211"), "");
    gate_rig_change(rig, "do_not_call.remove", "{\"number\":\"+919876543210\"}");
    assert_string_equal(gate_rig_verdict(rig, 3, india), "");
    gate_rig_destroy(rig);
}

static void test_who_said_so_in_a_call_is_not_dialled_again(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    gate_opt_out(rig->gate, gate_rig_id(1), india);
    /* On the disk first, for a storage that is down; and at once in the storage. */
    assert_int_equal(rig->durable, 2);
    assert_non_null(strstr(rig->facts.data, "do_not_call {"));
    assert_non_null(strstr(rig->facts.data, "\"outcome\":\"listed\""));
    assert_string_equal(gate_rig_verdict(rig, 2, india), "do_not_call");
    gate_rig_destroy(rig);
}

static void test_the_hours_are_those_where_somebody_is_called(void **state)
{
    (void)state;

    static const struct {
        const char *to;
        int64_t shift_us; /* of the wall, since Monday 10:00 UTC */
        const char *reason;
    } cases[] = {
        /* India is five and a half hours ahead: 08:00 there is 02:30 UTC. */
        {india, 0, ""},
        {india, 16 * HOUR + 30 * 60 * SECOND - 1, "outside_hours"},
        {india, 16 * HOUR + 30 * 60 * SECOND, ""},
        {india, 5 * HOUR + 30 * 60 * SECOND - 1, ""},
        {india, 5 * HOUR + 30 * 60 * SECOND, "outside_hours"},
        {new_york, 0, "outside_hours"},
        {new_york, 3 * HOUR, ""},
        /* The clocks went forward on March 8: 08:00 is 12:00 UTC from then on, 13:00 before. */
        {new_york, 61 * 24 * HOUR + 2 * HOUR, "outside_hours"},
        {new_york, 62 * 24 * HOUR + 2 * HOUR, ""},
        /* Sydney in January is eleven hours ahead: 21:00; in July ten: 20:00. */
        {sydney, 0, "outside_hours"},
        {sydney, -1, ""},
        {sydney, 181 * 24 * HOUR, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gate_rig *rig = gate_rig_create(wide, NULL);
        vsched_shift_wall(rig->v, cases[i].shift_us);
        assert_string_equal(gate_rig_verdict(rig, 1, cases[i].to), cases[i].reason);
        gate_rig_destroy(rig);
    }
}

static void
test_a_number_without_a_place_needs_the_hours_of_all_zones_or_one_that_stands_for_them(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, NULL);
    /* 18:00 UTC: 13:00 in New York, 08:00 in Honolulu. */
    vsched_shift_wall(rig->v, 8 * HOUR - 1);
    assert_string_equal(gate_rig_verdict(rig, 1, "+18005550100"), "outside_hours");
    vsched_shift_wall(rig->v, HOUR);
    assert_string_equal(gate_rig_verdict(rig, 2, "+18005550100"), "");
    gate_rig_destroy(rig);
    rig = gate_rig_create("outbound = { allow = [ \"US\" ]; regions = { US = { zone = "
                          "\"America/New_York\"; }; }; };",
                          NULL);
    vsched_shift_wall(rig->v, 4 * HOUR);
    assert_string_equal(gate_rig_verdict(rig, 1, "+18005550100"), "");
    /* A number with a place keeps its own: 06:00 in Los Angeles. */
    assert_string_equal(gate_rig_verdict(rig, 2, "+14155550100"), "outside_hours");
    gate_rig_destroy(rig);
}

static void test_without_time_zones_nobody_is_called(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, "/nonexistent");
    assert_string_equal(gate_rig_verdict(rig, 1, india), "zone_unknown");
    assert_non_null(strstr(rig->verdicts[0].text, "tzdata"));
    gate_rig_destroy(rig);
}

static void test_without_a_word_in_the_configuration_nobody_is_called(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create("server = { };", NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "outbound_not_configured");
    gate_rig_destroy(rig);
}

static void test_a_limit_holds_until_its_window_has_passed(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create("outbound = { allow = [ \"IN\" ]; max_per_minute = 2; "
                                           "max_per_hour = 3; calls_per_second = 100.0; };",
                                           NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    assert_string_equal(gate_rig_verdict(rig, 3, india), "limit_per_minute");
    assert_in_range(rig->verdicts[2].retry_after_ms, 50000, 60000);
    vsched_run(rig->v, 60 * SECOND);
    assert_string_equal(gate_rig_verdict(rig, 4, india), "");
    vsched_run(rig->v, 60 * SECOND);
    assert_string_equal(gate_rig_verdict(rig, 5, india), "limit_per_hour");
    vsched_run(rig->v, 3600 * SECOND);
    assert_string_equal(gate_rig_verdict(rig, 6, india), "");
    gate_rig_destroy(rig);
}

static void test_calls_at_the_same_time_are_counted_until_they_end(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 2; calls_per_second = 100.0; };", NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    assert_string_equal(gate_rig_verdict(rig, 3, india), "limit_concurrent");
    assert_int_equal(rig->verdicts[2].retry_after_ms, 0);
    gate_settle(rig->gate, gate_rig_id(1), 0);
    assert_string_equal(gate_rig_verdict(rig, 4, india), "");
    gate_release(rig->gate, gate_rig_id(2));
    assert_string_equal(gate_rig_verdict(rig, 5, india), "");
    assert_string_equal(gate_rig_verdict(rig, 6, india), "limit_concurrent");
    /* Nobody settles them: their workers died. The longest call would be over by then. */
    vsched_run(rig->v, 1800 * SECOND);
    assert_string_equal(gate_rig_verdict(rig, 7, india), "");
    gate_rig_destroy(rig);
}

static void test_a_call_that_was_not_dialled_counts_nowhere(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(
        "outbound = { allow = [ \"IN\" ]; max_per_day = 1; calls_per_second = 100.0; };", NULL);
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    assert_string_equal(gate_rig_verdict(rig, 2, india), "limit_per_day");
    gate_release(rig->gate, gate_rig_id(1));
    assert_string_equal(gate_rig_verdict(rig, 3, india), "");
    gate_settle(rig->gate, gate_rig_id(3), 0);
    assert_string_equal(gate_rig_verdict(rig, 4, india), "limit_per_day");
    gate_rig_destroy(rig);
}

static void test_money_is_set_aside_before_and_settled_after(void **state)
{
    (void)state;
    struct gate_rig *rig =
        gate_rig_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 100.0; };", NULL);
    rig->rules.max_cost_per_call = 1.0;
    rig->rules.max_cost_per_day = 2.5;
    assert_string_equal(gate_rig_verdict(rig, 1, india), "");
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    assert_string_equal(gate_rig_verdict(rig, 3, india), "limit_cost");
    /* The first cost a quarter of what was set aside: there is room for one more. */
    gate_settle(rig->gate, gate_rig_id(1), 0.25);
    assert_string_equal(gate_rig_verdict(rig, 4, india), "");
    assert_string_equal(gate_rig_verdict(rig, 5, india), "limit_cost");
    gate_rig_destroy(rig);
}

static void test_calls_wait_for_their_turn_and_are_judged_again_then(void **state)
{
    (void)state;
    struct gate_rig *rig =
        gate_rig_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.1; };", NULL);
    (void)gate_rig_pass(rig, 1, india);
    (void)gate_rig_pass(rig, 2, india);
    (void)gate_rig_pass(rig, 3, "+919876543211");
    vsched_run(rig->v, 5 * SECOND);
    assert_int_equal(rig->answers, 1);
    /* While they wait the second asks not to be called any more. */
    put_on_list(rig, india);
    vsched_run(rig->v, 20 * SECOND);
    assert_int_equal(rig->answers, 3);
    assert_string_equal(gate_reason_name(rig->verdicts[0].reason), "");
    assert_string_equal(gate_reason_name(rig->verdicts[1].reason), "do_not_call");
    assert_string_equal(gate_reason_name(rig->verdicts[2].reason), "");
    assert_in_range(rig->answered_us[2] - rig->answered_us[0], 20 * SECOND, 21 * SECOND);
    gate_rig_destroy(rig);
}

static void test_the_hours_may_end_while_a_call_waits(void **state)
{
    (void)state;
    struct gate_rig *rig =
        gate_rig_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.1; };", NULL);
    vsched_shift_wall(rig->v, 5 * HOUR + 30 * 60 * SECOND - 5 * SECOND);
    (void)gate_rig_pass(rig, 1, india);
    (void)gate_rig_pass(rig, 2, india);
    vsched_run(rig->v, 30 * SECOND);
    assert_string_equal(gate_reason_name(rig->verdicts[0].reason), "");
    assert_string_equal(gate_reason_name(rig->verdicts[1].reason), "outside_hours");
    gate_rig_destroy(rig);
}

static void test_who_waits_a_minute_is_refused(void **state)
{
    (void)state;
    struct gate_rig *rig =
        gate_rig_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.01; };", NULL);
    (void)gate_rig_pass(rig, 1, india);
    (void)gate_rig_pass(rig, 2, india);
    vsched_run(rig->v, 200 * SECOND);
    assert_int_equal(rig->answers, 2);
    assert_string_equal(gate_reason_name(rig->verdicts[1].reason), "limit_queue");
    gate_rig_destroy(rig);
}

static void test_a_storage_that_is_down_refuses(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(wide, NULL);
    rig->storage_is_down = true;
    assert_string_equal(gate_rig_verdict(rig, 1, india), "storage_unavailable");
    rig->storage_is_down = false;
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    gate_rig_destroy(rig);
}

static void test_a_storage_that_hangs_refuses_and_what_it_grants_later_is_given_back(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    rig->storage_hangs = true;
    (void)gate_rig_pass(rig, 1, india);
    vsched_run(rig->v, 4 * SECOND);
    assert_int_equal(rig->answers, 1);
    assert_string_equal(gate_reason_name(rig->verdicts[0].reason), "storage_unavailable");
    gate_rig_let_go(rig);
    assert_int_equal(rig->answers, 1);
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    gate_rig_destroy(rig);
}

static void test_a_dial_that_can_not_be_written_down_is_not_made(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    rig->journal_is_full = true;
    assert_string_equal(gate_rig_verdict(rig, 1, india), "storage_unavailable");
    rig->journal_is_full = false;
    assert_string_equal(gate_rig_verdict(rig, 2, india), "");
    gate_rig_destroy(rig);
}

static void test_a_check_that_is_dropped_is_not_answered_and_keeps_nothing(void **state)
{
    (void)state;
    struct gate_rig *rig = gate_rig_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    gate_drop(gate_rig_pass(rig, 1, india));
    struct gate_check *check = gate_rig_pass(rig, 2, india);
    rig->storage_hangs = true;
    vsched_run(rig->v, SECOND);
    gate_drop(check);
    gate_rig_let_go(rig);
    assert_int_equal(rig->answers, 0);
    assert_string_equal(gate_rig_verdict(rig, 3, india), "");
    /* And one that is under way when the gate goes. */
    (void)gate_rig_pass(rig, 4, india);
    gate_rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_within_all_rules_passes_and_is_audited_first),
        cmocka_unit_test(test_a_refusal_leaves_an_event_an_audit_fact_and_a_count),
        cmocka_unit_test(test_who_said_so_in_a_call_is_not_dialled_again),
        cmocka_unit_test(test_the_hours_are_those_where_somebody_is_called),
        cmocka_unit_test(
            test_a_number_without_a_place_needs_the_hours_of_all_zones_or_one_that_stands_for_them),
        cmocka_unit_test(test_without_time_zones_nobody_is_called),
        cmocka_unit_test(test_without_a_word_in_the_configuration_nobody_is_called),
        cmocka_unit_test(test_a_limit_holds_until_its_window_has_passed),
        cmocka_unit_test(test_calls_at_the_same_time_are_counted_until_they_end),
        cmocka_unit_test(test_a_call_that_was_not_dialled_counts_nowhere),
        cmocka_unit_test(test_money_is_set_aside_before_and_settled_after),
        cmocka_unit_test(test_calls_wait_for_their_turn_and_are_judged_again_then),
        cmocka_unit_test(test_the_hours_may_end_while_a_call_waits),
        cmocka_unit_test(test_who_waits_a_minute_is_refused),
        cmocka_unit_test(test_a_storage_that_is_down_refuses),
        cmocka_unit_test(test_a_storage_that_hangs_refuses_and_what_it_grants_later_is_given_back),
        cmocka_unit_test(test_a_dial_that_can_not_be_written_down_is_not_made),
        cmocka_unit_test(test_a_check_that_is_dropped_is_not_answered_and_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
