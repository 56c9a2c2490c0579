/* SPDX-License-Identifier: ISC */
#include "web/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool takes(const char *header)
{
    return encoding_takes_gzip(aic_str(header));
}

static void test_who_names_gzip_gets_it(void **state)
{
    (void)state;
    assert_true(takes("gzip"));
    assert_true(takes("br, GZIP;q=0.5 , deflate"));
    assert_true(takes("identity;q=1, x-gzip"));
    assert_true(takes("gzip;q=0.001"));
    assert_true(takes("*"));
    assert_true(takes("br;q=0, *;q=0.1"));
}

static void test_who_does_not_want_it_gets_the_file_as_it_is(void **state)
{
    (void)state;
    assert_false(encoding_takes_gzip((struct aic_str){NULL, 0}));
    assert_false(takes(""));
    assert_false(takes("identity"));
    assert_false(takes("gzip;q=0"));
    assert_false(takes("gzip ; q=0.000, *"));
    assert_false(takes("*;q=0"));
    assert_false(takes("gzipped, notgzip"));
    assert_false(takes(";;,,;q=1,= "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_names_gzip_gets_it),
        cmocka_unit_test(test_who_does_not_want_it_gets_the_file_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
