/* SPDX-License-Identifier: ISC */
#include "base/settings_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_addresses_are_whole_and_encrypted_beyond_this_machine(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://api.example.com",
        "HTTPS://api.example.com:443/v1?a=b#c",
        "wss://api.example.com/listen",
        "https://10.0.0.1",
        "https://[2001:db8::1]:8443/",
        "http://localhost:8080",
        "http://LOCALHOST",
        "ws://127.0.0.1:1/x",
        "http://127.255.0.9",
        "http://[::1]:65535/v1",
        "ws://[::1]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_null(setting_url_problem(good[i]));
    }
    static const char *const bad[] = {
        "",
        "api.example.com",
        "/v1",
        "ftp://api.example.com",
        "https:/api.example.com",
        "https://",
        "https:///v1",
        "https://:443",
        "https://api.example.com:",
        "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:+80",
        "https://api.example.com:8o",
        "https://api.example.com:4294967376",
        "https://user:pw@api.example.com",
        "https://api example.com",
        "https://api.example.com/a\nb",
        "https://[::1",
        "https://[api]",
        "https://[::1]x",
        "https://a]b",
        "http://api.example.com",
        "ws://10.0.0.1",
        "http://128.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://localhost@api.example.com",
        "http://127.1",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_non_null(setting_url_problem(bad[i]));
    }
}

static void test_durations_and_sizes_are_parsed(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        int64_t ms;
        int64_t bytes;
    } cases[] = {
        {"0", 0, 0},
        {"500", 500, 500},
        {"500ms", 500, -1},
        {"3s", 3000, -1},
        {"2m", 120000, 2097152},
        {"1h", 3600000, -1},
        {"64k", -1, 65536},
        {"64K", -1, 65536},
        {"2M", -1, 2097152},
        {"1G", -1, 1073741824},
        {"1g", -1, 1073741824},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
        {"9223372036854775807s", -1, -1},
        {"9223372036854775808", -1, -1},
        {"", -1, -1},
        {"s", -1, -1},
        {"-1", -1, -1},
        {"+1", -1, -1},
        {" 1", -1, -1},
        {"1 s", -1, -1},
        {"1.5s", -1, -1},
        {"1sec", -1, -1},
        {"1d", 86400000, -1},
        {"1S", -1, -1},
        {"1kB", -1, -1},
        {"0x10", -1, -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = -1;
        assert_int_equal(settings_parse_duration(cases[i].text, &value), cases[i].ms >= 0);
        assert_int_equal(value, cases[i].ms);
        value = -1;
        assert_int_equal(settings_parse_bytes(cases[i].text, &value), cases[i].bytes >= 0);
        assert_int_equal(value, cases[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_whole_and_encrypted_beyond_this_machine),
        cmocka_unit_test(test_durations_and_sizes_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
