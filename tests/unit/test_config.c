/* SPDX-License-Identifier: ISC */
#include "base/config.h"

#include "buf.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of its own for each test. */
static char folder[64];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/aicaller-test-config-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

static const char *variables(const char *name)
{
    static const char *const known[][2] = {
        {"KEY", "sk-from-env"}, {"EMPTY", ""}, {"BAD", "\xff"}, {"CREDENTIALS_DIRECTORY", folder}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i][0], name) == 0) {
            return known[i][1];
        }
    }
    return NULL;
}

static const char *no_variables(const char *name)
{
    (void)name;
    return NULL;
}

/* Problems as text, with the folder's name taken out. */
static const char *shown(struct config_problems *problems)
{
    static char text[8192];
    struct aic_buf buf;
    aic_buf_init(&buf, sizeof(text));
    config_problems_print(problems, false, &buf);
    config_problems_finish(problems);
    size_t length = 0;
    const char *from = buf.data ? buf.data : "";
    size_t skip = strlen(folder) + 1;
    while (*from && length < sizeof(text) - 1) {
        if (strncmp(from, folder, skip - 1) == 0 && from[skip - 1] == '/') {
            from += skip;
        } else {
            text[length++] = *from++;
        }
    }
    text[length] = '\0';
    aic_buf_finish(&buf);
    return text;
}

static struct config *parsed(const char *text)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    int32_t status = config_parse("x.conf", aic_str(text), variables, &problems, &config);
    assert_string_equal(shown(&problems), "");
    assert_int_equal(status, AIC_OK);
    return config;
}

static const char *refused(const char *name, int32_t expected)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(config_load(in_folder(name), variables, &problems, &config), expected);
    assert_null(config);
    return shown(&problems);
}

static struct config *loaded(const char *name)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    int32_t status = config_load(in_folder(name), variables, &problems, &config);
    assert_string_equal(shown(&problems), "");
    assert_int_equal(status, AIC_OK);
    return config;
}

static const struct config_node *get(const struct config *config, const char *name)
{
    return config_get(config_root(config), name);
}

static void check_pos(const struct config_node *node, const char *file, int line, int column)
{
    struct config_pos pos = config_pos(node);
    assert_string_equal(pos.file, file);
    assert_int_equal(pos.line, line);
    assert_int_equal(pos.column, column);
}

static void test_values_have_their_types_and_places(void **state)
{
    (void)state;
    struct config *config = parsed("server = {\n  port = 8000; big = 10000000000L;\n"
                                   "  ratio = 0.5; on = true; hex = 0x1F;\n};\n"
                                   "text = \"a\" \"b\\n\";  list = [ 1,\n 2 ];\n"
                                   "mix = ( \"x\", { y = -1; }, ( ) );");
    const struct config_node *server = get(config, "server");
    assert_int_equal(config_kind(server), CONFIG_GROUP);
    assert_int_equal(config_count(server), 5);
    check_pos(server, "x.conf", 1, 1);
    assert_int_equal(config_int(config_get(server, "port")), 8000);
    check_pos(config_get(server, "port"), "x.conf", 2, 3);
    assert_int_equal(config_int(config_get(server, "big")), INT64_C(10000000000));
    check_pos(config_get(server, "big"), "x.conf", 2, 16);
    assert_string_equal(config_written(config_get(server, "big")), "10000000000L");
    assert_true(config_float(config_get(server, "ratio")) == 0.5);
    assert_true(config_float(config_get(server, "port")) == 8000);
    assert_true(config_bool(config_get(server, "on")));
    assert_int_equal(config_int(config_get(server, "hex")), 31);
    assert_string_equal(config_string(get(config, "text")), "ab\n");
    assert_string_equal(config_written(get(config, "text")), "ab\n");
    assert_false(config_is_reference(get(config, "text")));

    const struct config_node *list = get(config, "list");
    assert_int_equal(config_kind(list), CONFIG_LIST);
    assert_int_equal(config_int(config_at(list, 1)), 2);
    assert_null(config_name(config_at(list, 1)));
    check_pos(config_at(list, 1), "x.conf", 6, 2);
    assert_null(config_at(list, 2));
    const struct config_node *mix = get(config, "mix");
    assert_int_equal(config_int(config_get(config_at(mix, 1), "y")), -1);
    check_pos(config_get(config_at(mix, 1), "y"), "x.conf", 7, 16);
    assert_int_equal(config_kind(config_at(mix, 2)), CONFIG_LIST);
    assert_null(config_written(mix));
    check_pos(config_root(config), "x.conf", 0, 0);
    config_free(config);
}

static void test_nothing_is_asked_in_vain(void **state)
{
    (void)state;
    struct config *config = parsed("a = 1; l = ( );");
    assert_null(config_get(NULL, "a"));
    assert_null(config_get(get(config, "a"), "a"));
    assert_null(config_get(get(config, "l"), "a"));
    assert_null(get(config, "b"));
    assert_null(config_at(NULL, 0));
    assert_null(config_name(NULL));
    assert_null(config_string(get(config, "a")));
    assert_null(config_unset(NULL));
    assert_int_equal(config_kind(NULL), CONFIG_NONE);
    assert_int_equal(config_count(NULL), 0);
    assert_int_equal(config_int(NULL), 0);
    assert_true(config_float(NULL) == 0);
    assert_false(config_bool(NULL));
    assert_false(config_is_exposed(NULL));
    assert_string_equal(config_pos(NULL).file, "");
    assert_null(config_root(NULL));
    config_free(config);
    config_free(NULL);
}

static void test_an_empty_file_is_an_empty_group(void **state)
{
    (void)state;
    struct config *config = parsed("# nothing\n");
    assert_int_equal(config_kind(config_root(config)), CONFIG_GROUP);
    assert_int_equal(config_count(config_root(config)), 0);
    config_free(config);
}

static void test_a_main_file_that_can_not_be_read_says_why(void **state)
{
    (void)state;
    assert_string_equal(
        refused("absent.conf", AIC_ERROR_IO),
        "absent.conf: can not be read: No such file or directory; name a readable file with -c\n");
    assert_int_equal(mkdir(in_folder("sub"), 0755), 0);
    assert_string_equal(refused("sub", AIC_ERROR_IO),
                        "sub: can not be read: it is a directory, not a file; name a readable "
                        "file with -c\n");
    /* Opening a pipe that nobody writes to must not wait. */
    assert_int_equal(mkfifo(in_folder("pipe"), 0644), 0);
    assert_string_equal(refused("pipe", AIC_ERROR_IO),
                        "pipe: can not be read: it is not a regular file; name a readable file "
                        "with -c\n");
    if (geteuid() != 0) {
        write_file("locked.conf", "a = 1;", 0);
        assert_string_equal(refused("locked.conf", AIC_ERROR_IO),
                            "locked.conf: can not be read: Permission denied; name a readable "
                            "file with -c\n");
    }
}

static void test_a_file_beyond_a_mebibyte_is_refused(void **state)
{
    (void)state;
    size_t bytes = (1 << 20) + 1;
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    memset(text, ' ', bytes);
    text[bytes] = '\0';
    write_file("large.conf", text, 0644);
    assert_string_equal(refused("large.conf", AIC_ERROR_IO),
                        "large.conf: can not be read: all files together are larger than 1 MiB; "
                        "name a readable file with -c\n");
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(
        config_parse("x.conf", (struct aic_str){text, bytes}, NULL, &problems, &config),
        AIC_ERROR_IO);
    assert_int_equal(problems.errors, 1);
    config_problems_finish(&problems);
    text[bytes - 1] = '\0';
    write_file("large.conf", text, 0644);
    config_free(loaded("large.conf"));
    free(text);
}

static void test_includes_are_relative_to_the_file_that_names_them(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("sub"), 0755), 0);
    write_file("main.conf",
               "a = 1;\nproviders = {\n  @include \"sub/one.conf\"\n  last = 4;\n};\nb = 2;", 0644);
    write_file("sub/one.conf", "one = { text = \"x\"; };\n@include \"two.conf\"\n", 0644);
    write_file("sub/two.conf", "\n  two = 2;\nlist = (\n@include \"three.conf\"\n);\n", 0644);
    write_file("sub/three.conf", "3, 33", 0644);
    struct config *config = loaded("main.conf");
    const struct config_node *providers = get(config, "providers");
    assert_int_equal(config_count(providers), 4);
    check_pos(config_get(providers, "one"), in_folder("sub/one.conf"), 1, 1);
    check_pos(config_get(providers, "two"), in_folder("sub/two.conf"), 2, 3);
    check_pos(config_at(config_get(providers, "list"), 1), in_folder("sub/three.conf"), 1, 4);
    check_pos(config_get(providers, "last"), in_folder("main.conf"), 4, 3);
    assert_int_equal(config_int(get(config, "b")), 2);
    assert_string_equal(config_folder(config_get(providers, "two")), in_folder("sub"));
    assert_string_equal(config_folder(config_get(providers, "last")), folder);
    config_free(config);
}

static void test_an_include_that_can_not_be_is_told_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("sub"), 0755), 0);
    assert_int_equal(mkfifo(in_folder("pipe"), 0644), 0);
    write_file("main.conf",
               "a = 1;\n  @include \"sub\"\n@include \"absent.conf\"\n"
               "@include \"pipe\"\n@include \"loop.conf\"\n@include \"main.conf\"",
               0644);
    write_file("loop.conf", "b = 1;\n@include \"back.conf\"", 0644);
    write_file("back.conf", "\n@include \"loop.conf\"", 0644);
    assert_string_equal(
        refused("main.conf", AIC_ERROR_CONFIG),
        "main.conf:2:3: sub can not be included: it is a directory, not a file\n"
        "main.conf:3:1: absent.conf can not be included: No such file or directory\n"
        "main.conf:4:1: pipe can not be included: it is not a regular file\n"
        "back.conf:2:1: loop.conf can not be included: it is being read already; an include can "
        "not go in a circle\n"
        "main.conf:6:1: main.conf can not be included: it is being read already; an include can "
        "not go in a circle\n");
}

static void test_problems_inside_of_an_include_name_its_own_lines(void **state)
{
    (void)state;
    write_file("main.conf", "a = 1;\n@include \"part.conf\"\nb = 1;", 0644);
    write_file("part.conf", "\nb = { c = 1;\n", 0644);
    assert_string_equal(refused("main.conf", AIC_ERROR_CONFIG),
                        "part.conf:2:5: this \"{\" is never closed; add \"}\"\n");
    write_file("part.conf", "\nx = 1;\nb = 2;\n", 0644);
    assert_string_equal(
        refused("main.conf", AIC_ERROR_CONFIG),
        "main.conf:3:1: \"b\" is set twice; the first time in part.conf, line 3, column 1\n");
    write_file("part.conf", "x = ", 0644);
    assert_string_equal(refused("main.conf", AIC_ERROR_CONFIG),
                        "main.conf:3:1: expected a value (text stands in quotes), found \"b\"\n");
}

static void test_includes_are_bounded_in_depth_number_and_size(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        char name[32];
        char text[64];
        (void)snprintf(name, sizeof(name), "d%d.conf", i);
        (void)snprintf(text, sizeof(text), "a%d = 1\n@include \"d%d.conf\"", i, i + 1);
        write_file(name, text, 0644);
    }
    assert_string_equal(refused("d0.conf", AIC_ERROR_CONFIG),
                        "d10.conf:2:1: d11.conf can not be included: includes are nested deeper "
                        "than 10 levels\n");
    write_file("d10.conf", "a = 1", 0644);
    config_free(loaded("d0.conf"));

    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    write_file("empty.conf", "", 0644);
    for (int i = 0; i < 65; i++) {
        aic_buf_text(&text, "@include \"empty.conf\"\n");
    }
    write_file("many.conf", text.data, 0644);
    assert_string_equal(refused("many.conf", AIC_ERROR_CONFIG),
                        "many.conf:65:1: empty.conf can not be included: more than 64 files are "
                        "included\n");
    aic_buf_clear(&text);
    for (int i = 0; i < 300000; i++) {
        aic_buf_text(&text, "# ");
    }
    write_file("half.conf", text.data, 0644);
    write_file("both.conf", "@include \"half.conf\"\n@include \"half.conf\"", 0644);
    assert_string_equal(refused("both.conf", AIC_ERROR_CONFIG),
                        "both.conf:2:1: half.conf can not be included: all files together are "
                        "larger than 1 MiB\n");
    aic_buf_finish(&text);
}

static void check_unset(const struct config *config, const char *name, const char *why)
{
    const struct config_node *node = get(config, name);
    assert_int_equal(config_kind(node), CONFIG_STRING);
    assert_true(config_is_reference(node));
    assert_null(config_string(node));
    assert_string_equal(config_unset(node), why);
}

static void test_variables_are_put_in_and_missing_ones_have_a_reason(void **state)
{
    (void)state;
    struct config *config =
        parsed("a = \"env:KEY\"; b = \"env:NONE:-x:-y\"; c = \"env:EMPTY:-\"; d = \"env:KEY:-x\";"
               "e = \"env:NONE\"; f = \"env:EMPTY\"; g = \"env:\"; h = \"env:1X\"; "
               "i = \"env:BAD\"; j = \"see env:KEY\"; k = ( \"env:KEY\" );");
    assert_string_equal(config_string(get(config, "a")), "sk-from-env");
    assert_string_equal(config_written(get(config, "a")), "env:KEY");
    assert_null(config_unset(get(config, "a")));
    assert_true(config_is_reference(get(config, "a")));
    assert_string_equal(config_string(get(config, "b")), "x:-y");
    assert_string_equal(config_string(get(config, "c")), "");
    assert_string_equal(config_string(get(config, "d")), "sk-from-env");
    check_unset(config, "e", "environment variable NONE is not set");
    check_unset(config, "f", "environment variable EMPTY is empty");
    check_unset(config, "g",
                "\"env:\" names no environment variable; write env:NAME or env:NAME:-default");
    check_unset(config, "h",
                "\"env:1X\" names no environment variable; write env:NAME or env:NAME:-default");
    check_unset(config, "i", "environment variable BAD is not UTF-8 text");
    assert_string_equal(config_string(get(config, "j")), "see env:KEY");
    assert_string_equal(config_string(config_at(get(config, "k"), 0)), "sk-from-env");
    config_free(config);
}

static void test_the_environment_is_the_default_source(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    setenv("AICALLER_TEST_CONFIG", "here", 1);
    assert_int_equal(
        config_parse("x", AIC_STR("a = \"env:AICALLER_TEST_CONFIG\""), NULL, &problems, &config),
        AIC_OK);
    assert_string_equal(config_string(get(config, "a")), "here");
    unsetenv("AICALLER_TEST_CONFIG");
    config_free(config);
}

static void test_files_and_credentials_are_put_in(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("sub"), 0755), 0);
    write_file("main.conf",
               "@include \"sub/part.conf\"\nmissing = \"file:absent\"; none = \"file:\";\n"
               "dir = \"file:sub\"; bad = \"file:bad\"; cred = \"cred:token\";\n"
               "up = \"cred:../x\"; dots = \"cred:..\"; gone = \"cred:gone\";",
               0640);
    write_file("sub/part.conf", "key = \"file:key\"; open = \"file:open\";", 0644);
    write_file("sub/key", "secret\n", 0600);
    write_file("sub/open", "one\ntwo\r\n", 0644);
    write_file("bad", "\xff", 0600);
    write_file("token", "from-cred\n\n", 0400);
    struct config *config = loaded("main.conf");
    assert_string_equal(config_string(get(config, "key")), "secret");
    assert_false(config_is_exposed(get(config, "key")));
    assert_string_equal(config_string(get(config, "open")), "one\ntwo");
    assert_true(config_is_exposed(get(config, "open")));
    assert_string_equal(config_string(get(config, "cred")), "from-cred\n");
    assert_false(config_is_exposed(get(config, "cred")));

    char why[256];
    (void)snprintf(why, sizeof(why), "file %s/absent can not be read: No such file or directory",
                   folder);
    check_unset(config, "missing", why);
    (void)snprintf(why, sizeof(why), "file %s/sub can not be read: it is a directory, not a file",
                   folder);
    check_unset(config, "dir", why);
    (void)snprintf(why, sizeof(why), "file %s/bad is not UTF-8 text", folder);
    check_unset(config, "bad", why);
    (void)snprintf(why, sizeof(why), "file %s/gone can not be read: No such file or directory",
                   folder);
    check_unset(config, "gone", why);
    check_unset(config, "none", "\"file:\" names no file; write file:PATH");
    check_unset(config, "up", "\"cred:../x\" names no credential; write cred:NAME");
    check_unset(config, "dots", "\"cred:..\" names no credential; write cred:NAME");
    config_free(config);
}

static void test_a_credential_without_systemd_says_what_to_add(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(
        config_parse("x", AIC_STR("a = \"cred:api\""), no_variables, &problems, &config), AIC_OK);
    check_unset(config, "a",
                "credential api is not there: CREDENTIALS_DIRECTORY is not set; add "
                "LoadCredential=api:FILE to the systemd unit");
    config_free(config);
}

static void test_a_literal_knows_whether_others_can_read_its_file(void **state)
{
    (void)state;
    write_file("open.conf", "a = \"x\"; b = \"env:KEY\";", 0644);
    write_file("closed.conf", "a = \"x\";", 0640);
    struct config *config = loaded("open.conf");
    assert_true(config_is_exposed(get(config, "a")));
    assert_false(config_is_exposed(get(config, "b")));
    config_free(config);
    config = loaded("closed.conf");
    assert_false(config_is_exposed(get(config, "a")));
    config_free(config);
}

static void test_escapes_that_make_no_text_are_refused(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(config_parse("x.conf", AIC_STR("a = \"\\xC3\\xA9\"; b = \"\\xC3\";"), NULL,
                                  &problems, &config),
                     AIC_ERROR_CONFIG);
    assert_string_equal(shown(&problems),
                        "x.conf:1:17: this text is not UTF-8 with the \\x escapes in it\n");
}

static void test_a_tree_is_told_as_json(void **state)
{
    (void)state;
    struct config *config =
        parsed("a = { b = ( 1, -2.5, \"\\\"\\n\", true, { } ); c = \"env:NONE\"; "
               "d = \"env:KEY\"; };");
    struct aic_buf json;
    aic_buf_init(&json, 4096);
    config_json(config_root(config), &json);
    assert_string_equal(json.data, "{\"a\":{\"b\":[1,-2.5,\"\\\"\\n\",true,{}],\"c\":null,"
                                   "\"d\":\"sk-from-env\"}}");
    aic_buf_clear(&json);
    config_json(NULL, &json);
    assert_string_equal(json.data, "null");
    aic_buf_finish(&json);
    config_free(config);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_values_have_their_types_and_places),
        test(test_nothing_is_asked_in_vain),
        test(test_an_empty_file_is_an_empty_group),
        test(test_a_main_file_that_can_not_be_read_says_why),
        test(test_a_file_beyond_a_mebibyte_is_refused),
        test(test_includes_are_relative_to_the_file_that_names_them),
        test(test_an_include_that_can_not_be_is_told_with_its_place),
        test(test_problems_inside_of_an_include_name_its_own_lines),
        test(test_includes_are_bounded_in_depth_number_and_size),
        test(test_variables_are_put_in_and_missing_ones_have_a_reason),
        test(test_the_environment_is_the_default_source),
        test(test_files_and_credentials_are_put_in),
        test(test_a_credential_without_systemd_says_what_to_add),
        test(test_a_literal_knows_whether_others_can_read_its_file),
        test(test_escapes_that_make_no_text_are_refused),
        test(test_a_tree_is_told_as_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
