/* SPDX-License-Identifier: ISC */
#include "io/peer_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct sockaddr *address(const char *text)
{
    static union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } made;

    memset(&made, 0, sizeof(made));
    if (inet_pton(AF_INET, text, &made.v4.sin_addr) == 1) {
        made.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &made.v6.sin6_addr) == 1) {
        made.v6.sin6_family = AF_INET6;
    } else {
        fail_msg("not an address: %s", text);
    }
    return &made.any;
}

static void test_each_address_has_its_own_count(void **state)
{
    (void)state;
    struct peer_table *table = peer_table_create(42);
    assert_true(peer_table_add(table, address("192.0.2.1"), 2));
    assert_true(peer_table_add(table, address("192.0.2.1"), 2));
    assert_false(peer_table_add(table, address("192.0.2.1"), 2));
    assert_true(peer_table_add(table, address("192.0.2.2"), 2));
    peer_table_remove(table, address("192.0.2.1"));
    assert_true(peer_table_add(table, address("192.0.2.1"), 2));
    assert_false(peer_table_add(table, address("192.0.2.1"), 2));
    peer_table_destroy(table);
    peer_table_destroy(NULL);
}

static void test_ipv6_counts_by_network_and_mapped_ipv4_by_address(void **state)
{
    (void)state;
    struct peer_table *table = peer_table_create(7);
    assert_true(peer_table_add(table, address("2001:db8:1:2::1"), 1));
    assert_false(peer_table_add(table, address("2001:db8:1:2:ffff::9"), 1));
    assert_true(peer_table_add(table, address("2001:db8:1:3::1"), 1));
    assert_true(peer_table_add(table, address("::ffff:192.0.2.1"), 1));
    assert_false(peer_table_add(table, address("192.0.2.1"), 1));
    assert_true(peer_table_add(table, address("::ffff:192.0.2.2"), 1));
    peer_table_destroy(table);
}

static void test_many_peers_come_and_go(void **state)
{
    (void)state;
    struct peer_table *table = peer_table_create(0);
    struct sockaddr_in peer = {.sin_family = AF_INET};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            peer.sin_addr.s_addr = htonl(0x0a000000u + i);
            assert_true(peer_table_add(table, (const struct sockaddr *)&peer, 1));
        }
        for (uint32_t i = 0; i < 5000; i++) {
            peer.sin_addr.s_addr = htonl(0x0a000000u + i);
            assert_false(peer_table_add(table, (const struct sockaddr *)&peer, 1));
            peer_table_remove(table, (const struct sockaddr *)&peer);
        }
    }
    peer_table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_address_has_its_own_count),
        cmocka_unit_test(test_ipv6_counts_by_network_and_mapped_ipv4_by_address),
        cmocka_unit_test(test_many_peers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
