/* SPDX-License-Identifier: ISC */
#include "base/config.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *variables(const char *name)
{
    return strcmp(name, "KEY") == 0 ? "sk-from-env" : NULL;
}

static struct config *parsed(const char *text)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    assert_int_equal(config_parse("x.conf", aic_str(text), variables, &problems, &config), AIC_OK);
    return config;
}

static void check_same(const struct config_node *a, const struct config_node *b)
{
    static const char none[] = "(none)";
#define TEXT(get, node) (get(node) ? get(node) : none)
    assert_int_equal(config_kind(a), config_kind(b));
    assert_string_equal(TEXT(config_name, a), TEXT(config_name, b));
    assert_string_equal(TEXT(config_string, a), TEXT(config_string, b));
    assert_string_equal(TEXT(config_unset, a), TEXT(config_unset, b));
    assert_string_equal(TEXT(config_written, a), TEXT(config_written, b));
#undef TEXT
    assert_string_equal(config_folder(a), config_folder(b));
    assert_int_equal(config_is_reference(a), config_is_reference(b));
    assert_int_equal(config_is_exposed(a), config_is_exposed(b));
    assert_int_equal(config_int(a), config_int(b));
    assert_true(config_float(a) == config_float(b));
    assert_int_equal(config_bool(a), config_bool(b));
    assert_string_equal(config_pos(a).file, config_pos(b).file);
    assert_int_equal(config_pos(a).line, config_pos(b).line);
    assert_int_equal(config_pos(a).column, config_pos(b).column);
    assert_int_equal(config_count(a), config_count(b));
    for (size_t i = 0; i < config_count(a); i++) {
        check_same(config_at(a, i), config_at(b, i));
    }
}

static void test_a_frozen_tree_thaws_the_same(void **state)
{
    (void)state;
    char path[] = "/tmp/aicaller-test-freeze-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "from a file", 11), 11);
    assert_int_equal(fchmod(fd, 0644), 0);
    close(fd);
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    aic_buf_printf(&text,
                   "a = 1; b = -9000000000L; c = 2.5; d = true; e = \"env:KEY\";\n"
                   "f = \"env:NONE\"; g = { h = ( \"x\" \"y\", [ 1, 2 ], { } ); };"
                   "i = \"file:%s\"; j = \"\";",
                   path);
    struct config *config = parsed(text.data);
    assert_int_equal(unlink(path), 0);
    assert_true(config_is_exposed(config_get(config_root(config), "i")));
    struct config *thawed = NULL;
    aic_buf_clear(&text);
    assert_int_equal(config_freeze(config, &text), AIC_OK);
    assert_int_equal(config_thaw(aic_buf_view(&text), &thawed), AIC_OK);
    check_same(config_root(config), config_root(thawed));
    config_free(thawed);

    /* No beginning of it is a tree, nor is it with something behind. */
    for (size_t length = 0; length < text.len; length++) {
        assert_int_equal(config_thaw((struct aic_str){text.data, length}, &thawed),
                         AIC_ERROR_PROTOCOL);
        assert_null(thawed);
    }
    aic_buf_char(&text, 'x');
    assert_int_equal(config_thaw(aic_buf_view(&text), &thawed), AIC_ERROR_PROTOCOL);
    aic_buf_finish(&text);

    aic_buf_init(&text, 100);
    assert_int_equal(config_freeze(config, &text), AIC_ERROR_TOO_LARGE);
    aic_buf_finish(&text);
    config_free(config);
}

static void test_the_deepest_tree_thaws(void **state)
{
    (void)state;
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    aic_buf_text(&text, "a = ");
    for (int i = 0; i < 64; i++) {
        aic_buf_text(&text, i == 32 ? "1)" : i < 32 ? "(" : ")");
    }
    struct config *config = parsed(text.data);
    struct config *thawed = NULL;
    aic_buf_clear(&text);
    assert_int_equal(config_freeze(config, &text), AIC_OK);
    assert_int_equal(config_thaw(aic_buf_view(&text), &thawed), AIC_OK);
    config_free(thawed);
    config_free(config);
    aic_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_frozen_tree_thaws_the_same),
        cmocka_unit_test(test_the_deepest_tree_thaws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
