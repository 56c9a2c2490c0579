/* SPDX-License-Identifier: ISC */
#include "twilio/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_field(const struct twilio_form *form, const char *name, const char *value)
{
    struct aic_str found = twilio_form_get(form, name);
    if (!aic_str_equal(found, value)) {
        fail_msg("%s is \"%.*s\", not \"%s\"", name, (int)found.len, found.ptr, value);
    }
}

static void test_fields_are_decoded(void **state)
{
    (void)state;
    struct twilio_form form;
    assert_int_equal(
        twilio_form_parse(AIC_STR("From=%2B15551230001&Caller+Name=Jos%C3%A9+A%26B&Empty=&Bare&"
                                  "&%41=1&Bad=%4&Worse=%zz&Last=100%&Twice=a&Twice=b&=nameless"),
                          &form),
        AIC_OK);
    assert_field(&form, "From", "+15551230001");
    assert_field(&form, "Caller Name", "Jos\xc3\xa9 A&B");
    assert_field(&form, "Empty", "");
    assert_field(&form, "Bare", "");
    assert_field(&form, "A", "1");
    assert_field(&form, "Bad", "%4");
    assert_field(&form, "Worse", "%zz");
    assert_field(&form, "Last", "100%");
    assert_field(&form, "Twice", "a");
    assert_field(&form, "", "nameless");
    assert_field(&form, "absent", "");
    twilio_form_finish(&form);
}

static void test_what_is_no_text_is_not_given_out(void **state)
{
    (void)state;
    struct twilio_form form;
    assert_int_equal(twilio_form_parse(AIC_STR("From=%ff%fe&To=a%00b&Ok=%e2%82%ac"), &form),
                     AIC_OK);
    assert_field(&form, "From", "");
    assert_field(&form, "To", "");
    assert_field(&form, "Ok", "\xe2\x82\xac");
    twilio_form_finish(&form);
}

static void test_too_many_fields_are_refused(void **state)
{
    (void)state;
    struct aic_buf text;
    struct twilio_form form;
    aic_buf_init(&text, 10000);
    for (int i = 0; i < TWILIO_FORM_PAIRS; i++) {
        aic_buf_printf(&text, "f%d=%d&", i, i);
    }
    assert_int_equal(twilio_form_parse(aic_buf_view(&text), &form), AIC_OK);
    assert_field(&form, "f199", "199");
    twilio_form_finish(&form);
    aic_buf_text(&text, "one=more");
    assert_int_equal(twilio_form_parse(aic_buf_view(&text), &form), AIC_ERROR_TOO_LARGE);
    assert_null(form.memory);
    assert_int_equal(twilio_form_parse(AIC_STR(""), &form), AIC_OK);
    assert_int_equal(form.count, 0);
    twilio_form_finish(&form);
    aic_buf_finish(&text);
}

static void test_for_a_signature_fields_are_sorted_and_repetitions_left_out(void **state)
{
    (void)state;
    struct aic_buf text;
    struct twilio_form form;
    aic_buf_init(&text, 1000);
    assert_int_equal(twilio_form_parse(AIC_STR("b=2&a=1&B=3&ab=4&b=1&b=2"), &form), AIC_OK);
    twilio_form_join(&text, &form);
    assert_string_equal(text.data, "B3a1ab4b1b2");
    /* Only equal pairs: a name's end and a value's beginning do not make one. */
    twilio_form_finish(&form);
    aic_buf_clear(&text);
    assert_int_equal(twilio_form_parse(AIC_STR("ab=c&a=bc"), &form), AIC_OK);
    twilio_form_join(&text, &form);
    assert_string_equal(text.data, "abcabc");
    twilio_form_finish(&form);
    aic_buf_finish(&text);
}

static void test_what_is_written_is_read_again(void **state)
{
    (void)state;
    struct aic_buf text;
    struct twilio_form form;
    char all[255];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)(i + 1);
    }
    aic_buf_init(&text, 2000);
    twilio_form_add(&text, "To", AIC_STR("+15551230001"));
    twilio_form_add(&text, "All", (struct aic_str){all, sizeof(all)});
    assert_non_null(strstr(text.data, "To=%2B15551230001&All=%01"));
    assert_int_equal(twilio_form_parse(aic_buf_view(&text), &form), AIC_OK);
    assert_int_equal(form.count, 2);
    assert_field(&form, "To", "+15551230001");
    assert_int_equal(form.pairs[1].value.len, sizeof(all));
    assert_memory_equal(form.pairs[1].value.ptr, all, sizeof(all));
    twilio_form_finish(&form);
    aic_buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_decoded),
        cmocka_unit_test(test_what_is_no_text_is_not_given_out),
        cmocka_unit_test(test_too_many_fields_are_refused),
        cmocka_unit_test(test_for_a_signature_fields_are_sorted_and_repetitions_left_out),
        cmocka_unit_test(test_what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
