/* SPDX-License-Identifier: ISC */
/* Requests and their way to a route. */
#include "io/server.h"

#include "buf.h"
#include "net_peer.h"
#include "net_port.h"
#include "net_rig.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_request_gets_its_answer_and_the_connection_closes(void **state)
{
    (void)state;
    char *answer = net_port_ask("GET /echo?a=b HTTP/1.1\r\n" HOST "X-TEST:  v w \r\n\r\n");
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(answer, "\r\nX-Answer: yes\r\n"));
    assert_non_null(strstr(answer, "\r\nDate: "));
    static const char body[] =
        "method=1 path=/echo query=a=b peer=127.0.0.1 loopback=1 x=v w body=";
    char length[64];
    (void)snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", sizeof(body) - 1);
    assert_non_null(strstr(answer, length));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, body);
    free(answer);
}

static void test_path_and_query_come_as_they_were_sent(void **state)
{
    (void)state;
    net_port_check_in(GET("/tree/a%2Fb//../c;d?x=%20+%zz&y=/../&z;=?"),
                      "path=/tree/a%2Fb//../c;d query=x=%20+%zz&y=/../&z;=? ");
}

static void test_paths_match_with_and_without_closing_slash(void **state)
{
    (void)state;
    net_port_check_status(GET("/echo"), 200);
    net_port_check_status(GET("/echo/"), 200);
    net_port_check_status(GET("/echo//"), 404);
    net_port_check_status(GET("/ech"), 404);
    net_port_check_status(GET("/echo/x"), 404);
    net_port_check_status(GET("/Echo"), 404);
    net_port_check_status(GET("/"), 200);
    net_port_check_status(GET("/tree/"), 200);
    net_port_check_status(GET("/tree/a/b"), 200);
    net_port_check_status(GET("/tree"), 404);
    net_port_check_status("POST /big-body/ HTTP/1.1\r\n" HOST "\r\n", 200);
}

static void test_absolute_targets_are_read_as_their_path(void **state)
{
    (void)state;
    net_port_check_in(GET("http://example.com/echo?q"), "path=/echo query=q ");
    net_port_check_status(GET("http://example.com"), 400);
}

static void test_several_routes_on_a_path_are_asked_in_order(void **state)
{
    (void)state;
    net_port_check_in(GET("/many"), "path=/many");
    net_port_check_status(GET("/nobody"), 404);
    net_port_check_status(GET("/broken"), 500);
    net_port_check_status("POST /many HTTP/1.1\r\n" HOST "\r\n", 500);
}

static void test_problems_are_problem_documents(void **state)
{
    (void)state;
    char *answer = net_port_ask(GET("/nothing"));
    assert_non_null(strstr(answer, "\r\nContent-Type: application/problem+json\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}");
    free(answer);
}

static void test_a_wrong_method_hears_which_are_right(void **state)
{
    (void)state;
    net_port_check_in("DELETE /echo HTTP/1.1\r\n" HOST "\r\n", "\r\nAllow: GET, HEAD, POST\r\n");
    net_port_check_status("DELETE /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    net_port_check_status("OPTIONS /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    net_port_check_status("BREW /echo HTTP/1.1\r\n" HOST "\r\n", 405);
    net_port_check_status("BREW /nothing HTTP/1.1\r\n" HOST "\r\n", 404);
    net_port_check_in("GET /big-body HTTP/1.1\r\n" HOST "\r\n", "\r\nAllow: POST, PUT\r\n");
}

static void test_head_is_get_without_the_body(void **state)
{
    (void)state;
    char *get = net_port_ask(GET("/echo"));
    char *head = net_port_ask("HEAD /echo HTTP/1.1\r\n" HOST "\r\n");
    const char *length = strstr(get, "\r\nContent-Length: ");
    assert_non_null(length);
    assert_non_null(strstr(head, "HTTP/1.1 200 OK\r\n"));
    assert_memory_equal(strstr(head, "\r\nContent-Length: "), length, 22);
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    free(get);
    free(head);
    head = net_port_ask("HEAD /nothing HTTP/1.1\r\n" HOST "\r\n");
    assert_non_null(strstr(head, "HTTP/1.1 404 "));
    assert_string_equal(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    free(head);
}

static void test_http_1_0_is_answered(void **state)
{
    (void)state;
    net_port_check_status("GET /echo HTTP/1.0\r\n\r\n", 200);
    net_port_check_status("GET /echo HTTP/1.0\r\n" HOST "\r\n", 200);
}

static void test_heads_that_can_be_read_in_two_ways_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "GET /echo\r\n" HOST "\r\n",
        "GET  /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo  HTTP/1.1\r\n" HOST "\r\n",
        " GET /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /ec ho HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo#x HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n",
        "GET echo HTTP/1.1\r\n" HOST "\r\n",
        "GET * HTTP/1.1\r\n" HOST "\r\n",
        "G@T /echo HTTP/1.1\r\n" HOST "\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X : y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST " X: y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\r\n folded\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST ": y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\rZ: w\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: y\nZ: w\r\n\r\n",
        "GET /echo HTTP/1.1\n" HOST "X: y\r\n\r\n",
        "GET /echo HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *answer = net_port_ask(bad[i]);
        if (strncmp(answer, "HTTP/1.1 400 ", 13) != 0) {
            fail_msg("%s\n-> %s", bad[i], answer);
        }
        free(answer);
    }
    char *answer = net_port_ask_bytes("GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 39);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    free(answer);
    /* A TLS hello is told at its first byte, not when it lacks an empty line. */
    answer = net_port_ask_bytes("\x16\x03\x01\x02\x00\x01", 6);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    free(answer);
    net_port_check_status("GET /echo HTTP/2.0\r\n" HOST "\r\n", 505);
    net_port_check_status("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    net_port_check_status("GET /echo HTTP/1.2\r\n" HOST "\r\n", 505);
    net_port_check_status("\r\n\r\n" GET("/echo"), 400);
    net_port_check_status("\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n", 200);
}

static void check_head_of(size_t bytes, int status)
{
    char *request = malloc(bytes + 1);
    memset(request, 'x', bytes);
    static const char head[] = "GET /echo HTTP/1.1\r\n" HOST "Cookie: ";
    memcpy(request, head, sizeof(head) - 1);
    memcpy(request + bytes - 4, "\r\n\r\n", 5);
    net_port_check_status(request, status);
    free(request);
}

static void test_heads_up_to_16_kib_are_taken(void **state)
{
    (void)state;
    check_head_of(12000, 200);
    check_head_of(16383, 200);
    check_head_of(16384, 200);
    check_head_of(16385, 431);
    check_head_of(60000, 431);
}

static void test_too_many_headers_are_refused(void **state)
{
    (void)state;
    struct aic_buf request;
    aic_buf_init(&request, 16384);
    aic_buf_text(&request, "GET /echo HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 100; i++) {
        aic_buf_printf(&request, "X-%d: y\r\n", i);
    }
    aic_buf_text(&request, "\r\n");
    net_port_check_status(request.data, 431);
    aic_buf_finish(&request);
}

static void test_the_host_header_moves_nothing(void **state)
{
    (void)state;
    static const char *const hosts[] = {"tls", "client", "default", "127.0.0.1:1", "example.com"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\nHost: %s\r\n\r\n",
                       hosts[i]);
        net_port_check_in(request, "path=/echo");
    }
}

#define UPGRADE HOST "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void check_handshake(const char *request, const char *want)
{
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, request));
    char *answer = net_read_until(fd, "\r\n\r\n");
    assert_non_null(answer);
    if (!strstr(answer, want)) {
        fail_msg("%s\n-> %s\nwithout %s", request, answer, want);
    }
    free(answer);
    close(fd);
}

static void test_handshakes_are_accepted(void **state)
{
    (void)state;
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n",
                    "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    check_handshake("GET /ws/ HTTP/1.1\r\n" HOST
                    "Upgrade: WebSocket\r\nConnection: keep-alive, UPGRADE\r\n"
                    "Sec-WebSocket-Version: 13\r\n" KEY "\r\n",
                    "HTTP/1.1 101 ");
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY
                    "Sec-WebSocket-Protocol: chat, audio.twilio.com\r\n\r\n",
                    "\r\nSec-WebSocket-Protocol: audio.twilio.com\r\n");
    check_handshake("GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: chat\r\n"
                    "Sec-WebSocket-Protocol: audio.drachtio.org\r\n\r\n",
                    "\r\nSec-WebSocket-Protocol: audio.drachtio.org\r\n");
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd,
                         "GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Protocol: unknown\r\n"
                         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
    char *answer = net_read_until(fd, "\r\n\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 101 "));
    assert_null(strstr(answer, "Sec-WebSocket-Protocol"));
    assert_null(strstr(answer, "Sec-WebSocket-Extensions"));
    free(answer);
    close(fd);
}

static void test_handshakes_that_are_wrong_are_refused(void **state)
{
    (void)state;

    static const struct {
        const char *request;
        const char *want;
    } rows[] = {
        {"GET /ws HTTP/1.1\r\n" UPGRADE "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: short\r\n\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j****\r\n\r\n",
         "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
         "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 400 "},
        {"POST /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.0\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 400 "},
        {"GET /ws HTTP/1.1\r\n" HOST
         "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" KEY "\r\n",
         "\r\nSec-WebSocket-Version: 13\r\n"},
        {"GET /ws HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n" KEY "\r\n",
         "HTTP/1.1 426 "},
        {"GET /ws-no HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 403 "},
        {"GET /ws-nobody HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 403 "},
        {"GET /nothing HTTP/1.1\r\n" UPGRADE KEY "\r\n", "HTTP/1.1 404 "},
        {"GET /ws HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 426 "},
        {"GET /ws HTTP/1.1\r\n" HOST "\r\n", "\r\nUpgrade: websocket\r\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_handshake(rows[i].request, rows[i].want);
    }
    net_port_sync();
    assert_int_equal(net_port.accepted_sockets, 2); /* those that a route itself refused */
}

static void test_an_upgrade_to_http_2_is_ignored(void **state)
{
    (void)state;
    check_handshake("GET /echo HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n"
                    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
                    "HTTP/1.1 200 ");
    check_handshake("GET /echo HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n"
                    "Upgrade: TLS/1.0\r\n\r\n",
                    "HTTP/1.1 200 ");
}

static void remove_routes(void *data)
{
    (void)data;
    server_remove_owner(net_port.server, &net_port);
}

static void test_routes_go_with_their_owner(void **state)
{
    (void)state;
    net_port_check_status(GET("/echo"), 200);
    net_rig_call(net_port.rig, remove_routes, NULL);
    net_port_check_status(GET("/echo"), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_port_set_up, net_port_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_gets_its_answer_and_the_connection_closes),
        TEST(test_path_and_query_come_as_they_were_sent),
        TEST(test_paths_match_with_and_without_closing_slash),
        TEST(test_absolute_targets_are_read_as_their_path),
        TEST(test_several_routes_on_a_path_are_asked_in_order),
        TEST(test_problems_are_problem_documents),
        TEST(test_a_wrong_method_hears_which_are_right),
        TEST(test_head_is_get_without_the_body),
        TEST(test_http_1_0_is_answered),
        TEST(test_heads_that_can_be_read_in_two_ways_are_refused),
        TEST(test_heads_up_to_16_kib_are_taken),
        TEST(test_too_many_headers_are_refused),
        TEST(test_the_host_header_moves_nothing),
        TEST(test_handshakes_are_accepted),
        TEST(test_handshakes_that_are_wrong_are_refused),
        TEST(test_an_upgrade_to_http_2_is_ignored),
        TEST(test_routes_go_with_their_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
