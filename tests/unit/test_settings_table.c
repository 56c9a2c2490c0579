/* SPDX-License-Identifier: ISC */
#include "base/settings.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config *config;
static struct settings *settings;

static int finish(void **state)
{
    (void)state;
    settings_free(settings);
    config_free(config);
    settings = NULL;
    config = NULL;
    return 0;
}

/* Checks the text's group "g"; its problems, one a line. */
static const char *check(const char *text, const struct settings_table *tables, size_t count)
{
    static char shown[2048];
    struct config_problems problems = {.list = NULL};
    struct aic_buf buf;
    (void)finish(NULL);
    assert_int_equal(config_parse("x.conf", aic_str(text), NULL, &problems, &config), AIC_OK);
    settings = settings_check("block", config_get(config_root(config), "g"), tables, count, NULL, 0,
                              &problems);
    assert_non_null(settings);
    aic_buf_init(&buf, sizeof(shown) - 1);
    config_problems_print(&problems, false, &buf);
    assert_true(aic_str_copy(aic_buf_view(&buf), shown, sizeof(shown)));
    aic_buf_finish(&buf);
    config_problems_finish(&problems);
    return shown;
}

static void test_tables_of_other_versions_are_read_by_their_own_size(void **state)
{
    (void)state;

    /* A newer plugin: every element has something behind what we know. */
    static const struct {
        struct aic_option option;
        const char *newer;
    } larger[] = {{{.name = "a", .type = AIC_OPTION_INT, .fallback = "1"}, "x"},
                  {{.name = "b", .type = 99}, "y"},
                  {{.name = NULL}, "z"},
                  {{.name = "c", .type = AIC_OPTION_INT, .fallback = "3"}, "z"}};

    /* An older one: neither choices nor a range. */
    static const struct {
        const char *name;
        uint32_t type;
        uint32_t flags;
        const char *fallback;
    } smaller[] = {{"d", AIC_OPTION_INT, AIC_OPTION_RANGE, "4"},
                   {"e", AIC_OPTION_STRING, 0, "five"},
                   {"a", AIC_OPTION_STRING, 0, "the first table counts"}};
    const struct settings_table tables[] = {
        {.options = &larger[0].option, .count = 4, .element_size = sizeof(larger[0])},
        {.options = (const struct aic_option *)(const void *)smaller,
         .count = 3,
         .element_size = sizeof(smaller[0])},
        {.options = NULL, .count = 5},
        {.options = &larger[0].option, .count = 1, .element_size = 4}};
    assert_string_equal(check("g = { c = 33; d = 44; }", tables, 4), "");
    assert_int_equal(settings_int(settings, "a"), 1);
    assert_int_equal(settings_int(settings, "c"), 33);
    assert_int_equal(settings_int(settings, "d"), 44);
    assert_string_equal(settings_string(settings, "e"), "five");
    assert_false(settings_has(settings, "b"));
    assert_string_equal(check("g = { b = 1; }", tables, 1),
                        "x.conf:1:7: block: \"b\" is 1, but is of a type that this version of "
                        "aicaller does not know; remove it\n");
}

static void test_a_default_that_does_not_fit_is_told_as_such(void **state)
{
    (void)state;
    static const struct aic_option broken[] = {
        {.name = "a", .type = AIC_OPTION_INT, .fallback = "many"},
        {.name = "b", .type = AIC_OPTION_LIST, .fallback = "[ 1"},
        {.name = "c", .type = AIC_OPTION_JSON, .fallback = "{ a = 1; }"},
        {.name = "d", .type = AIC_OPTION_LIST, .fallback = "one"},
        {.name = "e", .type = AIC_OPTION_LIST, .fallback = "[]"},
    };
    const struct settings_table table = {.options = broken, .count = 5};
    assert_string_equal(
        check("g = { }", &table, 1),
        "x.conf:1:1: block: the default of \"a\" is many, but must be a whole number\n"
        "x.conf:1:1: block: the default of \"b\" is [ 1, but must be written as in the file\n");
    assert_string_equal(settings_string(settings, "c"), "{\"a\":1}");
    assert_string_equal(settings_list_item(settings, "d", 0), "one");
    assert_true(settings_has(settings, "e"));
    assert_int_equal(settings_list_count(settings, "e"), 0);
}

static void test_paths_of_the_state_folder_are_put_in_later(void **state)
{
    (void)state;
    static const struct aic_option paths[] = {
        {.name = "db", .type = AIC_OPTION_PATH, .fallback = "state:calls.db"},
        {.name = "abs", .type = AIC_OPTION_PATH, .fallback = "/abs"},
        {.name = "text", .type = AIC_OPTION_STRING, .fallback = "state:x"},
        {.name = "own", .type = AIC_OPTION_PATH},
    };
    const struct settings_table table = {.options = paths, .count = 4};
    assert_string_equal(check("g = { own = \"state:own.db\"; }", &table, 1), "");
    settings_set_folders(settings, "/var/lib/aicaller", "/usr/share/aicaller");
    assert_string_equal(settings_string(settings, "db"), "/var/lib/aicaller/calls.db");
    assert_string_equal(settings_string(settings, "abs"), "/abs");
    assert_string_equal(settings_string(settings, "text"), "state:x");
    assert_string_equal(settings_string(settings, "own"), "/var/lib/aicaller/own.db");
}

#define test(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_tables_of_other_versions_are_read_by_their_own_size),
        test(test_a_default_that_does_not_fit_is_told_as_such),
        test(test_paths_of_the_state_folder_are_put_in_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
