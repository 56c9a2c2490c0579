/* SPDX-License-Identifier: ISC */
/* TLS on the port, and both clients' view of it. */
#include "io/wire_tls.h"

#include "buf.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/server.h"
#include "io/ws.h"
#include "net_peer.h"
#include "net_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Server and clients share one loop, on this thread. */
struct scene {
    struct net_tls files;
    struct loop *loop;
    struct server *server;
    int fd;
    int port;
    struct http_client *http;
    struct ws_engine *engine;
    uint32_t is_tls;
    int32_t status;
    size_t received;
    uint32_t category;
    char code[32];
    char message[160];
    struct aic_ws *ws;
    size_t message_bytes;
    int messages;
    int opened;
};

static struct scene scene;

enum { BODY_BYTES = 3 << 20 };

static char body[BODY_BYTES];

static int32_t handle(void *data, struct aic_exchange *exchange, const struct aic_request *request)
{
    (void)data;
    scene.is_tls = request->is_tls;
    const struct aic_response response = {
        .size = sizeof(response), .status = 200, .body = {body, sizeof(body)}};
    return server_respond(exchange, &response);
}

static void on_incoming(void *data, const struct aic_ws_event *event)
{
    (void)data;
    if (event->kind == AIC_WS_EVENT_BINARY) {
        (void)ws_send_binary(event->ws, event->data);
    }
}

static int32_t accept_socket(void *data, struct aic_exchange *exchange,
                             const struct aic_request *request, aic_ws_handler *event,
                             void **event_data)
{
    (void)data;
    (void)exchange;
    (void)request;
    *event = on_incoming;
    *event_data = NULL;
    return AIC_OK;
}

static void start_server(void)
{
    const struct server_options options = {.tls_cert = scene.files.cert,
                                           .tls_key = scene.files.key};
    scene.server = server_create(scene.loop, &options, NULL);
    const struct aic_http_route http = {.size = sizeof(http),
                                        .path = "/body",
                                        .methods = AIC_METHOD_GET | AIC_METHOD_POST,
                                        .max_body_bytes = sizeof(body),
                                        .handle = handle};
    const struct aic_ws_route socket = {.size = sizeof(socket),
                                        .path = "/ws",
                                        .max_message_bytes = sizeof(body),
                                        .max_queue_bytes = sizeof(body),
                                        .accept = accept_socket};
    if (!scene.server || server_add_http(scene.server, NULL, &http) != AIC_OK ||
        server_add_websocket(scene.server, NULL, &socket) != AIC_OK ||
        server_listen(scene.server, scene.fd) != AIC_OK) {
        abort();
    }
}

static void start_clients(const char *ca_file)
{
    http_client_destroy(scene.http);
    ws_engine_destroy(scene.engine);
    scene.http = http_client_create(scene.loop, &(struct http_client_options){.ca_file = ca_file});
    scene.engine = ws_engine_create(scene.loop, &(struct ws_engine_options){.ca_file = ca_file});
    if (!scene.http || !scene.engine) {
        abort();
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&scene, 0, sizeof(scene));
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)('a' + i % 29);
    }
    net_tls_create(&scene.files, "localhost");
    scene.loop = loop_create(&(struct loop_options){.pool_threads = 1});
    scene.fd = net_listen(&scene.port);
    start_server();
    start_clients(scene.files.ca);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_client_destroy(scene.http);
    ws_engine_destroy(scene.engine);
    server_destroy(scene.server);
    loop_destroy(scene.loop);
    close(scene.fd);
    net_tls_remove(&scene.files);
    return 0;
}

static void on_answer(void *data, const struct aic_http_event *event)
{
    (void)data;
    if (event->kind == AIC_HTTP_EVENT_DATA) {
        assert_memory_equal(event->data.ptr, body + scene.received, event->data.len);
        scene.received += event->data.len;
    } else if (event->kind == AIC_HTTP_EVENT_DONE) {
        scene.status = event->status;
        loop_stop(scene.loop);
    } else if (event->kind == AIC_HTTP_EVENT_ERROR) {
        scene.category = event->error->category;
        aic_str_copy(event->error->code, scene.code, sizeof(scene.code));
        loop_stop(scene.loop);
    }
}

/* Asks over https; the status, or 0 and a category. */
static int32_t ask(const char *host, struct aic_str payload)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "https://%s:%d/body", host, scene.port);
    const struct aic_http_request params = {.size = sizeof(params),
                                            .method = payload.len > 0 ? "POST" : "GET",
                                            .url = url,
                                            .body = payload};
    struct aic_http *request = NULL;
    scene.status = 0;
    scene.received = 0;
    scene.category = 0;
    assert_int_equal(http_client_start(scene.http, &params, NULL, on_answer, NULL, &request),
                     AIC_OK);
    loop_run(scene.loop);
    return scene.status;
}

static void on_socket(void *data, const struct aic_ws_event *event)
{
    (void)data;
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        scene.opened++;
        assert_int_equal(ws_send_binary(event->ws, (struct aic_str){body, scene.message_bytes}),
                         AIC_OK);
        break;
    case AIC_WS_EVENT_BINARY:
        assert_int_equal(event->data.len, scene.message_bytes);
        assert_memory_equal(event->data.ptr, body, event->data.len);
        if (++scene.messages < 20) {
            (void)ws_send_binary(event->ws, event->data);
        } else {
            ws_close(event->ws, 1000, (struct aic_str){"", 0});
        }
        break;
    case AIC_WS_EVENT_CLOSED:
        scene.category = event->error ? event->error->category : 0;
        if (event->error) {
            aic_str_copy(event->error->code, scene.code, sizeof(scene.code));
            aic_str_copy(event->error->message, scene.message, sizeof(scene.message));
        }
        loop_stop(scene.loop);
        break;
    default:
        break;
    }
}

/* Opens a socket over wss and bounces messages of this size. */
static void bounce(const char *host, size_t message_bytes)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "wss://%s:%d/ws", host, scene.port);
    const struct aic_ws_connect params = {
        .size = sizeof(params), .url = url, .max_queue_bytes = sizeof(body)};
    scene.message_bytes = message_bytes;
    scene.messages = 0;
    scene.opened = 0;
    scene.category = 0;
    assert_int_equal(ws_connect(scene.engine, &params, NULL, on_socket, NULL, &scene.ws), AIC_OK);
    loop_run(scene.loop);
}

static void test_requests_and_answers_of_megabytes_pass(void **state)
{
    (void)state;
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 200);
    assert_int_equal(scene.received, sizeof(body));
    assert_int_equal(scene.is_tls, 1);
    assert_int_equal(ask("127.0.0.1", (struct aic_str){body, sizeof(body)}), 200);
    assert_int_equal(scene.received, sizeof(body));
}

static void test_sockets_pass_messages_of_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 320, 16000, 16384, 17000, 70000, 1000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        bounce("localhost", sizes[i]);
        assert_int_equal(scene.category, 0);
        assert_int_equal(scene.messages, 20);
    }
}

static void test_an_unknown_authority_is_refused(void **state)
{
    (void)state;
    start_clients(NULL); /* only those of the system */
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
    assert_string_equal(scene.code, "tls");
    bounce("localhost", 1);
    assert_int_equal(scene.opened, 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
}

static void test_a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    server_destroy(scene.server);
    net_tls_renew(&scene.files, "other.example.com");
    start_server();
    start_clients(scene.files.ca);
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
    bounce("localhost", 1);
    assert_int_equal(scene.opened, 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
    assert_int_equal(ask("127.0.0.1", (struct aic_str){"", 0}), 200);
}

static void check_flaw(enum net_tls_flaw flaw, const char *why)
{
    server_destroy(scene.server);
    net_tls_renew_flawed(&scene.files, "localhost", flaw);
    start_server();
    start_clients(scene.files.ca);
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
    bounce("localhost", 1);
    assert_int_equal(scene.opened, 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
    assert_string_equal(scene.code, "tls");
    assert_non_null(strstr(scene.message, why));
}

static void test_a_certificate_that_has_expired_is_refused(void **state)
{
    (void)state;
    check_flaw(NET_TLS_EXPIRED, "certificate has expired");
}

static void test_a_certificate_that_signs_itself_is_refused(void **state)
{
    (void)state;
    check_flaw(NET_TLS_SELF_SIGNED, "self-signed certificate");
}

static void test_authorities_that_can_not_be_read_are_told(void **state)
{
    (void)state;
    start_clients("/nonexistent");
    for (int i = 0; i < 2; i++) { /* it is tried again each time */
        bounce("localhost", 1);
        assert_int_equal(scene.opened, 0);
        assert_int_equal(scene.category, AIC_CATEGORY_TLS);
        assert_non_null(strstr(scene.message, "can not be read"));
    }
}

/* The authorities are being read when the engine goes. */
static void test_the_engine_goes_while_authorities_are_read(void **state)
{
    (void)state;
    const struct aic_ws_connect params = {.size = sizeof(params), .url = "wss://localhost:1/"};
    assert_int_equal(ws_connect(scene.engine, &params, NULL, on_socket, NULL, &scene.ws), AIC_OK);
    start_clients(scene.files.ca);
    bounce("localhost", 1);
    assert_int_equal(scene.opened, 1);
}

static void test_plain_text_from_the_peer_is_told(void **state)
{
    (void)state;
    server_destroy(scene.server);
    const struct server_options options = {.public_url = ""};
    scene.server = server_create(scene.loop, &options, NULL);
    assert_int_equal(server_listen(scene.server, scene.fd), AIC_OK);
    bounce("localhost", 1);
    assert_int_equal(scene.opened, 0);
    assert_int_equal(scene.category, AIC_CATEGORY_TLS);
}

static void test_a_renewed_certificate_is_picked_up(void **state)
{
    (void)state;
    net_tls_renew(&scene.files, "localhost"); /* by another authority, too */
    start_clients(scene.files.ca);
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 200);
}

static void test_plain_text_on_the_port_is_dropped(void **state)
{
    (void)state;
    int fd = net_connect(scene.port);
    assert_true(net_text(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_int_equal(ask("localhost", (struct aic_str){"", 0}), 200); /* turns the loop */
    assert_true(net_read_end(fd));
    close(fd);
}

static void test_files_that_are_none_are_refused(void **state)
{
    (void)state;
    assert_null(wire_tls_create("/nonexistent", "/nonexistent"));
    assert_null(wire_tls_create(scene.files.cert, scene.files.ca));
    assert_null(wire_tls_create(scene.files.key, scene.files.key));
    const struct server_options options = {.tls_cert = "/nonexistent"};
    assert_null(server_create(scene.loop, &options, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_requests_and_answers_of_megabytes_pass),
        TEST(test_sockets_pass_messages_of_every_size),
        TEST(test_an_unknown_authority_is_refused),
        TEST(test_a_certificate_for_another_name_is_refused),
        TEST(test_a_certificate_that_has_expired_is_refused),
        TEST(test_a_certificate_that_signs_itself_is_refused),
        TEST(test_authorities_that_can_not_be_read_are_told),
        TEST(test_the_engine_goes_while_authorities_are_read),
        TEST(test_plain_text_from_the_peer_is_told),
        TEST(test_a_renewed_certificate_is_picked_up),
        TEST(test_plain_text_on_the_port_is_dropped),
        TEST(test_files_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
