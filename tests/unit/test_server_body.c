/* SPDX-License-Identifier: ISC */
/* Bodies, and what comes behind them. */
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

static void test_bodies_arrive_whole_however_they_are_cut(void **state)
{
    (void)state;
    static const char request[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\nhello, world";
    for (size_t cut = 1; cut < sizeof(request) - 1; cut++) {
        int fd = net_connect(net_port.port);
        assert_true(net_write(fd, request, cut));
        if (cut % 7 == 0) {
            usleep(2000); /* now and then in two packets for certain */
        }
        assert_true(net_write(fd, request + cut, sizeof(request) - 1 - cut));
        char *answer = net_read_all(fd, NULL);
        assert_non_null(strstr(answer, "body=hello, world"));
        free(answer);
        close(fd);
    }
}

static void test_a_body_of_10_megabytes_arrives(void **state)
{
    (void)state;
    size_t bytes = 10u << 20;
    char *body = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        body[i] = (char)('a' + i % 19);
    }
    int fd = net_connect(net_port.port);
    char head[128];
    (void)snprintf(head, sizeof(head),
                   "PUT /big-body HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", bytes);
    assert_true(net_text(fd, head));
    assert_true(net_write(fd, body, bytes));
    size_t count = 0;
    char *answer = net_read_all(fd, &count);
    assert_true(count > bytes);
    assert_memory_equal(answer + count - bytes, body, bytes);
    free(answer);
    free(body);
    close(fd);
}

static void test_an_answer_of_10_megabytes_arrives(void **state)
{
    (void)state;
    size_t count = 0;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/big")));
    char *answer = net_read_all(fd, &count);
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_int_equal(count - (size_t)(body - answer), 10u << 20);
    for (size_t i = 0; i < (10u << 20); i++) {
        if (body[i] != (char)('a' + i % 23)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
    free(answer);
    close(fd);
}

static void test_lengths_that_are_unclear_are_refused(void **state)
{
    (void)state;
    static const char *const lengths[] = {
        "Content-Length: -1\r\n",
        "Content-Length: x3\r\n",
        "Content-Length: 3x\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: 3,3\r\n",
        "Content-Length:\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nCONTENT-LENGTH: 4\r\n",
    };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "POST /echo HTTP/1.1\r\n" HOST "%s\r\nabc",
                       lengths[i]);
        net_port_check_status(request, 400);
    }
}

static void test_bodies_over_the_cap_are_refused_before_they_come(void **state)
{
    (void)state;
    net_port_check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413);
    net_port_check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5000000000\r\n\r\n", 413);
    net_port_check_status("POST /echo HTTP/1.1\r\n" HOST
                          "Content-Length: 99999999999999999999999999999\r\n\r\n",
                          413);
    /* A client that is still sending is not cut off before it has read the refusal. */
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 899900\r\n\r\n"));
    char *answer = net_read_until(fd, "413}");
    assert_non_null(answer);
    static char more[100000];
    for (int i = 0; i < 8; i++) {
        assert_true(net_write(fd, more, sizeof(more)));
    }
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(net_read_end(fd));
    close(fd);
    free(answer);
}

static void test_chunked_bodies_are_refused_and_smuggle_nothing(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: CHUNKED\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding:\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        char request[512];
        (void)snprintf(request, sizeof(request),
                       "POST /echo HTTP/1.1\r\n" HOST "%s\r\n0\r\n\r\n" GET("/echo?smuggled"),
                       heads[i]);
        char *answer = net_port_ask(request);
        assert_int_equal(strncmp(answer, "HTTP/1.1 411 ", 13), 0);
        assert_null(strstr(answer, "smuggled"));
        free(answer);
    }
}

static void test_who_expects_100_continue_gets_it(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, "POST /echo HTTP/1.1\r\n" HOST
                             "Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n"));
    char *interim = net_read_until(fd, "\r\n\r\n");
    assert_string_equal(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(net_text(fd, "hello"));
    char *answer = net_read_all(fd, NULL);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
    assert_non_null(strstr(answer, "body=hello"));
    free(interim);
    free(answer);
    close(fd);
    /* Not for a body that will not be taken. */
    net_port_check_status("POST /echo HTTP/1.1\r\n" HOST
                          "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n",
                          413);
    net_port_check_status(
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nExpect: miracles\r\n\r\n", 417);
}

static void test_what_comes_behind_a_request_is_dropped(void **state)
{
    (void)state;
    static const char *const seconds[] = {
        "POST /echo?second HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789",
        GET("/echo?second"),
        "garbage garbage garbage",
    };
    static const char *const firsts[] = {
        GET("/echo?first"),
        "POST /echo?first HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
    };
    for (size_t i = 0; i < 6; i++) {
        char request[512];
        (void)snprintf(request, sizeof(request), "%s%s", firsts[i % 2], seconds[i / 2]);
        char *answer = net_port_ask(request);
        assert_non_null(strstr(answer, "query=first"));
        assert_null(strstr(answer, "second"));
        assert_null(strstr(strstr(answer, "HTTP/1.1 200") + 1, "HTTP/1.1"));
        free(answer);
    }
    net_port_check_status(GET("/echo"), 200);
}

static void test_endless_input_behind_a_request_ends_the_connection(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    static char junk[65536];
    bool still_open = true;
    for (int i = 0; i < 1000 && still_open; i++) {
        still_open = net_write(fd, junk, sizeof(junk));
    }
    assert_false(still_open);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_port_set_up, net_port_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bodies_arrive_whole_however_they_are_cut),
        TEST(test_a_body_of_10_megabytes_arrives),
        TEST(test_an_answer_of_10_megabytes_arrives),
        TEST(test_lengths_that_are_unclear_are_refused),
        TEST(test_bodies_over_the_cap_are_refused_before_they_come),
        TEST(test_chunked_bodies_are_refused_and_smuggle_nothing),
        TEST(test_who_expects_100_continue_gets_it),
        TEST(test_what_comes_behind_a_request_is_dropped),
        TEST(test_endless_input_behind_a_request_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
