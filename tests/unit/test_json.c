/* SPDX-License-Identifier: ISC */
#include "json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_refuses_what_is_not_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          " ",           "{",
        "{\"a\":1",  "{'a':1}",     "{\"a\":NaN}",
        "Infinity",  "[1,]",        "{\"a\":1,}",
        "[1] x",     "{} {}",       "// c\n{}",
        "nul",       "\"\xff\"",    "\"a\nb",
        "{\"a\" 1}", "[-Infinity]", "tru",
        "01",        "-",           "1.",
        "1e",        "[1,]",        "{\"a\":1,}",
        "{a:1}",     "\"\\x\"",     "\"\\u12g4\"",
        "+1",        ".5",          "'a'",
        "{\"a\":}",  "[,1]",        "\"\xed\xa0\x80\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct aic_json *root = aic_json_parse(aic_str(bad[i]), 0);
        if (root) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

static void test_depth_and_size_are_bounded(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_null(aic_json_parse((struct aic_str){deep, 200}, 0));
    memset(deep, '[', 20);
    memset(deep + 20, ']', 20);
    struct aic_json *root = aic_json_parse((struct aic_str){deep, 40}, 0);
    assert_non_null(root);
    aic_json_free(root);
    assert_null(aic_json_parse((struct aic_str){deep, 40}, 39));
}

static void test_getters_forgive_careless_types(void **state)
{
    (void)state;
    struct aic_json *root = aic_json_parse(
        aic_str(
            "{\"n\":\"42\",\"i\":7,\"d\":1.5,\"s\":\"x\\u0000y\",\"z\":null,\"b\":\"true\","
            "\"o\":{\"p\":[1,2,{\"q\":\"deep\"}]},\"huge\":1e999,\"big\":99999999999999999999}"),
        0);
    assert_non_null(root);
    assert_int_equal(aic_json_get_int(root, "n", -1), 42);
    assert_int_equal(aic_json_get_int(root, "i", -1), 7);
    assert_int_equal(aic_json_get_int(root, "z", -1), -1);
    assert_int_equal(aic_json_get_int(root, "s", -1), -1);
    assert_int_equal(aic_json_get_int(root, "absent", -1), -1);
    assert_true(aic_json_get_double(root, "d", 0) == 1.5);
    assert_true(aic_json_get_double(root, "huge", 3) == 3);
    assert_int_equal(aic_json_get_int(root, "huge", 5), 5);
    assert_int_equal(aic_json_get_int(root, "big", 5), 5);
    assert_true(aic_json_get_bool(root, "b", false));
    struct aic_str text = aic_json_get_text(root, "s");
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.ptr, "x\0y", 3);
    const struct aic_json *list = aic_json_path(root, "o", "p", NULL);
    assert_int_equal(aic_json_count(list), 3);
    text = aic_json_get_text(aic_json_at(list, 2), "q");
    assert_true(aic_str_equal(text, "deep"));
    assert_null(aic_json_at(list, 3));
    aic_json_free(root);
}

static void test_scalars_are_documents(void **state)
{
    (void)state;
    struct aic_json *root = aic_json_parse(aic_str("12"), 0);
    assert_int_equal(aic_json_int(root, 0), 12);
    aic_json_free(root);
    root = aic_json_parse(aic_str(" \"a\" "), 0);
    assert_true(aic_str_equal(aic_json_text(root), "a"));
    aic_json_free(root);
}

static void test_writer_escapes_and_reads_back(void **state)
{
    (void)state;
    struct aic_buf buf;
    aic_buf_init(&buf, 4096);
    struct aic_json_writer w;
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member(&w, "text", AIC_STR("a\"b\\c\n\x01\x7f\xff\xc3\xa9"));
    aic_json_member_int(&w, "n", -5);
    aic_json_member_double(&w, "d", 0.1);
    aic_json_member_double(&w, "nan", (double)NAN);
    aic_json_member_text(&w, "none", NULL);
    aic_json_key(&w, "list");
    aic_json_open(&w, '[');
    aic_json_put_bool(&w, true);
    aic_json_put_int(&w, 2);
    aic_json_open(&w, '{');
    aic_json_close(&w, '}');
    aic_json_close(&w, ']');
    aic_json_member_raw(&w, "raw", AIC_STR("{\"x\":1}"));
    aic_json_close(&w, '}');
    assert_false(buf.failed);
    assert_string_equal(buf.data,
                        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\\u007f\xef\xbf\xbd\xc3\xa9\",\"n\":-5,"
                        "\"d\":0.1,\"nan\":null,\"none\":null,\"list\":[true,2,{}],"
                        "\"raw\":{\"x\":1}}");
    struct aic_json *root = aic_json_parse(aic_buf_view(&buf), 0);
    assert_non_null(root);
    assert_true(
        aic_str_equal(aic_json_get_text(root, "text"), "a\"b\\c\n\x01\x7f\xef\xbf\xbd\xc3\xa9"));
    assert_true(aic_str_equal(aic_json_print(aic_json_get(root, "raw")), "{\"x\":1}"));
    aic_json_free(root);
    aic_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_what_is_not_json),
        cmocka_unit_test(test_depth_and_size_are_bounded),
        cmocka_unit_test(test_getters_forgive_careless_types),
        cmocka_unit_test(test_scalars_are_documents),
        cmocka_unit_test(test_writer_escapes_and_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
