/* SPDX-License-Identifier: ISC */
#include "base/config.h"

#include "buf.h"
#include "json.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_problems_are_told_as_lines_and_as_json(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config_pos pos = {"a \"b\".conf", 3, 7};
    config_problem_add(&problems, pos, "unknown key \"%s\"", "modle");
    config_warning_add(&problems, (struct config_pos){.file = "b.conf"}, "careful");
    config_problem_add(&problems, (struct config_pos){.file = NULL}, "no place");
    assert_int_equal(problems.count, 3);
    assert_int_equal(problems.errors, 2);
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    config_problems_print(&problems, false, &text);
    assert_string_equal(text.data, "a \"b\".conf:3:7: unknown key \"modle\"\n"
                                   "b.conf: warning: careful\nno place\n");
    aic_buf_clear(&text);
    config_problems_print(&problems, true, &text);
    struct aic_json *json = aic_json_parse(aic_buf_view(&text), 0);
    assert_int_equal(aic_json_count(json), 3);
    const struct aic_json *first = aic_json_at(json, 0);
    assert_true(aic_str_equal(aic_json_get_text(first, "file"), "a \"b\".conf"));
    assert_int_equal(aic_json_get_int(first, "line", 0), 3);
    assert_int_equal(aic_json_get_int(first, "column", 0), 7);
    assert_true(aic_str_equal(aic_json_get_text(first, "text"), "unknown key \"modle\""));
    assert_true(aic_str_equal(aic_json_get_text(first, "severity"), "error"));
    assert_true(aic_str_equal(aic_json_get_text(aic_json_at(json, 1), "severity"), "warning"));
    aic_json_free(json);
    aic_buf_finish(&text);
    config_problems_finish(&problems);
    assert_int_equal(problems.errors, 0);
}

static void test_the_nearest_name_is_at_most_two_slips_away(void **state)
{
    (void)state;
    static const char *const names[] = {"model", "mode", "voice", "url", "api_key", NULL};

    static const struct {
        const char *word;
        const char *nearest;
    } cases[] = {
        {"modle", "model"},   {"modell", "model"}, {"mod", "mode"},
        {"Voice", "voice"},   {"vocie", "voice"},  {"vioec", "voice"},
        {"ulr", "url"},       {"lru", NULL},       {"apikey", "api_key"},
        {"apiky", "api_key"}, {"apky", NULL},      {"x", NULL},
        {"", NULL},           {"mode", "mode"},    {"timeout", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = config_nearest(cases[i].word, names);
        assert_string_equal(nearest ? nearest : "", cases[i].nearest ? cases[i].nearest : "");
    }
    char word[4096];
    memset(word, 'a', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_null(config_nearest(word, names));
    assert_null(config_nearest("model", NULL));
}

static void test_a_problem_is_one_line_of_whole_characters(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    char text[2000];
    memset(text, 'a', sizeof(text));
    config_problem_add(&problems, (struct config_pos){.file = "x"}, "a\nb\x1b[31m\x7f");
    for (int before = 1020; before < 1024; before++) {
        config_problem_add(&problems, (struct config_pos){.file = "x"}, "%.*s\xe2\x82\xac", before,
                           text);
    }
    assert_string_equal(problems.list[0].text, "a b [31m ");
    assert_int_equal(strlen(problems.list[1].text), 1023);
    assert_int_equal(strlen(problems.list[2].text), 1021);
    for (size_t i = 1; i < problems.count; i++) {
        assert_true(aic_utf8_valid(aic_str(problems.list[i].text)));
    }
    config_problems_finish(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_problems_are_told_as_lines_and_as_json),
        cmocka_unit_test(test_the_nearest_name_is_at_most_two_slips_away),
        cmocka_unit_test(test_a_problem_is_one_line_of_whole_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
