/* SPDX-License-Identifier: ISC */
/* Who is let in, when, and who is believed to be whom. */
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

static void note_connections(void *data)
{
    (void)data;
    net_port.connections = (int)server_connections(net_port.server);
}

static void test_slow_heads_and_bodies_end(void **state)
{
    (void)state;
    net_port_end();
    net_port.options.header_ms = 40;
    net_port.options.body_ms = 40;
    net_port_begin();
    int fd = net_connect(net_port.port);
    char *answer = net_read_all(fd, NULL);
    assert_string_equal(answer, ""); /* who says nothing hears nothing */
    free(answer);
    close(fd);
    net_port_check_status("GET /echo HTTP/1.1\r\nHost: loc", 408);
    net_port_check_status("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel", 408);
}

static void test_a_thousand_slow_heads_leave_room_for_others(void **state)
{
    (void)state;

    enum { MANY = 1000 };

    static int fds[MANY];
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    if (limit.rlim_cur < 2 * MANY + 100 || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        skip();
    }
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = net_connect(net_port.port);
        assert_true(net_text(fds[i], "GET /echo HTTP/1.1\r\nX-Slow: "));
    }
    net_port_check_status(GET("/echo"), 200);
    for (size_t i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    assert_true(net_rig_wait(net_port.rig, net_port_is_idle, NULL));
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_connections_over_the_cap_wait_until_others_end(void **state)
{
    (void)state;
    net_port_end();
    net_port.options.max_connections = 2;
    net_port_begin();
    int first = net_connect(net_port.port);
    int second = net_connect(net_port.port);
    int third = net_connect(net_port.port);
    assert_true(net_text(third, GET("/echo")));
    assert_true(net_text(first, GET("/echo")));
    assert_true(net_read_end(first));
    close(first);
    char *answer = net_read_all(third, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(second);
    close(third);
}

static void test_the_last_descriptors_are_not_for_connections(void **state)
{
    (void)state;
    net_port_end();
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit few = {.rlim_cur = 200, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    net_port_begin();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

    enum { ALLOWED = 200 / 10 * 9 - 64, MORE = 20 };

    int fds[ALLOWED + MORE];
    for (size_t i = 0; i < ALLOWED + MORE; i++) {
        fds[i] = net_connect(net_port.port);
    }
    /* The one that came last is served only when others have gone. */
    assert_true(net_text(fds[ALLOWED + MORE - 1], GET("/echo")));
    for (size_t i = 0; i < MORE; i++) {
        close(fds[i]);
    }
    char *answer = net_read_all(fds[ALLOWED + MORE - 1], NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    net_rig_call(net_port.rig, note_connections, NULL);
    assert_in_range(net_port.connections, 1, ALLOWED);
    for (size_t i = MORE; i < ALLOWED + MORE; i++) {
        close(fds[i]);
    }
}

static void test_a_peer_that_takes_nothing_is_given_up(void **state)
{
    (void)state;
    net_port_end();
    net_port.options.stall_ms = 60;
    net_port_begin();
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/big")));
    assert_true(net_rig_wait(net_port.rig, net_port_is_busy, NULL));
    assert_true(net_rig_wait(net_port.rig, net_port_is_idle, NULL));
    size_t count = 0;
    char *answer = net_read_all(fd, &count);
    assert_in_range(count, 1, (10u << 20) - 1);
    free(answer);
    close(fd);
}

static void test_without_descriptors_accepting_pauses_and_goes_on(void **state)
{
    (void)state;
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/echo")));
    assert_true(net_read_end(fd));
    close(fd);
    assert_true(net_rig_wait(net_port.rig, net_port_is_idle, NULL));
    fd = net_connect(net_port.port);
    assert_true(net_rig_wait(net_port.rig, net_port_is_busy, NULL));
    int waiting = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)net_port.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)waiting + 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(net_text(waiting, GET("/echo")));
    /* The loop still serves the other connection. */
    assert_true(net_text(fd, GET("/echo")));
    char *answer = net_read_all(fd, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    answer = net_read_all(waiting, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(waiting);
}

static int64_t own_calls(void *data)
{
    (void)data;
    return net_port.own;
}

static int64_t smallest_calls(void *data)
{
    (void)data;
    return 0;
}

static void test_who_is_ahead_steps_back_and_loses_nothing(void **state)
{
    (void)state;
    net_port_end();
    net_port.has_balance = true;
    net_port.balance = (struct server_balance){own_calls, smallest_calls, NULL};
    net_port.own = 1000; /* stale numbers cost time, never a connection */
    net_port_begin();
    for (int i = 0; i < 20; i++) {
        net_port_check_status(GET("/echo"), 200);
    }
}

static void stop_listening(void *data)
{
    (void)data;
    server_stop_listening(net_port.server);
}

static void listen_again(void *data)
{
    (void)data;
    if (server_listen(net_port.server, net_port.fd) != AIC_OK) {
        abort();
    }
}

static void test_stopping_to_listen_keeps_what_is_open(void **state)
{
    (void)state;
    int open = net_connect(net_port.port);
    assert_true(net_text(open, "GET /echo HTTP/1.1\r\n"));
    assert_true(net_rig_wait(net_port.rig, net_port_is_busy, NULL));
    net_rig_call(net_port.rig, stop_listening, NULL);
    int late = net_connect(net_port.port);
    assert_true(net_text(late, GET("/echo")));
    assert_true(net_text(open, HOST "\r\n"));
    char *answer = net_read_all(open, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    /* It waits in the accept queue, which belongs to all workers. */
    net_rig_call(net_port.rig, listen_again, NULL);
    answer = net_read_all(late, NULL);
    assert_non_null(strstr(answer, "200 OK"));
    free(answer);
    close(open);
    close(late);
}

static void test_adopted_sockets_do_not_wait_for_full_packets(void **state)
{
    (void)state;
    int before[64];
    size_t count = 0;
    /* The server's end is one of this process's sockets: the one whose peer is ours. */
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, GET("/later")));
    assert_true(net_rig_wait(net_port.rig, net_port_holds, NULL));
    struct sockaddr_in own = {.sin_port = 0};
    socklen_t size = sizeof(own);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    for (int candidate = 3; candidate < 200; candidate++) {
        struct sockaddr_in peer = {.sin_port = 0};
        size = sizeof(peer);
        if (getpeername(candidate, (struct sockaddr *)&peer, &size) == 0 &&
            peer.sin_port == own.sin_port) {
            before[count++] = candidate;
        }
    }
    assert_int_equal(count, 1);
    static const int options[][2] = {{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}};
    for (size_t i = 0; i < 2; i++) {
        int value = 0;
        socklen_t length = sizeof(value);
        assert_int_equal(getsockopt(before[0], options[i][0], options[i][1], &value, &length), 0);
        assert_int_equal(value, 1);
    }
    static char text[] = "done";
    net_rig_call(net_port.rig, net_port_answer, text);
    close(fd);
}

static void test_only_an_own_and_direct_request_is_loopback(void **state)
{
    (void)state;

    static const struct {
        const char *headers;
        int loopback;
    } rows[] = {
        {"Host: localhost", 1},
        {"Host: LOCALHOST:8000", 1},
        {"Host: 127.0.0.1", 1},
        {"Host: 127.0.0.1:8000", 1},
        {"Host: 127.9.8.7", 1},
        {"Host: [::1]", 1},
        {"Host: [::1]:8000", 1},
        {"Host: localhost:8000\r\nOrigin: http://localhost:8000", 1},
        {"Host: 127.0.0.1:8000\r\nOrigin: http://127.0.0.1:8000", 1},
        {"Host: example.com", 0},
        {"Host: localhost.example.com", 0},
        {"Host: 127.0.0.1.example.com", 0},
        {"Host: 10.0.0.1", 0},
        {"Host: 0x7f.1", 0},
        {"Host: 2130706433", 0},
        {"Host: localhost:x", 0},
        {"Host: localhost@example.com", 0},
        {"Host: ::1", 0},
        {"Host: [::1", 0},
        {"Host: []", 0},
        {"Host:", 0},
        {"Host: :8000", 0},
        {"Host: localhost\r\nForwarded: for=192.0.2.1", 0},
        {"Host: localhost\r\nX-Forwarded-For: 127.0.0.1", 0},
        {"Host: localhost\r\nX-Forwarded-Proto: https", 0},
        {"Host: localhost\r\nx-forwarded-anything:", 0},
        {"Host: localhost\r\nVia: 1.1 proxy", 0},
        {"Host: localhost\r\nX-Real-IP: 127.0.0.1", 0},
        {"Host: localhost\r\nOrigin: null", 0},
        {"Host: localhost\r\nOrigin: http://example.com", 0},
        {"Host: localhost:8000\r\nOrigin: http://localhost:8001", 0},
        {"Host: localhost:8000\r\nOrigin: https://localhost:8000", 0},
        {"Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://example.com", 0},
        {"Host: localhost\r\nOrigin:", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\n%s\r\n\r\n",
                       rows[i].headers);
        net_port_check_in(request, rows[i].loopback ? "loopback=1" : "loopback=0");
    }
}

static void check_peer(const char *headers, const char *peer)
{
    char request[512];
    char want[80];
    (void)snprintf(request, sizeof(request), "GET /echo HTTP/1.1\r\n" HOST "%s\r\n\r\n", headers);
    (void)snprintf(want, sizeof(want), "peer=%s ", peer);
    net_port_check_in(request, want);
}

static void test_x_forwarded_for_counts_only_from_trusted_proxies(void **state)
{
    (void)state;
    check_peer("X-Forwarded-For: 192.0.2.1", "127.0.0.1");
    net_port_end();
    const char *const trusted[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
    net_port.options.trusted_proxies = trusted;
    net_port_begin();
    check_peer("X-Forwarded-For: 192.0.2.1", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9, 192.0.2.1", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9, 192.0.2.1, 10.0.0.7", "192.0.2.1");
    check_peer("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.1 , 10.0.0.7",
               "192.0.2.1");
    check_peer("X-Forwarded-For: 2001:db8::1", "2001:db8::1");
    check_peer("X-Forwarded-For: [2001:db8::1]:443", "2001:db8::1");
    check_peer("X-Forwarded-For: 192.0.2.1:5678", "192.0.2.1");
    check_peer("X-Forwarded-For: 10.0.0.8, 10.0.0.7", "10.0.0.8");
    check_peer("X-Forwarded-For: 192.0.2.1, unknown", "127.0.0.1");
    check_peer("X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.7", "10.0.0.7");
    check_peer("X-Forwarded-For:", "127.0.0.1");
    check_peer("X-Forwarded-For: ,,,", "127.0.0.1");
    check_peer("X-Other: 192.0.2.1", "127.0.0.1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_port_set_up, net_port_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slow_heads_and_bodies_end),
        TEST(test_a_thousand_slow_heads_leave_room_for_others),
        TEST(test_connections_over_the_cap_wait_until_others_end),
        TEST(test_the_last_descriptors_are_not_for_connections),
        TEST(test_a_peer_that_takes_nothing_is_given_up),
        TEST(test_without_descriptors_accepting_pauses_and_goes_on),
        TEST(test_who_is_ahead_steps_back_and_loses_nothing),
        TEST(test_stopping_to_listen_keeps_what_is_open),
        TEST(test_adopted_sockets_do_not_wait_for_full_packets),
        TEST(test_only_an_own_and_direct_request_is_loopback),
        TEST(test_x_forwarded_for_counts_only_from_trusted_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
