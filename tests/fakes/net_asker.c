/* SPDX-License-Identifier: ISC */
#include "net_asker.h"

#include "io/loop.h"

#include <dlfcn.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

sem_t net_asker_slow_name;
sem_t net_asker_slow_name_asked;

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
            sem_post(&net_asker_slow_name_asked);
            sem_wait(&net_asker_slow_name);
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

static void over(struct net_asking *record)
{
    assert_false(record->is_over);
    record->is_over = true;
    if (--record->scene->open == 0) {
        loop_stop(record->scene->loop);
    }
}

static void note(struct net_asking *record, const struct aic_http_event *event)
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

void net_asker_cancel(struct net_asking *record)
{
    http_client_cancel(record->scene->client, record->request);
    over(record);
}

static void on_event(void *data, const struct aic_http_event *event)
{
    struct net_asking *record = data;
    assert_true(record->may_come);
    assert_false(record->is_over);
    record->events++;
    note(record, event);
    if (record->then_start) {
        net_asker_start(record->scene, record->then_start, &record->then, NULL);
        record->then_start = NULL;
    }
    if (record->also_cancel) {
        net_asker_cancel(record->also_cancel);
        record->also_cancel = NULL;
    }
    if (record->events == record->cancel_at) {
        net_asker_cancel(record);
    } else if (event->kind == AIC_HTTP_EVENT_DONE || event->kind == AIC_HTTP_EVENT_ERROR) {
        over(record);
    }
}

int32_t net_asker_try_start(struct net_asker *scene, struct net_asking *record,
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

void net_asker_start(struct net_asker *scene, struct net_asking *record,
                     const struct aic_http_request *params, const struct http_rules *rules)
{
    assert_int_equal(net_asker_try_start(scene, record, params, rules), AIC_OK);
    scene->open++;
}

void net_asker_run(struct net_asker *scene)
{
    if (scene->open > 0) {
        loop_run(scene->loop);
    }
}

void net_asker_finish(struct net_asking *record)
{
    aic_buf_finish(&record->trace);
}

const char *net_asker_url_of(const struct net_peer *peer, const char *host, const char *path)
{
    static char url[256];
    (void)snprintf(url, sizeof(url), "http://%s:%d%s", host, net_peer_port(peer), path);
    return url;
}

void net_asker_check(struct net_asker *scene, const struct aic_http_request *params,
                     const struct http_rules *rules, uint32_t category, const char *want)
{
    struct net_asking record = {0};
    net_asker_start(scene, &record, params, rules);
    net_asker_run(scene);
    assert_string_equal(record.trace.data, want);
    assert_int_equal(record.category, category);
    net_asker_finish(&record);
}

int net_asker_set_up(void **state)
{
    static struct net_asker scene;
    scene = (struct net_asker){.loop = loop_create(&(struct loop_options){.pool_threads = 1})};
    const struct http_client_options options = {.user_agent = "aicaller/test"};
    scene.client = http_client_create(scene.loop, &options);
    *state = &scene;
    return scene.client ? 0 : -1;
}

int net_asker_tear_down(void **state)
{
    struct net_asker *scene = *state;
    http_client_destroy(scene->client);
    loop_destroy(scene->loop);
    return 0;
}

/* Reads a head and the body that it announces; NULL when there is none. */
char *net_asker_read_request(int fd)
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
void net_asker_serve_text(void *data, int fd, int number)
{
    (void)number;
    char *request = NULL;
    while ((request = net_asker_read_request(fd)) != NULL) {
        free(request);
        (void)net_text(fd, data);
    }
}

/* Answers one request and ends the connection. */
void net_asker_serve_once(void *data, int fd, int number)
{
    (void)number;
    free(net_asker_read_request(fd));
    (void)net_text(fd, data);
}

/* Answers one request and then says nothing more. */
void net_asker_serve_and_wait(void *data, int fd, int number)
{
    net_asker_serve_once(data, fd, number);
    (void)net_read_end(fd);
}

char *net_asker_seen;

void net_asker_serve_and_keep(void *data, int fd, int number)
{
    (void)number;
    net_asker_seen = net_asker_read_request(fd);
    (void)net_text(fd, data);
}

struct net_peer *net_asker_peer_of(void (*serve)(void *data, int fd, int number),
                                   const char *answer)
{
    union {
        const char *in;
        void *out;
    } data = {answer};

    return net_peer_start(serve, data.out);
}
