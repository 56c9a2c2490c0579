/* SPDX-License-Identifier: ISC */
#include "base/settings.h"

#include "base/log.h"
#include "buf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const levels[] = {"debug", "info", "warn", NULL};

static const struct aic_option options[] = {
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The vendor's key."},
    {.name = "model", .type = AIC_OPTION_STRING, .fallback = "nova-3"},
    {.name = "port",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "8000",
     .min = 1,
     .max = 65535},
    {.name = "speed",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .min = 0.5,
     .max = 2},
    {.name = "fast", .type = AIC_OPTION_BOOL, .fallback = "true"},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "3s",
     .min = 100,
     .max = 60000},
    {.name = "cache", .type = AIC_OPTION_BYTES, .fallback = "64k"},
    {.name = "url", .type = AIC_OPTION_URL, .fallback = "https://api.example.com/v1"},
    {.name = "path", .type = AIC_OPTION_PATH},
    {.name = "level", .type = AIC_OPTION_ENUM, .fallback = "info", .choices = levels},
    {.name = "hints", .type = AIC_OPTION_LIST, .fallback = "[ \"a\", \"b\" ]"},
    {.name = "extra", .type = AIC_OPTION_JSON, .fallback = "{ n = 1; }"},
};

static const struct settings_table table = {.options = options,
                                            .count = sizeof(options) / sizeof(options[0])};

static const char *variables(const char *name)
{
    static const char *const known[][2] = {
        {"KEY", "sk-from-env"}, {"PORT", "9000"},     {"SPEED", "1.5"},
        {"FAST", "False"},      {"TIMEOUT", "250ms"}, {"WORD", "seven"},
        {"LEVEL", "warn"},      {"HINT", "one, two"}, {"SPACE", " 5"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i][0], name) == 0) {
            return known[i][1];
        }
    }
    return NULL;
}

/* A configuration, what became of its group, and the problems as text. */
struct checked {
    struct config *config;
    struct settings *settings;
    char problems[4096];
    size_t errors;
};

static struct checked check_config(struct config *config, uint32_t flags)
{
    static const char *const skip[] = {"plugin", NULL};
    struct config_problems problems = {.list = NULL};
    struct checked checked = {.config = config};
    checked.settings = settings_check("block", config_get(config_root(config), "g"), &table, 1,
                                      skip, flags, &problems);
    assert_non_null(checked.settings);
    struct aic_buf text;
    aic_buf_init(&text, sizeof(checked.problems));
    config_problems_print(&problems, false, &text);
    assert_true(aic_str_copy(aic_buf_view(&text), checked.problems, sizeof(checked.problems)));
    aic_buf_finish(&text);
    checked.errors = problems.errors;
    config_problems_finish(&problems);
    return checked;
}

static struct checked check(const char *group, uint32_t flags)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    struct aic_buf text;
    aic_buf_init(&text, 65536);
    aic_buf_printf(&text, "g = {\n%s\n};", group);
    assert_int_equal(config_parse("x.conf", aic_buf_view(&text), variables, &problems, &config),
                     AIC_OK);
    aic_buf_finish(&text);
    return check_config(config, flags);
}

static void finish(struct checked *checked)
{
    settings_free(checked->settings);
    config_free(checked->config);
}

static void check_problem(const char *group, const char *problem)
{
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    aic_buf_printf(&text, "api_key = \"x\";\n%s", group);
    struct checked checked = check(text.data, 0);
    assert_string_equal(checked.problems, problem);
    assert_int_equal(checked.errors, *problem ? 1 : 0);
    finish(&checked);
    aic_buf_finish(&text);
}

static void test_values_that_fit_are_typed(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"sk-1\"; model = \"\"; port = 1; speed = 2; fast = false; "
                             "timeout = 1500; cache = \"2M\"; url = \"http://127.0.0.1:9/x\"; "
                             "path = \"a/b\"; level = \"debug\"; hints = ( \"x\" ); plugin = 5; "
                             "extra = { a = [ 1, 2 ]; b = \"c\"; };",
                             0);
    assert_string_equal(c.problems, "");
    assert_string_equal(settings_string(c.settings, "api_key"), "sk-1");
    assert_string_equal(settings_string(c.settings, "model"), "");
    assert_true(settings_has(c.settings, "model"));
    assert_int_equal(settings_int(c.settings, "port"), 1);
    assert_true(settings_double(c.settings, "port") == 1);
    assert_true(settings_double(c.settings, "speed") == 2);
    assert_false(settings_bool(c.settings, "fast"));
    assert_int_equal(settings_int(c.settings, "timeout"), 1500);
    assert_int_equal(settings_int(c.settings, "cache"), 2097152);
    assert_string_equal(settings_string(c.settings, "url"), "http://127.0.0.1:9/x");
    assert_string_equal(settings_string(c.settings, "level"), "debug");
    assert_int_equal(settings_list_count(c.settings, "hints"), 1);
    assert_string_equal(settings_list_item(c.settings, "hints", 0), "x");
    assert_null(settings_list_item(c.settings, "hints", 1));
    assert_string_equal(settings_string(c.settings, "extra"), "{\"a\":[1,2],\"b\":\"c\"}");
    assert_int_equal(settings_pos(c.settings, "port").line, 2);
    assert_int_equal(settings_pos(c.settings, "port").column, 31);
    assert_null(settings_unset(c.settings));

    char folder[4096];
    char path[4200];
    assert_non_null(getcwd(folder, sizeof(folder)));
    (void)snprintf(path, sizeof(path), "%s/a/b", folder);
    assert_string_equal(settings_string(c.settings, "path"), path);
    finish(&c);
}

static void test_defaults_fill_in(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"x\";", 0);
    assert_string_equal(c.problems, "");
    assert_string_equal(settings_string(c.settings, "model"), "nova-3");
    assert_int_equal(settings_int(c.settings, "port"), 8000);
    assert_true(settings_double(c.settings, "speed") == 1);
    assert_true(settings_bool(c.settings, "fast"));
    assert_int_equal(settings_int(c.settings, "timeout"), 3000);
    assert_int_equal(settings_int(c.settings, "cache"), 65536);
    assert_string_equal(settings_string(c.settings, "url"), "https://api.example.com/v1");
    assert_false(settings_has(c.settings, "path"));
    assert_null(settings_string(c.settings, "path"));
    assert_int_equal(settings_list_count(c.settings, "hints"), 2);
    assert_string_equal(settings_list_item(c.settings, "hints", 1), "b");
    assert_string_equal(settings_string(c.settings, "extra"), "{\"n\":1}");
    assert_int_equal(settings_pos(c.settings, "port").line, 1);
    finish(&c);
}

static void test_a_block_that_is_not_there_is_all_defaults(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct settings *settings =
        settings_check("server", NULL, &table, 1, NULL, SETTINGS_LENIENT, &problems);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(settings_int(settings, "port"), 8000);
    assert_string_equal(settings_unset(settings), "\"api_key\" is missing: The vendor's key.");
    assert_string_equal(settings_pos(settings, "port").file, "");
    settings_free(settings);
    settings_free(NULL);
}

static void test_what_was_not_declared_is_absent(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"x\";", 0);
    assert_false(settings_has(c.settings, "nothing"));
    assert_null(settings_string(c.settings, "nothing"));
    assert_int_equal(settings_int(c.settings, "nothing"), 0);
    assert_true(settings_double(c.settings, "nothing") == 0);
    assert_false(settings_bool(c.settings, "nothing"));
    assert_int_equal(settings_list_count(c.settings, "nothing"), 0);
    assert_null(settings_list_item(c.settings, "nothing", 0));
    assert_int_equal(settings_pos(c.settings, "nothing").line, 1);
    assert_string_equal(settings_pos(NULL, "x").file, "");
    assert_null(settings_unset(NULL));
    finish(&c);
}

static void test_an_unknown_key_gets_the_nearest_name(void **state)
{
    (void)state;
    check_problem("  modle = \"x\";",
                  "x.conf:3:3: block: unknown key \"modle\"; did you mean \"model\"?\n");
    check_problem("plugni = \"x\";",
                  "x.conf:3:1: block: unknown key \"plugni\"; did you mean \"plugin\"?\n");
    check_problem("qqqqqq = 1;",
                  "x.conf:3:1: block: unknown key \"qqqqqq\"; known are api_key, model, port, "
                  "speed, fast, timeout, cache, url, path, level, hints, extra, plugin\n");
}

static void test_a_wrong_type_says_what_was_expected(void **state)
{
    (void)state;
    check_problem("port = \"8000\";", "x.conf:3:1: block: \"port\" is \"8000\", but must be a "
                                      "whole number, not a text\n");
    check_problem("port = 80.5;", "x.conf:3:1: block: \"port\" is 80.5, but must be a whole "
                                  "number, not a number with a fraction\n");
    check_problem("port = { };",
                  "x.conf:3:1: block: \"port\" must be a whole number, not a group\n");
    check_problem("model = 5;",
                  "x.conf:3:1: block: \"model\" is 5, but must be a text in quotes, not a whole "
                  "number\n");
    check_problem("model = [ \"a\" ];",
                  "x.conf:3:1: block: \"model\" must be a text in quotes, not a list\n");
    check_problem("speed = true;",
                  "x.conf:3:1: block: \"speed\" is true, but must be a number, not true or "
                  "false\n");
    check_problem("fast = 1;",
                  "x.conf:3:1: block: \"fast\" is 1, but must be true or false, not a whole "
                  "number\n");
    check_problem("fast = \"yes\";",
                  "x.conf:3:1: block: \"fast\" is \"yes\", but must be true or false, not a "
                  "text\n");
    check_problem("timeout = 1.5;",
                  "x.conf:3:1: block: \"timeout\" is 1.5, but must be a time such as \"500ms\", "
                  "\"3s\", \"2m\", \"1h\", or a number of ms\n");
    check_problem("timeout = \"3 s\";",
                  "x.conf:3:1: block: \"timeout\" is \"3 s\", but must be a time such as "
                  "\"500ms\", \"3s\", \"2m\", \"1h\", or a number of ms\n");
    check_problem("cache = -1;",
                  "x.conf:3:1: block: \"cache\" is -1, but must be a size such as \"64k\", "
                  "\"2M\", \"1G\", or a number of bytes\n");
    check_problem("hints = [ 1 ];",
                  "x.conf:3:1: block: \"hints\" must be a list of texts, such as [ \"one\", "
                  "\"two\" ]\n");
    check_problem("hints = { };",
                  "x.conf:3:1: block: \"hints\" must be a list of texts, such as [ \"one\", "
                  "\"two\" ], not a group\n");
}

static void test_a_block_that_is_no_group_is_told(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(config_parse("x.conf", AIC_STR("g = 5;"), NULL, &problems, &config), AIC_OK);
    struct checked c = check_config(config, SETTINGS_LENIENT);
    assert_string_equal(c.problems, "x.conf:1:1: block: must be a group: { name = value; ... }\n");
    finish(&c);
}

static void test_numbers_out_of_range_are_told_with_the_range(void **state)
{
    (void)state;
    check_problem("port = 65536;",
                  "x.conf:3:1: block: \"port\" is 65536, but must be from 1 to 65535\n");
    check_problem("port = 0;", "x.conf:3:1: block: \"port\" is 0, but must be from 1 to 65535\n");
    check_problem("speed = 2.001;",
                  "x.conf:3:1: block: \"speed\" is 2.001, but must be from 0.5 to 2\n");
    check_problem("timeout = \"2m\";",
                  "x.conf:3:1: block: \"timeout\" is \"2m\", but must be from 100 ms to 60000 "
                  "ms\n");
    check_problem("timeout = 99;",
                  "x.conf:3:1: block: \"timeout\" is 99, but must be from 100 ms to 60000 ms\n");
    check_problem("port = 65535; speed = 0.5; timeout = 100;", "");
}

static void test_a_choice_that_is_none_lists_the_choices(void **state)
{
    (void)state;
    check_problem("level = \"inof\";",
                  "x.conf:3:1: block: \"level\" is \"inof\", but must be one of \"debug\", "
                  "\"info\", \"warn\"; did you mean \"info\"?\n");
    check_problem("level = \"loud\";",
                  "x.conf:3:1: block: \"level\" is \"loud\", but must be one of \"debug\", "
                  "\"info\", \"warn\"\n");
}

static void test_an_address_that_can_not_be_used_says_why(void **state)
{
    (void)state;
    check_problem("url = \"http://api.example.com\";",
                  "x.conf:3:1: block: \"url\" is \"http://api.example.com\", but must begin with "
                  "https:// or wss://; without encryption only this machine (localhost, "
                  "127.0.0.1, [::1]) can be reached\n");
    check_problem("url = \"api.example.com\";",
                  "x.conf:3:1: block: \"url\" is \"api.example.com\", but must be a whole address, "
                  "such as \"https://api.example.com/v1\"\n");
}

static void test_references_stand_for_any_type(void **state)
{
    (void)state;
    struct checked c =
        check("api_key = \"env:KEY\"; port = \"env:PORT\"; speed = \"env:SPEED\"; "
              "fast = \"env:FAST\"; timeout = \"env:TIMEOUT\"; level = \"env:LEVEL\"; "
              "hints = \"env:HINT\"; url = \"env:URL:-\"; path = \"env:NONE:-/abs\";",
              0);
    assert_string_equal(c.problems, "");
    assert_string_equal(settings_string(c.settings, "api_key"), "sk-from-env");
    assert_int_equal(settings_int(c.settings, "port"), 9000);
    assert_true(settings_double(c.settings, "speed") == 1.5);
    assert_false(settings_bool(c.settings, "fast"));
    assert_int_equal(settings_int(c.settings, "timeout"), 250);
    assert_string_equal(settings_string(c.settings, "level"), "warn");
    assert_int_equal(settings_list_count(c.settings, "hints"), 1);
    /* An empty value is none, so that the default counts. */
    assert_string_equal(settings_string(c.settings, "url"), "https://api.example.com/v1");
    assert_string_equal(settings_string(c.settings, "path"), "/abs");
    finish(&c);
    check_problem("port = \"env:WORD\";",
                  "x.conf:3:1: block: \"port\" is \"env:WORD\", but must be a whole number\n");
    check_problem("port = \"env:SPACE\";",
                  "x.conf:3:1: block: \"port\" is \"env:SPACE\", but must be a whole number\n");
    check_problem("speed = \"env:WORD\";",
                  "x.conf:3:1: block: \"speed\" is \"env:WORD\", but must be a number\n");
    check_problem("fast = \"env:WORD\";",
                  "x.conf:3:1: block: \"fast\" is \"env:WORD\", but must be true or false\n");
}

static void test_an_unset_reference_is_an_error_only_where_it_is_used(void **state)
{
    (void)state;
    static const char group[] = "api_key = \"env:NO_KEY\";\nextra = { a = ( \"env:NO_EXTRA\" ); };";
    struct checked c = check(group, 0);
    assert_string_equal(
        c.problems,
        "x.conf:2:1: block: \"api_key\" has no value: environment variable NO_KEY is not set\n"
        "x.conf:3:17: block: \"extra\" has no value: environment variable NO_EXTRA is not set\n");
    finish(&c);
    c = check(group, SETTINGS_LENIENT);
    assert_string_equal(c.problems, "");
    assert_false(settings_has(c.settings, "api_key"));
    assert_string_equal(settings_unset(c.settings),
                        "\"api_key\" has no value: environment variable NO_KEY is not set");
    finish(&c);
}

static void test_what_is_required_must_be_given_and_not_empty(void **state)
{
    (void)state;
    struct checked c = check("model = \"x\";", 0);
    assert_string_equal(c.problems,
                        "x.conf:1:1: block: \"api_key\" is missing: The vendor's key.\n");
    finish(&c);
    c = check("api_key = \"env:NO_KEY:-\";", 0);
    assert_string_equal(c.problems, "x.conf:2:1: block: \"api_key\" is empty: The vendor's key.\n");
    finish(&c);
    c = check("", SETTINGS_LENIENT);
    assert_string_equal(c.problems, "");
    assert_string_equal(settings_unset(c.settings), "\"api_key\" is missing: The vendor's key.");
    finish(&c);
}

static void test_a_second_check_tells_only_what_is_missing(void **state)
{
    (void)state;
    struct checked c =
        check("api_key = 5; modle = 1; port = \"x\"; model = \"env:NONE\";", SETTINGS_ONLY_UNSET);
    assert_string_equal(
        c.problems,
        "x.conf:2:37: block: \"model\" has no value: environment variable NONE is not set\n");
    assert_int_equal(c.errors, 1);
    finish(&c);
}

static void test_several_problems_are_found_in_one_run(void **state)
{
    (void)state;
    struct checked c = check("port = 0;\nlevel = 1;\nmodle = 2;", 0);
    assert_int_equal(c.errors, 4);
    /* What could not be used is at its default. */
    assert_int_equal(settings_int(c.settings, "port"), 8000);
    finish(&c);
}

/* A configuration file with this mode, and a key in a file beside it with that one. */
static struct checked check_files(const char *text, mode_t mode, mode_t key_mode)
{
    char folder[] = "/tmp/aicaller-test-settings-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char paths[2][64];
    const char *const contents[] = {text, "sk-from-file\n"};
    const mode_t modes[] = {mode, key_mode};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, i == 0 ? "conf" : "key");
        int fd = open(paths[i], O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, contents[i], strlen(contents[i])), strlen(contents[i]));
        assert_int_equal(fchmod(fd, modes[i]), 0);
        close(fd);
    }
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(config_load(paths[0], variables, &problems, &config), AIC_OK);
    struct checked c = check_config(config, 0);
    assert_int_equal(unlink(paths[0]) + unlink(paths[1]) + rmdir(folder), 0);
    return c;
}

static void test_a_secret_that_everybody_can_read_is_refused_or_warned_of(void **state)
{
    (void)state;
    struct checked c = check_files("g = { api_key = \"file:key\"; }", 0644, 0600);
    assert_string_equal(c.problems, "");
    assert_string_equal(settings_string(c.settings, "api_key"), "sk-from-file");
    finish(&c);

    c = check_files("g = { api_key = \"file:key\"; }", 0600, 0604);
    assert_int_equal(c.errors, 1);
    assert_non_null(strstr(c.problems, "block: \"api_key\": others can read or change file:key; "
                                       "protect it with chmod 600\n"));
    assert_null(settings_string(c.settings, "api_key"));
    finish(&c);

    c = check_files("g = { api_key = \"file:key\"; }", 0600, 0620);
    assert_int_equal(c.errors, 1);
    finish(&c);

    c = check_files("g = { api_key = \"file:key\"; }", 0600, 0640);
    assert_int_equal(c.errors, 0);
    finish(&c);

    c = check_files("g = { api_key = \"sk-literal\"; }", 0644, 0600);
    assert_int_equal(c.errors, 0);
    assert_non_null(strstr(c.problems,
                           "conf:1:7: warning: block: \"api_key\" stands in a file that everybody "
                           "can read; protect it with chmod 640, or write env:NAME, file:PATH or "
                           "cred:NAME\n"));
    assert_string_equal(settings_string(c.settings, "api_key"), "sk-literal");
    finish(&c);

    c = check_files("g = { api_key = \"sk-literal\"; model = \"file:key\" }", 0640, 0644);
    assert_string_equal(c.problems, "");
    finish(&c);
}

static void test_secrets_are_hidden_from_the_log_and_from_problems(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"sk-never-shown\";", 0);
    char shown[64];
    (void)log_mask(shown, sizeof(shown), AIC_STR("key sk-never-shown"));
    assert_string_equal(shown, "key ***");
    finish(&c);
    c = check("api_key = 123456789;", 0);
    assert_string_equal(c.problems, "x.conf:2:1: block: \"api_key\" must be a text in quotes, not "
                                    "a whole number\n");
    finish(&c);
}

static void test_a_plugin_sees_the_same_values(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"sk-1\"; hints = [ \"x\", \"y\" ]; fast = true;", 0);
    struct aic_config config;
    settings_as_config(c.settings, "deepgram", &config);
    assert_int_equal(config.size, sizeof(config));
    assert_string_equal(config.provider, "deepgram");
    assert_int_equal(config.has(&config, "api_key"), 1);
    assert_int_equal(config.has(&config, "path"), 0);
    assert_string_equal(config.get_string(&config, "api_key"), "sk-1");
    assert_int_equal(config.get_int(&config, "fast"), 1);
    assert_int_equal(config.get_int(&config, "timeout"), 3000);
    assert_true(config.get_double(&config, "speed") == 1);
    assert_int_equal(config.list_count(&config, "hints"), 2);
    assert_string_equal(config.list_item(&config, "hints", 1), "y");
    assert_null(config.list_item(&config, "hints", 2));
    finish(&c);
}

static void test_a_thawed_configuration_is_checked_the_same(void **state)
{
    (void)state;
    struct checked c = check("api_key = \"env:KEY\"; port = \"env:PORT\";", 0);
    struct aic_buf frozen;
    struct config *thawed = NULL;
    aic_buf_init(&frozen, 65536);
    assert_int_equal(config_freeze(c.config, &frozen), AIC_OK);
    assert_int_equal(config_thaw(aic_buf_view(&frozen), &thawed), AIC_OK);
    struct checked again = check_config(thawed, 0);
    assert_string_equal(again.problems, "");
    assert_string_equal(settings_string(again.settings, "api_key"), "sk-from-env");
    assert_int_equal(settings_int(again.settings, "port"), 9000);
    aic_buf_finish(&frozen);
    finish(&again);
    finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_that_fit_are_typed),
        cmocka_unit_test(test_defaults_fill_in),
        cmocka_unit_test(test_a_block_that_is_not_there_is_all_defaults),
        cmocka_unit_test(test_what_was_not_declared_is_absent),
        cmocka_unit_test(test_an_unknown_key_gets_the_nearest_name),
        cmocka_unit_test(test_a_wrong_type_says_what_was_expected),
        cmocka_unit_test(test_a_block_that_is_no_group_is_told),
        cmocka_unit_test(test_numbers_out_of_range_are_told_with_the_range),
        cmocka_unit_test(test_a_choice_that_is_none_lists_the_choices),
        cmocka_unit_test(test_an_address_that_can_not_be_used_says_why),
        cmocka_unit_test(test_references_stand_for_any_type),
        cmocka_unit_test(test_an_unset_reference_is_an_error_only_where_it_is_used),
        cmocka_unit_test(test_what_is_required_must_be_given_and_not_empty),
        cmocka_unit_test(test_a_second_check_tells_only_what_is_missing),
        cmocka_unit_test(test_several_problems_are_found_in_one_run),
        cmocka_unit_test(test_a_secret_that_everybody_can_read_is_refused_or_warned_of),
        cmocka_unit_test(test_secrets_are_hidden_from_the_log_and_from_problems),
        cmocka_unit_test(test_a_plugin_sees_the_same_values),
        cmocka_unit_test(test_a_thawed_configuration_is_checked_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
