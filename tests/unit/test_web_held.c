/* SPDX-License-Identifier: ISC */
/* Requests that wait for another part of the server when the web layer ends. */
#include "net_peer.h"
#include "net_port.h"
#include "net_rig.h"
#include "web/web_private.h"

#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The web layer of a worker whose master says nothing. */
struct scene {
    struct link *link;
    struct calls *calls;
    struct web *web;
    struct agents agents;
    int master;
};

static void begin(void *data)
{
    struct scene *scene = data;
    struct loop *loop = net_rig_loop(net_port.rig);
    const struct link_handler handler = {.data = NULL};
    const struct calls_hooks hooks = {.data = NULL};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
                     0);
    scene->master = pair[0];
    scene->link = link_create(loop, pair[1], &handler);
    const struct calls_settings calls = {
        .sched = loop_sched(loop), .link = scene->link, .max_calls = 1};
    scene->calls = calls_create(&calls, &hooks);
    const struct web_settings web = {.server = net_port.server,
                                     .sched = loop_sched(loop),
                                     .link = scene->link,
                                     .calls = scene->calls,
                                     .agents = &scene->agents};
    scene->web = web_create(&web);
    assert_non_null(scene->web);
}

/* In the order of a worker that ends. */
static void end(void *data)
{
    struct scene *scene = data;
    web_stop(scene->web);
    calls_destroy(scene->calls);
    web_destroy(scene->web);
    link_destroy(scene->link);
    close(scene->master);
}

static int is_held(void *data)
{
    const struct scene *scene = data;
    return scene->web->held != NULL;
}

static void check_end_answers(const char *request)
{
    struct scene scene = {.web = NULL};
    net_rig_call(net_port.rig, begin, &scene);
    int fd = net_connect(net_port.port);
    assert_true(net_text(fd, request));
    assert_true(net_rig_wait(net_port.rig, is_held, &scene));
    net_rig_call(net_port.rig, end, &scene);
    char *answer = net_read_all(fd, NULL);
    assert_non_null(answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 503 ", 13), 0);
    assert_non_null(strstr(answer, "The server is stopping."));
    free(answer);
    close(fd);
}

static void test_health_that_waits_for_the_list_of_calls_is_answered(void **state)
{
    (void)state;
    check_end_answers(GET("/calls/health/") "\r\n");
}

static void test_a_hangup_that_waits_for_its_worker_is_answered(void **state)
{
    (void)state;
    check_end_answers("POST /calls/01890a5d-ac96-774b-bcce-b302099a8057/hangup/ HTTP/1.1\r\n" HOST
                      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health_that_waits_for_the_list_of_calls_is_answered,
                                        net_port_set_up, net_port_tear_down),
        cmocka_unit_test_setup_teardown(test_a_hangup_that_waits_for_its_worker_is_answered,
                                        net_port_set_up, net_port_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
