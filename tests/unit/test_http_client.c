/* SPDX-License-Identifier: ISC */
#include "io/http_client.h"

#include "base64.h"
#include "buf.h"
#include "io/loop.h"
#include "net_peer.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Names of the tests, for libcurl's resolver too: "<a>-<b>-<c>-<d>.test" is that IPv4 address,
 * "slow.test" answers when the test says so. */

static sem_t slow_name;
static sem_t slow_name_asked;

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **found)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    }
    char numeric[64] = "";
    size_t length = node ? strlen(node) : 0;
    if (length > 5 && length < sizeof(numeric) && strcmp(node + length - 5, ".test") == 0) {
        if (strcmp(node, "slow.test") == 0) {
            sem_post(&slow_name_asked);
            sem_wait(&slow_name);
            return EAI_FAIL;
        }
        memcpy(numeric, node, length - 5);
        for (char *dash = numeric; (dash = strchr(dash, '-')) != NULL;) {
            *dash = '.';
        }
        node = numeric;
    }
    return real(node, service, hints, found);
}

/* What a request told */

struct scene {
    struct loop *loop;
    struct http_client *client;
    int open; /* requests that have not ended */
};

struct record {
    struct scene *scene;
    struct aic_http *request;
    struct aic_buf trace; /* "H200 D(bytes) S(name|data) . !code" */
    uint32_t category;
    uint32_t output_started;
    int32_t status;
    char header[64]; /* value of X-Test */
    int cancel_at;   /* event number at which to cancel; 0 = never */
    struct record *also_cancel;
    struct record *then_start; /* started from inside of the first event */
    struct aic_http_request then;
    int events;
    bool may_come; /* start has returned */
    bool is_over;
};

static void start(struct scene *scene, struct record *record, const struct aic_http_request *params,
                  const struct http_rules *rules);

static void over(struct record *record)
{
    assert_false(record->is_over);
    record->is_over = true;
    if (--record->scene->open == 0) {
        loop_stop(record->scene->loop);
    }
}

static void note(struct record *record, const struct aic_http_event *event)
{
    struct aic_buf *trace = &record->trace;
    switch (event->kind) {
    case AIC_HTTP_EVENT_HEADERS:
        record->status = event->status;
        assert_true(event->ttfb_us > 0);
        for (uint32_t i = 0; i < event->header_count; i++) {
            if (aic_str_equal_nocase(event->headers[i].name, "x-test")) {
                aic_str_copy(event->headers[i].value, record->header, sizeof(record->header));
            }
        }
        aic_buf_printf(trace, "H%d ", event->status);
        break;
    case AIC_HTTP_EVENT_DATA:
        aic_buf_text(trace, "D(");
        aic_buf_str(trace, event->data);
        aic_buf_text(trace, ") ");
        break;
    case AIC_HTTP_EVENT_SSE:
        aic_buf_printf(trace, "S(%.*s|%.*s) ", (int)event->name.len, event->name.ptr,
                       (int)event->data.len, event->data.ptr);
        break;
    case AIC_HTTP_EVENT_DONE:
        aic_buf_text(trace, ".");
        break;
    case AIC_HTTP_EVENT_ERROR:
        assert_true(event->error->message.len > 0);
        record->category = event->error->category;
        record->output_started = event->error->output_started;
        aic_buf_printf(trace, "!%.*s", (int)event->error->code.len, event->error->code.ptr);
        break;
    default:
        fail_msg("unknown event %u", event->kind);
    }
}

static void cancel(struct record *record)
{
    http_client_cancel(record->scene->client, record->request);
    over(record);
}

static void on_event(void *data, const struct aic_http_event *event)
{
    struct record *record = data;
    assert_true(record->may_come);
    assert_false(record->is_over);
    record->events++;
    note(record, event);
    if (record->then_start) {
        start(record->scene, record->then_start, &record->then, NULL);
        record->then_start = NULL;
    }
    if (record->also_cancel) {
        cancel(record->also_cancel);
        record->also_cancel = NULL;
    }
    if (record->events == record->cancel_at) {
        cancel(record);
    } else if (event->kind == AIC_HTTP_EVENT_DONE || event->kind == AIC_HTTP_EVENT_ERROR) {
        over(record);
    }
}

static int32_t try_start(struct scene *scene, struct record *record,
                         const struct aic_http_request *params, const struct http_rules *rules)
{
    record->scene = scene;
    record->may_come = false;
    aic_buf_init(&record->trace, 1u << 20);
    struct aic_http_request full = *params;
    full.size = sizeof(full);
    full.method = full.method ? full.method : "GET";
    full.header_size = sizeof(struct aic_header);
    int32_t status =
        http_client_start(scene->client, &full, rules, on_event, record, &record->request);
    record->may_come = true;
    return status;
}

static void start(struct scene *scene, struct record *record, const struct aic_http_request *params,
                  const struct http_rules *rules)
{
    assert_int_equal(try_start(scene, record, params, rules), AIC_OK);
    scene->open++;
}

static void run(struct scene *scene)
{
    if (scene->open > 0) {
        loop_run(scene->loop);
    }
}

static void finish(struct record *record)
{
    aic_buf_finish(&record->trace);
}

static const char *url_of(const struct net_peer *peer, const char *host, const char *path)
{
    static char url[256];
    (void)snprintf(url, sizeof(url), "http://%s:%d%s", host, net_peer_port(peer), path);
    return url;
}

/* One request, from start to end; its trace is compared. */
static void check(struct scene *scene, const struct aic_http_request *params,
                  const struct http_rules *rules, uint32_t category, const char *want)
{
    struct record record = {0};
    start(scene, &record, params, rules);
    run(scene);
    assert_string_equal(record.trace.data, want);
    assert_int_equal(record.category, category);
    finish(&record);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.loop = loop_create(&(struct loop_options){.pool_threads = 1})};
    const struct http_client_options options = {.user_agent = "aicaller/test"};
    scene.client = http_client_create(scene.loop, &options);
    *state = &scene;
    return scene.client ? 0 : -1;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    http_client_destroy(scene->client);
    loop_destroy(scene->loop);
    return 0;
}

/* Peers */

/* Reads a head and the body that it announces; NULL when there is none. */
static char *read_request(int fd)
{
    char *head = net_read_until(fd, "\r\n\r\n");
    const char *length = head ? strcasestr(head, "content-length: ") : NULL;
    size_t bytes = length ? strtoul(length + 16, NULL, 10) : 0;
    if (bytes > 0) {
        size_t used = strlen(head);
        head = realloc(head, used + bytes + 1);
        if (!head || !net_read(fd, head + used, bytes)) {
            abort();
        }
        head[used + bytes] = '\0';
    }
    return head;
}

/* Answers every request of a connection with the same bytes. */
static void serve_text(void *data, int fd, int number)
{
    (void)number;
    char *request = NULL;
    while ((request = read_request(fd)) != NULL) {
        free(request);
        (void)net_text(fd, data);
    }
}

/* Answers one request and ends the connection. */
static void serve_once(void *data, int fd, int number)
{
    (void)number;
    free(read_request(fd));
    (void)net_text(fd, data);
}

/* Answers one request and then says nothing more. */
static void serve_and_wait(void *data, int fd, int number)
{
    serve_once(data, fd, number);
    (void)net_read_end(fd);
}

static struct net_peer *peer_of(void (*serve)(void *data, int fd, int number), const char *answer)
{
    union {
        const char *in;
        void *out;
    } data = {answer};

    return net_peer_start(serve, data.out);
}

#define PLAIN                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Test:  a b \r\nContent-Length: "             \
    "5\r\n\r\nhello"

static void test_an_answer_is_headers_data_done(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    struct record record = {0};
    start(scene, &record, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL);
    run(scene);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    assert_string_equal(record.header, "a b");
    finish(&record);
    net_peer_stop(peer);
}

static char *seen;

static void serve_and_keep(void *data, int fd, int number)
{
    (void)number;
    seen = read_request(fd);
    (void)net_text(fd, data);
}

static void test_what_is_asked_stands_on_the_wire(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_and_keep, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    const struct aic_header headers[] = {{AIC_STR("Authorization"), AIC_STR("Bearer x")},
                                         {AIC_STR("X-Empty"), {"", 0}},
                                         {AIC_STR("Content-Type"), AIC_STR("application/json")}};
    const struct aic_http_request params = {.method = "POST",
                                            .url = url_of(peer, "127.0.0.1", "/v1/x?y=1"),
                                            .headers = headers,
                                            .header_count = 3,
                                            .body = AIC_STR("{\"a\":\0}")};
    check(scene, &params, NULL, 0, "H204 .");
    net_peer_stop(peer);
    assert_non_null(strstr(seen, "POST /v1/x?y=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "\r\nAuthorization: Bearer x\r\n"));
    assert_non_null(strstr(seen, "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(seen, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(seen, "\r\nUser-Agent: aicaller/test\r\n"));
    assert_non_null(strstr(seen, "\r\nContent-Length: 7\r\n"));
    assert_null(strcasestr(seen, "expect:"));
    assert_null(strcasestr(seen, "accept-encoding:"));
    assert_memory_equal(strstr(seen, "\r\n\r\n") + 4, "{\"a\":\0}", 7);
    free(seen);
}

static void test_a_body_without_type_is_not_called_a_form(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_and_keep, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    const struct aic_http_request params = {.method = "POST",
                                            .url = url_of(peer, "127.0.0.1", "/")};
    check(scene, &params, NULL, 0, "H204 .");
    net_peer_stop(peer);
    assert_null(strcasestr(seen, "content-type"));
    assert_non_null(strstr(seen, "\r\nContent-Length: 0\r\n"));
    free(seen);
}

static void test_whole_gathers_a_chunked_body(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\n");
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_WHOLE};
    check(scene, &params, NULL, 0, "H200 D(abcdefg) .");
    net_peer_stop(peer);
}

static void test_interim_answers_are_passed_over(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n"
                                                "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
    struct record record = {0};
    start(scene, &record, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL);
    run(scene);
    assert_string_equal(record.trace.data, "H404 D(no) .");
    assert_string_equal(record.header, "");
    finish(&record);
    net_peer_stop(peer);
}

static void test_server_sent_events_are_split(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(
        serve_once, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
                    "event: delta\ndata: one\n\n: ping\n\ndata: two\r\n\r\ndata: [DONE]");
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_SSE};
    check(scene, &params, NULL, 0, "H200 S(delta|one) S(|two) S(|[DONE]) .");
    net_peer_stop(peer);
}

static void test_an_error_instead_of_events_comes_as_data(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_once, "HTTP/1.1 429 Slow\r\nContent-Type: text/event-stream\r\n"
                            "Content-Length: 9\r\n\r\ndata: x\n\n");
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/"),
                                            .flags = AIC_HTTP_SSE | AIC_HTTP_WHOLE};
    check(scene, &params, NULL, 0, "H429 D(data: x\n\n) .");
    net_peer_stop(peer);
}

static void test_connections_are_kept_and_used_again(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/")};
    for (int i = 0; i < 5; i++) {
        check(scene, &params, NULL, 0, "H200 D(hello) .");
    }
    assert_int_equal(net_peer_count(peer), 1);
    net_peer_stop(peer);
}

static void test_redirects_are_told_and_not_followed(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(
        serve_text, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/")};
    check(scene, &params, NULL, 0, "H302 .");
    net_peer_stop(peer);
}

/* Cancelling and starting from inside */

static void test_cancel_from_inside_ends_all_events(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_once, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                            "data: one\n\ndata: two\n\ndata: three\n\n");
    static const char *const want[] = {"H200 ", "H200 S(|one) ", "H200 S(|one) S(|two) ",
                                       "H200 S(|one) S(|two) S(|three) ",
                                       "H200 S(|one) S(|two) S(|three) ."};
    for (int at = 1; at <= 5; at++) {
        struct record record = {.cancel_at = at};
        const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/"),
                                                .flags = AIC_HTTP_SSE};
        start(scene, &record, &params, NULL);
        run(scene);
        assert_string_equal(record.trace.data, want[at - 1]);
        finish(&record);
    }
    net_peer_stop(peer);
}

static void test_one_request_may_cancel_and_start_others(void **state)
{
    struct scene *scene = *state;
    struct net_peer *silent = peer_of(serve_and_wait, "");
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    char url[256];
    (void)snprintf(url, sizeof(url), "%s", url_of(peer, "127.0.0.1", "/"));
    struct record victim = {0};
    struct record third = {0};
    struct record record = {.also_cancel = &victim, .then_start = &third, .then = {.url = url}};
    start(scene, &victim, &(struct aic_http_request){.url = url_of(silent, "127.0.0.1", "/")},
          NULL);
    start(scene, &record, &(struct aic_http_request){.url = url}, NULL);
    run(scene);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    assert_string_equal(third.trace.data, "H200 D(hello) .");
    assert_int_equal(victim.events, 0);
    finish(&victim);
    finish(&third);
    finish(&record);
    net_peer_stop(peer);
    net_peer_stop(silent);
}

static void test_cancel_from_outside_is_silent(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    struct record victim = {0};
    struct record record = {0};
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/")};
    start(scene, &victim, &params, NULL);
    start(scene, &record, &params, NULL);
    cancel(&victim);
    http_client_cancel(scene->client, NULL);
    run(scene);
    assert_int_equal(victim.events, 0);
    assert_string_equal(record.trace.data, "H200 D(hello) .");
    finish(&victim);
    finish(&record);
    net_peer_stop(peer);
}

static void test_destroying_the_client_is_silent(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_and_wait, "");
    struct record record = {0};
    struct http_client *shared = scene->client;
    scene->client = http_client_create(scene->loop, NULL);
    start(scene, &record, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL);
    http_client_destroy(scene->client);
    http_client_destroy(NULL);
    assert_int_equal(record.events, 0);
    scene->client = shared;
    finish(&record);
    net_peer_stop(peer);
}

/* Deadlines */

static void test_an_answer_has_to_begin_in_time(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_and_wait, "");
    struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/"), .first_byte_ms = 40};
    check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "!first_byte_timeout");
    params.first_byte_ms = 0;
    const struct http_rules rules = {.default_timeout_ms = 40};
    check(scene, &params, &rules, AIC_CATEGORY_TIMEOUT, "!first_byte_timeout");
    net_peer_stop(peer);
    /* Headers alone are not yet an answer. */
    peer = peer_of(serve_and_wait, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    params.url = url_of(peer, "127.0.0.1", "/");
    params.first_byte_ms = 40;
    check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "H200 !first_byte_timeout");
    net_peer_stop(peer);
}

static void test_an_answer_may_not_pause_too_long(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer =
        peer_of(serve_and_wait, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    struct record record = {0};
    start(scene, &record,
          &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/"), .idle_ms = 40}, NULL);
    run(scene);
    assert_string_equal(record.trace.data, "H200 D(he) !idle_timeout");
    assert_int_equal(record.category, AIC_CATEGORY_TIMEOUT);
    assert_int_equal(record.output_started, 1);
    finish(&record);
    net_peer_stop(peer);
}

static void serve_drops(void *data, int fd, int number)
{
    (void)data;
    (void)number;
    free(read_request(fd));
    (void)net_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (net_text(fd, ".")) {
        usleep(2000);
    }
}

static void test_the_whole_may_not_take_too_long(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_drops, "");
    const struct aic_http_request params = {
        .url = url_of(peer, "127.0.0.1", "/"), .flags = AIC_HTTP_WHOLE, .total_ms = 60};
    check(scene, &params, NULL, AIC_CATEGORY_TIMEOUT, "H200 !total_timeout");
    net_peer_stop(peer);
}

static void test_a_slow_name_server_holds_up_nobody(void **state)
{
    struct scene *scene = *state;
    sem_init(&slow_name, 0, 0);
    sem_init(&slow_name_asked, 0, 0);
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    struct record victim = {0};
    start(scene, &victim,
          &(struct aic_http_request){
              .url = "http://slow.test/", .connect_ms = 60000, .first_byte_ms = 60000},
          NULL);
    scene->open--;
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL, 0,
          "H200 D(hello) .");
    sem_wait(&slow_name_asked);
    /* Its thread still waits: were it joined here, the test would hang. */
    http_client_cancel(scene->client, victim.request);
    const struct aic_http_request late = {.url = "http://slow.test/", .connect_ms = 40};
    check(scene, &late, NULL, AIC_CATEGORY_TIMEOUT, "!connect_timeout");
    assert_int_equal(victim.events, 0);
    sem_post(&slow_name);
    sem_post(&slow_name);
    finish(&victim);
    net_peer_stop(peer);
}

/* Failures */

static void test_failures_have_their_category(void **state)
{
    struct scene *scene = *state;
    int port = 0;
    int fd = net_listen(&port);
    close(fd);
    char url[64];
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    check(scene, &(struct aic_http_request){.url = url}, NULL, AIC_CATEGORY_NETWORK, "!connect");
    check(scene, &(struct aic_http_request){.url = "http://no-such-name.test/"}, NULL,
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
        struct net_peer *peer = peer_of(serve_once, rows[i].answer);
        check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL,
              rows[i].category, rows[i].want);
        net_peer_stop(peer);
    }
}

static void test_a_body_over_the_bound_is_an_error(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    struct aic_http_request params = {
        .url = url_of(peer, "127.0.0.1", "/"), .flags = AIC_HTTP_WHOLE, .max_bytes = 5};
    check(scene, &params, NULL, 0, "H200 D(hello) .");
    params.max_bytes = 4;
    check(scene, &params, NULL, AIC_CATEGORY_PROTOCOL, "H200 !too_large");
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
    char *request = read_request(fd);
    if (!strcasestr(request, "accept-encoding: ") || !strstr(request, "gzip")) {
        abort();
    }
    free(request);
    (void)net_text(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
    (void)net_write(fd, bytes, (size_t)count);
}

static void test_the_bound_counts_what_was_unpacked(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_bomb, "");
    const struct aic_http_request params = {
        .url = url_of(peer, "127.0.0.1", "/"), .flags = AIC_HTTP_WHOLE, .max_bytes = 100000};
    check(scene, &params, NULL, AIC_CATEGORY_PROTOCOL, "H200 !too_large");
    net_peer_stop(peer);
}

static void test_endless_headers_are_an_error(void **state)
{
    struct scene *scene = *state;
    struct aic_buf answer;
    aic_buf_init(&answer, 1u << 20);
    aic_buf_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 3000; i++) {
        aic_buf_printf(&answer, "X-Header-%d: some value of no importance\r\n", i);
    }
    aic_buf_text(&answer, "\r\n");
    struct net_peer *peer = peer_of(serve_once, answer.data);
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL,
          AIC_CATEGORY_PROTOCOL, "!too_large");
    net_peer_stop(peer);
    aic_buf_finish(&answer);
}

static void test_a_content_type_can_be_required(void **state)
{
    struct scene *scene = *state;

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
        struct net_peer *peer = peer_of(serve_text, answer);
        bool is_refused = rows[i].want[0] == '!';
        check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, &rules,
              is_refused ? AIC_CATEGORY_PROTOCOL : 0, rows[i].want);
        net_peer_stop(peer);
    }
}

/* Rules */

static const struct http_rules public_only = {.public_only = true};

static void test_users_urls_reach_no_private_address(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
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
        check(scene, &(struct aic_http_request){.url = url_of(peer, hosts[i], "/")}, &public_only,
              AIC_CATEGORY_PERMISSION, "!address");
    }
    assert_int_equal(net_peer_count(peer), 0);
    net_peer_stop(peer);
}

static void test_a_connection_of_others_does_not_go_round_the_rules(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    const struct aic_http_request params = {.url = url_of(peer, "127.0.0.1", "/")};
    check(scene, &params, NULL, 0, "H200 D(hello) .");
    check(scene, &params, &public_only, AIC_CATEGORY_PERMISSION, "!address");
    net_peer_stop(peer);
}

static void test_the_operator_may_except_networks(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    const char *const allow[] = {"10.0.0.0/8", "127.0.0.0/8", NULL};
    const struct http_rules rules = {.public_only = true, .allow = allow};
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127-0-0-1.test", "/")}, &rules, 0,
          "H200 D(hello) .");
    net_peer_stop(peer);
}

static void test_plain_http_can_be_kept_to_loopback(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    const struct http_rules rules = {.plain_to_loopback_only = true};
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127-0-0-1.test", "/")}, &rules, 0,
          "H200 D(hello) .");
    check(scene, &(struct aic_http_request){.url = url_of(peer, "192-0-2-1.test", "/")}, &rules,
          AIC_CATEGORY_PERMISSION, "!address");
    net_peer_stop(peer);
}

static void test_bad_requests_are_refused_at_once(void **state)
{
    struct scene *scene = *state;

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
        struct record record = {0};
        int32_t status = try_start(scene, &record, &params, NULL);
        if (status != rows[i].status) {
            fail_msg("%s %s: %d instead of %d", rows[i].method, rows[i].url, status,
                     rows[i].status);
        }
        finish(&record);
    }
}

static void test_the_environment_names_no_proxy(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("all_proxy", "http://127.0.0.1:1/", 1);
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")}, NULL, 0,
          "H200 D(hello) .");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    net_peer_stop(peer);
}

/* Repeats: the first connection dies on its second request, as a restarted server's does. */

static void serve_and_die(void *data, int fd, int number)
{
    char *request = read_request(fd);
    free(request);
    (void)net_text(fd, data);
    if (number > 0) {
        return;
    }
    free(read_request(fd));
}

static void test_a_dead_connection_is_replaced_unless_once_is_asked_for(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_and_die, PLAIN);
    struct aic_http_request params = {.method = "POST", .url = url_of(peer, "127.0.0.1", "/")};
    check(scene, &params, NULL, 0, "H200 D(hello) .");
    check(scene, &params, NULL, 0, "H200 D(hello) .");
    assert_int_equal(net_peer_count(peer), 2);
    net_peer_stop(peer);

    peer = peer_of(serve_and_die, PLAIN);
    params.url = url_of(peer, "127.0.0.1", "/");
    params.flags = AIC_HTTP_ONCE;
    check(scene, &params, NULL, 0, "H200 D(hello) .");
    check(scene, &params, NULL, AIC_CATEGORY_NETWORK, "!repeat");
    net_peer_stop(peer);
}

static void test_warming_opens_the_connection_that_is_used_later(void **state)
{
    struct scene *scene = *state;
    struct net_peer *peer = peer_of(serve_text, "HTTP/1.1 204 No Content\r\n\r\n");
    http_client_warm(scene->client, url_of(peer, "127.0.0.1", "/v1/chat?key=x"), NULL);
    http_client_warm(scene->client, url_of(peer, "127.0.0.1", "/v1/other"), NULL);
    http_client_warm(scene->client, "nonsense", NULL);
    http_client_warm(scene->client, NULL, NULL);
    /* One connection at a time: what is asked meanwhile opens a second one, what comes later none.
     */
    check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/a")}, NULL, 0,
          "H204 .");
    int count = net_peer_count(peer);
    assert_in_range(count, 1, 2);
    for (int i = 0; i < 3; i++) {
        http_client_warm(scene->client, url_of(peer, "127.0.0.1", "/"), NULL);
        check(scene, &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/a")}, NULL, 0,
              "H204 .");
    }
    assert_int_equal(net_peer_count(peer), count);
    net_peer_stop(peer);
}

static void test_many_requests_at_once(void **state)
{
    struct scene *scene = *state;

    enum { MANY = 60 };
    struct net_peer *peer = peer_of(serve_text, PLAIN);
    static struct record records[MANY];
    memset(records, 0, sizeof(records));
    for (size_t i = 0; i < MANY; i++) {
        start(scene, &records[i], &(struct aic_http_request){.url = url_of(peer, "127.0.0.1", "/")},
              NULL);
    }
    run(scene);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(records[i].trace.data, "H200 D(hello) .");
        finish(&records[i]);
    }
    net_peer_stop(peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        TEST(test_an_answer_has_to_begin_in_time),
        TEST(test_an_answer_may_not_pause_too_long),
        TEST(test_the_whole_may_not_take_too_long),
        TEST(test_a_slow_name_server_holds_up_nobody),
        TEST(test_failures_have_their_category),
        TEST(test_a_body_over_the_bound_is_an_error),
        TEST(test_the_bound_counts_what_was_unpacked),
        TEST(test_endless_headers_are_an_error),
        TEST(test_a_content_type_can_be_required),
        TEST(test_users_urls_reach_no_private_address),
        TEST(test_a_connection_of_others_does_not_go_round_the_rules),
        TEST(test_the_operator_may_except_networks),
        TEST(test_plain_http_can_be_kept_to_loopback),
        TEST(test_bad_requests_are_refused_at_once),
        TEST(test_the_environment_names_no_proxy),
        TEST(test_a_dead_connection_is_replaced_unless_once_is_asked_for),
        TEST(test_warming_opens_the_connection_that_is_used_later),
        TEST(test_many_requests_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
