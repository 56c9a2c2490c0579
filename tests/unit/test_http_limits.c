/* SPDX-License-Identifier: ISC */
/* Deadlines, bounds, and how failures are told. */
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

static void test_an_answer_has_to_begin_in_time(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_and_wait, "");
    struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                      .first_byte_ms = 40};
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "!first_byte_timeout");
    params.first_byte_ms = 0;
    const struct http_rules rules = {.default_timeout_ms = 40};
    net_asker_check(scene, &params, &rules, AIC_CATEGORY_TIMEOUT, "!first_byte_timeout");
    net_peer_stop(peer);
    /* Headers alone are not yet an answer. */
    peer =
        net_asker_peer_of(net_asker_serve_and_wait, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    params.url = net_asker_url_of(peer, "127.0.0.1", "/");
    params.first_byte_ms = 40;
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "H200 !first_byte_timeout");
    net_peer_stop(peer);
}

static void test_an_answer_may_not_pause_too_long(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_and_wait,
                                              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    struct net_asking record = {0};
    net_asker_start(
        scene, &record,
        &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/"), .idle_ms = 40},
        NULL);
    net_asker_run(scene);
    assert_string_equal(record.trace.data, "H200 D(he) !idle_timeout");
    assert_int_equal(record.category, AIC_CATEGORY_TIMEOUT);
    assert_int_equal(record.output_started, 1);
    net_asker_finish(&record);
    net_peer_stop(peer);
}

static void serve_drops(void *data, int fd, int number)
{
    (void)data;
    (void)number;
    free(net_asker_read_request(fd));
    (void)net_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (net_text(fd, ".")) {
        usleep(2000);
    }
}

static void test_the_whole_may_not_take_too_long(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(serve_drops, "");
    const struct aic_http_request params = {
        .url = net_asker_url_of(peer, "127.0.0.1", "/"), .flags = AIC_HTTP_WHOLE, .total_ms = 60};
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "H200 !total_timeout");
    net_peer_stop(peer);
}

static void test_a_slow_name_server_holds_up_nobody(void **state)
{
    struct net_asker *scene = *state;
    sem_init(&net_asker_slow_name, 0, 0);
    sem_init(&net_asker_slow_name_asked, 0, 0);
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    struct net_asking victim = {0};
    net_asker_start(scene, &victim,
                    &(struct aic_http_request){
                        .url = "http://slow.test/", .connect_ms = 60000, .first_byte_ms = 60000},
                    NULL);
    scene->open--;
    net_asker_check(scene,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL, 0, "H200 D(hello) .");
    sem_wait(&net_asker_slow_name_asked);
    /* Its thread still waits: were it joined here, the test would hang. */
    http_client_cancel(scene->client, victim.request);
    const struct aic_http_request late = {.url = "http://slow.test/", .connect_ms = 40};
    net_asker_check(scene, &late, NULL, AIC_CATEGORY_TIMEOUT, "!connect_timeout");
    assert_int_equal(victim.events, 0);
    sem_post(&net_asker_slow_name);
    sem_post(&net_asker_slow_name);
    net_asker_finish(&victim);
    net_peer_stop(peer);
}

static void test_failures_have_their_category(void **state)
{
    struct net_asker *scene = *state;
    int port = 0;
    int fd = net_listen(&port);
    close(fd);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    net_asker_check(scene, &(struct aic_http_request){.url = url}, NULL, AIC_CATEGORY_NETWORK,
                    "!connect");
    net_asker_check(scene, &(struct aic_http_request){.url = "http://no-such-name.test/"}, NULL,
                    AIC_CATEGORY_NETWORK, "!resolve");

    static const struct {
        const char *answer;
        uint32_t category;
        const char *want;
    } rows[] = {
        {"", AIC_CATEGORY_NETWORK, "!network"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", AIC_CATEGORY_NETWORK,
         "H200 D(half) !network"},
        {"SSH-2.0-OpenSSH_9.2\r\n", AIC_CATEGORY_PROTOCOL, "!protocol"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", AIC_CATEGORY_NETWORK,
         "H200 !network"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_peer *peer = net_asker_peer_of(net_asker_serve_once, rows[i].answer);
        net_asker_check(scene,
                        &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                        NULL, rows[i].category, rows[i].want);
        net_peer_stop(peer);
    }
}

static void test_a_body_over_the_bound_is_an_error(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    struct aic_http_request params = {
        .url = net_asker_url_of(peer, "127.0.0.1", "/"), .flags = AIC_HTTP_WHOLE, .max_bytes = 5};
    net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    params.max_bytes = 4;
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_PROTOCOL, "H200 !too_large");
    net_peer_stop(peer);
}

/* 200 000 zero bytes. */
static const char bomb[] =
    "H4sIAAAAAAACA+3BMQEAAADCoPVPbQZ/oAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACA1wB7WOBcQA0DAA==";

static void serve_bomb(void *data, int fd, int number)
{
    (void)data;
    (void)number;
    uint8_t bytes[AIC_BASE64_DECODED(sizeof(bomb))];
    int64_t count = aic_base64_decode(bytes, bomb, sizeof(bomb) - 1);
    char *request = net_asker_read_request(fd);
    if (!strcasestr(request, "accept-encoding: ") || !strstr(request, "gzip")) {
        abort();
    }
    free(request);
    (void)net_text(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    (void)net_write(fd, bytes, (size_t)count);
}

static void test_the_bound_counts_what_was_unpacked(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(serve_bomb, "");
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_WHOLE,
                                            .max_bytes = 100000};
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_PROTOCOL, "H200 !too_large");
    net_peer_stop(peer);
}

static void test_endless_headers_are_an_error(void **state)
{
    struct net_asker *scene = *state;
    struct aic_buf answer;
    aic_buf_init(&answer, 1u << 20);
    aic_buf_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 3000; i++) {
        aic_buf_printf(&answer, "X-Header-%d: some value of no importance\r\n", i);
    }
    aic_buf_text(&answer, "\r\n");
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_once, answer.data);
    net_asker_check(scene,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL, AIC_CATEGORY_PROTOCOL, "!too_large");
    net_peer_stop(peer);
    aic_buf_finish(&answer);
}

static void test_a_content_type_can_be_required(void **state)
{
    struct net_asker *scene = *state;

    static const struct {
        const char *type;
        const char *want;
    } rows[] = {
        {"200 OK\r\nContent-Type: application/json", "H200 ."},
        {"200 OK\r\nContent-Type: Application/JSON ; charset=utf-8", "H200 ."},
        {"200 OK\r\nContent-Type: text/markdown", "H200 ."},
        {"200 OK\r\nContent-Type: text", "!content_type"},
        {"200 OK\r\nContent-Type: textual/x", "!content_type"},
        {"200 OK\r\nContent-Type: application/jsonp", "!content_type"},
        {"200 OK\r\nContent-Type: image/png", "!content_type"},
        {"200 OK\r\nX-Type: none", "!content_type"},
        {"500 Oops\r\nContent-Type: image/png", "H500 ."},
    };
    const struct http_rules rules = {.require_type_a = "application/json",
                                     .require_type_b = "text/"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[200];
        (void)snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n",
                       rows[i].type);
        struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, answer);
        bool is_refused = rows[i].want[0] == '!';
        net_asker_check(scene,
                        &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                        &rules, is_refused ? AIC_CATEGORY_PROTOCOL : 0, rows[i].want);
        net_peer_stop(peer);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_asker_set_up, net_asker_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_has_to_begin_in_time),
        TEST(test_an_answer_may_not_pause_too_long),
        TEST(test_the_whole_may_not_take_too_long),
        TEST(test_a_slow_name_server_holds_up_nobody),
        TEST(test_failures_have_their_category),
        TEST(test_a_body_over_the_bound_is_an_error),
        TEST(test_the_bound_counts_what_was_unpacked),
        TEST(test_endless_headers_are_an_error),
        TEST(test_a_content_type_can_be_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
