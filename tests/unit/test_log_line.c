/* SPDX-License-Identifier: ISC */
#include "base/log_line.h"

#include "buf.h"
#include "json.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mask_secrets secrets;

static int add_secrets(void **state)
{
    (void)state;
    return mask_add(&secrets, AIC_STR("sk-very-secret")) || mask_add(&secrets, AIC_STR("87654321"));
}

static int finish_secrets(void **state)
{
    (void)state;
    mask_finish(&secrets);
    return 0;
}

static const char *formatted(enum log_format format, struct log_line line)
{
    static char to[LOG_LINE_MAX + 1];
    line.wall_us = INT64_C(1795349823250000);
    size_t length = log_line_format(to, format, &secrets, &line);
    assert_in_range(length, 1, LOG_LINE_MAX);
    to[length] = '\0';
    return to;
}

static struct log_line line_of(const char *message, const struct log_field *fields)
{
    return (struct log_line){.level = AIC_LOG_INFO,
                             .area = "call",
                             .message = aic_str(message),
                             .fields = fields,
                             .worker = -1};
}

static void test_a_line_for_a_person(void **state)
{
    (void)state;
    const struct log_field fields[] = {
        LOG_S("call", "c1"), LOG_I("ring_ms", 1200), LOG_S("why", "no answer"), {.key = NULL}};
    assert_string_equal(formatted(LOG_FORMAT_LOGFMT, line_of("answered", fields)),
                        "time=2026-11-22T12:17:03.250Z level=info area=call msg=answered call=c1 "
                        "ring_ms=1200 why=\"no answer\"\n");
}

static void test_a_line_for_a_program(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_S("call", "c1"), LOG_I("ring_ms", -5), {.key = NULL}};
    struct log_line line = line_of("answered", fields);
    line.level = AIC_LOG_ERROR;
    line.worker = 2;
    line.generation = 7;
    line.dropped = 3;
    assert_string_equal(
        formatted(LOG_FORMAT_JSON, line),
        "{\"time\":\"2026-11-22T12:17:03.250Z\",\"level\":\"error\",\"worker\":2,\"generation\":7,"
        "\"lines_dropped\":3,\"area\":\"call\",\"msg\":\"answered\",\"call\":\"c1\",\"ring_ms\":-5}"
        "\n");
}

static void test_journald_gets_its_priority_in_front(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"<7>{", "<6>{", "<4>{", "<3>{"};
    for (uint32_t level = AIC_LOG_DEBUG; level <= AIC_LOG_ERROR; level++) {
        struct log_line line = line_of("x", NULL);
        line.level = level;
        line.has_priority = true;
        assert_memory_equal(formatted(LOG_FORMAT_JSON, line), prefixes[level - 1], 4);
    }
}

static void test_values_can_not_break_out(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_S("a", "x=y"),
                                       LOG_S("b", NULL),
                                       LOG_S("c", "q\"\\"),
                                       LOG_S("d", "\x1b[31m\xc2\x9bx\x7f"),
                                       {.key = NULL}};
    assert_string_equal(
        formatted(LOG_FORMAT_LOGFMT, line_of("one\ntwo\r\tx", fields)),
        "time=2026-11-22T12:17:03.250Z level=info area=call msg=\"one\\ntwo\\r\\tx\" "
        "a=\"x=y\" b=\"\" c=\"q\\\"\\\\\" d=\"\\u001b[31m\\u009bx\\u007f\"\n");
}

static void test_bytes_that_are_no_text_are_cleaned(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_T("a", ((struct aic_str){"a\0b\xff", 4})),
                                       LOG_T("b", ((struct aic_str){NULL, 0})),
                                       {.key = NULL}};
    const char *text = formatted(LOG_FORMAT_JSON, line_of("m", fields));
    assert_non_null(strstr(text, "\"a\":\"a\\u0000b\xef\xbf\xbd\",\"b\":\"\"}\n"));
}

static void test_secrets_and_numbers_are_hidden_in_every_place(void **state)
{
    (void)state;
    const struct log_field fields[] = {LOG_S("to", "+49151234567"),
                                       LOG_S("k", "sk-very-secret"),
                                       LOG_I("pin", 87654321),
                                       {.key = NULL}};
    struct log_line line = line_of("key sk-very-secret of +49151234567", fields);
    line.area = "sk-very-secret";
    const char *text = formatted(LOG_FORMAT_JSON, line);
    assert_non_null(strstr(text, "\"area\":\"***\",\"msg\":\"key *** of +49151*****67\","
                                 "\"to\":\"+49151*****67\",\"k\":\"***\",\"pin\":\"***\"}\n"));
}

static void check_long(enum log_format format, const char *filling, size_t length)
{
    char *text = malloc(length);
    assert_non_null(text);
    size_t step = strlen(filling);
    for (size_t i = 0; i < length; i++) {
        text[i] = filling[i % step];
    }
    const struct log_field fields[] = {
        LOG_T("body", ((struct aic_str){text, length})), LOG_S("after", "x"), {.key = NULL}};
    const char *line = formatted(format, line_of("m", fields));
    size_t written = strlen(line);
    assert_true(written <= LOG_LINE_MAX);
    assert_true(strchr(line, '\n') == line + written - 1);
    assert_true(aic_utf8_valid(aic_str(line)));
    bool is_cut = strstr(line, "truncated") != NULL;
    assert_true(is_cut != (strstr(line, "after") != NULL));
    if (format == LOG_FORMAT_JSON) {
        struct aic_json *json = aic_json_parse((struct aic_str){line, written}, 0);
        assert_non_null(json);
        assert_int_equal(aic_json_get_bool(json, "truncated", false), is_cut);
        aic_json_free(json);
    }
    free(text);
}

static void test_a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
    (void)state;
    static const char *const fillings[] = {"a", " ", "\n", "\x01", "\xff", "\xe2\x82\xac", "\""};
    for (size_t i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
        for (size_t length = 8040; length < 8200; length++) {
            check_long(LOG_FORMAT_LOGFMT, fillings[i], length);
            check_long(LOG_FORMAT_JSON, fillings[i], length);
        }
        check_long(LOG_FORMAT_JSON, fillings[i], 1000000);
    }
}

static void test_many_fields_are_cut_between_fields(void **state)
{
    (void)state;
    struct log_field fields[1001];
    for (size_t i = 0; i < 1000; i++) {
        fields[i] = LOG_I("number", INT64_MIN);
    }
    fields[1000].key = NULL;
    const char *line = formatted(LOG_FORMAT_JSON, line_of("m", fields));
    struct aic_json *json = aic_json_parse(aic_str(line), 0);
    assert_non_null(json);
    assert_true(aic_json_get_bool(json, "truncated", false));
    aic_json_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_for_a_person),
        cmocka_unit_test(test_a_line_for_a_program),
        cmocka_unit_test(test_journald_gets_its_priority_in_front),
        cmocka_unit_test(test_values_can_not_break_out),
        cmocka_unit_test(test_bytes_that_are_no_text_are_cleaned),
        cmocka_unit_test(test_secrets_and_numbers_are_hidden_in_every_place),
        cmocka_unit_test(test_a_line_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(test_many_fields_are_cut_between_fields),
    };
    return cmocka_run_group_tests(tests, add_secrets, finish_secrets);
}
