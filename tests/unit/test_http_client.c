/* SPDX-License-Identifier: ISC */
/* Answers as events, connections that are kept, cancelling. */
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

static void test_an_answer_is_headers_data_done(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    struct net_asking record = {0};
    net_asker_start(scene, &record,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL);
    net_asker_run(scene);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    assert_string_equal(record.header, "a b");
    net_asker_finish(&record);
    net_peer_stop(peer);
}

static void test_what_is_asked_stands_on_the_wire(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_and_keep, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    const struct aic_header headers[] = {{AIC_STR("Authorization"), AIC_STR("Bearer x")},
                                         {AIC_STR("X-Empty"), {"", 0}},
                                         {AIC_STR("Content-Type"), AIC_STR("application/json")}};
    const struct aic_http_request params = {.method = "POST",
                                            .url = net_asker_url_of(peer, "127.0.0.1", "/v1/x?y=1"),
                                            .headers = headers,
                                            .header_count = 3,
                                            .body = AIC_STR("{\"a\":\0}")};
    net_asker_check(scene, &params, NULL, 0, "H204 .");
    net_peer_stop(peer);
    assert_non_null(strstr(net_asker_seen, "POST /v1/x?y=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(net_asker_seen, "\r\nAuthorization: Bearer x\r\n"));
    assert_non_null(strstr(net_asker_seen, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(net_asker_seen, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(net_asker_seen, "\r\nUser-Agent: aicaller/test\r\n"));
    assert_non_null(strstr(net_asker_seen, "\r\nContent-Length: 7\r\n"));
    assert_null(strcasestr(net_asker_seen, "expect:"));
    assert_null(strcasestr(net_asker_seen, "accept-encoding:"));
    assert_memory_equal(strstr(net_asker_seen, "\r\n\r\n") + 4, "{\"a\":\0}", 7);
    free(net_asker_seen);
}

static void test_a_body_without_type_is_not_called_a_form(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_and_keep, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    const struct aic_http_request params = {.method = "POST",
                                            .url = net_asker_url_of(peer, "127.0.0.1", "/")};
    net_asker_check(scene, &params, NULL, 0, "H204 .");
    net_peer_stop(peer);
    assert_null(strcasestr(net_asker_seen, "content-type"));
    assert_non_null(strstr(net_asker_seen, "\r\nContent-Length: 0\r\n"));
    free(net_asker_seen);
}

static void test_whole_gathers_a_chunked_body(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\n");
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_WHOLE};
    net_asker_check(scene, &params, NULL, 0, "H200 D(abcdefg) .");
    net_peer_stop(peer);
}

static void test_interim_answers_are_passed_over(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer =
        net_asker_peer_of(net_asker_serve_text, "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n"
                                                "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
    struct net_asking record = {0};
    net_asker_start(scene, &record,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL);
    net_asker_run(scene);
    assert_string_equal(record.trace.data, "H404 D(no) .");
    assert_string_equal(record.header, "");
    net_asker_finish(&record);
    net_peer_stop(peer);
}

static void test_server_sent_events_are_split(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_once,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
        "event: delta\ndata: one\n\n: ping\n\ndata: two\r\n\r\ndata: [DONE]");
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_SSE};
    net_asker_check(scene, &params, NULL, 0, "H200 S(delta|one) S(|two) S(|[DONE]) .");
    net_peer_stop(peer);
}

static void test_an_error_instead_of_events_comes_as_data(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_once, "HTTP/1.1 429 Slow\r\nContent-Type: text/event-stream\r\n"
                              "Content-Length: 9\r\n\r\ndata: x\n\n");
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_SSE | AIC_HTTP_WHOLE};
    net_asker_check(scene, &params, NULL, 0, "H429 D(data: x\n\n) .");
    net_peer_stop(peer);
}

static void test_connections_are_kept_and_used_again(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/")};
    for (int i = 0; i < 5; i++) {
        net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    }
    assert_int_equal(net_peer_count(peer), 1);
    net_peer_stop(peer);
}

static void test_redirects_are_told_and_not_followed(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_text,
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/")};
    net_asker_check(scene, &params, NULL, 0, "H302 .");
    net_peer_stop(peer);
}

static void test_cancel_from_inside_ends_all_events(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(
        net_asker_serve_once, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                              "data: one\n\ndata: two\n\ndata: three\n\n");
    static const char *const want[] = {"H200 ", "H200 S(|one) ", "H200 S(|one) S(|two) ",
                                       "H200 S(|one) S(|two) S(|three) ",
                                       "H200 S(|one) S(|two) S(|three) ."};
    for (int at = 1; at <= 5; at++) {
        struct net_asking record = {.cancel_at = at};
        const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/"),
                                                .flags = AIC_HTTP_SSE};
        net_asker_start(scene, &record, &params, NULL);
        net_asker_run(scene);
        assert_string_equal(record.trace.data, want[at - 1]);
        net_asker_finish(&record);
    }
    net_peer_stop(peer);
}

static void test_one_request_may_cancel_and_start_others(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *silent = net_asker_peer_of(net_asker_serve_and_wait, "");
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    char url[256];
    (void)snprintf(url, sizeof(url), "%s", net_asker_url_of(peer, "127.0.0.1", "/"));
    struct net_asking victim = {0};
    struct net_asking third = {0};
    struct net_asking record = {.also_cancel = &victim, .then_start = &third, .then = {.url = url}};
    net_asker_start(scene, &victim,
                    &(struct aic_http_request){.url = net_asker_url_of(silent, "127.0.0.1", "/")},
                    NULL);
    net_asker_start(scene, &record, &(struct aic_http_request){.url = url}, NULL);
    net_asker_run(scene);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    assert_string_equal(third.trace.data, "H200 D(hello) .");
    assert_int_equal(victim.events, 0);
    net_asker_finish(&victim);
    net_asker_finish(&third);
    net_asker_finish(&record);
    net_peer_stop(peer);
    net_peer_stop(silent);
}

static void test_cancel_from_outside_is_silent(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    struct net_asking victim = {0};
    struct net_asking record = {0};
    const struct aic_http_request params = {.url = net_asker_url_of(peer, "127.0.0.1", "/")};
    net_asker_start(scene, &victim, &params, NULL);
    net_asker_start(scene, &record, &params, NULL);
    net_asker_cancel(&victim);
    http_client_cancel(scene->client, NULL);
    net_asker_run(scene);
    assert_int_equal(victim.events, 0);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    net_asker_finish(&victim);
    net_asker_finish(&record);
    net_peer_stop(peer);
}

static void test_destroying_the_client_is_silent(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_and_wait, "");
    struct net_asking record = {0};
    struct http_client *shared = scene->client;
    scene->client = http_client_create(scene->loop, NULL);
    net_asker_start(scene, &record,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                    NULL);
    http_client_destroy(scene->client);
    http_client_destroy(NULL);
    assert_int_equal(record.events, 0);
    scene->client = shared;
    net_asker_finish(&record);
    net_peer_stop(peer);
}

static void serve_and_die(void *data, int fd, int number)
{
    char *request = net_asker_read_request(fd);
    free(request);
    (void)net_text(fd, data);
    if (number > 0) {
        return;
    }
    free(net_asker_read_request(fd));
}

static void test_a_dead_connection_is_replaced_unless_once_is_asked_for(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer = net_asker_peer_of(serve_and_die, PLAIN);
    struct aic_http_request params = {.method = "POST",
                                      .url = net_asker_url_of(peer, "127.0.0.1", "/")};
    net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    assert_int_equal(net_peer_count(peer), 2);
    net_peer_stop(peer);

    peer = net_asker_peer_of(serve_and_die, PLAIN);
    params.url = net_asker_url_of(peer, "127.0.0.1", "/");
    params.flags = AIC_HTTP_ONCE;
    net_asker_check(scene, &params, NULL, 0, "H200 D(hello) .");
    net_asker_check(scene, &params, NULL, AIC_CATEGORY_NETWORK, "!repeat");
    net_peer_stop(peer);
}

static void test_warming_opens_the_connection_that_is_used_later(void **state)
{
    struct net_asker *scene = *state;
    struct net_peer *peer =
        net_asker_peer_of(net_asker_serve_text, "HTTP/1.1 204 No Content\r\n\r\n");
    http_client_warm(scene->client, net_asker_url_of(peer, "127.0.0.1", "/v1/chat?key=x"), NULL);
    http_client_warm(scene->client, net_asker_url_of(peer, "127.0.0.1", "/v1/other"), NULL);
    http_client_warm(scene->client, "nonsense", NULL);
    http_client_warm(scene->client, NULL, NULL);
    /* One connection at a time: what is asked while it is being opened opens a second one, what
     * comes later none. */
    net_asker_check(scene,
                    &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/a")},
                    NULL, 0, "H204 .");
    for (int i = 0; i < 3; i++) {
        http_client_warm(scene->client, net_asker_url_of(peer, "127.0.0.1", "/"), NULL);
        net_asker_check(
            scene, &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/a")},
            NULL, 0, "H204 .");
    }
    assert_in_range(net_peer_count(peer), 1, 2);
    net_peer_stop(peer);
}

static void test_many_requests_at_once(void **state)
{
    struct net_asker *scene = *state;

    enum { MANY = 60 };
    struct net_peer *peer = net_asker_peer_of(net_asker_serve_text, PLAIN);
    static struct net_asking records[MANY];
    memset(records, 0, sizeof(records));
    for (size_t i = 0; i < MANY; i++) {
        net_asker_start(scene, &records[i],
                        &(struct aic_http_request){.url = net_asker_url_of(peer, "127.0.0.1", "/")},
                        NULL);
    }
    net_asker_run(scene);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(records[i].trace.data, "H200 D(hello) .");
        net_asker_finish(&records[i]);
    }
    net_peer_stop(peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_asker_set_up, net_asker_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer_is_headers_data_done),
        TEST(test_what_is_asked_stands_on_the_wire),
        TEST(test_a_body_without_type_is_not_called_a_form),
        TEST(test_whole_gathers_a_chunked_body),
        TEST(test_interim_answers_are_passed_over),
        TEST(test_server_sent_events_are_split),
        TEST(test_an_error_instead_of_events_comes_as_data),
        TEST(test_connections_are_kept_and_used_again),
        TEST(test_redirects_are_told_and_not_followed),
        TEST(test_cancel_from_inside_ends_all_events),
        TEST(test_one_request_may_cancel_and_start_others),
        TEST(test_cancel_from_outside_is_silent),
        TEST(test_destroying_the_client_is_silent),
        TEST(test_a_dead_connection_is_replaced_unless_once_is_asked_for),
        TEST(test_warming_opens_the_connection_that_is_used_later),
        TEST(test_many_requests_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
