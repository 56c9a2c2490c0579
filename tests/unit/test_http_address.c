/* SPDX-License-Identifier: ISC */
#include "io/http_address.h"

#include "buf.h"
#include "io/http_client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

/* Turns a host as it stands in a URL into the address that would be connected to. */
static bool resolve(const char *host, struct sockaddr_storage *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, NULL, &hints, &found) != 0) {
        return false;
    }
    memset(address, 0, sizeof(*address));
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

static const struct sockaddr *address_of(const char *host)
{
    static struct sockaddr_storage address;
    if (!resolve(host, &address)) {
        fail_msg("not an address: %s", host);
    }
    return (const struct sockaddr *)&address;
}

static const char *const refused[] = {
    /* loopback, in every spelling that the C library takes */
    "127.0.0.1",
    "127.0.0.0",
    "127.1",
    "127.0.1",
    "127.255.255.255",
    "127.8.9.10",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0177.1",
    "0x7f.0x0.0x0.0x1",
    "127.0.0.01",
    "127.00.00.1",
    "0x7f.0.1",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::0001",
    "0::1",
    /* this network */
    "0.0.0.0",
    "0",
    "0x0",
    "0.0",
    "0.1.2.3",
    "::",
    "0::0",
    "0:0:0:0:0:0:0:0",
    /* private */
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "10.1",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "172.16.0.0",
    "172.16.0.1",
    "172.31.255.255",
    "172.20.1.1",
    "2886729729",
    "0xac.16.0.1",
    "192.168.0.0",
    "192.168.0.1",
    "192.168.255.255",
    "192.168.257",
    "3232235521",
    "0xc0a80001",
    "0300.0250.0.1",
    /* carriers' NAT, link-local, metadata of clouds */
    "100.64.0.0",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    /* protocols, documentation, benchmarks */
    "192.0.0.1",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.0",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    /* multicast, reserved, broadcast */
    "224.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.0",
    "240.0.0.1",
    "250.1.2.3",
    "255.255.255.254",
    "255.255.255.255",
    "0xffffffff",
    "4294967295",
    /* IPv4 inside of IPv6: mapped, compatible, translated, 6to4, Teredo, also with public inside */
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::FFFF:7F00:0001",
    "0:0:0:0:0:ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:192.168.1.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "::7f00:1",
    "::10.0.0.1",
    "::8.8.8.8",
    "::ffff:0:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "64:ff9b:1::10.0.0.1",
    "2002:7f00:1::",
    "2002:7f00:0001::1",
    "2002:a00:1::",
    "2002:a9fe:a9fe::",
    "2002:c0a8:101::",
    "2002:808:808::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    /* unique local, link-local, site-local, multicast, the rest of IPv6 */
    "fc00::",
    "fc00::1",
    "fd00::1",
    "fd12:3456:789a::1",
    "fdff:ffff::1",
    "fe80::1",
    "fe80::",
    "febf:ffff::1",
    "fec0::1",
    "feff::1",
    "ff00::",
    "ff02::1",
    "ff05::2",
    "ff0e::1",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "100::1",
    "200::1",
    "1fff::1",
    "4000::1",
    "5f00::1",
    "8000::1",
    "::2",
    "::ff",
    "1::1",
    /* inside of 2000::/3, and still special */
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2001:db8:1::1",
    "3fff::1",
    "3fff:fff::1",
};

static const char *const accepted[] = {
    "1.1.1.1",          "1.0.0.0",         "8.8.8.8",
    "134744072",        "0x08080808",      "010.010.010.010",
    "9.255.255.255",    "11.0.0.0",        "100.63.255.255",
    "100.128.0.0",      "126.255.255.255", "128.0.0.0",
    "169.253.255.255",  "169.255.0.0",     "172.15.255.255",
    "172.32.0.0",       "191.255.255.255", "192.0.1.0",
    "192.0.3.0",        "192.88.98.255",   "192.88.100.0",
    "192.167.255.255",  "192.169.0.0",     "198.17.255.255",
    "198.20.0.0",       "198.51.99.255",   "198.51.101.0",
    "203.0.112.255",    "203.0.114.0",     "223.255.255.255",
    "2000::1",          "2001:200::1",     "2001:4860:4860::8888",
    "2001:db7:ffff::1", "2001:db9::1",     "2003::1",
    "2400::1",          "2606:4700::1111", "2a00:1450::1",
    "3ffe::1",          "3fff:1000::1",
};

static void test_addresses_that_are_not_public_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (http_address_is_public(address_of(refused[i]))) {
            fail_msg("taken for public: %s", refused[i]);
        }
    }
}

static void test_public_addresses_are_accepted_up_to_the_borders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (!http_address_is_public(address_of(accepted[i]))) {
            fail_msg("refused: %s", accepted[i]);
        }
    }
}

static void test_other_families_are_never_public(void **state)
{
    (void)state;
    const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    const struct sockaddr_in none = {.sin_family = AF_UNSPEC};
    assert_false(http_address_is_public((const struct sockaddr *)&local));
    assert_false(http_address_is_public((const struct sockaddr *)&none));
    assert_false(http_address_is_loopback((const struct sockaddr *)&local));
}

static void test_loopback_is_known_in_all_its_forms(void **state)
{
    (void)state;
    static const char *const yes[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1",
                                      "0x7f.1"};
    static const char *const no[] = {"126.255.255.255",
                                     "128.0.0.1",
                                     "::",
                                     "::2",
                                     "::127.0.0.1",
                                     "0.0.0.0",
                                     "::ffff:10.0.0.1",
                                     "fe80::1",
                                     "64:ff9b::127.0.0.1"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(http_address_is_loopback(address_of(yes[i])));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(http_address_is_loopback(address_of(no[i])));
    }
}

static void test_networks_hold_what_lies_in_them(void **state)
{
    (void)state;

    static const struct {
        const char *network;
        const char *address;
        bool is_in;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"10.0.0.0/8", "::10.1.2.3", false},
        {"192.168.1.7", "192.168.1.7", true},
        {"192.168.1.7", "192.168.1.8", false},
        {"192.168.1.7/32", "192.168.1.7", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "::ffff:8.8.8.8", true},
        {"0.0.0.0/0", "::1", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"10.0.0.0/31", "10.0.0.1", true},
        {"10.0.0.0/31", "10.0.0.2", false},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fc12::1", false},
        {"::1", "::1", true},
        {"::1/128", "::1", true},
        {"::1", "127.0.0.1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "10.0.0.1", false},
        {"::/0", "::ffff:10.0.0.1", false},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const networks[] = {"203.0.113.9", "nonsense", rows[i].network, NULL};
        if (http_address_in(address_of(rows[i].address), networks) != rows[i].is_in) {
            fail_msg("%s in %s is not %d", rows[i].address, rows[i].network, rows[i].is_in);
        }
    }
    assert_false(http_address_in(address_of("10.0.0.1"), NULL));
}

static void test_bad_networks_are_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "/8",
        "10",
        "10.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        " 10.0.0.0/8",
        "10.0.0.0/8/8",
        "10.0.0.1/8",
        "10.0.0.0/a",
        "10.0.0.0/1000",
        "0x0a.0.0.0/8",
        "010.0.0.0/8",
        "10.0.0.256",
        "localhost",
        "example.com",
        "::1/129",
        "fe80::1%eth0",
        "[::1]",
        "::1::",
        "10.0.0.0/255.0.0.0",
        "fd00::1/8",
        "*",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "10.0.0.0\n",
    };
    struct http_network network;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (http_network_parse(aic_str(bad[i]), &network) != AIC_ERROR_INVALID) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_int_equal(http_network_parse(AIC_STR("10.0.0.1\0/8"), &network), AIC_ERROR_INVALID);
    assert_int_equal(http_network_parse((struct aic_str){NULL, 0}, &network), AIC_ERROR_INVALID);
}

static void test_rules_decide_together(void **state)
{
    (void)state;
    const char *const office[] = {"10.1.0.0/16", NULL};
    const struct http_rules user = {.public_only = true, .allow = office};
    assert_true(http_address_allowed(address_of("8.8.8.8"), &user, true));
    assert_true(http_address_allowed(address_of("10.1.2.3"), &user, false));
    assert_false(http_address_allowed(address_of("10.2.2.3"), &user, false));
    assert_false(http_address_allowed(address_of("127.0.0.1"), &user, false));
    const struct http_rules vendor = {.plain_to_loopback_only = true, .allow = office};
    assert_true(http_address_allowed(address_of("127.0.0.1"), &vendor, true));
    assert_true(http_address_allowed(address_of("::1"), &vendor, true));
    assert_true(http_address_allowed(address_of("10.1.2.3"), &vendor, true));
    assert_false(http_address_allowed(address_of("8.8.8.8"), &vendor, true));
    assert_true(http_address_allowed(address_of("8.8.8.8"), &vendor, false));
    const struct http_rules both = {.public_only = true, .plain_to_loopback_only = true};
    assert_false(http_address_allowed(address_of("127.0.0.1"), &both, true));
    assert_false(http_address_allowed(address_of("8.8.8.8"), &both, true));
    assert_true(http_address_allowed(address_of("8.8.8.8"), &both, false));
}

static void test_addresses_as_text(void **state)
{
    (void)state;
    char text[HTTP_ADDRESS_TEXT];
    http_address_text(address_of("192.0.2.1"), text);
    assert_string_equal(text, "192.0.2.1");
    http_address_text(address_of("::ffff:192.0.2.1"), text);
    assert_string_equal(text, "192.0.2.1");
    http_address_text(address_of("2001:DB8:0::1"), text);
    assert_string_equal(text, "2001:db8::1");
    const struct sockaddr_un local = {.sun_family = AF_UNIX};
    http_address_text((const struct sockaddr *)&local, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_that_are_not_public_are_refused),
        cmocka_unit_test(test_public_addresses_are_accepted_up_to_the_borders),
        cmocka_unit_test(test_other_families_are_never_public),
        cmocka_unit_test(test_loopback_is_known_in_all_its_forms),
        cmocka_unit_test(test_networks_hold_what_lies_in_them),
        cmocka_unit_test(test_bad_networks_are_errors),
        cmocka_unit_test(test_rules_decide_together),
        cmocka_unit_test(test_addresses_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
