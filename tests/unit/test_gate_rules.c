/* SPDX-License-Identifier: ISC */
#include "call/gate_rules.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct scene {
    struct config *config;
    struct gate_rules rules;
    struct config_problems problems;
};

static void load(struct scene *scene, const char *text)
{
    *scene = (struct scene){.config = NULL};
    assert_int_equal(config_parse("test", aic_str(text), NULL, &scene->problems, &scene->config),
                     AIC_OK);
    gate_rules_load(&scene->rules, config_get(config_root(scene->config), "outbound"),
                    &scene->problems);
}

static void unload(struct scene *scene)
{
    gate_rules_finish(&scene->rules);
    config_problems_finish(&scene->problems);
    config_free(scene->config);
}

static void test_without_a_word_nobody_may_be_dialled(void **state)
{
    (void)state;
    struct scene scene;
    load(&scene, "server = { };");
    assert_int_equal(scene.problems.errors, 0);
    assert_false(gate_rules_dial(&scene.rules));
    assert_false(gate_rules_allow_region(&scene.rules, "IN"));
    assert_int_equal(scene.rules.window.from_minute, 8 * 60);
    assert_int_equal(scene.rules.window.until_minute, 21 * 60);
    assert_int_equal(scene.rules.window.days, 127);
    assert_int_equal(scene.rules.max_concurrent, 10);
    assert_int_equal(scene.rules.max_per_minute, 10);
    assert_int_equal(scene.rules.max_per_hour, 60);
    assert_int_equal(scene.rules.max_per_day, 500);
    unload(&scene);
}

static void test_regions_and_beginnings_are_allowed(void **state)
{
    (void)state;
    struct scene scene;
    load(&scene, "outbound = { allow = [ \"IN\", \"+4420\" ]; };");
    assert_int_equal(scene.problems.errors, 0);
    assert_true(gate_rules_dial(&scene.rules));
    assert_true(gate_rules_allow_region(&scene.rules, "IN"));
    assert_false(gate_rules_allow_region(&scene.rules, "GB"));
    assert_true(gate_rules_allow_prefix(&scene.rules, AIC_STR("+442079460000")));
    assert_false(gate_rules_allow_prefix(&scene.rules, AIC_STR("+447400123456")));
    assert_false(gate_rules_allow_prefix(&scene.rules, AIC_STR("+44")));
    unload(&scene);
    load(&scene, "outbound = { allow = [ \"*\" ]; };");
    assert_true(gate_rules_allow_region(&scene.rules, "GB"));
    assert_false(gate_rules_allow_prefix(&scene.rules, AIC_STR("+442079460000")));
    unload(&scene);
}

static void test_a_region_has_hours_of_its_own(void **state)
{
    (void)state;
    struct scene scene;
    load(&scene, "outbound = { allow = [ \"*\" ]; hours = \"09:00-20:00\"; days = [ \"mon-sat\" ]; "
                 "regions = { FR = { hours = \"10:00-20:00\"; days = [ \"mon-fri\" ]; }; "
                 "RU = { zone = \"Europe/Moscow\"; }; }; };");
    assert_int_equal(scene.problems.errors, 0);
    assert_int_equal(gate_rules_window(&scene.rules, "IN")->from_minute, 9 * 60);
    assert_int_equal(gate_rules_window(&scene.rules, "IN")->days, 63);
    assert_int_equal(gate_rules_window(&scene.rules, "FR")->from_minute, 10 * 60);
    assert_int_equal(gate_rules_window(&scene.rules, "FR")->days, 31);
    assert_int_equal(gate_rules_window(&scene.rules, "RU")->from_minute, 9 * 60);
    assert_string_equal(gate_rules_zone(&scene.rules, "RU"), "Europe/Moscow");
    assert_null(gate_rules_zone(&scene.rules, "FR"));
    unload(&scene);
}

static void test_days_may_go_round_the_end_of_the_week(void **state)
{
    (void)state;
    unsigned days = 0;
    assert_true(gate_days_parse("sat-mon", &days));
    assert_int_equal(days, 1 | 32 | 64);
    assert_true(gate_days_parse("wed", &days));
    assert_int_equal(days, 1 | 4 | 32 | 64);
    assert_false(gate_days_parse("", &days));
    assert_false(gate_days_parse("monday", &days));
    assert_false(gate_days_parse("mon-", &days));
    assert_false(gate_days_parse("mon-fri,sun", &days));
}

static void test_hours_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct gate_window window;
    assert_true(gate_hours_parse("00:00-24:00", &window));
    assert_int_equal(window.until_minute, 1440);
    static const char *const bad[] = {"",
                                      "9-20",
                                      "09:00",
                                      "09:00-",
                                      "09:00-09:00",
                                      "21:00-08:00",
                                      "09:60-20:00",
                                      "09:00-24:01",
                                      "09:00-20:0",
                                      "09:00-20:000",
                                      "09.00-20.00",
                                      "ab:cd-ef:gh"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(gate_hours_parse(bad[i], &window));
    }
}

static void test_a_wrong_word_is_told_with_its_place(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"outbound = { allow = [ \"UK\" ]; };", "\"UK\" is no region"},
        {"outbound = { allow = [ \"India\" ]; };", "\"India\" is no region"},
        {"outbound = { allow = [ \"+\" ]; };", "\"+\" is no region"},
        {"outbound = { allow = [ \"+44 20\" ]; };", "\"+44 20\" is no region"},
        {"outbound = { hours = \"9 to 5\"; };", "\"9 to 5\" are no hours"},
        {"outbound = { days = [ \"monday\" ]; };", "\"monday\" is no day"},
        {"outbound = { regions = { UK = { }; }; };", "expected a region such as"},
        {"outbound = { regions = { IN = { zone = \"Mars\"; }; }; };", "\"Mars\" is no time zone"},
        {"outbound = { regions = [ \"IN\" ]; };", "expected a group such as"},
        {"outbound = { max_per_minute = 0; };", "max_per_minute"},
        {"outbound = { allowed = [ \"IN\" ]; };", "allow"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        struct aic_buf text;
        load(&scene, cases[i].text);
        aic_buf_init(&text, 65536);
        config_problems_print(&scene.problems, false, &text);
        assert_true(scene.problems.errors > 0);
        assert_non_null(strstr(text.data, cases[i].says));
        assert_non_null(strstr(text.data, "test:1:"));
        aic_buf_finish(&text);
        unload(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_word_nobody_may_be_dialled),
        cmocka_unit_test(test_regions_and_beginnings_are_allowed),
        cmocka_unit_test(test_a_region_has_hours_of_its_own),
        cmocka_unit_test(test_days_may_go_round_the_end_of_the_week),
        cmocka_unit_test(test_hours_that_make_no_sense_are_refused),
        cmocka_unit_test(test_a_wrong_word_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
