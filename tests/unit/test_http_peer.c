/* SPDX-License-Identifier: ISC */
/* What a proxy in front of the port says of TLS; of addresses, see test_server_accept.c. */
#include "io/http_peer.h"

#include "buf.h"
#include "io/http_head.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static bool is_https(const char *headers, const char *peer, const char *const *trusted)
{
    static const char *const none[] = {NULL};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct http_head head;
    char text[512];
    assert_int_equal(inet_pton(AF_INET, peer, &address.sin_addr), 1);
    (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    assert_int_equal(http_head_parse(aic_str(text), &head), 0);
    return http_peer_forwards_https(&head, (const struct sockaddr *)(const void *)&address,
                                    trusted ? trusted : none);
}

static void test_only_a_trusted_proxy_tells_of_tls(void **state)
{
    (void)state;
    static const char *const trusted[] = {"10.0.0.0/8", NULL};
    static const char header[] = "X-Forwarded-Proto: https\r\n";
    assert_true(is_https(header, "10.1.2.3", trusted));
    assert_false(is_https(header, "11.1.2.3", trusted));
    assert_false(is_https(header, "127.0.0.1", trusted));
    assert_false(is_https(header, "10.1.2.3", NULL));
}

static void test_what_the_nearest_proxy_says_counts(void **state)
{
    (void)state;
    static const char *const trusted[] = {"10.0.0.0/8", NULL};

    static const struct {
        const char *headers;
        bool is_https;
    } cases[] = {
        {"", false},
        {"X-Forwarded-Proto: HTTPS\r\n", true},
        {"X-Forwarded-Proto: http\r\n", false},
        {"X-Forwarded-Proto:\r\n", false},
        {"X-Forwarded-Proto: httpsx\r\n", false},
        {"X-Forwarded-Proto: https, http\r\n", false},
        {"X-Forwarded-Proto: http, https\r\n", true},
        {"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", false},
        {"Forwarded: proto=https\r\n", false},
        {"X-Forwarded-Ssl: on\r\n", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(is_https(cases[i].headers, "10.0.0.1", trusted), cases[i].is_https);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_a_trusted_proxy_tells_of_tls),
        cmocka_unit_test(test_what_the_nearest_proxy_says_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
