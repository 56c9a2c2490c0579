/* SPDX-License-Identifier: ISC */
#include "base/config_grammar.h"
#include "base/config_number.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What is wrong with a text, one line for each problem. */
static const char *problems_of(struct aic_str text)
{
    static char shown[4096];
    struct config_tokens tokens = {.list = NULL};
    struct config_outline outline = {.list = NULL};
    struct config_problems problems = {.list = NULL};
    int32_t status = config_scan("x.conf", text, &tokens, &problems);
    if (status == AIC_OK) {
        status = config_grammar_check(&tokens, &outline, &problems);
    }
    struct aic_buf buf;
    aic_buf_init(&buf, sizeof(shown) - 1);
    config_problems_print(&problems, false, &buf);
    assert_true(aic_str_copy(aic_buf_view(&buf), shown, sizeof(shown)));
    assert_int_equal(status, problems.errors ? AIC_ERROR_CONFIG : AIC_OK);
    aic_buf_finish(&buf);
    config_problems_finish(&problems);
    config_outline_finish(&outline);
    config_tokens_finish(&tokens);
    return shown;
}

/* Each text, and the problem that it must have. */
struct bad {
    const char *text;
    const char *problem;
};

static void check_each(const struct bad *bad, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(problems_of(aic_str(bad[i].text)), bad[i].problem);
    }
}

#define CHECK_EACH(list) check_each(list, sizeof(list) / sizeof((list)[0]))

static void test_words_know_their_lines_and_columns(void **state)
{
    (void)state;
    static const char text[] =
        "# gr\xc3\xbc\xc3\x9f\nname-1 = \"\xc3\xa9\xe2\x82\xac\" \"b\n\" ;\r\n"
        "/* x\n */ n:-0x10L, TRUE .5\n  @include \"a b.conf\" // end";

    static const struct {
        enum config_token_kind kind;
        int line;
        int column;
        const char *text;
    } expected[] = {
        {CONFIG_TOKEN_NAME, 2, 1, "name-1"},
        {CONFIG_TOKEN_MARK, 2, 8, "="},
        {CONFIG_TOKEN_STRING, 2, 10, "\"\xc3\xa9\xe2\x82\xac\""},
        {CONFIG_TOKEN_STRING, 2, 15, "\"b\n\""},
        {CONFIG_TOKEN_MARK, 3, 3, ";"},
        {CONFIG_TOKEN_NAME, 5, 5, "n"},
        {CONFIG_TOKEN_MARK, 5, 6, ":"},
        {CONFIG_TOKEN_MARK, 5, 13, ","},
        {CONFIG_TOKEN_BOOL, 5, 15, "TRUE"},
        {CONFIG_TOKEN_FLOAT, 5, 20, ".5"},
        {CONFIG_TOKEN_INCLUDE, 6, 3, "a b.conf"},
    };
    struct config_tokens tokens = {.list = NULL};
    struct config_problems problems = {.list = NULL};
    /* A sign before a hexadecimal number is none. */
    assert_int_equal(config_scan("x.conf", AIC_STR(text), &tokens, &problems), AIC_ERROR_CONFIG);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.list[0].pos.column, 7);
    assert_int_equal(tokens.count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < tokens.count; i++) {
        assert_int_equal(tokens.list[i].kind, expected[i].kind);
        assert_int_equal(tokens.list[i].pos.line, expected[i].line);
        assert_int_equal(tokens.list[i].pos.column, expected[i].column);
        assert_true(aic_str_equal(tokens.list[i].text, expected[i].text));
    }
    config_problems_finish(&problems);
    config_tokens_finish(&tokens);
}

static void test_good_texts_pass(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        " \t\r\n# only a comment",
        "a = 1",
        "a=1;b=2,c=3 d=4\ne:{}",
        "a = ( ); b = [ ]; c = ( ( ), { } );",
        "a = [ 1, 0x2, -3 ]; b = [ \"a\" \"b\", \"c\" ];",
        "a = ( 1, \"a\", 2.5, true, { b = 1 } );",
        "a = \"one\n two\" // c\n\"three\";",
        "* = 1; a-b_c9 = 2;",
        "a = \"\\n\\r\\t\\f\\\\\\\"\\x41\\XfF\";",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_string_equal(problems_of(aic_str(good[i])), "");
    }
    assert_string_equal(problems_of((struct aic_str){NULL, 0}), "");
}

static void test_what_is_never_closed_is_told_where_it_opens(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"a = 1;\nb = \"no end;\nc = 2;\n",
         "x.conf:2:5: this text is never closed; its second quote is missing\n"},
        {"a = 1;\n  /* no end\nb = 2;\n",
         "x.conf:2:3: this comment is never closed; end it with */\n"},
        {"a = {\n b = (\n 1 );\n", "x.conf:1:5: this \"{\" is never closed; add \"}\"\n"},
        {"a = { b = [ 1", "x.conf:1:5: this \"{\" is never closed; add \"}\"\n"
                          "x.conf:1:11: this \"[\" is never closed; add \"]\"\n"},
        {"a = { b = \"x; }", "x.conf:1:11: this text is never closed; its second quote is "
                             "missing\n"},
        {"a = 1; }", "x.conf:1:8: this \"}\" closes nothing; remove it\n"},
        {"a = {\n  b = ( 1 };\n", "x.conf:2:11: expected \")\" for the \"(\" in line 2, column 7, "
                                  "not \"}\"\nx.conf:1:5: this \"{\" is never closed; add "
                                  "\"}\"\n"},
    };
    CHECK_EACH(bad);
}

static void test_a_lost_quote_is_suspected(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"a = \"one;\nb = \"two\";\n",
         "x.conf:2:9: this text is never closed; its second quote is missing, or that of the text "
         "that begins in line 1, column 5\n"},
        {"a = \"one;\nb = \" 5 = 3",
         "x.conf:2:7: expected a name, found \"5\"; did the text that begins in line 1, column 5 "
         "lose its closing quote?\n"},
    };
    CHECK_EACH(bad);
}

static void test_numbers_that_would_wrap_are_refused(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"n = 10000000000;", "x.conf:1:5: 10000000000 is beyond 32 bits; write 10000000000L\n"},
        {"n = 2147483648;", "x.conf:1:5: 2147483648 is beyond 32 bits; write 2147483648L\n"},
        {"n = -2147483649;", "x.conf:1:5: -2147483649 is beyond 32 bits; write -2147483649L\n"},
        {"n = 0xFFFFFFFF;", "x.conf:1:5: 0xFFFFFFFF is beyond 32 bits; write 0xFFFFFFFFL\n"},
        {"n = 9223372036854775808L;",
         "x.conf:1:5: 9223372036854775808L is beyond what 64 bits can hold\n"},
        {"n = 99999999999999999999;",
         "x.conf:1:5: 99999999999999999999 is beyond what 64 bits can hold\n"},
        {"n = 0xFFFFFFFFFFFFFFFFL;",
         "x.conf:1:5: 0xFFFFFFFFFFFFFFFFL is beyond what 64 bits can hold\n"},
        {"n = 1e999;", "x.conf:1:5: 1e999 is beyond what 64 bits can hold\n"},
    };
    CHECK_EACH(bad);
}

static void test_numbers_are_told_apart(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        enum config_number kind;
    } numbers[] = {
        {"0", CONFIG_NUMBER_INT},
        {"-2147483648", CONFIG_NUMBER_INT},
        {"+2147483647", CONFIG_NUMBER_INT},
        {"007", CONFIG_NUMBER_INT},
        {"0x7FFFFFFF", CONFIG_NUMBER_INT},
        {"0X1f", CONFIG_NUMBER_INT},
        {"1L", CONFIG_NUMBER_INT64},
        {"-9223372036854775808LL", CONFIG_NUMBER_INT64},
        {"0x7FFFFFFFFFFFFFFFL", CONFIG_NUMBER_INT64},
        {"1.", CONFIG_NUMBER_FLOAT},
        {".5", CONFIG_NUMBER_FLOAT},
        {"-1.5e-3", CONFIG_NUMBER_FLOAT},
        {"1e5", CONFIG_NUMBER_FLOAT},
        {"+.5E+3", CONFIG_NUMBER_FLOAT},
        {"", CONFIG_NUMBER_NONE},
        {".", CONFIG_NUMBER_NONE},
        {"-", CONFIG_NUMBER_NONE},
        {"-.", CONFIG_NUMBER_NONE},
        {"1e", CONFIG_NUMBER_NONE},
        {"1e+", CONFIG_NUMBER_NONE},
        {".e5", CONFIG_NUMBER_NONE},
        {"1.2.3", CONFIG_NUMBER_NONE},
        {"1l", CONFIG_NUMBER_NONE},
        {"1LLL", CONFIG_NUMBER_NONE},
        {"0x", CONFIG_NUMBER_NONE},
        {"0xG", CONFIG_NUMBER_NONE},
        {"-0x1", CONFIG_NUMBER_NONE},
        {"11labs", CONFIG_NUMBER_NONE},
        {"1-2", CONFIG_NUMBER_NONE},
        {"1_000", CONFIG_NUMBER_NONE},
        {"00000000000000000000000000000000000000000000000000000000000000001", CONFIG_NUMBER_NONE},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_int_equal(config_number_classify(aic_str(numbers[i].text)), numbers[i].kind);
    }
    assert_int_equal(config_number_classify((struct aic_str){"1\0", 2}), CONFIG_NUMBER_NONE);
}

static void test_characters_that_have_no_business_are_named(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"\xef\xbb\xbf"
         "a = 1",
         "x.conf:1:1: the file begins with a byte order mark; save it as "
         "UTF-8 without one\n"},
        {"a = 'text';", "x.conf:1:5: \"'\" can not stand here; text stands in double quotes\n"},
        {"a = \xe2\x80\x9ctext\xe2\x80\x9d;",
         "x.conf:1:5: \"\xe2\x80\x9c\" can not stand here; text stands in double quotes\n"},
        {"a = \xff;", "x.conf:1:5: byte 0xff can not stand here; text stands in double quotes\n"},
        {"a = \x01;", "x.conf:1:5: byte 0x01 can not stand here; text stands in double quotes\n"},
        {"a = /x;", "x.conf:1:5: \"/\" can not stand here; text stands in double quotes\n"},
        {"a = $$$ $;", "x.conf:1:5: \"$\" can not stand here; text stands in double quotes\n"
                       "x.conf:1:9: \"$\" can not stand here; text stands in double quotes\n"},
        {"a = \"caf\xe9\"; b = \"\xff\xff\"",
         "x.conf:1:9: byte 0xe9 is not UTF-8 text; save the file as UTF-8\n"
         "x.conf:1:18: byte 0xff is not UTF-8 text; save the file as UTF-8\n"},
        {"a = \"\\d\";", "x.conf:1:6: unknown escape; known are \\n \\r \\t \\f \\\" \\xHH, and "
                         "\\\\ for a backslash itself\n"},
        {"a = \"\\x4\";", "x.conf:1:6: unknown escape; known are \\n \\r \\t \\f \\\" \\xHH, and "
                          "\\\\ for a backslash itself\n"},
        {"a = \"\\x00\";", "x.conf:1:6: a text can not hold the character \\x00\n"},
        {"11labs = { };", "x.conf:1:1: \"11labs\" is no number; a name begins with a letter, and "
                          "text stands in quotes\n"},
        {"@includes \"x\"", "x.conf:1:1: expected @include \"file\"\n"},
        {"@include x", "x.conf:1:1: expected @include \"file\"\n"},
        {"@include \"\"", "x.conf:1:1: expected @include \"file\"\n"},
        {"@include \"x\n\"", "x.conf:1:1: expected @include \"file\"\n"
                             "x.conf:2:1: this text is never closed; its second quote is "
                             "missing\n"},
        {"@include", "x.conf:1:1: expected @include \"file\"\n"},
    };
    CHECK_EACH(bad);
    assert_string_equal(problems_of((struct aic_str){"a = 1;\0b = 2;", 13}),
                        "x.conf:1:7: byte 0x00 can not stand here; text stands in double quotes\n");
    assert_string_equal(problems_of((struct aic_str){"a = \"\0\";", 8}),
                        "x.conf:1:6: byte 0x00 is not UTF-8 text; save the file as UTF-8\n");
}

static void test_words_in_the_wrong_order_are_told_with_what_was_expected(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"a 1;", "x.conf:1:3: expected \"=\" behind the name before it, found \"1\"\n"},
        {"a", "x.conf:1:1: expected \"=\" behind the name before it, found the end of the file\n"},
        {"a.b = 1;", "x.conf:1:2: \".b\" is no number; a name begins with a letter, and text "
                     "stands in quotes\n"},
        {"a = ;", "x.conf:1:5: expected a value, found \";\"\n"},
        {"a =", "x.conf:1:3: expected a value, found the end of the file\n"},
        {"a = nova;", "x.conf:1:5: expected a value (text stands in quotes), found \"nova\"\n"},
        {"a = 1;;", "x.conf:1:7: expected a name (there is nothing to end here), found \";\"\n"},
        {"\"a\" = 1;", "x.conf:1:1: expected a name (names stand without quotes), found a text\n"},
        {"= 1", "x.conf:1:1: expected a name, found \"=\"\n"},
        {"{ a = 1; }", "x.conf:1:1: expected a name, found \"{\"\n"},
        {"true = 1", "x.conf:1:1: expected a name, found \"true\"\n"},
        {"g = { 5 }", "x.conf:1:7: expected a name or \"}\", found \"5\"\n"},
        {"a = ( 1, 2, );", "x.conf:1:11: no comma may stand behind the last value; remove it\n"},
        {"a = [ 1,\n2,\n];", "x.conf:2:2: no comma may stand behind the last value; remove it\n"},
        {"a = ( , 1 );", "x.conf:1:7: expected a value, found \",\"\n"},
        {"a = ( 1 2 );", "x.conf:1:9: expected \",\" or \")\", found \"2\"\n"},
        {"a = [ 1; 2 ];", "x.conf:1:8: expected \",\" or \"]\", found \";\"\n"},
        {"a = [ 1, \"b\" ];", "x.conf:1:10: expected a value of the same type as the first one in "
                              "[ ], found a text\n"},
        {"a = [ 1, 2.5 ];", "x.conf:1:10: expected a value of the same type as the first one in "
                            "[ ], found \"2.5\"\n"},
        {"a = [ { } ];", "x.conf:1:7: expected a plain value (write a list of groups or lists "
                         "with \"(\" and \")\"), found \"{\"\n"},
    };
    CHECK_EACH(bad);
}

static void test_a_name_given_twice_names_both_places(void **state)
{
    (void)state;
    static const struct bad bad[] = {
        {"a = 1;\nb = { a = 2; };\n a = 3;",
         "x.conf:3:2: \"a\" is set twice; the first time in x.conf, line 1, column 1\n"},
        {"g = { a = 1; b = { a = 1; }; ab = 2;\na = 3; };",
         "x.conf:2:1: \"a\" is set twice; the first time in x.conf, line 1, column 7\n"},
    };
    CHECK_EACH(bad);
    assert_string_equal(problems_of(AIC_STR("A = 1; a = 1; l = ({ x = 1 }, { x = 1 })")), "");
}

static void test_depth_and_size_are_bounded(void **state)
{
    (void)state;
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    aic_buf_text(&text, "a = ");
    for (int i = 0; i < 33; i++) {
        aic_buf_char(&text, '(');
    }
    assert_string_equal(problems_of(aic_buf_view(&text)),
                        "x.conf:1:37: nested deeper than 32 levels\n");
    aic_buf_clear(&text);
    for (int i = 0; i < 1026; i++) {
        aic_buf_printf(&text, "a%d = 1\n", i);
    }
    assert_string_equal(problems_of(aic_buf_view(&text)),
                        "x.conf:1025:1: more than 1024 settings in one group\n");
    aic_buf_finish(&text);
}

static void test_a_flood_of_problems_is_counted_and_not_kept(void **state)
{
    (void)state;
    struct config_problems problems = {.list = NULL};
    struct config_tokens tokens = {.list = NULL};
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        aic_buf_text(&text, "$ ");
    }
    assert_int_equal(config_scan("x.conf", aic_buf_view(&text), &tokens, &problems),
                     AIC_ERROR_CONFIG);
    assert_int_equal(problems.errors, 1000);
    assert_int_equal(problems.count, 100);
    aic_buf_clear(&text);
    config_problems_print(&problems, false, &text);
    assert_non_null(strstr(text.data, "and 900 more errors\n"));
    aic_buf_finish(&text);
    config_tokens_finish(&tokens);
    config_problems_finish(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_know_their_lines_and_columns),
        cmocka_unit_test(test_good_texts_pass),
        cmocka_unit_test(test_what_is_never_closed_is_told_where_it_opens),
        cmocka_unit_test(test_a_lost_quote_is_suspected),
        cmocka_unit_test(test_numbers_that_would_wrap_are_refused),
        cmocka_unit_test(test_numbers_are_told_apart),
        cmocka_unit_test(test_characters_that_have_no_business_are_named),
        cmocka_unit_test(test_words_in_the_wrong_order_are_told_with_what_was_expected),
        cmocka_unit_test(test_a_name_given_twice_names_both_places),
        cmocka_unit_test(test_depth_and_size_are_bounded),
        cmocka_unit_test(test_a_flood_of_problems_is_counted_and_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
