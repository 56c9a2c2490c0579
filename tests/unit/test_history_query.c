/* SPDX-License-Identifier: ISC */
/* What the history is asked for, the links that follow, and fields of a table. */
#include "web/history_csv.h"
#include "web/history_query.h"
#include "web/lookup.h"
#include "web/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_refused(const char *text, const char *field)
{
    struct history_query query;
    assert_false(history_query_read(&query, aic_str(text)));
    assert_string_equal(query.params.field, field);
    assert_true(strlen(query.params.detail) > 15);
    history_query_finish(&query);
}

static void check_asked(const char *text, const char *wanted)
{
    struct history_query query;
    struct aic_json_writer w;
    struct aic_buf buf;
    aic_buf_init(&buf, 4096);
    aic_json_writer_init(&w, &buf);
    assert_true(history_query_read(&query, aic_str(text)));
    aic_json_open(&w, '{');
    history_query_write_filters(&query, &w);
    history_query_write_place(&query, &w);
    aic_json_close(&w, '}');
    assert_string_equal(buf.data, wanted);
    history_query_finish(&query);
    aic_buf_finish(&buf);
}

static void test_parameters_become_a_question(void **state)
{
    (void)state;
    check_asked("", "{\"page\":1,\"per_page\":20}");
    check_asked("&&=&page=&per_page=5&", "{\"page\":1,\"per_page\":5}");
    check_asked("status=busy%2Cfailed&number=+49&text=a+b",
                "{\"status\":[\"busy\",\"failed\"],\"number\":\"+49\",\"text\":\"a b\","
                "\"page\":1,\"per_page\":20}");
    check_asked("after=x,y&per_page=200", "{\"after\":\"x,y\",\"per_page\":201}");
    check_asked("last=true", "{\"last\":true,\"per_page\":21}");
    check_asked("last=false&page=3", "{\"page\":3,\"per_page\":20}");
}

static void test_what_is_not_understood_is_named(void **state)
{
    (void)state;
    check_refused("page=0", "page");
    check_refused("page=10000001", "page");
    check_refused("page=18446744073709551617", "page");
    check_refused("per_page=+5", "per_page");
    check_refused("agent=a&agent=b", "agent");
    check_refused("agnet=a", "agnet");
    check_refused("a%20b=1", "");
    check_refused("text=%C3", "text");
    check_refused("text=a%00", "text");
    check_refused("before=x&page=1", "before");
    check_refused("format=csv&last=true", "last");
}

static void test_links_can_not_be_broken_out_of(void **state)
{
    (void)state;
    struct history_query query;
    struct aic_buf link;
    aic_buf_init(&link, 16384);
    assert_true(
        history_query_read(&query, AIC_STR("agent=%3E%3B%0D%0A%22&page=2&per_page=1&text=%C3%A9")));
    const struct history_around around = {.has_next = true, .has_previous = true};
    history_query_link(&query, &around, &link);
    const char *same = "</calls/call-history/?per_page=1&agent=%3E%3B%0D%0A%22&text=%C3%A9";
    char wanted[1024];
    (void)snprintf(wanted, sizeof(wanted),
                   "%s>; rel=\"first\", %s&page=1>; rel=\"prev\", %s&page=3>; rel=\"next\", "
                   "%s&last=true>; rel=\"last\"",
                   same, same, same, same);
    assert_string_equal(link.data, wanted);
    history_query_finish(&query);
    aic_buf_finish(&link);
}

static void check_field(const char *text, const char *wanted)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 1024);
    history_csv_field(&buf, aic_str(text));
    assert_string_equal(buf.data ? buf.data : "", wanted);
    aic_buf_finish(&buf);
}

static void test_fields_of_a_table_are_quoted_and_no_formulas(void **state)
{
    (void)state;
    check_field("", "");
    check_field("plain", "plain");
    check_field("a \"b\",\r\n", "\"a \"\"b\"\",\r\n\"");
    check_field("+12015550123", "+12015550123");
    check_field("+*******0123", "+*******0123");
    check_field("-1.5", "-1.5");
    check_field("-", "\"'-\"");
    check_field("+1+cmd", "\"'+1+cmd\"");
    check_field("=1", "\"'=1\"");
    check_field("@SUM(A1)", "\"'@SUM(A1)\"");
}

static void check_hidden(const char *text, const char *wanted)
{
    char copy[128];
    (void)snprintf(copy, sizeof(copy), "%s", text);
    lookup_hide_numbers(copy, strlen(copy));
    assert_string_equal(copy, wanted);
}

static void test_of_a_number_the_last_four_digits_are_shown(void **state)
{
    (void)state;
    char number[] = "tel 1201-555-0123";
    lookup_hide_number(number, strlen(number));
    assert_string_equal(number, "tel ****-***-0123");
    check_hidden("call +12015550123, +49301234567", "call +*******0123, +*******4567");
    check_hidden("1+2=3, +123456, 2026-11-22T10:00:00+05:30",
                 "1+2=3, +123456, 2026-11-22T10:00:00+05:30");
    check_hidden("++1234567+", "++***4567+");
    check_hidden("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_become_a_question),
        cmocka_unit_test(test_what_is_not_understood_is_named),
        cmocka_unit_test(test_links_can_not_be_broken_out_of),
        cmocka_unit_test(test_fields_of_a_table_are_quoted_and_no_formulas),
        cmocka_unit_test(test_of_a_number_the_last_four_digits_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
