/* SPDX-License-Identifier: ISC */
/* The names by which a server may be asked. */
#include "web/hosts.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const names[] = {"voice.example.com", "192.0.2.1", "[2001:db8::1]", NULL};

static void test_without_names_any_is_good(void **state)
{
    static const char *const none[] = {NULL};
    (void)state;
    assert_true(hosts_allow(NULL, NULL, AIC_STR("anything")));
    assert_true(hosts_allow(none, NULL, AIC_STR("")));
}

static void test_a_name_is_good_with_any_port_and_case(void **state)
{
    static const char *const good[] = {
        "voice.example.com", "voice.example.com:8443", "VOICE.example.COM",   "192.0.2.1:8000",
        "[2001:db8::1]",     "[2001:DB8::1]:443",      "calls.example.com:1", "calls.example.com"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(hosts_allow(names, "https://calls.example.com:444", aic_str(good[i])));
    }
}

static void test_another_name_is_not(void **state)
{
    static const char *const bad[] = {"",
                                      ":80",
                                      "example.com",
                                      "voice.example.com.",
                                      "voice.example.com.example.net",
                                      "xvoice.example.com",
                                      "voice.example.com@example.net",
                                      "[2001:db8::1",
                                      "[",
                                      "]",
                                      "2001:db8::1",
                                      "calls.example.com"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(hosts_allow(names, NULL, aic_str(bad[i])));
    }
    assert_false(hosts_allow(names, "", AIC_STR("")));
    assert_false(hosts_allow(names, "https://", AIC_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_names_any_is_good),
        cmocka_unit_test(test_a_name_is_good_with_any_port_and_case),
        cmocka_unit_test(test_another_name_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
