/* SPDX-License-Identifier: ISC */
#include "call/number.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* tests/system/test_numbers.py compares the whole table with the library that it comes from. */

static struct number parsed(const char *text)
{
    struct number number;
    number_parse(&number, aic_str(text));
    return number;
}

static void test_a_number_has_a_region_and_a_type(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        const char *region;
        enum number_type type;
    } cases[] = {
        {"+919876543210", "IN", NUMBER_MOBILE},
        {"+12125550100", "US", NUMBER_FIXED_OR_MOBILE},
        {"+14165550100", "CA", NUMBER_FIXED_OR_MOBILE},
        {"+18765550100", "JM", NUMBER_MOBILE},
        {"+19005550100", "US", NUMBER_PREMIUM_RATE},
        {"+18005550100", "US", NUMBER_TOLL_FREE},
        {"+442079460000", "GB", NUMBER_FIXED_LINE},
        {"+447400123456", "GB", NUMBER_MOBILE},
        {"+441481256789", "GG", NUMBER_FIXED_LINE},
        {"+448431234567", "GB", NUMBER_PREMIUM_RATE},
        {"+9118603451234", "IN", NUMBER_SHARED_COST},
        {"+390612345678", "IT", NUMBER_FIXED_LINE},
        {"+870773111632", "001", NUMBER_MOBILE},
        {"+979123456789", "001", NUMBER_PREMIUM_RATE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct number number = parsed(cases[i].text);
        assert_int_equal(number.kind, NUMBER_KNOWN);
        assert_string_equal(number.region, cases[i].region);
        assert_int_equal(number.type, cases[i].type);
    }
}

static void test_what_is_no_number_is_told_apart(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        enum number_kind kind;
    } cases[] = {
        {"", NUMBER_NOT_E164},
        {"+", NUMBER_NOT_E164},
        {"+0123456789", NUMBER_NOT_E164},
        {"919876543210", NUMBER_NOT_E164},
        {"0091987654321", NUMBER_NOT_E164},
        {"+91 98765 43210", NUMBER_NOT_E164},
        {"+91-9876543210", NUMBER_NOT_E164},
        {"+1234567890123456", NUMBER_NOT_E164},
        {"+1212555010x", NUMBER_NOT_E164},
        {"sip:someone@example.com", NUMBER_NOT_E164},
        {"911", NUMBER_SHORT},
        {"112", NUMBER_SHORT},
        {"+112", NUMBER_SHORT},
        {"+1911", NUMBER_SHORT},
        {"+9198765432", NUMBER_SHORT},
        {"+11115550100", NUMBER_UNKNOWN},
        {"+9991234567890", NUMBER_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct number number = parsed(cases[i].text);
        assert_int_equal(number.kind, cases[i].kind);
        assert_string_equal(number.region, "");
        assert_int_equal(number.type, NUMBER_TYPE_NONE);
    }
}

static void test_a_byte_that_is_no_text_is_no_number(void **state)
{
    (void)state;
    struct number number;
    number_parse(&number, (struct aic_str){"+1212\0005550100", 13});
    assert_int_equal(number.kind, NUMBER_NOT_E164);
    number_parse(&number, (struct aic_str){NULL, 0});
    assert_int_equal(number.kind, NUMBER_NOT_E164);
}

static void test_the_zones_are_those_of_the_place(void **state)
{
    (void)state;
    struct number number = parsed("+12125550100");
    assert_true(number.is_placed);
    assert_int_equal(number.zone_count, 1);
    assert_string_equal(number_zone_name(number.zones[0]), "America/New_York");
    number = parsed("+919876543210");
    assert_int_equal(number.zone_count, 1);
    assert_string_equal(number_zone_name(number.zones[0]), "Asia/Calcutta");
}

static void test_a_number_without_a_place_is_in_all_zones_of_its_region(void **state)
{
    (void)state;
    struct number number = parsed("+79161234567");
    assert_false(number.is_placed);
    assert_in_range(number.zone_count, 10, 14);
    number = parsed("+18765550100");
    assert_int_equal(number.zone_count, 1);
    assert_string_equal(number_zone_name(number.zones[0]), "America/Jamaica");
    /* Newer than the table: nothing is known but the country. */
    number = parsed("+61999999999");
    assert_int_equal(number.kind, NUMBER_UNKNOWN);
    assert_true(number.zone_count >= 5);
    number = parsed("+870773111632");
    assert_int_equal(number.zone_count, 0);
}

static void test_regions_that_there_are(void **state)
{
    (void)state;
    assert_true(number_region_exists(AIC_STR("IN")));
    assert_true(number_region_exists(AIC_STR("CA")));
    assert_true(number_region_exists(AIC_STR("KZ")));
    assert_false(number_region_exists(AIC_STR("")));
    assert_false(number_region_exists(AIC_STR("UK")));
    assert_false(number_region_exists(AIC_STR("001")));
    assert_false(number_region_exists(AIC_STR("in")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_has_a_region_and_a_type),
        cmocka_unit_test(test_what_is_no_number_is_told_apart),
        cmocka_unit_test(test_a_byte_that_is_no_text_is_no_number),
        cmocka_unit_test(test_the_zones_are_those_of_the_place),
        cmocka_unit_test(test_a_number_without_a_place_is_in_all_zones_of_its_region),
        cmocka_unit_test(test_regions_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
