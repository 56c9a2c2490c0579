/* SPDX-License-Identifier: ISC */
#include "io/dial.h"

#include "io/loop.h"
#include "net_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static int result;
static int calls;

static union dial_address address(int port)
{
    union dial_address address = {.v4 = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                         .sin_port = htons((uint16_t)port)}};
    return address;
}

static void on_done(void *data, int fd)
{
    (void)data;
    calls++;
    result = fd;
    loop_stop(loop);
}

static void dial(const union dial_address *addresses, size_t count)
{
    calls = 0;
    assert_non_null(dial_start(loop, addresses, count, on_done, NULL));
    assert_int_equal(calls, 0);
    loop_run(loop);
    assert_int_equal(calls, 1);
}

/* A port where nobody listens. */
static int closed_port(void)
{
    int port = 0;
    close(net_listen(&port));
    return port;
}

/* A port that takes no further connection: the queue is full, so nobody answers. */
static int deaf_port(int fds[4])
{
    union dial_address any = address(0);
    socklen_t size = sizeof(any.v4);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fds[0], &any.any, size), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], &any.any, &size), 0);
    for (int i = 1; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fds[i], &any.any, size);
    }
    return ntohs(any.v4.sin_port);
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_create(NULL);
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_destroy(loop);
    return 0;
}

static void test_the_first_address_that_connects_wins(void **state)
{
    (void)state;
    int port = 0;
    int fd = net_listen(&port);
    const union dial_address addresses[] = {address(closed_port()), address(closed_port()),
                                            address(port)};
    dial(addresses, 3);
    assert_true(result >= 0);
    struct sockaddr_in peer = {.sin_port = 0};
    socklen_t size = sizeof(peer);
    assert_int_equal(getpeername(result, (struct sockaddr *)&peer, &size), 0);
    assert_int_equal(ntohs(peer.sin_port), port);
    close(result);
    close(fd);
}

static void test_an_address_that_does_not_answer_holds_nobody_up(void **state)
{
    (void)state;
    int deaf[4] = {-1, -1, -1, -1};
    int port = 0;
    int fd = net_listen(&port);
    const union dial_address addresses[] = {address(deaf_port(deaf)), address(port)};
    dial(addresses, 2); /* else this would take minutes */
    assert_true(result >= 0);
    close(result);
    close(fd);
    for (int i = 0; i < 4; i++) {
        close(deaf[i]);
    }
}

static void test_the_last_failure_is_told(void **state)
{
    (void)state;
    const union dial_address addresses[] = {address(closed_port()), address(closed_port())};
    dial(addresses, 2);
    assert_int_equal(result, -ECONNREFUSED);
    dial(addresses, 0);
    assert_int_equal(result, -EADDRNOTAVAIL);
}

static void test_a_dial_that_is_stopped_is_silent(void **state)
{
    (void)state;
    int deaf[4] = {-1, -1, -1, -1};
    const union dial_address silent = address(deaf_port(deaf));
    const union dial_address addresses[] = {silent, silent};
    calls = 0;
    dial_stop(dial_start(loop, addresses, 2, on_done, NULL));
    dial_stop(NULL);
    struct dial *other = dial_start(loop, addresses, 2, on_done, NULL);
    const union dial_address refused = address(closed_port());
    assert_non_null(dial_start(loop, &refused, 1, on_done, NULL));
    loop_run(loop);
    dial_stop(other); /* its first attempt is under way */
    assert_int_equal(calls, 1);
    for (int i = 0; i < 4; i++) {
        close(deaf[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_address_that_connects_wins),
        TEST(test_an_address_that_does_not_answer_holds_nobody_up),
        TEST(test_the_last_failure_is_told),
        TEST(test_a_dial_that_is_stopped_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
