/* SPDX-License-Identifier: ISC */
/* What may be asked of whom. */
#include "io/http_client.h"

#include "base64.h"
#include "net_asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct http_rules public_only = {.public_only = true};

static void test_users_urls_reach_no_private_address(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    static const char *const hosts[] = {
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:7f00:1]",
        "0",
        "127-0-0-1.test",
        "10-0-0-1.test",
        "169-254-169-254.test",
        "192-168-0-1.test",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "0-0-0-0.test",
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        net_asker_check(scene,
                        &(struct aic_http_request){.url = net_asker_url_of(peer, hosts[i], "/")},
                        &public_only, AIC_CATEGORY_PERMISSION, "!address");
    }
    assert_int_equal(net_peer_count(peer), 0);
    net_peer_stop(peer);
}

static void test_a_connection_of_others_does_not_go_round_the_rules(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/")};
    net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    net_asker_check(scene, &params, &public_only, AIC_CATEGORY_PERMISSION, "!address");
    net_peer_stop(peer);
}

static void test_the_operator_may_except_networks(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    const char *const allow[] = {"10.0.0.0/8", "127.0.0.0/8", NULL};
    const struct http_rules rules = {.public_only = true, .allow = allow};
    net_asker_check(
        scene, &(struct aic_http_request){.url = net_asker_url_of(peer, "127-0-0-1.test", "/")},
        &rules, 0, "H200 D(hello) .");
    net_peer_stop(peer);
}

static void test_plain_http_can_be_kept_to_loopback(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    const struct http_rules rules = {.plain_to_loopback_only = true};
    net_asker_check(
        scene, &(struct aic_http_request){.url = net_asker_url_of(peer, "127-0-0-1.test", "/")},
        &rules, 0, "H200 D(hello) .");
    net_asker_check(
        scene, &(struct aic_http_request){.url = net_asker_url_of(peer, "192-0-2-1.test", "/")},
        &rules, AIC_CATEGORY_PERMISSION, "!address");
    net_peer_stop(peer);
}

static void test_bad_requests_are_refused_at_once(void **state)
{
    struct net_asker *scene = *state;

    static const struct {
        const char *method;
        const char *url;
        const char *name;
        const char *value;
        int32_t status;
    } rows[] = {
        {"GET", "ftp://127.0.0.1/", NULL, NULL, AIC_ERROR_UNSUPPORTED},
        {"GET", "file:///etc/passwd", NULL, NULL, AIC_ERROR_UNSUPPORTED},
        {"GET", "gopher://127.0.0.1/", NULL, NULL, AIC_ERROR_UNSUPPORTED},
        {"GET", "127.0.0.1/", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "http://", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "http://user:secret@127.0.0.1/", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1:99999/", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/\r\nX: y", NULL, NULL, AIC_ERROR_INVALID},
        {"BREW", "http://127.0.0.1/", NULL, NULL, AIC_ERROR_INVALID},
        {"GET / HTTP/1.1\r\n", "http://127.0.0.1/", NULL, NULL, AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "X-A", "b\r\nX-C: d", AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "X-A", "b\nX-C: d", AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "X A", "b", AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "", "b", AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "X-A:", "b", AIC_ERROR_INVALID},
        {"GET", "http://127.0.0.1/", "Host", "example.com", AIC_ERROR_INVALID},
        {"POST", "http://127.0.0.1/", "Transfer-Encoding", "chunked", AIC_ERROR_INVALID},
        {"POST", "http://127.0.0.1/", "CONTENT-LENGTH", "1", AIC_ERROR_INVALID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct aic_header header = {aic_str(rows[i].name), aic_str(rows[i].value)};
        const struct aic_http_request params = {.method = rows[i].method,
                                                .url = rows[i].url,
                                                .headers = &header,
                                                .header_count = rows[i].name ? 1 : 0};
        struct net_asking record = {0};
        int32_t status = net_asker_try_start(scene, &record, &params, NULL);
        if (status != rows[i].status) {
            fail_msg("%s %s: %d instead of %d", rows[i].method, rows[i].url, status,
                     rows[i].status);
        }
        net_asker_finish(&record);
    }
}

static void test_the_environment_names_no_proxy(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("all_proxy", "http://127.0.0.1:1/", 1);
    net_asker_check(scene,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL, 0, "H200 D(hello) .");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    net_peer_stop(peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_asker_set_up, net_asker_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_users_urls_reach_no_private_address),
        TEST(test_a_connection_of_others_does_not_go_round_the_rules),
        TEST(test_the_operator_may_except_networks),
        TEST(test_plain_http_can_be_kept_to_loopback),
        TEST(test_bad_requests_are_refused_at_once),
        TEST(test_the_environment_names_no_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
