/* SPDX-License-Identifier: ISC */
#include "call/gate_decide.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char conf[] = "outbound = { allow = [ \"IN\", \"US\", \"+4420\", \"+99912\" ]; "
                           "hours = \"09:00-20:00\"; days = [ \"mon-sat\" ]; "
                           "regions = { IN = { hours = \"10:00-19:00\"; }; }; };";

struct scene {
    struct config *config;
    struct gate_rules rules;
};

static int set_up_with(void **state, const char *text)
{
    static struct scene scene;
    struct config_problems problems = {.list = NULL};
    scene = (struct scene){.config = NULL};
    assert_int_equal(config_parse("test", aic_str(text), NULL, &problems, &scene.config), AIC_OK);
    gate_rules_load(&scene.rules, config_get(config_root(scene.config), "outbound"), &problems);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    *state = &scene;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, conf);
}

static int set_up_empty(void **state)
{
    return set_up_with(state, "server = { };");
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    gate_rules_finish(&scene->rules);
    config_free(scene->config);
    return 0;
}

enum { TUESDAY = 1, SATURDAY = 5, SUNDAY = 6, NOON = 12 * 60 };

static struct gate_clock clock_of(const char *zone, int weekday, int minute)
{
    return (struct gate_clock){
        .zone = zone, .time = {.weekday = weekday, .minute = minute}, .is_known = true};
}

/* Everything speaks for the call. */
static struct gate_facts good(const char *to)
{
    struct gate_facts facts = {.to = aic_str(to),
                               .has_greeting = true,
                               .do_not_call = GATE_CLEAR,
                               .reserved = GATE_CLEAR,
                               .is_final = true};
    number_parse(&facts.number, facts.to);
    facts.clocks[facts.clock_count++] = clock_of("Asia/Calcutta", TUESDAY, NOON);
    return facts;
}

static struct gate_verdict judge(void **state, const struct gate_facts *facts)
{
    struct scene *scene = *state;
    struct gate_verdict verdict;
    gate_decide(&scene->rules, facts, &verdict);
    assert_int_equal(verdict.reason == GATE_ALLOWED, verdict.text[0] == '\0');
    assert_int_equal(verdict.reason == GATE_ALLOWED, gate_reason_status(verdict.reason) == AIC_OK);
    return verdict;
}

static void assert_judged(void **state, const struct gate_facts *facts, enum gate_reason reason)
{
    assert_string_equal(gate_reason_name(judge(state, facts).reason), gate_reason_name(reason));
}

static void test_the_number_decides(void **state)
{
    static const struct {
        const char *to;
        enum gate_reason reason;
    } cases[] = {
        {"+919876543210", GATE_ALLOWED},
        {"+12125550100", GATE_ALLOWED},
        {"+18005550100", GATE_ALLOWED},
        {"+442079460000", GATE_ALLOWED},
        {"+447400123456", GATE_DESTINATION},
        {"+14165550100", GATE_DESTINATION},
        {"+18765550100", GATE_DESTINATION},
        {"+19005550100", GATE_NUMBER_TYPE},
        {"+9118603451234", GATE_NUMBER_TYPE},
        {"+870773111632", GATE_NUMBER_TYPE},
        {"+12125550", GATE_NUMBER_SHORT},
        {"911", GATE_NUMBER_SHORT},
        {"112", GATE_NUMBER_SHORT},
        {"+1911", GATE_NUMBER_SHORT},
        {"+911111111111", GATE_NUMBER_UNKNOWN},
        {"+9991134567890", GATE_NUMBER_UNKNOWN},
        {"919876543210", GATE_NUMBER_INVALID},
        {"+91 98765 43210", GATE_NUMBER_INVALID},
        {"", GATE_NUMBER_INVALID},
        {"sip:someone@example.com", GATE_NUMBER_INVALID},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gate_facts facts = good(cases[i].to);
        assert_judged(state, &facts, cases[i].reason);
    }
}

static void test_a_new_number_is_dialled_if_its_beginning_is_listed(void **state)
{
    struct gate_facts facts = good("+9991234567890");
    assert_int_equal(facts.number.kind, NUMBER_UNKNOWN);
    assert_judged(state, &facts, GATE_ALLOWED);
    facts.clock_count = 0;
    assert_judged(state, &facts, GATE_ZONE_UNKNOWN);
}

static void test_an_empty_list_says_what_to_write(void **state)
{
    struct gate_facts facts = good("+919876543210");
    struct gate_verdict verdict = judge(state, &facts);
    assert_int_equal(verdict.reason, GATE_NOT_CONFIGURED);
    assert_non_null(strstr(verdict.text, "outbound = { allow = [ \"IN\" ]"));
}

static void test_the_hours_are_those_of_the_region(void **state)
{
    static const struct {
        const char *to;
        int weekday;
        int minute;
        bool may;
    } cases[] = {
        {"+919876543210", TUESDAY, 10 * 60 - 1, false}, {"+919876543210", TUESDAY, 10 * 60, true},
        {"+919876543210", TUESDAY, 19 * 60 - 1, true},  {"+919876543210", TUESDAY, 19 * 60, false},
        {"+12125550100", TUESDAY, 9 * 60, true},        {"+12125550100", TUESDAY, 20 * 60, false},
        {"+12125550100", SATURDAY, NOON, true},         {"+12125550100", SUNDAY, NOON, false},
        {"+919876543210", SUNDAY, NOON, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gate_facts facts = good(cases[i].to);
        facts.clocks[0] = clock_of("Asia/Calcutta", cases[i].weekday, cases[i].minute);
        assert_judged(state, &facts, cases[i].may ? GATE_ALLOWED : GATE_HOURS);
    }
}

static void test_all_clocks_have_to_agree(void **state)
{
    struct gate_facts facts = good("+18005550100");
    facts.clocks[0] = clock_of("America/New_York", TUESDAY, 13 * 60);
    facts.clocks[1] = clock_of("Pacific/Honolulu", TUESDAY, 8 * 60);
    facts.clock_count = 2;
    struct gate_verdict verdict = judge(state, &facts);
    assert_int_equal(verdict.reason, GATE_HOURS);
    assert_string_equal(verdict.text, "it is Tuesday, 08:00 in Pacific/Honolulu; there one is "
                                      "called from 09:00 to 20:00");
    facts.clocks[1].time.minute = 9 * 60;
    assert_judged(state, &facts, GATE_ALLOWED);
    facts.clocks[1].is_known = false;
    verdict = judge(state, &facts);
    assert_int_equal(verdict.reason, GATE_ZONE_UNKNOWN);
    assert_non_null(strstr(verdict.text, "tzdata"));
}

static void test_who_is_called_is_told_who_calls(void **state)
{
    struct gate_facts facts = good("+919876543210");
    facts.has_greeting = false;
    assert_judged(state, &facts, GATE_DISCLOSURE);
}

static void test_the_list_and_the_limits_object(void **state)
{
    struct gate_facts facts = good("+919876543210");
    facts.do_not_call = GATE_OBJECTION;
    assert_judged(state, &facts, GATE_DO_NOT_CALL);
    facts = good("+919876543210");
    facts.reserved = GATE_OBJECTION;
    facts.over = GATE_PER_HOUR;
    facts.retry_after_ms = 1500;
    struct gate_verdict verdict = judge(state, &facts);
    assert_int_equal(verdict.reason, GATE_PER_HOUR);
    assert_int_equal(verdict.retry_after_ms, 1500);
    assert_int_equal(gate_reason_status(verdict.reason), AIC_ERROR_BUSY);
    assert_non_null(strstr(verdict.text, "outbound.max_per_hour"));
    facts = good("+919876543210");
    facts.is_late = true;
    assert_judged(state, &facts, GATE_QUEUE);
}

static void test_what_is_not_known_is_a_refusal(void **state)
{
    struct gate_facts facts = good("+919876543210");
    facts.do_not_call = GATE_NO_ANSWER;
    assert_judged(state, &facts, GATE_STORAGE);
    assert_int_equal(gate_reason_status(GATE_STORAGE), AIC_ERROR_CLOSED);
    facts = good("+919876543210");
    facts.reserved = GATE_NO_ANSWER;
    assert_judged(state, &facts, GATE_STORAGE);
    facts = good("+919876543210");
    facts.do_not_call = GATE_NOT_ASKED;
    assert_judged(state, &facts, GATE_STORAGE);
    facts = good("+919876543210");
    facts.reserved = GATE_NOT_ASKED;
    assert_judged(state, &facts, GATE_STORAGE);
    /* On the way there a question may still be open. */
    facts.is_final = false;
    assert_judged(state, &facts, GATE_ALLOWED);
}

static void test_a_sentence_for_people_never_holds_the_number(void **state)
{
    static const char *const numbers[] = {"+447400123456", "+19005550100", "911",
                                          "+911111111111", "+91 98765",    "+870773111632"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct gate_facts facts = good(numbers[i]);
        struct gate_verdict verdict = judge(state, &facts);
        assert_int_not_equal(verdict.reason, GATE_ALLOWED);
        assert_null(strstr(verdict.text, numbers[i]));
    }
}

static void test_every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 1; i < GATE_REASONS; i++) {
        assert_true(gate_reason_name((enum gate_reason)i)[0] != '\0');
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(gate_reason_name((enum gate_reason)i),
                                    gate_reason_name((enum gate_reason)j));
        }
    }
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_the_number_decides),
        WITH(test_a_new_number_is_dialled_if_its_beginning_is_listed),
        cmocka_unit_test_setup_teardown(test_an_empty_list_says_what_to_write, set_up_empty,
                                        tear_down),
        WITH(test_the_hours_are_those_of_the_region),
        WITH(test_all_clocks_have_to_agree),
        WITH(test_who_is_called_is_told_who_calls),
        WITH(test_the_list_and_the_limits_object),
        WITH(test_what_is_not_known_is_a_refusal),
        WITH(test_a_sentence_for_people_never_holds_the_number),
        cmocka_unit_test(test_every_reason_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
